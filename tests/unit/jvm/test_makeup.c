/* What makes two JVMs the same workload. */
#include "jvm/probe/makeup.h"

#include <unistd.h>

#include "base/cleanup.h"
#include "test.h"

/* Of the arguments with a blank for each NUL. */
static const char *arguments_of(const char *text)
{
    static struct buf out = BUF_INIT(1024);
    cleanup_buf struct buf cmdline = BUF_INIT(1024);
    buf_puts(&cmdline, text);
    for (size_t i = 0; i < cmdline.len; i++)
        if (cmdline.p[i] == ' ')
            cmdline.p[i] = '\0';
    buf_reset(&out);
    makeup_arguments(buf_slice(&cmdline), &out);
    for (size_t i = 0; i < out.len; i++)
        if (out.p[i] == '\0')
            out.p[i] = ' ';
    return buf_cstr(&out);
}

static void what_a_restart_changes_counts_as_the_same(void)
{
    CHECK_STR(arguments_of("java -Xmx512m -jar /srv/app.jar --port=8080"), "java -0 -jar /srv/app.jar --port=0");
    CHECK_STR(arguments_of("Executor --id 17 --key 550e8400-e29b-41d4-abcd-446655440000"),
              "Executor --id 0 --key 0-0-0-0-0");
    CHECK_STR(arguments_of("-Dx=\xc3\xa4 /tmp/a.b_c"), "-Dx=\xc3\xa4 /tmp/a.b_c");
    CHECK_STR(arguments_of(""), "");
    CHECK_STR(arguments_of("1"), "0");
}

static void key_of(const char *arguments, const char *build, const char *profiler, char ret[MAKEUP_KEY_SIZE])
{
    struct jvm_view v = JVM_VIEW_INIT;
    struct jvm_makeup m;
    struct jvm_build b = {0};
    v.cmdline = BUF_INIT(1024);
    buf_append(&v.cmdline, "java\0Main", sizeof "java\0Main");
    buf_append(&v.cmdline, arguments, strlen(arguments) + 1);
    CHECK_INT(pidref_open(getpid(), 0, &v.p, NULL), 0);
    makeup_read(&v, &m);
    snprintf(b.text, sizeof b.text, "%s", build);
    makeup_seal(&m, &b, str_of(profiler));
    CHECK_STR(m.build, build);
    CHECK_INT(strlen(m.key), MAKEUP_KEY_SIZE - 1);
    memcpy(ret, m.key, MAKEUP_KEY_SIZE);
    pidref_done(&v.p);
    buf_done(&v.cmdline);
}

static bool same(const char *arguments, const char *build, const char *profiler)
{
    char one[MAKEUP_KEY_SIZE], other[MAKEUP_KEY_SIZE];
    key_of("--port=8080", "17.0.15+6", "0123456789abcdef", one);
    key_of(arguments, build, profiler, other);
    return strcmp(one, other) == 0;
}

static void arguments_build_and_profiler_are_part_of_it(void)
{
    CHECK(same("--port=8080", "17.0.15+6", "0123456789abcdef"));
    CHECK(same("--port=9090", "17.0.15+6", "0123456789abcdef"));
    CHECK(!same("--worker", "17.0.15+6", "0123456789abcdef"));
    CHECK(!same("--port=8080", "17.0.16+8", "0123456789abcdef"));
    CHECK(!same("--port=8080", "17.0.15+6", "fedcba9876543210"));
}

int main(void)
{
    RUN(what_a_restart_changes_counts_as_the_same);
    RUN(arguments_build_and_profiler_are_part_of_it);
    return REPORT();
}
