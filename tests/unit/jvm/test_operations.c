/* The operations, run in place against real JVMs and the real profiler, once per JDK of this machine. Needs root. */
#include "jvm/operation/client.h"
#include "jvm/operation/operations.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "java_target.h"
#include "jvm/attach/asprof.h"
#include "jvm/attach/attach.h"
#include "jvm/probe/probe.h"
#include "jvm/probe/view.h"
#include "operation_apart.h"
#include "test.h"

#define OPTIONS "event=itimer,interval=10000000,chunktime=60,timeout=120,memlimit=64m"

enum { NOBODY = 65534, NAMES_MAX = 64 };

static const char *jdk;
static struct java_target java;
static struct jvm_reply reply;
static const char *tmp_dir = "/tmp";

static bool begin(const char *const *options)
{
    if (java_begin(jdk, options, &java) && java_ready(&java))
        return true;
    FAIL_("%s does not run", jdk);
    return false;
}

static bool alive(void)
{
    return waitpid(java.pid, NULL, WNOHANG) == 0;
}

static void close_reply(void)
{
    if (reply.output_fd >= 0)
        close(reply.output_fd);
    if (reply.previous_fd >= 0)
        close(reply.previous_fd);
    if (reply.socket_fd >= 0)
        close(reply.socket_fd);
    reply.output_fd = reply.previous_fd = reply.socket_fd = -1;
}

/* What is in the last reply is closed first. */
static void ask(jvm_operation *operation, pid_t pid, unsigned timeout_ms)
{
    close_reply();
    struct pidref p;
    struct jvm_request s = {.id = {.pid = pid}, .tmp_dir = tmp_dir, .dist = "", .options = OPTIONS};
    if (pidref_open(pid, 0, &p, NULL) == 0) {
        s.id.start_time = p.start_time;
        pidref_done(&p);
    }
    operation_apart(operation, &s, clock_ms() + timeout_ms, &reply);
}

#define CHECK_REPLY(want, part)                                                                                        \
    do {                                                                                                               \
        if (reply.outcome != (want) || !strstr(reply.reason, (part)))                                                  \
            FAIL_("the reply is %s \"%s\", want %s \"%s\"", jvm_outcome_name(reply.outcome), reply.reason,             \
                  jvm_outcome_name(want), (part));                                                                     \
    } while (0)

static bool is_recording(int fd)
{
    char magic[4] = "";
    return pread(fd, magic, sizeof magic, 0) == sizeof magic && memcmp(magic, "FLR", 4) == 0;
}

static bool is_unlinked(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && st.st_nlink == 0;
}

/* Names of directories in the target; others' come and go. */
static size_t target_dirs(char names[NAMES_MAX][64])
{
    size_t n = 0;
    DIR *d = opendir("/tmp");
    for (struct dirent *e; d && n < NAMES_MAX && (e = readdir(d));)
        if (strncmp(e->d_name, ".smolder-", 9) == 0 && strlen(e->d_name) == 41)
            snprintf(names[n++], 64, "%.63s", e->d_name);
    closedir(d);
    return n;
}

/* Whatever directory is there now was there before, or goes. */
static void check_nothing_stays(char before[NAMES_MAX][64], size_t n)
{
    char now[NAMES_MAX][64], path[80];
    size_t count = target_dirs(now);
    for (size_t i = 0; i < count; i++) {
        bool old = false;
        for (size_t k = 0; k < n; k++)
            old = old || strcmp(now[i], before[k]) == 0;
        snprintf(path, sizeof path, "/tmp/%s", now[i]);
        for (int k = 0; !old && k < 1500 && access(path, F_OK) == 0; k++)
            usleep(10000);
        CHECK(old || access(path, F_OK) < 0);
    }
}

static void check_silent(void)
{
    char text[4096];
    java_output(&java, text, sizeof text);
    CHECK_STR(text, "ready\n");
}

static void a_session_from_start_to_stop(void)
{
    if (!begin(NULL))
        return;
    char before[NAMES_MAX][64];
    size_t n = target_dirs(before);
    ask(operation_start, java.pid, JVM_START_MS);
    CHECK_REPLY(JVM_OK, "");
    CHECK(is_recording(reply.output_fd));
    CHECK(is_unlinked(reply.output_fd));
    CHECK_INT(reply.previous_fd, -1);
    CHECK(reply.attach_ns > 0);

    ask(operation_metrics, java.pid, JVM_COMMAND_MS);
    CHECK_REPLY(JVM_OK, "");
    CHECK_HAS(reply.text, "mem_calltracestorage_kb");

    ask(operation_dump, java.pid, JVM_COMMAND_MS);
    CHECK_REPLY(JVM_OK, "");

    ask(operation_roll, java.pid, JVM_START_MS);
    CHECK_REPLY(JVM_OK, "");
    CHECK(is_recording(reply.output_fd));
    CHECK(reply.gap_ns > 0 && reply.gap_ns < 2000000000);

    ask(operation_start, java.pid, JVM_START_MS); /* as an agent that was restarted */
    CHECK_REPLY(JVM_OK, "");
    CHECK(is_recording(reply.output_fd));
    CHECK(is_recording(reply.previous_fd));
    CHECK(is_unlinked(reply.previous_fd));

    ask(operation_stop, java.pid, JVM_STOP_MS);
    CHECK_REPLY(JVM_OK, "");
    CHECK(reply.was_running);
    ask(operation_stop, java.pid, JVM_STOP_MS);
    CHECK_REPLY(JVM_OK, "");
    CHECK(!reply.was_running);
    ask(operation_dump, java.pid, JVM_COMMAND_MS);
    CHECK_REPLY(JVM_REFUSED, "no session of this agent");
    ask(operation_metrics, java.pid, JVM_COMMAND_MS);
    CHECK_REPLY(JVM_REFUSED, "no session of this agent");
    check_nothing_stays(before, n);
    check_silent();
    java_kill(&java);
    ask(operation_start, java.pid, JVM_START_MS);
    CHECK_REPLY(JVM_GONE, "");
}

static void a_refusal_carries_the_profilers_words(void)
{
    if (!begin(NULL))
        return;
    struct jvm_request s = {.id = {.pid = java.pid}, .tmp_dir = tmp_dir, .dist = "", .options = "event=no-such-event"};
    close_reply();
    operation_apart(operation_start, &s, clock_ms() + JVM_START_MS, &reply);
    CHECK_REPLY(JVM_REFUSED, "the profiler refused to start: ");
    CHECK(strlen(reply.reason) > strlen("the profiler refused to start: "));
    check_silent();
    java_kill(&java);
}

static void start_with(struct jvm_request s)
{
    s.id.pid = java.pid;
    s.tmp_dir = tmp_dir;
    s.dist = "";
    close_reply();
    operation_apart(operation_start, &s, clock_ms() + JVM_START_MS, &reply);
}

static void what_is_refused_costs_only_itself(void)
{
    if (!begin(NULL))
        return;
    start_with(
        (struct jvm_request){.options = "event=no-such-event,interval=10000000,alloc=512k,lock=10ms,timeout=120"});
    CHECK_REPLY(JVM_OK, "");
    CHECK_STR(reply.degraded.changes, "event");
    CHECK_STR(reply.degraded.why, "without no-such-event: Unsupported event type");
    CHECK(is_recording(reply.output_fd) && is_unlinked(reply.output_fd));
    ask(operation_stop, java.pid, JVM_STOP_MS);
    CHECK(reply.was_running);
    /* What is known is not tried again. */
    const struct degraded known = {"event", "known"};
    start_with((struct jvm_request){.options = "event=no-such-event,alloc=512k,timeout=120", .degraded = &known});
    CHECK_REPLY(JVM_OK, "");
    CHECK_STR(reply.degraded.why, "known");
    ask(operation_stop, java.pid, JVM_STOP_MS);
    check_silent();
    java_kill(&java);
}

static void a_jvm_without_room_or_condemned_is_not_touched(void)
{
    char before[NAMES_MAX][64];
    if (!begin(NULL))
        return;
    size_t n = target_dirs(before);
    /* No cgroup is that large; where none has a limit there is room for anything. */
    start_with((struct jvm_request){.options = OPTIONS, .headroom = UINT64_MAX / 2});
    CHECK(reply.outcome == JVM_NO_ROOM || reply.outcome == JVM_OK);
    if (reply.outcome == JVM_OK)
        ask(operation_stop, java.pid, JVM_STOP_MS);
    CHECK_INT(strlen(reply.makeup.key) == MAKEUP_KEY_SIZE - 1 || reply.was_running, 1);
    java_kill(&java);
    if (!begin(NULL))
        return;
    start_with((struct jvm_request){.options = "event=no-such-event"});
    char keys[2 * MAKEUP_KEY_SIZE + 2];
    snprintf(keys, sizeof keys, "%032x %s", 1, reply.makeup.key);
    CHECK_STR(reply.makeup.main, "Busy");
    CHECK(reply.makeup.build[0] != '\0');
    java_kill(&java);
    if (!begin(NULL))
        return;
    start_with((struct jvm_request){.options = OPTIONS, .condemned = keys}); /* another one of the same make-up */
    CHECK_REPLY(JVM_CONDEMNED, "");
    check_nothing_stays(before, n);
    check_silent();
    java_kill(&java);
}

static void its_socket_stays_only_if_the_jvm_is_killed(void)
{
    static const int signals[] = {SIGTERM, SIGKILL};
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        struct stat st = {0};
        if (!begin(NULL))
            return;
        ask(operation_start, java.pid, JVM_START_MS);
        CHECK_REPLY(JVM_OK, "");
        CHECK(reply.socket_fd >= 0);
        kill(java.pid, signals[i]);
        waitpid(java.pid, NULL, 0);
        CHECK_INT(fstat(reply.socket_fd, &st), 0);
        CHECK_INT(st.st_nlink, signals[i] == SIGTERM ? 0 : 1);
        char socket[64];
        snprintf(socket, sizeof socket, "/tmp/.java_pid%d", (int)java.pid);
        (void)!unlink(socket);
        (void)!unlink(java.output);
    }
}

static void the_build_is_known_without_counters(void)
{
    const char *options[] = {"-XX:-UsePerfData", NULL};
    char build[JVM_VERSION_MAX];
    if (!begin(NULL))
        return;
    ask(operation_start, java.pid, JVM_START_MS);
    snprintf(build, sizeof build, "%s", reply.makeup.build);
    ask(operation_stop, java.pid, JVM_STOP_MS);
    java_kill(&java);
    if (!begin(options))
        return;
    ask(operation_start, java.pid, JVM_START_MS);
    CHECK_REPLY(JVM_OK, "");
    CHECK(strtol(build, NULL, 10) == strtol(reply.makeup.build, NULL, 10));
    ask(operation_stop, java.pid, JVM_STOP_MS);
    java_kill(&java);
}

static void reduced_signals_are_profiled_through_the_socket_and_never_signalled(void)
{
    const char *options[] = {"-Xrs", NULL};
    if (!begin(options))
        return;
    ask(operation_start, java.pid, JVM_START_MS);
    CHECK_REPLY(JVM_OK, "");
    ask(operation_stop, java.pid, JVM_STOP_MS);
    char socket[64];
    snprintf(socket, sizeof socket, "/tmp/.java_pid%d", (int)java.pid);
    CHECK_INT(unlink(socket), 0);
    ask(operation_start, java.pid, JVM_START_MS);
    CHECK_REPLY(JVM_NO_ATTACH, "-Xrs");
    CHECK(alive());
    check_silent();
    java_kill(&java);
}

static void disabled_attach_is_left_alone(void)
{
    const char *options[][3] = {
        {"-XX:+DisableAttachMechanism"},
        {"-XX:+DisableAttachMechanism", "-XX:-UsePerfData"},
    };
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (!begin(options[i]))
            return;
        ask(operation_start, java.pid, JVM_START_MS);
        CHECK_REPLY(JVM_NO_ATTACH, "DisableAttachMechanism");
        CHECK(alive());
        check_silent();
        java_kill(&java);
    }
}

static void no_dynamic_agents_is_a_reason(void)
{
    const char *options[] = {"-XX:-EnableDynamicAgentLoading", NULL};
    if (!begin(options))
        return;
    ask(operation_start, java.pid, JVM_START_MS);
    CHECK_REPLY(JVM_NO_ATTACH, "EnableDynamicAgentLoading");
    check_silent();
    java_kill(&java);
}

static void without_counters_the_options_decide(void)
{
    const char *options[] = {"-XX:-UsePerfData", NULL};
    if (!begin(options))
        return;
    ask(operation_start, java.pid, JVM_START_MS);
    CHECK_REPLY(JVM_OK, "");
    check_silent();
    java_kill(&java);
}

/* A copy of the library at `dir`/lib, run with `arguments` when the JVM starts. */
static bool begin_with_copy(const char *dir, const char *arguments)
{
    struct asprof_dist d = {0};
    char lib[256], option[512];
    if (asprof_dist_open("", &d, NULL) < 0)
        return false;
    mkdir(dir, 0755);
    snprintf(lib, sizeof lib, "%s/lib", dir);
    mkdir(lib, 0755);
    snprintf(lib, sizeof lib, "%s/lib/libasyncProfiler.so", dir);
    int fd = open(lib, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    bool written = fd >= 0 && write(fd, d.library.p, d.library.n) == (ssize_t)d.library.n;
    close(fd);
    snprintf(option, sizeof option, "-agentpath:%s=%s", lib, arguments);
    const char *options[] = {option, NULL};
    return written && begin(options);
}

static void remove_copy(const char *dir)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/lib/libasyncProfiler.so", dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/lib", dir);
    rmdir(path);
    rmdir(dir);
}

static unsigned libraries_mapped(void)
{
    char path[64], line[PATH_MAX + 128];
    unsigned n = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)java.pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f))
        n += strstr(line, "r-xp") && strstr(line, "libasyncProfiler");
    if (f)
        fclose(f);
    return n;
}

static void a_foreign_session_is_never_stopped(void)
{
    const char *arguments[] = {"start,event=itimer,log=/dev/null",
                               "start,event=itimer,jfr,file=/dev/null,log=/dev/null"};
    char dir[128];
    snprintf(dir, sizeof dir, "%s/elsewhere", java_dir);
    for (size_t i = 0; i < ARRAY_LEN(arguments); i++) {
        if (!begin_with_copy(dir, arguments[i]))
            return;
        for (int again = 0; again < 2; again++) {
            ask(operation_start, java.pid, JVM_START_MS);
            CHECK_REPLY(JVM_FOREIGN, "another async-profiler session is running");
        }
        ask(operation_stop, java.pid, JVM_STOP_MS);
        CHECK(!reply.was_running);
        ask(operation_start, java.pid, JVM_START_MS);
        CHECK_REPLY(JVM_FOREIGN, "another async-profiler session is running");
        CHECK_INT(libraries_mapped(), 1);
        check_silent();
        java_kill(&java);
    }
    remove_copy(dir);
}

/* Ours lies idle in the JVM when somebody starts another copy, which no thread gives away. */
static void a_foreign_session_beside_our_idle_copy_is_seen(void)
{
    char dir[128], library[256];
    snprintf(dir, sizeof dir, "%s/beside", java_dir);
    if (!begin_with_copy(dir, "status,log=/dev/null"))
        return;
    ask(operation_start, java.pid, JVM_START_MS);
    CHECK_REPLY(JVM_OK, "");
    ask(operation_stop, java.pid, JVM_STOP_MS);
    CHECK(reply.was_running);
    struct jvm_view view = JVM_VIEW_INIT;
    struct jvm_probe probe;
    struct jvm_attach attach = {.tmp = -1, .deadline_ms = clock_ms() + 10000};
    CHECK_INT(jvm_view_open(&view, java.pid, 0, NULL), 0);
    CHECK_INT(jvm_probe_process(&view, &probe, NULL), 0);
    jvm_probe_root(&view, &probe);
    CHECK_INT(jvm_attach_open(&attach, &view, &probe, NULL), 0);
    snprintf(library, sizeof library, "%s/lib/libasyncProfiler.so", dir);
    const char *const args[] = {library, "true", "start,event=itimer,log=/dev/null"};
    cleanup_buf struct buf text = BUF_INIT(ATTACH_REPLY_MAX);
    CHECK_INT(jvm_attach_call(&attach, "load", args, &text, NULL), 0);
    CHECK_HAS(buf_cstr(&text), "return code: 0");
    ask(operation_start, java.pid, JVM_START_MS);
    CHECK_REPLY(JVM_FOREIGN, dir);
    check_silent();
    jvm_attach_done(&attach);
    jvm_view_done(&view);
    java_kill(&java);
    remove_copy(dir);
}

static void an_idle_copy_of_others_is_no_obstacle(void)
{
    char dir[128];
    snprintf(dir, sizeof dir, "%s/idle", java_dir);
    if (!begin_with_copy(dir, "status,log=/dev/null"))
        return;
    ask(operation_start, java.pid, JVM_START_MS);
    CHECK_REPLY(JVM_OK, "");
    CHECK_INT(libraries_mapped(), 2);
    check_silent();
    java_kill(&java);
    remove_copy(dir);
}

static void an_older_copy_of_ours_stays_in_use(void)
{
    char dir[128];
    snprintf(dir, sizeof dir, "%s/grafana-agent-asprof-glibc-%040d", java_dir, 7);
    if (!begin_with_copy(dir, "status,log=/dev/null"))
        return;
    ask(operation_start, java.pid, JVM_START_MS);
    CHECK_REPLY(JVM_OK, "");
    CHECK_INT(libraries_mapped(), 1);
    ask(operation_stop, java.pid, JVM_STOP_MS);
    CHECK(reply.was_running);
    remove_copy(dir);
    ask(operation_start, java.pid, JVM_START_MS);
    CHECK_REPLY(JVM_REFUSED, "restart the JVM");
    check_silent();
    java_kill(&java);
}

static void a_stopped_jvm_is_asked_nothing(void)
{
    if (!begin(NULL))
        return;
    char before[NAMES_MAX][64];
    size_t n = target_dirs(before);
    kill(java.pid, SIGSTOP);
    struct pidref p = PIDREF_INIT;
    CHECK_INT(pidref_open(java.pid, 0, &p, NULL), 0);
    for (int i = 0; i < 500 && pidref_state(&p) != 'T'; i++)
        usleep(10000);
    pidref_done(&p);
    int64_t begun = clock_ms();
    ask(operation_start, java.pid, 3000);
    CHECK_REPLY(JVM_TIMEOUT, "is stopped");
    CHECK(clock_ms() - begun < 3000);
    check_nothing_stays(before, n);
    java_kill(&java);
}

/* The handler holds the JVM's only listener: a start waits behind it until the deadline. */
static void a_jvm_that_does_not_answer_costs_no_more_than_the_deadline(void)
{
    if (!begin(NULL))
        return;
    ask(operation_start, java.pid, JVM_START_MS);
    CHECK_REPLY(JVM_OK, "");
    ask(operation_stop, java.pid, JVM_STOP_MS);
    char before[NAMES_MAX][64], name[64];
    size_t n = target_dirs(before);
    /* A connection that says nothing keeps the listener, which serves one after the other. */
    int mute = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    snprintf(name, sizeof name, "/tmp/.java_pid%d", (int)java.pid);
    memcpy(addr.sun_path, name, sizeof name);
    CHECK_INT(connect(mute, (struct sockaddr *)&addr, sizeof addr), 0);
    int64_t begun = clock_ms();
    ask(operation_start, java.pid, 2000);
    CHECK_REPLY(JVM_TIMEOUT, "did not answer in time");
    CHECK(clock_ms() - begun < 2000);
    check_nothing_stays(before, n);
    close(mute);
    /* What it was asked it tries now, and finds no file: nothing runs unseen. */
    ask(operation_start, java.pid, JVM_START_MS);
    CHECK_REPLY(JVM_OK, "");
    check_silent();
    java_kill(&java);
}

static void a_jvm_is_caught_young_and_lives(void)
{
    for (int i = 0; i < 3; i++) {
        if (!java_begin(jdk, NULL, &java))
            return;
        int64_t until = clock_ms() + 20000;
        do
            ask(operation_start, java.pid, JVM_START_MS);
        while (reply.outcome != JVM_OK && reply.outcome != JVM_NO_ATTACH && clock_ms() < until && alive());
        CHECK_REPLY(JVM_OK, "");
        CHECK(alive());
        CHECK(java_ready(&java));
        check_silent();
        java_kill(&java);
    }
}

static void what_is_no_jvm_is_left_alone(void)
{
    pid_t pid;
    char *argv[] = {(char *)"/bin/sleep", (char *)"60", NULL};
    if (!java_spawn(argv, "/dev/null", &pid))
        return;
    ask(operation_start, pid, JVM_START_MS);
    CHECK_REPLY(JVM_NOT_HOTSPOT, "no HotSpot JVM");
    CHECK_INT(waitpid(pid, NULL, WNOHANG), 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st, (void)type, (void)walk;
    return remove(path);
}

static void traps_at_the_librarys_path_are_gone_around(void)
{
    struct asprof_dist d = {0};
    char own[128], path[PATH_MAX];
    CHECK_INT(asprof_dist_open("", &d, NULL), 0);
    for (int link = 0; link < 2; link++) {
        if (!begin(NULL))
            return;
        snprintf(own, sizeof own, "%s/tmp", java_dir);
        chmod(java_dir, 0755);
        mkdir(own, 0755);
        tmp_dir = own;
        snprintf(path, sizeof path, "%s/grafana-agent-asprof-glibc-%s", own, d.sha1);
        mkdir(path, 0755);
        strcat(path, "/lib");
        mkdir(path, 0755);
        strcat(path, "/libasyncProfiler.so");
        CHECK_INT(link ? symlink("/etc/passwd", path) : mkfifo(path, 0666), 0);
        ask(operation_start, java.pid, JVM_START_MS);
        CHECK_REPLY(JVM_OK, "");
        CHECK_INT(libraries_mapped(), 1);
        ask(operation_roll, java.pid, JVM_START_MS);
        CHECK_REPLY(JVM_OK, "");
        tmp_dir = "/tmp";
        nftw(own, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        check_silent();
        java_kill(&java);
    }
}

static pid_t child_of(pid_t pid)
{
    char path[64];
    int child = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *f = fopen(path, "re");
    if (f && fscanf(f, "%d", &child) != 1)
        child = 0;
    if (f)
        fclose(f);
    return child;
}

/* In a mount and pid namespace of its own, with a /tmp mounted with `mount`, as nobody. Returns the JVM's pid here, or
 * 0. */
static pid_t begin_in_namespace(const char *mount)
{
    static unsigned runs;
    char script[4 * PATH_MAX];
    if (!java_compile(jdk))
        return 0;
    snprintf(script, sizeof script,
             "mount -t tmpfs -o noexec none /var/tmp && mount -t tmpfs -o %s none /mnt && cp %s/Busy.class /mnt && "
             "chmod 644 /mnt/Busy.class && "
             "mount --move /mnt /tmp && exec setpriv --pdeathsig KILL --reuid %d --regid %d --clear-groups "
             "%s/bin/java -Xmx64m -XX:+UseSerialGC -cp /tmp Busy",
             mount, java_dir, NOBODY, NOBODY, jdk);
    snprintf(java.output, sizeof java.output, "%s/ns-out-%u", java_dir, runs++);
    char *argv[] = {
        (char *)"/usr/bin/unshare", (char *)"--mount", (char *)"--pid", (char *)"--fork", (char *)"--kill-child",
        (char *)"--mount-proc",     (char *)"/bin/sh", (char *)"-c",    script,           NULL};
    if (java_spawn(argv, java.output, &java.pid) && java_ready(&java))
        return child_of(java.pid);
    char text[256];
    java_output(&java, text, sizeof text);
    FAIL_("the JVM in a namespace does not run: %s", text);
    return 0;
}

static void a_jvm_in_namespaces_of_its_own_with_another_user(void)
{
    pid_t pid = begin_in_namespace("mode=1777");
    if (!pid)
        return;
    ask(operation_start, pid, JVM_START_MS);
    CHECK_REPLY(JVM_OK, "");
    CHECK(is_recording(reply.output_fd));
    ask(operation_roll, pid, JVM_START_MS);
    CHECK_REPLY(JVM_OK, "");
    ask(operation_dump, pid, JVM_COMMAND_MS);
    CHECK_REPLY(JVM_OK, "");
    char path[128];
    struct stat st;
    snprintf(path, sizeof path, "/proc/%d/root/tmp/.attach_pid1", (int)pid);
    CHECK(lstat(path, &st) < 0);
    ask(operation_stop, pid, JVM_STOP_MS);
    CHECK(reply.was_running);
    check_silent();
    java_kill(&java);
}

/* What a kubelet makes of an emptyDir on /tmp: for everybody to write, without the sticky bit, with the group of
 * fsGroup. */
static void a_tmp_for_everybody_to_write_will_do(void)
{
    static const char *const modes[] = {"mode=0777", "mode=2777,gid=4321"};
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        pid_t pid = begin_in_namespace(modes[i]);
        if (!pid)
            return;
        ask(operation_start, pid, JVM_START_MS);
        CHECK_REPLY(JVM_OK, "");
        CHECK(is_recording(reply.output_fd));
        ask(operation_roll, pid, JVM_START_MS);
        CHECK_REPLY(JVM_OK, "");
        check_silent();
        java_kill(&java);
    }
}

/* The owner, or -1. */
static long owner_beneath(pid_t pid, const char *name)
{
    char path[2 * PATH_MAX];
    struct stat st;
    snprintf(path, sizeof path, "/proc/%d/root%s", (int)pid, name);
    return lstat(path, &st) < 0 ? -1 : (long)st.st_uid;
}

/* A trigger in a directory of root's would be a file of root's making; the user could not make it, so it is not
 * made. */
static void what_the_jvms_user_may_not_do_is_not_done_for_it(void)
{
    pid_t pid = begin_in_namespace("mode=0755");
    if (!pid)
        return;
    ask(operation_start, pid, JVM_START_MS);
    CHECK_REPLY(JVM_FAILED, "Permission denied");
    CHECK_INT(owner_beneath(pid, "/tmp/.attach_pid1"), -1);
    check_silent();
    java_kill(&java);
}

static void all_that_is_made_in_a_target_is_its_users(void)
{
    char library[PATH_MAX], *slash;
    pid_t pid = begin_in_namespace("mode=1777");
    if (!pid)
        return;
    ask(operation_start, pid, JVM_START_MS);
    CHECK_REPLY(JVM_OK, "");
    struct stat st;
    CHECK(fstat(reply.output_fd, &st) == 0 && st.st_uid == NOBODY && st.st_gid == NOBODY);
    struct asprof_dist d = {0};
    CHECK_INT(asprof_dist_open("", &d, NULL), 0);
    snprintf(library, sizeof library, "/tmp/grafana-agent-asprof-glibc-%s/lib/libasyncProfiler.so", d.sha1);
    for (unsigned parts = 0; parts < 3; parts++) {
        CHECK_INT(owner_beneath(pid, library), NOBODY);
        if ((slash = strrchr(library, '/')))
            *slash = '\0';
    }
    java_kill(&java);
}

static void a_tmp_that_cannot_hold_the_library_is_a_reason_with_a_remedy(void)
{
    const struct {
        const char *mount, *reason;
    } cases[] = {
        {"mode=1777,size=300k", "No space left on device"},
        {"mode=1777,noexec", "noexec"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        pid_t pid = begin_in_namespace(cases[i].mount);
        if (!pid)
            return;
        ask(operation_start, pid, JVM_START_MS);
        CHECK_REPLY(JVM_FAILED, cases[i].reason);
        check_silent();
        java_kill(&java);
    }
}

int main(void)
{
    char *homes[JDKS_MAX];
    size_t n = java_homes(homes);
    if (geteuid() != 0 || n == 0) {
        SKIP(operations, "needs root and a JDK");
        return REPORT();
    }
    reply.output_fd = reply.previous_fd = reply.socket_fd = -1;
    for (size_t i = 0; i < n; i++) {
        jdk = homes[i];
        printf("-- %s\n", jdk);
        RUN(a_session_from_start_to_stop);
        RUN(a_refusal_carries_the_profilers_words);
        RUN(what_is_refused_costs_only_itself);
        RUN(a_jvm_without_room_or_condemned_is_not_touched);
        RUN(its_socket_stays_only_if_the_jvm_is_killed);
        RUN(the_build_is_known_without_counters);
        RUN(reduced_signals_are_profiled_through_the_socket_and_never_signalled);
        RUN(disabled_attach_is_left_alone);
        RUN(no_dynamic_agents_is_a_reason);
        RUN(without_counters_the_options_decide);
        RUN(a_foreign_session_is_never_stopped);
        RUN(a_foreign_session_beside_our_idle_copy_is_seen);
        RUN(an_idle_copy_of_others_is_no_obstacle);
        RUN(an_older_copy_of_ours_stays_in_use);
        RUN(a_stopped_jvm_is_asked_nothing);
        RUN(a_jvm_that_does_not_answer_costs_no_more_than_the_deadline);
        RUN(a_jvm_is_caught_young_and_lives);
        RUN(traps_at_the_librarys_path_are_gone_around);
        RUN(a_jvm_in_namespaces_of_its_own_with_another_user);
        RUN(a_tmp_for_everybody_to_write_will_do);
        RUN(what_the_jvms_user_may_not_do_is_not_done_for_it);
        RUN(all_that_is_made_in_a_target_is_its_users);
        RUN(a_tmp_that_cannot_hold_the_library_is_a_reason_with_a_remedy);
        close_reply();
    }
    RUN(what_is_no_jvm_is_left_alone);
    java_clean_up();
    for (size_t i = 0; i < n; i++)
        free(homes[i]);
    return REPORT();
}
