#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jvm/operation/request.h"
#include "jvm/operation/scan.h"
#include "jvm/operation/table.h"
#include "test.h"

enum { DEADLINE_MS = 20000, SEEN_MAX = 128 };

static void no_op(struct priv_call *call)
{
    (void)call;
}

static pid_t stuck = -1;

/* The operation on a machine where reading the process `stuck` never ends, as on a dead network file system. */
static void scan_that_may_hang(struct priv_call *call)
{
    for (size_t i = 0; i + 8 <= call->in_len; i += 8) {
        const uint8_t *p = call->in + i;
        if (stuck == (pid_t)((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3])) {
            call->in_len = i;
            jvm_op_scan(call);
            for (;;)
                pause();
        }
    }
    jvm_op_scan(call);
}

static struct priv_op ops[JVM_OP_COUNT + 1] = {[0 ... JVM_OP_SCAN - 1] = {"none", no_op}};

/* The row of the real table, but for what it runs. */
static const struct priv_op *scan_ops(void)
{
    ops[JVM_OP_SCAN] = jvm_ops[JVM_OP_SCAN];
    ops[JVM_OP_SCAN].run = scan_that_may_hang;
    return ops;
}

static struct priv *priv;
static uv_loop_t loop;

/* What a scan reported: copies, in the order of arrival. */
struct seen {
    pid_t pid;
    int code;
    bool is_java, has_uid;
    uint32_t uid;
    uint64_t start_time;
    char what[128], exe[256], cwd[256], cmdline[256], username[64], vm[16], main[64];
    size_t cmdline_len, cgroup_len;
};
struct result {
    struct seen items[SEEN_MAX];
    size_t len;
    int code;
    bool done;
};

static void copy(char *out, size_t size, struct str s)
{
    snprintf(out, size, "%.*s", STR_ARG(s));
}

static void on_record(void *arg, const struct jvm_scan_record *f)
{
    struct result *r = arg;
    if (r->len == SEEN_MAX)
        return;
    struct seen *s = &r->items[r->len++];
    *s = (struct seen){f->pid, f->code, f->is_java, f->has_uid, f->uid, f->start_time};
    copy(s->what, sizeof s->what, f->what);
    copy(s->exe, sizeof s->exe, f->exe);
    copy(s->cwd, sizeof s->cwd, f->cwd);
    copy(s->cmdline, sizeof s->cmdline, f->cmdline);
    copy(s->username, sizeof s->username, f->username);
    copy(s->vm, sizeof s->vm, f->vm);
    copy(s->main, sizeof s->main, f->main);
    s->cmdline_len = f->cmdline.n;
    s->cgroup_len = f->cgroup.n;
}

static void on_done(void *arg, int code)
{
    struct result *r = arg;
    r->code = code;
    r->done = true;
}

static void on_deadline(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

static void run_until(const bool *done)
{
    uv_timer_t timer;
    bool late = false;
    uv_timer_init(&loop, &timer);
    timer.data = &late;
    uv_timer_start(&timer, on_deadline, DEADLINE_MS, 0);
    while (!*done && !late)
        uv_run(&loop, UV_RUN_ONCE);
    CHECK(!late);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
}

static struct result scan(const struct jvm_scan_item *items, size_t n, unsigned timeout_ms)
{
    struct result r = {0};
    jvm_scan(priv, 1, items, n, timeout_ms, on_record, on_done, &r);
    run_until(&r.done);
    return r;
}

static const struct seen *of(const struct result *r, pid_t pid)
{
    static const struct seen nothing;
    const struct seen *found = &nothing;
    for (size_t i = 0; i < r->len; i++)
        if (r->items[i].pid == pid) {
            CHECK(found == &nothing); /* once only */
            found = &r->items[i];
        }
    CHECK(found != &nothing);
    return found;
}

static pid_t sleeping_child(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGTERM, SIG_DFL);
        for (;;)
            pause();
    }
    return pid;
}

static void end_child(pid_t pid)
{
    kill(pid, SIGKILL);
    CHECK_INT(waitpid(pid, NULL, 0), pid);
}

enum {
    EVERYTHING = JVM_WANT_EXE | JVM_WANT_CWD | JVM_WANT_CMDLINE | JVM_WANT_UID | JVM_WANT_USERNAME | JVM_WANT_CGROUP |
                 JVM_WANT_JAVA
};

static void reads_all_facts_of_a_process(void)
{
    pid_t pid = sleeping_child();
    struct result r = scan(&(struct jvm_scan_item){pid, EVERYTHING}, 1, 5000);
    const struct seen *s = of(&r, pid);
    CHECK_INT(r.code, 0);
    CHECK_INT(s->code, 0);
    CHECK(s->start_time > 0);
    CHECK_HAS(s->exe, "/test_scan");
    char cwd[256];
    CHECK_STR(s->cwd, getcwd(cwd, sizeof cwd));
    CHECK_HAS(s->cmdline, "test_scan");
    CHECK(s->has_uid);
    CHECK_INT(s->uid, getuid());
    if (getuid() == 0)
        CHECK_STR(s->username, "root");
    CHECK(s->cgroup_len > 0);
    CHECK(!s->is_java);
    CHECK_STR(s->vm, "");
    end_child(pid);
}

static void what_is_not_wanted_is_not_read(void)
{
    struct result r = scan(&(struct jvm_scan_item){getpid(), JVM_WANT_CWD}, 1, 5000);
    const struct seen *s = of(&r, getpid());
    CHECK_STR(s->exe, "");
    CHECK_STR(s->cmdline, "");
    CHECK(s->cwd[0] == '/');
    CHECK(!s->has_uid);
    CHECK_INT(s->cgroup_len, 0);
}

static void a_quick_look_reads_nothing_of_what_is_no_jvm(void)
{
    struct result r = scan(&(struct jvm_scan_item){getpid(), EVERYTHING | JVM_WANT_IF_JAVA}, 1, 5000);
    const struct seen *s = of(&r, getpid());
    CHECK_INT(s->code, 0);
    CHECK(!s->is_java);
    CHECK(s->start_time > 0);
    CHECK_STR(s->cwd, "");
}

static void a_process_that_maps_libjvm_is_a_jvm(void)
{
    char dir[] = "/tmp/test-scan-XXXXXX", lib[64];
    CHECK(mkdtemp(dir) != NULL);
    snprintf(lib, sizeof lib, "%s/libjvm.so", dir);
    int fd = open(lib, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK_INT(ftruncate(fd, 64 << 20), 0);
    char *p = mmap(NULL, 64 << 20, PROT_READ, MAP_PRIVATE, fd, 0);
    CHECK(p != MAP_FAILED);
    unlink(lib); /* an upgraded JDK: the kernel shows " (deleted)" */
    pid_t pid = sleeping_child();
    munmap(p, 64 << 20);
    close(fd);
    rmdir(dir);
    struct result r = scan(&(struct jvm_scan_item){pid, EVERYTHING | JVM_WANT_IF_JAVA}, 1, 5000);
    const struct seen *s = of(&r, pid);
    CHECK(s->is_java);
    CHECK_STR(s->vm, "hotspot");
    CHECK_STR(s->main, "test_scan");
    CHECK_HAS(s->exe, "test_scan");
    /* What costs most to find out is not read for the name of the service. */
    const struct result name = scan(&(struct jvm_scan_item){pid, JVM_WANT_SERVICE}, 1, 5000);
    CHECK_STR(of(&name, pid)->vm, "hotspot");
    CHECK_STR(of(&name, pid)->main, "");
    end_child(pid);
}

static void processes_that_are_gone_cost_only_themselves(void)
{
    pid_t pid = sleeping_child();
    const struct jvm_scan_item items[] = {{0x3ffffff, EVERYTHING}, {pid, EVERYTHING}, {0x3fffffe, EVERYTHING}};
    struct result r = scan(items, 3, 5000);
    CHECK_INT(r.len, 3);
    CHECK_INT(of(&r, 0x3ffffff)->code, -ENOENT);
    CHECK_HAS(of(&r, 0x3ffffff)->what, "67108863");
    CHECK_INT(of(&r, 0x3fffffe)->code, -ENOENT);
    CHECK_INT(of(&r, pid)->code, 0);
    end_child(pid);
}

static void a_process_whose_entry_hangs_costs_only_itself(void)
{
    pid_t before = sleeping_child(), after = sleeping_child();
    const struct jvm_scan_item items[] = {{before, EVERYTHING}, {stuck, EVERYTHING}, {after, EVERYTHING}};
    struct result r = scan(items, 3, 1000);
    CHECK_INT(r.len, 3);
    CHECK_INT(r.code, 0);
    CHECK_INT(of(&r, before)->code, 0);
    CHECK_INT(of(&r, after)->code, 0);
    CHECK_INT(of(&r, stuck)->code, -ETIMEDOUT);
    CHECK_HAS(of(&r, stuck)->what, "timed out");
    end_child(before);
    end_child(after);
}

static void a_zombie_and_a_kernel_thread_have_no_program(void)
{
    pid_t zombie = fork();
    if (zombie == 0)
        _exit(0);
    siginfo_t info;
    CHECK_INT(waitid(P_PID, (id_t)zombie, &info, WEXITED | WNOWAIT), 0);
    const struct jvm_scan_item items[] = {{zombie, JVM_WANT_CWD}, {2, JVM_WANT_CWD}};
    struct procfs_stat two;
    const bool has_kernel_threads = procfs_stat(2, &two, NULL) == 0 && two.kernel_thread;
    struct result r = scan(items, has_kernel_threads ? 2 : 1, 5000);
    CHECK_INT(of(&r, zombie)->code, -ENOENT);
    CHECK(of(&r, zombie)->start_time > 0);
    if (has_kernel_threads)
        CHECK_INT(of(&r, 2)->code, -ENOENT);
    CHECK_INT(waitpid(zombie, NULL, 0), zombie);
}

static void a_cancelled_scan_calls_nobody(void)
{
    struct result r = {0};
    const struct jvm_scan_item item = {getpid(), EVERYTHING};
    struct jvm_scan *s = jvm_scan(priv, 1, &item, 1, 5000, on_record, on_done, &r);
    jvm_scan_cancel(s);
    struct result other = scan(&item, 1, 5000); /* its answer comes after the cancelled one's would have */
    CHECK(other.done);
    CHECK(!r.done);
    CHECK_INT(r.len, 0);
}

static void the_largest_command_line_is_cut_not_refused(void)
{
    enum { ARG = 100000 };
    char *arg = malloc(ARG + 1);
    memset(arg, 'x', ARG);
    arg[ARG] = '\0';
    int ready[2];
    CHECK_INT(pipe2(ready, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", "kill -STOP $$", arg, NULL);
        _exit(1);
    }
    close(ready[1]);
    char c;
    while (read(ready[0], &c, 1) > 0)
        ;
    close(ready[0]);
    free(arg);
    CHECK_INT(waitpid(pid, NULL, WUNTRACED), pid); /* until it has stopped itself */
    struct result r = scan(&(struct jvm_scan_item){pid, JVM_WANT_CMDLINE}, 1, 5000);
    CHECK_INT(of(&r, pid)->code, 0);
    CHECK(of(&r, pid)->cmdline_len <= JVM_CMDLINE_MAX);
    CHECK(of(&r, pid)->cmdline_len >= JVM_CMDLINE_MAX - 2);
    end_child(pid);
}

static void another_program_or_a_new_heap_changes_the_fingerprint(void)
{
    struct procfs_stat shell = {.comm = "sh", .vsize = 5 << 20}, java = {.comm = "java", .vsize = 5 << 20};
    CHECK(jvm_program_of(&shell) != jvm_program_of(&java));
    struct procfs_stat heap = java;
    heap.vsize = 5ull << 30;
    CHECK(jvm_program_of(&heap) != jvm_program_of(&java));
    shell.vsize += 4096;
    struct procfs_stat same = shell;
    same.cpu_ticks = 77;
    CHECK_INT(jvm_program_of(&shell), jvm_program_of(&same));
}

static void helper_lost(void *arg, bool replaced)
{
    (void)arg, (void)replaced;
}

int main(void)
{
    struct err err = {0};
    stuck = sleeping_child(); /* before the helper, which is to know it */
    if (priv_start(scan_ops(), NULL, &priv, &err) < 0 || uv_loop_init(&loop) < 0 ||
        priv_attach(priv, &loop, helper_lost, NULL, &err) < 0) {
        printf("FAIL %s\n", err.text);
        return 1;
    }
    RUN(reads_all_facts_of_a_process);
    RUN(what_is_not_wanted_is_not_read);
    RUN(a_quick_look_reads_nothing_of_what_is_no_jvm);
    RUN(a_process_that_maps_libjvm_is_a_jvm);
    RUN(processes_that_are_gone_cost_only_themselves);
    RUN(a_process_whose_entry_hangs_costs_only_itself);
    RUN(a_zombie_and_a_kernel_thread_have_no_program);
    RUN(a_cancelled_scan_calls_nobody);
    RUN(the_largest_command_line_is_cut_not_refused);
    RUN(another_program_or_a_new_heap_changes_the_fingerprint);
    priv_stop(priv);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    kill(stuck, SIGKILL);
    waitpid(stuck, NULL, 0);
    return REPORT();
}
