#include "jvm/operation/operations.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "jvm/attach/asprof.h"
#include "jvm/attach/asprof_options.h"
#include "jvm/attach/degrade.h"
#include "jvm/attach/fit.h"
#include "jvm/attach/target.h"
#include "jvm/operation/recording.h"
#include "jvm/probe/limits.h"
#include "jvm/probe/mapped.h"
#include "os/fsutil.h"
#include "os/rights.h"

/* Ends by itself this long before it would be ended, so that the caller gets the reason. */
enum { SPARE_MS = 400, YOUNG_WAIT_MS = 20, REASON_MAX = 4096 };
/* A recording holds at most a chunk or two, and the profiler drops events silently on a full disk. */
enum { RECORDING_BYTES = 32 << 20, SMALL_BYTES = 1 << 20 };
/* How many things the JVM and the kernel may lack before the start as a whole is refused. */
enum { DEGRADE_TRIES = 6 };
/* The session's `memlimit`, which is lowered where its container has not got that much. */
enum { STORAGE_MIB = 64 };

/* What the agent gets with every command: without a log of its own it would write to the application's stdout. */
#define SILENT ",quiet,log=/dev/null"
/* 31: no host and JVM facts, which no profile uses; the settings events stay. 8 MB: bounds what a chunk holds in memory
 * and on disk. */
#define RECORDING ",jfr,jfropts=31,clock=monotonic"
#define CHUNK     ",chunksize=8m"

/* One operation on one target. */
struct operation_job {
    const struct jvm_request *s;
    struct jvm_reply *reply;
    struct jvm_target target;
    struct asprof_placed placed; /* the copy that was put there, or checked, by this operation */
    struct jvm_fit fit;
    struct err unfit;         /* code 0: so far it fits */
    struct degraded degraded; /* what is left out of s->options */
    unsigned storage_mib;     /* for stacks */
};

static bool operation_fail(struct operation_job *j, enum jvm_outcome outcome, const char *fmt, ...) printf_like(3, 4);
static bool operation_fail(struct operation_job *j, enum jvm_outcome outcome, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(j->reply->reason, sizeof j->reply->reason, fmt, ap);
    va_end(ap);
    j->reply->outcome = outcome;
    return false;
}

static bool operation_fail_err(struct operation_job *j, const struct err *err)
{
    enum jvm_outcome outcome = err->code == -ESRCH        ? JVM_GONE
                               : err->code == -ETIMEDOUT  ? JVM_TIMEOUT
                               : err->code == -ENOEXEC    ? JVM_NOT_HOTSPOT
                               : err->code == -ENOTSUP    ? JVM_NO_ATTACH
                               : err->code == -ECONNRESET ? JVM_REFUSED
                               : err->code == -ENOMEM     ? JVM_NO_ROOM
                                                          : JVM_FAILED;
    /* A JVM without descriptors cannot accept the connection. */
    uint64_t used, most;
    if (outcome == JVM_TIMEOUT && j->target.view.p.fd >= 0 && limits_no_descriptors(&j->target.view.p, &used, &most))
        return operation_fail(j, outcome, "process %d has no file descriptors left (%llu of %llu)",
                              (int)j->target.view.p.pid, (unsigned long long)used, (unsigned long long)most);
    return operation_fail(j, outcome, "%s", err->text);
}

static void operation_done(struct operation_job *j)
{
    priv_on_deadline(NULL, NULL);
    jvm_target_done(&j->target);
}
#define cleanup_job __attribute__((cleanup(operation_done)))

static struct operation_job operation_begin(const struct jvm_request *s, int64_t deadline_ms, struct jvm_reply *reply)
{
    *reply = JVM_REPLY_INIT(JVM_OK);
    struct operation_job j = {.s = s, .reply = reply, .target = JVM_TARGET_INIT};
    if (s->degraded)
        j.degraded = *s->degraded;
    j.target.attach.deadline_ms = deadline_ms - SPARE_MS;
    return j;
}

/* Everything that is known without touching the target, for an `attach` also whether it fits; from here on this process
 * has its rights. */
static bool operation_peek(struct operation_job *j, bool attach)
{
    struct err err = {0};
    const struct jvm_view *v = &j->target.view;
    int code = jvm_target_find(&j->target, j->s->id.pid, j->s->id.start_time, &err);
    if (code == 0 && attach)
        code = fit_vm(&j->target.probe, j->s->untested, &err);
    if (code == 0 && attach) {
        makeup_read(v, &j->reply->makeup);
        j->unfit.code = fit_peek(&v->p, &j->target.probe, j->s->headroom, &j->fit, &j->unfit);
    }
    if (code == 0)
        code = jvm_target_become(&j->target, &err);
    if (code == 0)
        code = jvm_target_enter(&j->target, &err);
    if (code < 0)
        return operation_fail_err(j, &err);
    priv_on_deadline(jvm_target_undo, &j->target);
    return true;
}

/* Is it one that must not be attached to again? */
static bool operation_condemned(struct operation_job *j)
{
    struct str rest = str_of(j->s->condemned ? j->s->condemned : "");
    for (struct str key; str_split(&rest, ' ', &key);)
        if (str_is(key, j->reply->makeup.key))
            return true;
    return false;
}

/* Before anything is placed in the target or signalled (jvm/attach/fit.h). */
static bool operation_fits(struct operation_job *j)
{
    const struct jvm_probe *t = &j->target.probe;
    struct err err = j->unfit;
    struct jvm_fit *fit = &j->fit;
    cleanup_dist struct asprof_dist d = {0};
    int code = err.code;
    if (code == 0 && !t->ours.path[0])
        code = asprof_dist_open(j->s->dist, &d, &err);
    if (code == 0 && d.library.p)
        asprof_dist_choose(&d, fit_machine(&j->target.view, t));
    if (code == 0)
        code = fit_check(&j->target.view, t, d.library.p ? &d.library : NULL, j->s->untested, fit, &err);
    makeup_seal(&j->reply->makeup, &fit->build, asprof_fingerprint(t, &d));
    snprintf(j->reply->vendor, sizeof j->reply->vendor, "%s", fit->build.vendor);
    if (fit->room.limited)
        j->reply->left = fit->room.left;
    snprintf(j->reply->note, sizeof j->reply->note, "%s", fit->note);
    j->storage_mib = fit_storage(fit, STORAGE_MIB);
    if (code < 0)
        return operation_fail_err(j, &err);
    if (operation_condemned(j))
        return operation_fail(j, JVM_CONDEMNED, "a JVM like this one died after an attach");
    return degrade_build(str_of(j->s->options), &fit->build, &j->degraded, &err) == 0 || operation_fail_err(j, &err);
}

/* Sets the path of the copy of ours the JVM has mapped: a second path would be a second profiler in it. False when its
 * file is not there; then the path is one at which that file has to be put again. */
static bool mapped_library(struct operation_job *j, const char *tail)
{
    const struct jvm_library *l = &j->target.probe.ours;
    snprintf(j->target.library, sizeof j->target.library, "%s/%s", j->s->tmp_dir, tail);
    /* Overlays may show another inode in the maps than to stat(2); then the name has to do. */
    return jvm_mapped_is(j->target.view.root, j->target.library, l->inode) ||
           jvm_mapped_path(&j->target.view, l->path, l->inode, j->target.library, sizeof j->target.library) ||
           (!l->deleted && jvm_mapped_is(j->target.view.root, j->target.library, 0));
}

static bool find_library(struct operation_job *j)
{
    struct err err = {0};
    const char *tail = jvm_our_library(j->target.probe.ours.path);
    /* Most commands end here, before the embedded copy is touched. */
    if (tail && mapped_library(j, tail))
        return true;
    cleanup_dist struct asprof_dist d = {0};
    if (asprof_dist_open(j->s->dist, &d, &err) < 0)
        return operation_fail_err(j, &err);
    asprof_dist_choose(&d, fit_machine(&j->target.view, &j->target.probe));
    /* glibc knows a copy by its name, if only there is a file of that name again. */
    if (tail && (j->target.probe.libc == JVM_MUSL || !strstr(tail, d.sha1)))
        return operation_fail(j, JVM_REFUSED, "the loaded profiler library was removed from %s: restart the JVM",
                              j->target.probe.ours.path);
    if (asprof_place_for(&d, &j->target.view, j->s->tmp_dir, j->target.probe.libc, &j->placed, &err) < 0)
        return operation_fail_err(j, &err);
    snprintf(j->target.library, sizeof j->target.library, "%s", j->placed.path);
    return true;
}

/* Whoever could exchange the file after it was checked is one who may write the directory it lies in. A JVM that had a
 * copy of ours mapped before loads no other, whatever is put at its path. */
static bool mapped_what_was_placed(const struct operation_job *j)
{
    const char *tail = jvm_our_library(j->placed.path);
    if (!tail || j->target.probe.ours.path[0])
        return true;
    const ino_t inode = jvm_mapped_inode(&j->target.view, tail - 1);
    return inode == j->placed.inode || (inode != 0 && j->placed.overlay);
}

/* A JVM this young may have its counters yet to come. */
static bool is_young(const struct operation_job *j)
{
    enum { YOUNG_S = 60 };
    return (uint64_t)(clock_boot_ns() / NS_PER_SEC) <
           j->target.view.p.start_time / (uint64_t)sysconf(_SC_CLK_TCK) + YOUNG_S;
}

/* A command to the profiler in the JVM. True when it answered; *result is then its own word: 0, 100 or 200. */
static bool operation_load(struct operation_job *j, const char *options, int *result)
{
    const char *const args[] = {j->target.library, "true", options};
    int64_t begun = clock_ns();
    for (;;) {
        struct err err = {0};
        struct jvm_load_reply said;
        cleanup_buf struct buf reply = BUF_INIT(ATTACH_REPLY_MAX);
        int code = jvm_attach_call(&j->target.attach, "load", args, &reply, &err);
        j->reply->attach_ns = clock_ns() - begun;
        /* A handler that is not there yet will be. */
        if (code == -ENOTSUP && !j->target.probe.reduced_signals && (j->target.probe.attach_known || is_young(j)))
            return operation_fail(j, JVM_NOT_HOTSPOT, "%s", err.text);
        if (code < 0)
            return operation_fail_err(j, &err);
        jvm_attach_parse_load(buf_slice(&reply), &said);
        if (said.loaded) {
            *result = said.result;
            return true;
        }
        if (!said.early || clock_ms() + YOUNG_WAIT_MS >= j->target.attach.deadline_ms)
            return operation_fail(j, JVM_REFUSED, "the JVM did not load the profiler: %s", said.message);
        usleep(YOUNG_WAIT_MS * 1000);
    }
}

static bool operation_make_dir(struct operation_job *j, uint64_t bytes)
{
    struct err err = {0};
    if (j->target.dir.parent >= 0)
        return true;
    priv_on_deadline(NULL, NULL);
    if (jvm_target_dir_open(&j->target.dir, &j->target.view, bytes, &err) < 0)
        return operation_fail_err(j, &err);
    priv_on_deadline(jvm_target_undo, &j->target);
    return true;
}

static int operation_make_file(struct operation_job *j, const char *file)
{
    struct err err = {0};
    int fd = jvm_target_dir_file(&j->target.dir, file, &err);
    if (fd < 0)
        operation_fail_err(j, &err);
    return fd;
}

/* What stands in a file the JVM wrote, cut to fit. Its owner may have written anything. */
static void read_text(int fd, char *ret, size_t size)
{
    ssize_t n = pread(fd, ret, size - 1, 0);
    ret[n > 0 ? n : 0] = '\0';
}

/* What the profiler logged as an error, on one line. */
static const char *profiler_words(char *text)
{
    str_one_line(str_trim(str_of(text)), text, strlen(text) + 1);
    return strncmp(text, "[ERROR] ", 8) == 0 ? text + 8 : text;
}

/* Turns what the profiler logged about a refused command into the outcome. */
static bool operation_refused(struct operation_job *j, const char *command, int log, int result)
{
    char text[REASON_MAX];
    read_text(log, text, sizeof text);
    const char *said = profiler_words(text);
    if (strstr(said, "already started"))
        return operation_fail(j, JVM_FOREIGN, "another async-profiler session is running in the JVM");
    if (!said[0])
        return operation_fail(j, JVM_REFUSED, "the profiler refused to %s (code %d)", command, result);
    /* It reads libjvm's symbols from its file. */
    if (strstr(said, "dlopen hook") && j->target.probe.libjvm.deleted)
        return operation_fail(j, JVM_REFUSED,
                              "the profiler cannot read %.200s, because its JDK was removed or replaced",
                              j->target.probe.libjvm.path);
    return operation_fail(j, JVM_REFUSED, "the profiler refused to %s: %.400s", command, said);
}

/* The options of a start with what is left of those asked for, and once more with what keeps the profiler silent. */
static bool operation_compose(struct operation_job *j, struct buf *options, struct buf *silent)
{
    buf_reset(options);
    buf_reset(silent);
    const char *chunk = strstr(j->s->options, "chunksize=") ? "" : CHUNK;
    char changes[sizeof j->degraded.changes + 32];
    snprintf(changes, sizeof changes, "%s,memlimit=%um", j->degraded.changes, j->storage_mib);
    if (j->storage_mib >= STORAGE_MIB)
        snprintf(changes, sizeof changes, "%s", j->degraded.changes);
    buf_puts(options, "start,");
    const size_t head = options->len;
    degrade_apply(str_of(j->s->options), changes, options);
    struct err err = {0};
    if (asprof_options_permit((struct str){(const char *)options->p + head, options->len - head}, &err) < 0)
        return operation_fail(j, JVM_REFUSED, "%s", err.text);
    buf_printf(options, RECORDING "%s,file=%s/" TARGET_DIR_RECORDING, chunk, j->target.dir.path);
    buf_str(silent, buf_slice(options));
    buf_puts(silent, SILENT);
    return (buf_ok(silent) && buf_ok(options)) ||
           operation_fail(j, JVM_FAILED, "the profiler's options are too long: %zu bytes", strlen(j->s->options));
}

/* Once more with a log, whose text is the reason; a failure that passed is none. */
static bool start_logged(struct operation_job *j, const struct buf *options, int log, int *result)
{
    cleanup_buf struct buf logged = BUF_INIT(ATTACH_ARG_MAX);
    buf_str(&logged, buf_slice(options));
    buf_printf(&logged, ",quiet,loglevel=error,log=%s/" TARGET_DIR_LOG, j->target.dir.path);
    if (!buf_ok(&logged))
        return operation_fail(j, JVM_REFUSED, "the profiler refused to start (code %d)", *result);
    for (;;) {
        char text[REASON_MAX];
        if (!operation_load(j, buf_cstr(&logged), result))
            return false;
        if (*result == 0 || !is_young(j) || clock_ms() + YOUNG_WAIT_MS >= j->target.attach.deadline_ms)
            return true;
        /* JVMTI is there from the live phase on: as a refusal by the JVM itself, this one will pass. */
        read_text(log, text, sizeof text);
        if (!strstr(text, "does not support Tool Interface"))
            return true;
        usleep(YOUNG_WAIT_MS * 1000);
    }
}

/* A start was refused: finds out why, and starts without what was refused as long as something else is left. */
static bool start_without(struct operation_job *j, struct buf *options, struct buf *silent, int result)
{
    cleanup_close int log = operation_make_file(j, TARGET_DIR_LOG);
    if (log < 0)
        return false;
    for (unsigned i = 0; i < DEGRADE_TRIES; i++) {
        if (!start_logged(j, options, log, &result))
            return false;
        if (result == 0)
            return true;
        char text[REASON_MAX];
        read_text(log, text, sizeof text);
        if (!degrade_refused(str_of(j->s->options), profiler_words(text), &j->degraded))
            break;
        if (!operation_compose(j, options, silent) || !operation_load(j, buf_cstr(silent), &result))
            return false;
        if (result == 0)
            return true;
    }
    return operation_refused(j, "start", log, result);
}

static void tell_stranger(struct operation_job *j)
{
    snprintf(j->reply->text, sizeof j->reply->text, "%s", j->target.probe.stranger.path);
}

/* The profiler said yes: it must have written to what we hold. Where it did not, what it writes to is nobody's. */
static bool operation_started(struct operation_job *j, int *fd)
{
    struct stat st;
    int result;
    if (!mapped_what_was_placed(j))
        return operation_load(j, "stop" SILENT, &result) &&
               operation_fail(j, JVM_REFUSED,
                              "the JVM loaded another file than the one installed at %s: it was replaced",
                              j->placed.path);
    if (fstat(*fd, &st) == 0 && st.st_size > 0) {
        j->reply->output_fd = TAKE_FD(*fd);
        tell_stranger(j);
        j->reply->degraded = j->degraded;
        j->reply->socket_fd = jvm_attach_socket(&j->target.attach);
        return true;
    }
    return operation_load(j, "stop" SILENT, &result) &&
           operation_fail(j, JVM_REFUSED, "the profiler started but did not write its recording to %s",
                          j->target.dir.path);
}

/* Library, recording and the options of a start, all but the log. */
static bool operation_prepare(struct operation_job *j, int *fd, struct buf *options, struct buf *silent)
{
    uint64_t most;
    if (limits_file_size(&j->target.view.p, &most) && most < RECORDING_BYTES)
        return operation_fail(j, JVM_REFUSED,
                              "process %d is limited to files of %llu KiB (ulimit -f), and a recording needs %d KiB",
                              (int)j->target.view.p.pid, (unsigned long long)most >> 10, RECORDING_BYTES >> 10);
    if (!find_library(j) || !operation_make_dir(j, RECORDING_BYTES))
        return false;
    *fd = operation_make_file(j, TARGET_DIR_RECORDING);
    if (*fd < 0)
        return false;
    (void)!recording_claim(*fd); /* nobody else knows it yet */
    return operation_compose(j, options, silent);
}

static bool start_new(struct operation_job *j)
{
    int result;
    cleanup_close int fd = -1;
    cleanup_buf struct buf options = BUF_INIT(ATTACH_ARG_MAX), silent = BUF_INIT(ATTACH_ARG_MAX);
    if (!operation_prepare(j, &fd, &options, &silent) || !operation_load(j, buf_cstr(&silent), &result))
        return false;
    return (result == 0 || start_without(j, &options, &silent, result)) && operation_started(j, &fd);
}

/* The recording of an earlier session of ours, through the JVM's own descriptor. */
static bool open_previous(struct operation_job *j)
{
    struct stat st;
    const int peek = j->target.recording;
    /* The name is the target's to choose, but not the rest: a deleted file of its own, from which the session may punch
     * what it read. */
    if (peek < 0 || fstat(peek, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 0 ||
        st.st_uid != j->target.view.rights.uid || !fs_is_local(peek))
        return operation_fail(j, JVM_FAILED, "the recording of an earlier session cannot be opened");
    cleanup_close int fd = fs_reopen(peek, O_RDWR | O_NONBLOCK);
    if (fd < 0)
        return operation_fail(j, JVM_FAILED, "open the recording of an earlier session: %s", strerror(-fd));
    if (!recording_claim(fd))
        return operation_fail(j, JVM_FOREIGN, "another smolder is profiling this JVM");
    j->reply->previous_fd = TAKE_FD(fd);
    return true;
}

static bool operation_foreign(struct operation_job *j)
{
    return operation_fail(j, JVM_FOREIGN, "another async-profiler session is running in the JVM (%s)",
                          j->target.probe.stranger.path[0] ? j->target.probe.stranger.path
                                                           : "started by hand or by another agent");
}

/* A session with neither a timeout nor JFR output has no thread to know it by, so another's copy is asked. One that
 * cannot be asked or has no words for it counts as idle, or nobody could ever migrate. */
static bool stranger_runs(struct operation_job *j)
{
    const struct jvm_library *l = &j->target.probe.stranger;
    int result;
    char options[ATTACH_ARG_MAX], text[256];
    if (!strstr(l->path, "/libasyncProfiler") || l->deleted ||
        !jvm_mapped_path(&j->target.view, l->path, l->inode, j->target.library, sizeof j->target.library) ||
        strlen(j->target.library) >= ATTACH_ARG_MAX || !operation_make_dir(j, RECORDING_BYTES))
        return false;
    cleanup_close int out = operation_make_file(j, TARGET_DIR_OUTPUT);
    snprintf(options, sizeof options, "status,file=%s/" TARGET_DIR_OUTPUT ",log=/dev/null", j->target.dir.path);
    if (out < 0)
        return false;
    if (!operation_load(j, options, &result)) {
        if (j->reply->outcome == JVM_REFUSED)
            operation_fail(j, JVM_OK, "%s", "");
        return false;
    }
    read_text(out, text, sizeof text);
    return result == 0 && strstr(text, "running");
}

void operation_look(const struct jvm_request *s, int64_t deadline_ms, struct jvm_reply *reply)
{
    cleanup_job struct operation_job j = operation_begin(s, deadline_ms, reply);
    if (!operation_peek(&j, false))
        return;
    reply->was_running = stranger_runs(&j);
    tell_stranger(&j);
}

void operation_start(const struct jvm_request *s, int64_t deadline_ms, struct jvm_reply *reply)
{
    cleanup_job struct operation_job j = operation_begin(s, deadline_ms, reply);
    int result;
    if (!operation_peek(&j, true) || !operation_fits(&j))
        return;
    if (j.target.probe.recording >= 0) {
        if (!find_library(&j) || !open_previous(&j) || !operation_load(&j, "stop" SILENT, &result))
            return;
    } else if (j.target.probe.profiling || stranger_runs(&j)) {
        operation_foreign(&j);
        return;
    }
    if (reply->outcome == JVM_OK) {
        reply->crash_dir = hs_err_place(&j.target.view, &reply->crash_place);
        start_new(&j);
    }
    jvm_target_dir_sweep(&j.target.view);
}

static bool operation_exchange(struct operation_job *j, const char *start, int *stopped, int *started_with)
{
    const char *const stop_args[] = {j->target.library, "true", "stop" SILENT};
    const char *const start_args[] = {j->target.library, "true", start};
    struct err err = {0};
    int64_t begun;
    cleanup_buf struct buf one = BUF_INIT(ATTACH_REPLY_MAX), two = BUF_INIT(ATTACH_REPLY_MAX);
    const struct jvm_attach_command both[] = {{"load", stop_args, &one}, {"load", start_args, &two}};
    const int code = jvm_attach_call_both(&j->target.attach, both, &begun, &err);
    j->reply->attach_ns = j->reply->gap_ns = clock_ns() - begun;
    if (code < 0)
        return operation_fail_err(j, &err);
    struct jvm_load_reply said[2];
    jvm_attach_parse_load(buf_slice(&one), &said[0]);
    jvm_attach_parse_load(buf_slice(&two), &said[1]);
    *stopped = said[0].loaded ? said[0].result : -1;
    *started_with = said[1].result;
    if (!said[1].loaded)
        return operation_fail(j, JVM_REFUSED, "the JVM did not load the profiler: %s", said[1].message);
    return true;
}

static bool operation_roll_over(struct operation_job *j)
{
    int stopped, result = -1;
    cleanup_close int fd = -1;
    cleanup_buf struct buf options = BUF_INIT(ATTACH_ARG_MAX), silent = BUF_INIT(ATTACH_ARG_MAX);
    if (!operation_prepare(j, &fd, &options, &silent))
        return false;
    if (!operation_exchange(j, buf_cstr(&silent), &stopped, &result))
        return false;
    return (result == 0 || start_without(j, &options, &silent, result)) && operation_started(j, &fd);
}

void operation_roll(const struct jvm_request *s, int64_t deadline_ms, struct jvm_reply *reply)
{
    cleanup_job struct operation_job j = operation_begin(s, deadline_ms, reply);
    if (!operation_peek(&j, true) || !operation_fits(&j))
        return;
    if (j.target.probe.recording >= 0)
        operation_roll_over(&j);
    else if (j.target.probe.profiling || stranger_runs(&j))
        operation_foreign(&j);
    else if (reply->outcome == JVM_OK)
        start_new(&j);
}

/* Before what makes sense only while a session of ours runs. False, with a reason, when it does not. */
static bool operation_find_session(struct operation_job *j)
{
    if (!operation_peek(j, false))
        return false;
    if (j->target.probe.recording < 0)
        return j->target.probe.profiling
                   ? operation_foreign(j)
                   : operation_fail(j, JVM_REFUSED, "no session of this agent is running in the JVM");
    return find_library(j);
}

void operation_dump(const struct jvm_request *s, int64_t deadline_ms, struct jvm_reply *reply)
{
    cleanup_job struct operation_job j = operation_begin(s, deadline_ms, reply);
    int result;
    if (operation_find_session(&j) && operation_load(&j, "dump,jfr" SILENT, &result) && result != 0)
        operation_fail(&j, JVM_REFUSED, "the profiler refused to dump (code %d)", result);
}

void operation_stop(const struct jvm_request *s, int64_t deadline_ms, struct jvm_reply *reply)
{
    cleanup_job struct operation_job j = operation_begin(s, deadline_ms, reply);
    int result;
    if (!operation_peek(&j, false) || j.target.probe.recording < 0)
        return;
    /* It may have ended by its timeout between the look and now: then it refuses, and that is as good. */
    if (find_library(&j) && operation_load(&j, "stop" SILENT, &result))
        reply->was_running = result == 0;
}

void operation_metrics(const struct jvm_request *s, int64_t deadline_ms, struct jvm_reply *reply)
{
    cleanup_job struct operation_job j = operation_begin(s, deadline_ms, reply);
    int result;
    if (!operation_find_session(&j) || !operation_make_dir(&j, SMALL_BYTES))
        return;
    cleanup_close int out = operation_make_file(&j, TARGET_DIR_OUTPUT);
    char options[ATTACH_ARG_MAX];
    snprintf(options, sizeof options, "metrics,file=%s/" TARGET_DIR_OUTPUT SILENT, j.target.dir.path);
    if (out < 0 || !operation_load(&j, options, &result))
        return;
    if (result != 0)
        operation_fail(&j, JVM_REFUSED, "the profiler refused to give metrics (code %d)", result);
    else
        read_text(out, reply->text, sizeof reply->text);
}

/* The host's copy is for every user, root included: where it can belong to root it does, or else the agent's user could
 * exchange it. */
static int install_as_root(struct err *err)
{
    const struct rights root = {0};
    return geteuid() == 0 || !rights_have(RIGHTS_CAP(CAP_SETUID)) ? 0 : rights_become(&root, err);
}

void operation_install(const struct jvm_request *s, int64_t deadline_ms, struct jvm_reply *reply)
{
    cleanup_job struct operation_job j = operation_begin(s, deadline_ms, reply);
    struct err err = {0};
    if (install_as_root(&err) < 0) {
        operation_fail_err(&j, &err);
        return;
    }
    cleanup_dist struct asprof_dist d = {0};
    char musl[ASPROF_PATH_SIZE], glibc[ASPROF_PATH_SIZE];
    if (asprof_dist_open(s->dist, &d, &err) < 0 || asprof_install(&d, s->tmp_dir, JVM_MUSL, musl, &err) < 0 ||
        asprof_install(&d, s->tmp_dir, JVM_GLIBC, glibc, &err) < 0) {
        operation_fail_err(&j, &err);
        return;
    }
    snprintf(reply->text, sizeof reply->text, "%s", glibc);
}
