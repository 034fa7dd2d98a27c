/* The component in the real engine, with the real helper, against real processes. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "components/env.h"
#include "flow/targets.h"
#include "graph/component.h"
#include "graph/controller.h"
#include "graph/view.h"
#include "jvm/operation/request.h"
#include "jvm/operation/scan.h"
#include "jvm/operation/table.h"
#include "lang/diag_text.h"
#include "test.h"

extern const struct component_def discovery_process, discovery_relabel, pyroscope_ebpf;

enum { DEADLINE_MS = 20000, LONG_MS = 60000, JVM_THREADS = 12 };

static pid_t stuck = -1;

static bool asks_for(const struct priv_call *call, pid_t pid)
{
    for (size_t i = 0; i + 8 <= call->in_len; i += 8) {
        const uint8_t *p = call->in + i;
        if (pid == (pid_t)((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]))
            return true;
    }
    return false;
}

/* The operation on a machine where reading the process `stuck` never ends. */
static void scan_that_may_hang(struct priv_call *call)
{
    if (asks_for(call, stuck)) {
        size_t all = call->in_len;
        for (call->in_len = 0;
             call->in_len < all && !asks_for(&(struct priv_call){.in = call->in, .in_len = call->in_len + 8}, stuck);)
            call->in_len += 8;
        jvm_op_scan(call);
        for (;;)
            pause();
    }
    jvm_op_scan(call);
}

static void no_op(struct priv_call *call)
{
    (void)call;
}

static struct priv_op ops[JVM_OP_COUNT + 1] = {[0 ... JVM_OP_SCAN - 1] = {"none", no_op}};

/* The row of the real table, but for what it runs. */
static const struct priv_op *scan_ops(void)
{
    ops[JVM_OP_SCAN] = jvm_ops[JVM_OP_SCAN];
    ops[JVM_OP_SCAN].run = scan_that_may_hang;
    return ops;
}

static const struct component_def *const registry[] = {&discovery_process, &discovery_relabel, &pyroscope_ebpf, NULL};

static uv_loop_t loop;
static struct component_env env;
static struct controller *engine;

static void nothing(void *arg, bool replaced)
{
    (void)arg, (void)replaced;
}

static void start_engine(void)
{
    struct err err = {0};
    env = (struct component_env){.loop = &loop, .version = "test"};
    if (priv_start(scan_ops(), NULL, &env.priv, &err) < 0 || uv_loop_init(&loop) < 0 ||
        priv_attach(env.priv, &loop, nothing, NULL, &err) < 0) {
        printf("FAIL %s\n", err.text);
        exit(1);
    }
    const struct controller_options options = {.loop = &loop, .components = registry, .env = &env};
    engine = controller_new(&options);
}

static void mark(void *arg)
{
    *(bool *)arg = true;
}

static void on_timer(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

static void stop_engine(void)
{
    bool stopped = false;
    controller_stop(engine, mark, &stopped);
    while (!stopped)
        uv_run(&loop, UV_RUN_ONCE);
    controller_free(engine);
    priv_stop(env.priv);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&loop), 0);
}

/* The diagnostics of loading `text`, "" if there are none. */
static const char *load(const char *text)
{
    static char message[1024];
    cleanup_diags struct diags ds = DIAGS_INIT;
    struct config_file file = {"test.alloy", text, strlen(text)};
    int code = controller_load(engine, &file, 1, &ds);
    struct buf out = BUF_INIT(sizeof message);
    if (code < 0)
        diags_summary(&ds, &out);
    snprintf(message, sizeof message, "%s", buf_cstr(&out));
    buf_done(&out);
    return message;
}

/* --- What is exported --- */

static bool take_exports(void *arg, const struct component_view *v)
{
    struct value **ret = arg;
    struct value *targets = v->exports ? value_member(v->exports, STR("targets")) : NULL;
    *ret = targets && value_kind(targets) == VALUE_ARRAY ? targets : NULL;
    return false;
}

static size_t targets(struct value **ret)
{
    *ret = NULL;
    controller_each(engine, take_exports, ret);
    return *ret ? value_len(*ret) : 0;
}

/* The label of the process's target: "" if it has none, NULL if there is no such target. Valid until the exports
 * change. */
static const char *label(pid_t pid, const char *name)
{
    struct value *list;
    char text[16];
    snprintf(text, sizeof text, "%d", pid);
    for (size_t i = 0, n = targets(&list); i < n; i++) {
        const struct labels *ls = value_capsule_data(value_item(list, i), &target_capsule);
        if (ls && str_is(labels_get(ls, STR("__process_pid__")), text))
            return labels_get(ls, str_of(name)).p;
    }
    return NULL;
}

/* Runs the loop until the process's label has the value (NULL: until there is no such target). False after `ms`. */
static bool wait_ms(pid_t pid, const char *name, const char *value, unsigned ms)
{
    uv_timer_t timer;
    bool late = false, met = false;
    uv_timer_init(&loop, &timer);
    timer.data = &late;
    uv_timer_start(&timer, on_timer, ms, 0);
    while (!met && !late) {
        uv_run(&loop, UV_RUN_ONCE);
        const char *got = label(pid, name);
        met = value ? got && strcmp(got, value) == 0 : !got;
    }
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
    return met;
}

#define WAIT(pid, name, value) CHECK(wait_ms(pid, name, value, DEADLINE_MS))

/* --- Processes --- */

/* What shows a JVM from outside: it maps `libjvm`, and each of its threads takes a pid. */
static void become_jvm(const char *libjvm, unsigned threads)
{
    int fd = open(libjvm, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (ftruncate(fd, 64 << 20) < 0 || mmap(NULL, 64 << 20, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED)
        _exit(1);
    unlink(libjvm);
    for (unsigned i = 0; i < threads; i++) {
        pid_t thread = fork();
        if (thread == 0)
            _exit(0);
        waitpid(thread, NULL, 0);
    }
}

/* Sleeps, or with `libjvm` is a JVM. */
static pid_t child(const char *libjvm)
{
    int ready[2];
    if (pipe(ready) < 0)
        exit(1);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (libjvm)
            become_jvm(libjvm, JVM_THREADS);
        close(ready[0]);
        close(ready[1]);
        for (;;)
            pause();
    }
    close(ready[1]);
    char c;
    if (read(ready[0], &c, 1) < 0)
        exit(1);
    close(ready[0]);
    return pid;
}

static void end_child(pid_t pid)
{
    kill(pid, SIGKILL);
    CHECK_INT(waitpid(pid, NULL, 0), pid);
}

static char libjvm_path[64];

#define SLOW "refresh_interval = \"1h\"\n"

static void all_labels_are_set_by_default(void)
{
    start_engine();
    pid_t pid = child(NULL);
    CHECK_STR(load("discovery.process \"x\" { }"), "");
    char uid[16], text[16], cwd[256];
    snprintf(uid, sizeof uid, "%u", getuid());
    snprintf(text, sizeof text, "%d", pid);
    WAIT(pid, "__meta_process_uid", uid);
    CHECK_STR(label(pid, "__process_pid__"), text);
    CHECK_HAS(label(pid, "__meta_process_exe"), "/test_discovery_process");
    CHECK_HAS(label(pid, "__meta_process_commandline"), "test_discovery_process");
    CHECK_STR(label(pid, "__meta_process_cwd"), getcwd(cwd, sizeof cwd));
    if (getuid() == 0)
        CHECK_STR(label(pid, "__meta_process_username"), "root");
    struct procfs_stat stat;
    CHECK_INT(procfs_stat(pid, &stat, NULL), 0);
    snprintf(text, sizeof text, "%llu", (unsigned long long)stat.start_time);
    CHECK_STR(label(pid, "__process_start_time__"), text);
    CHECK_STR(label(pid, "__meta_process_cgroup_path"), "");
    CHECK_STR(label(pid, "__meta_process_java_vm"), "");
    struct value *list;
    long last = 0;
    for (size_t i = 0, n = targets(&list); i < n; i++) {
        const struct labels *ls = value_capsule_data(value_item(list, i), &target_capsule);
        long this = strtol(labels_get(ls, STR("__process_pid__")).p, NULL, 10);
        CHECK(this > last);
        last = this;
    }
    stop_engine();
    end_child(pid);
}

static void labels_can_be_chosen_and_a_reload_changes_them_at_once(void)
{
    start_engine();
    pid_t pid = child(NULL);
    CHECK_STR(
        load("discovery.process \"x\" {\n" SLOW "discover_config {\nexe = false\nuid = false\ncgroup_path = true\n} }"),
        "");
    char cgroup[512] = "", *end;
    FILE *f = fopen("/proc/self/cgroup", "re");
    CHECK(f && fgets(cgroup, sizeof cgroup, f));
    if (f)
        fclose(f);
    if ((end = strchr(cgroup, '\n')))
        *end = '\0';
    char cwd[256];
    WAIT(pid, "__meta_process_cwd", getcwd(cwd, sizeof cwd));
    CHECK_STR(label(pid, "__meta_process_exe"), "");
    CHECK_STR(label(pid, "__meta_process_uid"), "");
    CHECK_HAS(label(pid, "__meta_process_cgroup_path"), cgroup);

    CHECK_STR(load("discovery.process \"x\" {\n" SLOW "discover_config {\ncwd = false\n} }"), "");
    CHECK(label(pid, "__meta_process_cwd") != NULL); /* the old targets stay until there are new ones */
    WAIT(pid, "__meta_process_cwd", "");
    CHECK_HAS(label(pid, "__meta_process_exe"), "/test_discovery_process");
    stop_engine();
    end_child(pid);
}

/* Selected by a rule that reads `label`, and passed to a component that reads none. */
static const char *selected_by(const char *label)
{
    static char text[1024];
    snprintf(text, sizeof text,
             "discovery.process \"x\" {\n" SLOW "}\n"
             "discovery.relabel \"y\" {\ntargets = discovery.process.x.targets\n"
             "rule {\naction = \"keep\"\nregex = \".*\"\nsource_labels = [\"%s\"]\n} }\n"
             "pyroscope.ebpf \"z\" {\ntargets = discovery.relabel.y.output\nforward_to = []\n}\n",
             label);
    return text;
}

static void what_no_rule_reads_is_read_of_jvms_only(void)
{
    start_engine();
    char cwd[256];
    if (!getcwd(cwd, sizeof cwd))
        exit(1);
    const pid_t pid = child(NULL), jvm = child(libjvm_path);
    CHECK_STR(load(selected_by("__meta_process_exe")), "");
    WAIT(jvm, "__meta_process_cwd", cwd);
    WAIT(pid, "__meta_process_cwd", "");
    CHECK_HAS(label(pid, "__meta_process_exe"), "/test_discovery_process");
    CHECK_STR(label(pid, "__meta_process_commandline"), "");
    CHECK_STR(label(pid, "__meta_process_uid"), "");
    CHECK_HAS(label(jvm, "__meta_process_commandline"), "test_discovery_process");

    CHECK_STR(load(selected_by("__meta_process_cwd")), "");
    WAIT(pid, "__meta_process_cwd", cwd);
    CHECK_STR(label(pid, "__meta_process_exe"), "");

    struct component_view v;
    CHECK(controller_view(engine, "discovery.process.x", &v));
    char exe[PATH_MAX];
    snprintf(exe, sizeof exe, "%s", label(jvm, "__meta_process_exe"));
    WAIT(pid, "__meta_process_exe", exe);
    CHECK_STR(label(pid, "__meta_process_cwd"), cwd);
    stop_engine();
    end_child(pid);
    end_child(jvm);
}

static void a_new_jvm_is_seen_soon_and_its_end_too_whatever_the_refresh(void)
{
    start_engine();
    CHECK_STR(load("discovery.process \"x\" {\n" SLOW "discover_config {\njava = true\n} }"), "");
    WAIT(getpid(), "__meta_process_java_vm", "");
    pid_t other = child(NULL), jvm = child(libjvm_path);
    CHECK(wait_ms(jvm, "__meta_process_java_vm", "hotspot", 5000));
    CHECK_STR(label(jvm, "__meta_process_java_main"), "test_discovery_process");
    CHECK(label(other, "__process_pid__") == NULL); /* no JVM: it waits for the refresh */
    end_child(jvm);
    CHECK(wait_ms(jvm, "", NULL, 5000));
    stop_engine();
    end_child(other);
}

static void a_process_that_becomes_a_jvm_later_is_seen_soon(void)
{
    start_engine();
    int go[2];
    CHECK_INT(pipe(go), 0);
    pid_t pid = fork();
    if (pid == 0) {
        /* Like a shell script that ends with `exec java`: same pid, another program. */
        char c;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (read(go[0], &c, 1) != 1)
            _exit(1);
        prctl(PR_SET_NAME, "java");
        become_jvm(libjvm_path, JVM_THREADS);
        for (;;)
            pause();
    }
    CHECK_STR(load("discovery.process \"x\" {\n" SLOW "discover_config {\njava = true\n} }"), "");
    WAIT(pid, "__meta_process_java_vm", "");
    CHECK_INT(write(go[1], "", 1), 1);
    CHECK(wait_ms(pid, "__meta_process_java_vm", "hotspot", 5000));
    stop_engine();
    end_child(pid);
    close(go[0]);
    close(go[1]);
}

static void a_jvm_that_is_slow_to_start_is_seen_too(void)
{
    start_engine();
    CHECK_STR(load("discovery.process \"x\" {\n" SLOW "discover_config {\njava = true\n} }"), "");
    WAIT(getpid(), "__meta_process_java_vm", "");
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sleep(4); /* as on a machine that is short of memory: several looks pass between the launcher and its libjvm */
        prctl(PR_SET_NAME, "java");
        become_jvm(libjvm_path, 2);
        for (;;)
            pause();
    }
    CHECK(wait_ms(pid, "__meta_process_java_vm", "hotspot", 9000));
    stop_engine();
    end_child(pid);
}

/* A JVM in which an SDK publishes a Resource whose service.name is "cart" (OTEP 4719). */
static void become_named_jvm(void)
{
    static const char payload[] = "\x0a\x16\x0a\x0cservice.name\x12\x06\x0a\x04"
                                  "cart";
    const struct {
        char signature[8];
        uint32_t version, size;
        uint64_t published_at_ns, payload;
    } header = {"OTEL_CTX", 2, sizeof payload - 1, 1, (uintptr_t)payload};
    const int fd = memfd_create("OTEL_CTX", MFD_CLOEXEC);
    if (ftruncate(fd, 4096) < 0)
        _exit(1);
    void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED)
        _exit(1);
    memcpy(at, &header, sizeof header);
    become_jvm(libjvm_path, JVM_THREADS);
}

static void a_jvm_has_the_service_name_that_it_declares(void)
{
    start_engine();
    CHECK_STR(load("discovery.process \"x\" {\n" SLOW "}"), "");
    WAIT(getpid(), "service_name", "");
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        become_named_jvm();
        for (;;)
            pause();
    }
    WAIT(pid, "service_name", "cart");
    CHECK_STR(label(pid, "__meta_process_java_vm"), "");
    CHECK_STR(load("discovery.process \"x\" {\n" SLOW "discover_config {\nservice_name = false\n} }"), "");
    WAIT(pid, "service_name", "");
    stop_engine();
    end_child(pid);
}

static void a_name_that_is_published_later_is_found_at_a_refresh(void)
{
    start_engine();
    int go[2];
    CHECK_INT(pipe(go), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char c;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        become_jvm(libjvm_path, JVM_THREADS);
        if (read(go[0], &c, 1) != 1)
            _exit(1);
        become_named_jvm();
        for (;;)
            pause();
    }
    CHECK_STR(load("discovery.process \"x\" {\nrefresh_interval = \"1s\"\ndiscover_config {\njava = true\n} }"), "");
    WAIT(pid, "__meta_process_java_vm", "hotspot");
    CHECK_STR(label(pid, "service_name"), "");
    CHECK_INT(write(go[1], "", 1), 1);
    WAIT(pid, "service_name", "cart");
    CHECK_STR(label(pid, "__meta_process_java_vm"), "hotspot");
    stop_engine();
    end_child(pid);
    close(go[0]);
    close(go[1]);
}

static void what_is_not_utf8_is_mended(void)
{
    start_engine();
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (mkdir("/tmp/smolder-test-\xff", 0700) < 0 || chdir("/tmp/smolder-test-\xff") < 0)
            _exit(1);
        for (;;)
            pause();
    }
    CHECK_STR(load("discovery.process \"x\" {\nrefresh_interval = \"100ms\"\n}"), "");
    WAIT(pid, "__meta_process_cwd", "/tmp/smolder-test-\xef\xbf\xbd");
    stop_engine();
    end_child(pid);
    rmdir("/tmp/smolder-test-\xff");
}

static void what_is_read_again_keeps_what_is_known_of_the_jvm(void)
{
    start_engine();
    pid_t jvm = child(libjvm_path);
    CHECK_STR(load("discovery.process \"x\" {\nrefresh_interval = \"100ms\"\ndiscover_config {\njava = true\n} }"), "");
    WAIT(jvm, "__meta_process_java_vm", "hotspot");
    pid_t later = child(NULL); /* seen by a full read only, so one has passed when it is there */
    WAIT(later, "__meta_process_java_vm", "");
    CHECK_STR(label(jvm, "__meta_process_java_vm"), "hotspot");
    CHECK_STR(label(jvm, "__meta_process_java_main"), "test_discovery_process");
    stop_engine();
    end_child(jvm);
    end_child(later);
}

static void a_process_that_cannot_be_read_is_reported_once_and_delays_nobody_for_long(void)
{
    stuck = child(NULL);
    start_engine();
    char path[] = "/tmp/test-discovery-log-XXXXXX";
    int log = mkstemp(path);
    log_to(log);
    pid_t pid = child(NULL);
    CHECK_STR(load("discovery.process \"x\" {\nrefresh_interval = \"200ms\"\n}"), "");
    char uid[16];
    snprintf(uid, sizeof uid, "%u", getuid());
    WAIT(pid, "__meta_process_uid", uid);
    CHECK(label(stuck, "__process_pid__") == NULL);
    wait_ms(stuck, "__process_pid__", "never", 9000); /* two tries of 3 s after the first */
    log_to(STDERR_FILENO);
    char text[8192] = "";
    ssize_t n = pread(log, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    char line[32];
    snprintf(line, sizeof line, " pid=%d ", stuck);
    const char *first = strstr(text, line);
    CHECK_HAS(text, line);
    CHECK(first && !strstr(first + 1, line));
    close(log);
    unlink(path);
    stop_engine();
    end_child(stuck);
    end_child(pid);
    stuck = -1;
}

static void another_program_in_a_process_is_noticed(void)
{
    start_engine();
    int go[2];
    CHECK_INT(pipe(go), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        char c;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (read(go[0], &c, 1) == 1)
            execl("/bin/sleep", "other", "600", (char *)NULL);
        _exit(1);
    }
    CHECK_STR(load("discovery.process \"x\" {\nrefresh_interval = \"1s\"\n}"), "");
    CHECK(wait_ms(pid, "__meta_process_java_vm", "", LONG_MS));
    wait_ms(pid, "", "never", 2500); /* some refreshes: it is known to be idle */
    CHECK_INT(write(go[1], "", 1), 1);
    CHECK(wait_ms(pid, "__meta_process_commandline", "other 600", LONG_MS));
    CHECK(!strstr(label(pid, "__meta_process_exe"), "test_discovery_process"));
    stop_engine();
    end_child(pid);
    close(go[0]);
    close(go[1]);
}

/* -1: not permitted. */
static pid_t child_numbered(pid_t pid)
{
    struct clone_args args = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&pid, .set_tid_size = 1};
    const pid_t got = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    if (got == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    return got;
}

static void a_process_with_the_pid_of_another_is_another(void)
{
    start_engine();
    const pid_t first = child(NULL);
    struct procfs_stat stat;
    CHECK_STR(load("discovery.process \"x\" {\nrefresh_interval = \"1s\"\n}"), "");
    CHECK(wait_ms(first, "__meta_process_java_vm", "", LONG_MS));
    usleep(20000); /* two ticks, so that their start times differ */
    end_child(first);
    const pid_t second = child_numbered(first);
    if (second < 0) {
        printf("SKIP a PID cannot be chosen: %s\n", strerror(errno));
    } else {
        char text[24];
        CHECK_INT(procfs_stat(second, &stat, NULL), 0);
        snprintf(text, sizeof text, "%llu", (unsigned long long)stat.start_time);
        CHECK(wait_ms(second, "__process_start_time__", text, LONG_MS));
        end_child(second);
    }
    stop_engine();
}

static void a_refresh_interval_of_zero_is_refused_with_its_place(void)
{
    start_engine();
    const char *got = load("discovery.process \"x\" {\n\trefresh_interval = \"0s\"\n}");
    CHECK_HAS(got, "test.alloy:");
    CHECK_HAS(got, "refresh_interval must be greater than 0");
    CHECK_HAS(load("discovery.process \"x\" {\n\trefresh_interval = \"-1s\"\n}"), "must be greater than 0");
    stop_engine();
}

static void can_be_stopped_in_the_middle_of_a_read(void)
{
    start_engine();
    CHECK_STR(load("discovery.process \"x\" { }"), "");
    uv_run(&loop, UV_RUN_NOWAIT);
    uv_run(&loop, UV_RUN_NOWAIT);
    stop_engine();
}

int main(void)
{
    snprintf(libjvm_path, sizeof libjvm_path, "/tmp/test-discovery-%d", getpid());
    if (mkdir(libjvm_path, 0700) < 0)
        return 1;
    char *dir = xstrdup(libjvm_path);
    snprintf(libjvm_path, sizeof libjvm_path, "%s/libjvm.so", dir);
    RUN(all_labels_are_set_by_default);
    RUN(labels_can_be_chosen_and_a_reload_changes_them_at_once);
    RUN(what_no_rule_reads_is_read_of_jvms_only);
    RUN(a_new_jvm_is_seen_soon_and_its_end_too_whatever_the_refresh);
    RUN(a_process_that_becomes_a_jvm_later_is_seen_soon);
    RUN(a_jvm_that_is_slow_to_start_is_seen_too);
    RUN(a_jvm_has_the_service_name_that_it_declares);
    RUN(a_name_that_is_published_later_is_found_at_a_refresh);
    RUN(what_is_not_utf8_is_mended);
    RUN(what_is_read_again_keeps_what_is_known_of_the_jvm);
    RUN(a_process_that_cannot_be_read_is_reported_once_and_delays_nobody_for_long);
    RUN(another_program_in_a_process_is_noticed);
    RUN(a_process_with_the_pid_of_another_is_another);
    RUN(a_refresh_interval_of_zero_is_refused_with_its_place);
    RUN(can_be_stopped_in_the_middle_of_a_read);
    rmdir(dir);
    free(dir);
    return REPORT();
}
