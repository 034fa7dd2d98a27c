/* The examination of real JVMs, and that it leaves no trace in them. */
#include "jvm/operation/examine.h"

#include "helper_loop.h"
#include "java_target.h"

static struct priv *priv;
static uv_loop_t *loop;
static struct jvm_examination last;
static bool answered;

static void on_examined(void *arg, const struct jvm_examination *e)
{
    (void)arg;
    last = *e;
    answered = true;
}

static void examine(pid_t pid, const char *options, const char *condemned)
{
    const struct jvm_request r = {
        .id = {pid, 0}, .tmp_dir = "/tmp", .dist = "", .options = options, .headroom = 1, .condemned = condemned};
    answered = false;
    (void)jvm_examine(priv, &r, on_examined, NULL);
    while (!answered)
        uv_run(loop, UV_RUN_ONCE);
}

static const struct precondition *item(const char *name)
{
    static struct precondition none = {.text = "(no such precondition)", .result = PRECONDITION_UNKNOWN};
    for (size_t i = 0; i < last.len; i++)
        if (strcmp(last.items[i].name, name) == 0)
            return &last.items[i];
    return &none;
}

static struct precondition nothing;

static const struct precondition *first_blocker(void)
{
    const struct precondition *p = examination_blocker(&last);
    return p ? p : &nothing;
}

static const char *blocker(void)
{
    return first_blocker()->text;
}

static const char *jdk;

static void a_jvm_that_can_be_profiled_has_no_problem_and_no_trace(void)
{
    struct java_target t;
    char socket[64], key[MAKEUP_KEY_SIZE], said[256];
    CHECK(java_run(jdk, &t));
    examine(t.pid, "event=itimer,alloc=512k", "");
    CHECK(last.whole);
    CHECK_STR(blocker(), "");
    CHECK_STR(last.facts.vm, "hotspot");
    CHECK_STR(last.facts.main, "Busy");
    CHECK(last.facts.version[0] && last.facts.vendor[0] && !last.facts.recording);
    CHECK_INT(item("attach")->result, PRECONDITION_OK);
    CHECK_INT(item("library")->result, PRECONDITION_OK);
    CHECK_INT(item("recording")->result, PRECONDITION_OK);
    CHECK_INT(item("version")->result, PRECONDITION_OK);
    snprintf(socket, sizeof socket, "/tmp/.java_pid%d", (int)t.pid);
    CHECK(access(socket, F_OK) < 0); /* nothing was asked of it */

    memcpy(key, last.facts.makeup, sizeof key);
    examine(t.pid, "event=itimer", key);
    CHECK_STR(blocker(), "a JVM like this one died after an attach");
    CHECK_HAS(item("quarantine")->remedy, "smolder forgive Busy");
    java_kill(&t);
    java_output(&t, said, sizeof said);
    CHECK_STR(said, "ready\n");
}

static void a_stopped_jvm_is_named_so(void)
{
    struct java_target t;
    CHECK(java_run(jdk, &t));
    kill(t.pid, SIGSTOP);
    for (int i = 0; i < 100 && !strstr(blocker(), "is stopped"); i++)
        examine(t.pid, "event=itimer", "");
    CHECK_STR(first_blocker()->code, "stopped");
    java_kill(&t);
}

static void a_flag_that_forbids_attach_is_named_beside_all_else(void)
{
    static const char *const options[] = {"-XX:+DisableAttachMechanism", NULL};
    struct java_target t;
    CHECK(java_begin(jdk, options, &t) && java_ready(&t));
    examine(t.pid, "event=itimer", "");
    CHECK_HAS(blocker(), "DisableAttachMechanism");
    CHECK_STR(item("attach")->code, "attach_disabled");
    CHECK_HAS(item("attach")->remedy, "restart it without the flag");
    CHECK(last.whole);
    CHECK_INT(item("version")->result, PRECONDITION_OK);
    java_kill(&t);
}

static void all_tests(const char *home)
{
    jdk = home;
    RUN(a_jvm_that_can_be_profiled_has_no_problem_and_no_trace);
    RUN(a_stopped_jvm_is_named_so);
    RUN(a_flag_that_forbids_attach_is_named_beside_all_else);
}

static void a_process_that_is_gone_is_a_finding(void)
{
    const pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    CHECK_INT(waitpid(pid, NULL, 0), pid);
    examine(pid, "event=itimer", "");
    CHECK(last.whole);
    CHECK_INT(item("process")->result, PRECONDITION_PROBLEM);
}

static void results_have_names(void)
{
    CHECK_STR(precondition_result_name(PRECONDITION_OK), "ok");
    CHECK_STR(precondition_result_name(PRECONDITION_PROBLEM), "problem");
    CHECK_STR(precondition_result_name(PRECONDITION_UNKNOWN), "unknown");
}

int main(void)
{
    RUN(results_have_names);
    if (!helper_loop_begin(&priv, &loop))
        return REPORT();
    RUN(a_process_that_is_gone_is_a_finding);
    if (java_each(all_tests) == 0)
        SKIP(all_tests, "no JDK below /usr/lib/jvm");
    helper_loop_end(priv, loop);
    java_clean_up();
    return REPORT();
}
