/* The whole component against real JVMs, the real profiler and the real helper; only the engine is played. Needs root
 * and a JDK. */

#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/gzip.h"
#include "base/log.h"
#include "components/env.h"
#include "components/pyroscope_java_args.h"
#include "graph/component.h"
#include "jvm/helper_loop.h"
#include "jvm/java_target.h"
#include "jvm/operation/client.h"
#include "os/procfs.h"
#include "parser/parser_main.h"
#include "test.h"

extern const struct component_def pyroscope_java;

enum { PROFILES_MAX = 256, PLAIN_MAX = 4 << 20 };
static const int64_t SECOND = 1000000000;

/* ---- the engine ---- */

static struct component_env env = {.version = "0"};
static bool stopped, healthy;

void component_health(struct component *c, bool is_healthy, const char *fmt, ...)
{
    (void)c;
    (void)fmt;
    healthy = is_healthy;
}
void component_stopped(struct component *c)
{
    (void)c;
    stopped = true;
}
void component_export(struct component *c, struct value *exports)
{
    (void)c;
    value_unref(exports);
}
static size_t sent;
void component_sent(struct component *c, size_t n)
{
    (void)c;
    sent += n;
}
const char *component_id(const struct component *c)
{
    (void)c;
    return "pyroscope.java.test";
}
void *component_env(const struct component *c)
{
    (void)c;
    return &env;
}

/* ---- the receiver ---- */

static struct {
    struct labels *labels;
    struct encoded_profile *profile;
} got[PROFILES_MAX];
static size_t got_len;

static void on_append(void *ctx, const struct labels *labels, struct encoded_profile *p)
{
    (void)ctx;
    if (got_len == PROFILES_MAX)
        return;
    got[got_len].labels = labels_ref(labels);
    got[got_len++].profile = encoded_profile_ref(p);
}

static void forget_profiles(void)
{
    CHECK(sent >= got_len); /* what is handed on is counted */
    sent = 0;
    while (got_len) {
        labels_unref(got[--got_len].labels);
        encoded_profile_unref(got[got_len].profile);
    }
}

static bool labelled(size_t i, const char *name, const char *value)
{
    return str_is(labels_get(got[i].labels, str_of(name)), value);
}

/* A profile of that type whose strings have `part` arrived (with that label, unless NULL). */
static bool arrived(const char *type, const char *part, const char *label, const char *value)
{
    for (size_t i = 0; i < got_len; i++) {
        cleanup_buf struct buf plain = BUF_INIT(PLAIN_MAX);
        struct str packed = {(const char *)got[i].profile->pprof, got[i].profile->len};
        if (!labelled(i, "__name__", type) || (label && !labelled(i, label, value)))
            continue;
        CHECK_INT(gzip_inflate(packed, &plain, NULL), 0);
        if (memmem(plain.p, plain.len, part, strlen(part)))
            return true;
    }
    return false;
}

/* ---- set-up ---- */

static uv_loop_t *loop;
static const char *jdk;
static struct java_target java;
static void *state;
static int log_file = -1;

#define WAIT_UNTIL(cond, ms)                                                                                           \
    do {                                                                                                               \
        const uint64_t until_ = uv_hrtime() + (uint64_t)(ms)*1000000;                                                  \
        while (!(cond) && uv_hrtime() < until_)                                                                        \
            uv_run(loop, UV_RUN_ONCE);                                                                                 \
        CHECK(cond);                                                                                                   \
    } while (0)

static size_t logged(const char *part)
{
    static char text[64 << 10];
    ssize_t n = pread(log_file, text, sizeof text - 1, 0);
    size_t count = 0;
    text[n > 0 ? n : 0] = '\0';
    for (const char *p = text; (p = strstr(p, part)); p++)
        count++;
    return count;
}

static struct labels *target_of(const char *pid, const char *service)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    if (pid)
        labels_set(&b, STR("__process_pid__"), str_of(pid));
    labels_set(&b, STR("__meta_docker_container_name"), str_of(service));
    labels_set(&b, STR("__meta_process_commandline"),
               STR("/usr/bin/java -Xmx64m -cp /tmp/a:/tmp/b com.example.Busy 1 2"));
    return labels_build(&b, false);
}

/* Arguments for these targets, references taken over; NULL ends them. */
static struct java_args *args_of(struct labels *const *targets)
{
    struct java_args *a = args_new(&java_schema);
    schema_defaults(&java_schema, a);
    a->profiling.interval = 2 * SECOND;
    while (targets[a->targets.len])
        a->targets.len++;
    a->targets.items = calloc(a->targets.len + 1, sizeof *a->targets.items);
    memcpy(a->targets.items, targets, a->targets.len * sizeof *targets);
    a->forward_to.items = calloc(1, sizeof *a->forward_to.items);
    a->forward_to.items[0] = receiver_new("test", &got, on_append);
    a->forward_to.len = 1;
    return a;
}

static const char *own_pid(void)
{
    static char text[16];
    snprintf(text, sizeof text, "%d", (int)java.pid);
    return text;
}

static void set_up(struct labels *const *targets)
{
    struct err err = {0};
    struct java_args *a = args_of(targets);
    log_file = memfd_create("log", MFD_CLOEXEC);
    log_to(log_file);
    stopped = healthy = false;
    CHECK_INT(pyroscope_java.build(NULL, a, &state, &err), 0);
    args_unref(a);
    CHECK_STR(err.text, "");
    pyroscope_java.start(state);
}

static void update(struct labels *const *targets)
{
    struct err err = {0};
    struct java_args *a = args_of(targets);
    CHECK_INT(pyroscope_java.update(state, a, &err), 0);
    args_unref(a);
}

static void tear_down(void)
{
    pyroscope_java.stop(state);
    WAIT_UNTIL(stopped, 6000);
    pyroscope_java.free(state);
    forget_profiles();
    log_to(STDERR_FILENO);
    close(log_file);
}

static void with_java(struct labels *(*targets)[3])
{
    CHECK(java_run(jdk, &java));
    (*targets)[0] = target_of(own_pid(), "/first");
}

static struct value *profiled(struct value *info, size_t i)
{
    struct value *all = value_member(info, STR("profiled_targets"));
    return i < value_len(all) ? value_item(all, i) : NULL;
}

static bool shows(size_t i, const char *member, const char *text)
{
    cleanup_value struct value *info = pyroscope_java.debug_info(state);
    struct value *one = profiled(info, i);
    return one && str_has_prefix(value_as_str(value_member(one, str_of(member))), str_of(text));
}

static bool is_profiling(void)
{
    return shows(0, "state", "profiling");
}

/* So much CPU time that there are samples. */
static void let_it_compute(void)
{
    struct procfs_stat then, now;
    CHECK_INT(procfs_stat(java.pid, &then, NULL), 0);
    do
        CHECK_INT(procfs_stat(java.pid, &now, NULL), 0);
    while (now.cpu_ticks < then.cpu_ticks + 30 && uv_run(loop, UV_RUN_ONCE));
}

/* ---- tests ---- */

static void profiles_cpu_memory_and_locks(void)
{
    struct labels *targets[3] = {0};
    with_java(&targets);
    set_up(targets);
    WAIT_UNTIL(arrived("process_cpu", "Busy.compute", NULL, NULL), 15000);
    WAIT_UNTIL(arrived("memory", "Busy.allocate", NULL, NULL), 10000);
    WAIT_UNTIL(arrived("mutex", "Busy.contend", NULL, NULL), 10000);
    CHECK(healthy);
    for (size_t i = 0; i < got_len; i++) {
        CHECK(labelled(i, "service_name", "first"));
        CHECK(labelled(i, "jfr_event", "itimer"));
        CHECK(labelled(i, "__delta__", "false"));
        CHECK(got[i].profile->duration_nanos > 0 && got[i].profile->duration_nanos < 5 * SECOND);
    }
    CHECK(is_profiling());
    CHECK(shows(0, "service_name", "first"));
    CHECK(shows(0, "main", "com.example.Busy"));
    CHECK(shows(0, "last_profile", "20"));
    tear_down();
    char said[256];
    java_output(&java, said, sizeof said);
    CHECK_STR(said, "ready\n");
    java_kill(&java);
}

static void stopping_hands_on_what_was_collected(void)
{
    struct labels *targets[3] = {0};
    with_java(&targets);
    struct java_args *a = args_of(targets);
    a->profiling.interval = 3600 * SECOND;
    stopped = false;
    log_file = memfd_create("log", MFD_CLOEXEC);
    log_to(log_file);
    CHECK_INT(pyroscope_java.build(NULL, a, &state, NULL), 0);
    args_unref(a);
    pyroscope_java.start(state);
    WAIT_UNTIL(is_profiling(), 15000);
    let_it_compute();
    pyroscope_java.stop(state);
    WAIT_UNTIL(stopped, 6000);
    CHECK(arrived("process_cpu", "Busy.compute", NULL, NULL));
    pyroscope_java.free(state);
    forget_profiles();
    log_to(STDERR_FILENO);
    close(log_file);
    java_kill(&java);
}

static void new_labels_apply_without_a_restart(void)
{
    struct labels *targets[3] = {0};
    with_java(&targets);
    set_up(targets);
    WAIT_UNTIL(arrived("process_cpu", "Busy", "service_name", "first"), 15000);
    struct labels *renamed[] = {target_of(own_pid(), "second"), NULL};
    update(renamed);
    WAIT_UNTIL(arrived("process_cpu", "Busy", "service_name", "second"), 10000);
    CHECK_INT(logged("msg=profiling"), 1);
    tear_down();
    java_kill(&java);
}

static void of_two_targets_with_one_pid_the_later_wins(void)
{
    struct labels *targets[3] = {0};
    with_java(&targets);
    targets[1] = target_of(own_pid(), "later");
    set_up(targets);
    WAIT_UNTIL(arrived("process_cpu", "Busy", "service_name", "later"), 15000);
    CHECK(!arrived("process_cpu", "Busy", "service_name", "first"));
    cleanup_value struct value *info = pyroscope_java.debug_info(state);
    CHECK(profiled(info, 0) && !profiled(info, 1));
    tear_down();
    java_kill(&java);
}

static void a_target_that_leaves_and_returns_is_profiled_again(void)
{
    struct labels *targets[3] = {0};
    with_java(&targets);
    set_up(targets);
    WAIT_UNTIL(is_profiling(), 15000);
    struct labels *none[] = {NULL}, *back[] = {target_of(own_pid(), "back"), NULL};
    update(none);
    CHECK(shows(0, "state", "gone"));
    CHECK(shows(0, "reason_code", "stopping"));
    update(back);
    forget_profiles();
    WAIT_UNTIL(is_profiling(), 15000);
    WAIT_UNTIL(arrived("process_cpu", "Busy", "service_name", "back"), 10000);
    tear_down();
    java_kill(&java);
}

static void bad_targets_are_told_once_until_they_return(void)
{
    struct labels *bad[] = {target_of(NULL, "no-pid"), target_of("abc", "letters"), target_of("0", "zero"),
                            target_of("4194305", "nobody"), NULL};
    struct labels *bad_again[5] = {0}, *none[] = {NULL}, *first[2] = {0};
    for (int i = 0; bad[i]; i++)
        bad_again[i] = labels_ref(bad[i]);
    first[0] = labels_ref(bad[0]);
    set_up(bad);
    CHECK_INT(logged("target skipped"), 4);
    CHECK_INT(logged("no-pid"), 1);
    CHECK_INT(logged("no label __process_pid__"), 1);
    CHECK_INT(logged("is not a process ID"), 2);
    CHECK_INT(logged("no such process"), 1);
    update(bad_again);
    CHECK_INT(logged("target skipped"), 4);
    update(none);
    update(first);
    CHECK_INT(logged("target skipped"), 5);
    tear_down();
}

static void a_process_that_is_no_jvm_gets_a_reason(void)
{
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    struct labels *targets[] = {target_of(pid, "myself"), NULL};
    set_up(targets);
    WAIT_UNTIL(logged("not profiling") == 1, 5000);
    CHECK(shows(0, "state", "waiting"));
    CHECK(shows(0, "reason", "no HotSpot"));
    tear_down();
}

static void a_jvm_that_ends_leaves_the_list(void)
{
    struct labels *targets[3] = {0};
    with_java(&targets);
    set_up(targets);
    WAIT_UNTIL(is_profiling(), 15000);
    let_it_compute();
    kill(java.pid, SIGTERM);
    WAIT_UNTIL(logged("process ended") == 1, 10000);
    WAIT_UNTIL(!shows(0, "state", ""), 3000);
    CHECK(got_len > 0); /* what it wrote last */
    tear_down();
    java_kill(&java);
}

static void stops_in_time_with_a_suspended_jvm(void)
{
    struct labels *targets[3] = {0};
    with_java(&targets);
    set_up(targets);
    WAIT_UNTIL(is_profiling(), 15000);
    kill(java.pid, SIGSTOP);
    uint64_t asked = uv_hrtime();
    tear_down();
    CHECK((uv_hrtime() - asked) / 1000000 < 5000);
    java_kill(&java);
}

static void all_tests(const char *home)
{
    jdk = home;
    printf("-- %s\n", jdk);
    RUN(profiles_cpu_memory_and_locks);
    RUN(stopping_hands_on_what_was_collected);
    RUN(new_labels_apply_without_a_restart);
    RUN(of_two_targets_with_one_pid_the_later_wins);
    RUN(a_target_that_leaves_and_returns_is_profiled_again);
    RUN(a_jvm_that_ends_leaves_the_list);
    RUN(stops_in_time_with_a_suspended_jvm);
}

int main(int argc, char **argv)
{
    parser_main(argc, argv, NULL, NULL);
    env.parsers = parser_pool_new("parser", NULL);
    if (!helper_loop_begin(&env.priv, &loop))
        return REPORT();
    env.loop = loop;
    RUN(bad_targets_are_told_once_until_they_return);
    RUN(a_process_that_is_no_jvm_gets_a_reason);
    if (java_each(all_tests) == 0)
        SKIP(all_tests, "no JDK found");
    helper_loop_end(env.priv, loop);
    java_clean_up();
    parser_pool_free(env.parsers);
    return REPORT();
}
