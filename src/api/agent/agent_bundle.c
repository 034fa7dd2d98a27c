#include "api/agent/agent_bundle.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "api/agent/components_json.h"
#include "api/agent/zip.h"
#include "api/shared/redact.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/secret.h"
#include "base/work.h"
#include "os/fsutil.h"

#define FOLDER "smolder-support-bundle/"

enum { TEXT_MAX = 16 << 20, LOGS_MAX = 4 << 20, ARCHIVE_MAX = 64 << 20, DURATION_MAX_S = 30 };

struct agent_bundle {
    struct agent_bundle_options options;
    uv_timer_t timer;
    uv_work_t work;
    bool is_timing, is_working;
    struct request *rq; /* NULL: nobody waits */
    struct zip_entry *entries;
    size_t len, cap;
    struct buf logs, archive;
    struct err err;
    void (*done)(void *arg);
    void *done_arg;
};

extern char **environ;

/* The text of a new entry. Good until the next one. */
static struct buf *agent_bundle_entry(struct agent_bundle *b, const char *name)
{
    xgrow(&b->entries, &b->cap, b->len + 1, sizeof *b->entries);
    b->entries[b->len] = (struct zip_entry){xasprintf(FOLDER "%s", name), BUF_INIT(TEXT_MAX)};
    return &b->entries[b->len++].text;
}

static void agent_bundle_clear(struct agent_bundle *b)
{
    for (size_t i = 0; i < b->len; i++) {
        free(b->entries[i].name);
        buf_done(&b->entries[i].text);
    }
    free(b->entries);
    b->entries = NULL;
    b->len = b->cap = 0;
    buf_done(&b->logs);
    buf_done(&b->archive);
}

/* --- contents --- */

static void agent_bundle_put_metadata(struct buf *out)
{
    struct utsname system = {0};
    uname(&system);
    buf_printf(out, "build_version: %s\nos: linux\nkernel: %s\narchitecture: %s\nuptime: %.0fs\n", SMOLDER_VERSION,
               system.release, system.machine, difftime(time(NULL), (time_t)metric_process_start()));
}

/* What says how this process runs. An environment holds whatever somebody put there, and names do not tell what is
 * secret, so these are the ones shown, not those that are hidden. */
static bool agent_bundle_is_shown_variable(struct str name)
{
    static const char *const names[] = {"HOME",
                                        "HOSTNAME",
                                        "LANG",
                                        "LANGUAGE",
                                        "LOGNAME",
                                        "NO_COLOR",
                                        "PATH",
                                        "SHELL",
                                        "TERM",
                                        "TMPDIR",
                                        "TZ",
                                        "USER",
                                        "CONTAINER",
                                        "container",
                                        "INVOCATION_ID",
                                        "NOTIFY_SOCKET",
                                        "JOURNAL_STREAM",
                                        "SSL_CERT_DIR",
                                        "SSL_CERT_FILE",
                                        "UV_THREADPOOL_SIZE",
                                        "MALLOC_ARENA_MAX",
                                        "HTTP_PROXY",
                                        "HTTPS_PROXY",
                                        "ALL_PROXY",
                                        "NO_PROXY",
                                        "http_proxy",
                                        "https_proxy",
                                        "all_proxy",
                                        "no_proxy"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_is(name, names[i]))
            return true;
    }
    return str_has_prefix(name, STR("LC_")) || str_has_prefix(name, STR("SMOLDER_"));
}

static void agent_bundle_put_environment(struct buf *out)
{
    for (char **e = environ; *e; e++) {
        const char *equals = strchr(*e, '=');
        const struct str name = {*e, equals ? (size_t)(equals - *e) : 0};
        if (!agent_bundle_is_shown_variable(name))
            continue;
        if (secret_name(name))
            buf_printf(out, "%.*s=" SECRET_HIDDEN, STR_ARG(name));
        else
            secret_hide(str_of(*e), out);
        buf_byte(out, '\n');
    }
}

static void agent_bundle_put_process(struct buf *out)
{
    static const char *const files[] = {"status", "smaps_rollup", "limits"};
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char path[32];
        snprintf(path, sizeof path, "/proc/self/%s", files[i]);
        cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
        buf_printf(out, "--- %s\n", path);
        if (fd < 0 || fs_read(fd, out, NULL) < 0)
            buf_puts(out, "cannot be read\n");
    }
}

static void agent_bundle_put_source(void *arg, const struct config_file *file)
{
    struct agent_bundle *b = arg;
    const char *slash = strrchr(file->name, '/');
    cleanup_free char *name = xasprintf("sources/%s", slash ? slash + 1 : file->name);
    redact_config(file->name, (struct str){file->text, file->len}, agent_bundle_entry(b, name));
}

static void agent_bundle_collect(struct agent_bundle *b)
{
    const struct agent_bundle_options *o = &b->options;
    agent_bundle_put_metadata(agent_bundle_entry(b, "smolder-metadata.yaml"));
    components_json_all(o->controller, agent_bundle_entry(b, "smolder-components.json"));
    buf_puts(agent_bundle_entry(b, "smolder-peers.json"), "[]");
    o->metrics(o->arg, agent_bundle_entry(b, "smolder-metrics-sample-end.txt"));
    cleanup_buf struct buf flags = BUF_INIT(TEXT_MAX);
    if (o->flags)
        o->flags(o->arg, &flags);
    secret_hide(buf_slice(&flags), agent_bundle_entry(b, "smolder-runtime-flags.txt"));
    agent_bundle_put_environment(agent_bundle_entry(b, "smolder-environment.txt"));
    buf_str(agent_bundle_entry(b, "smolder-logs.txt"), buf_slice(&b->logs)); /* the log hides secrets itself */
    agent_bundle_put_process(agent_bundle_entry(b, "smolder-process.txt"));
    if (o->sources)
        o->sources(o->arg, agent_bundle_put_source, b);
}

/* --- making it --- */

static void agent_bundle_finish(struct agent_bundle *b)
{
    agent_bundle_clear(b);
    if (b->done && !b->is_timing && !b->is_working) {
        b->done(b->done_arg);
        free(b);
    }
}

static void agent_bundle_answer(struct agent_bundle *b)
{
    struct request *rq = TAKE_PTR(b->rq);
    if (b->err.code) {
        request_reply_text(rq, 500, "%s\n", b->err.text);
        return;
    }
    request_set_header(rq, "Content-Disposition", "attachment; filename=\"smolder-support-bundle.zip\"");
    request_reply_buf(rq, 200, "application/zip", &b->archive);
}

static void agent_bundle_compress(uv_work_t *work)
{
    struct agent_bundle *b = work->data;
    if (zip_make(b->entries, b->len, &b->archive, &b->err) < 0)
        return; /* b->err says why */
}

static void agent_bundle_on_compressed(uv_work_t *work, int status)
{
    struct agent_bundle *b = work->data;
    (void)status;
    b->is_working = false;
    agent_bundle_answer(b);
    agent_bundle_finish(b);
}

static void agent_bundle_on_time(uv_timer_t *timer)
{
    struct agent_bundle *b = timer->data;
    log_capture(NULL);
    agent_bundle_collect(b);
    b->is_working = true;
    work_queue(b->options.loop, &b->work, agent_bundle_compress, agent_bundle_on_compressed);
}

/* "" or 1 to 30. */
static bool agent_bundle_parse_duration(const char *text, uint64_t *ret)
{
    *ret = DURATION_MAX_S;
    return !text || (str_to_u64(str_of(text), ret) && *ret >= 1 && *ret <= DURATION_MAX_S);
}

void agent_bundle_make(struct agent_bundle *b, struct request *rq)
{
    uint64_t seconds;
    if (!agent_bundle_parse_duration(request_query(rq, "duration"), &seconds)) {
        request_reply_text(rq, 400, "invalid duration: expected 1 to %d seconds\n", DURATION_MAX_S);
        return;
    }
    if (b->rq) {
        request_set_header(rq, "Retry-After", "30");
        request_reply_text(rq, 503, "another support bundle is being created\n");
        return;
    }
    b->rq = rq;
    b->err = (struct err){0};
    b->logs = BUF_INIT(LOGS_MAX);
    b->archive = BUF_INIT(ARCHIVE_MAX);
    log_capture(&b->logs);
    b->options.metrics(b->options.arg, agent_bundle_entry(b, "smolder-metrics-sample-start.txt"));
    uv_timer_start(&b->timer, agent_bundle_on_time, seconds * 1000, 0);
}

/* --- life --- */

struct agent_bundle *agent_bundle_new(const struct agent_bundle_options *options)
{
    struct agent_bundle *b = xcalloc(1, sizeof *b);
    b->options = *options;
    uv_timer_init(options->loop, &b->timer);
    b->timer.data = b->work.data = b;
    b->is_timing = true;
    return b;
}

static void agent_bundle_on_timer_closed(uv_handle_t *handle)
{
    struct agent_bundle *b = handle->data;
    b->is_timing = false;
    if (!b->is_working)
        agent_bundle_finish(b);
}

void agent_bundle_free(struct agent_bundle *b, void (*done)(void *arg), void *arg)
{
    b->done = done;
    b->done_arg = arg;
    /* Nobody waits for it any more; a worker ends by itself. */
    if (b->rq && !b->is_working) {
        log_capture(NULL);
        request_reply_text(TAKE_PTR(b->rq), 503, "stopping\n");
    }
    uv_close((uv_handle_t *)&b->timer, agent_bundle_on_timer_closed);
}
