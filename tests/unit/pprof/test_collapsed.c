#include "pprof/collapsed.h"

#include <errno.h>

#include "base/cleanup.h"
#include "pprof/text.h"
#include "test.h"

static struct err err;

/* What is read of a text, as text. */
static const char *read_of(const char *text, int want)
{
    static char back[1024];
    cleanup_symbols struct symbols s;
    cleanup_buf struct buf out = BUF_INIT(sizeof back - 1);
    struct profile p;
    symbols_init(&s, 1 << 20);
    err = (struct err){0};
    const int code = collapsed_decode(str_of(text), &s, &p, &err);
    CHECK_INT(code, want);
    back[0] = '\0';
    if (code < 0)
        return back;
    CHECK(str_is(s.strings[p.types[0].type], "samples") && str_is(s.strings[p.types[0].unit], "count"));
    pprof_text(&p, PPROF_TEXT_COLLAPSED, &out);
    snprintf(back, sizeof back, "%s", buf_cstr(&out));
    profile_done(&p);
    return back;
}

static void what_is_written_is_read(void)
{
    static const char text[] = "[main tid=7];java/lang/Thread.run;a b::c(int, long) 12\nmain 3\nmain;work_[j] 1\n";
    CHECK_STR(read_of(text, 0), text);
}

static void equal_lines_are_added_and_others_left_out(void)
{
    CHECK_STR(read_of("# a comment\n\na;b 1\r\nb 2\r\na;b 3\n", 0), "a;b 4\nb 2\n");
    CHECK_STR(read_of("a -5", 0), "a -5\n");
}

static void a_frame_may_have_bytes_that_would_end_it(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    symbols_init(&s, 1 << 20);
    CHECK_INT(collapsed_decode(STR("a\\x3bb\\x0a;\\x;\\xzz\\x4 1\n"), &s, &p, &err), 0);
    static const char *const names[] = {"\\xzz\\x4", "\\x", "a;b\n"};
    const struct pprof_stack *stack = &s.stacks[p.samples[0].stack];
    CHECK_INT(stack->count, ARRAY_LEN(names));
    for (uint32_t i = 0; i < stack->count; i++)
        CHECK(str_is(symbols_name(&s, stack->locations[i]), names[i]));
}

static void what_is_no_stack_is_named(void)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"a 1\nb\n", "line 2: expected frames and a number"},
        {"a;b c", "line 1: expected frames and a number"},
        {"a 1.5", "line 1: expected frames and a number"},
        {"a 99999999999999999999", "line 1: expected frames and a number"},
        {"", "no stack in it"},
        {"# nothing\n", "no stack in it"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        (void)read_of(cases[i].text, -EBADMSG);
        CHECK_STR(err.text, cases[i].why);
    }
}

static void bytes_of_another_kind_are_no_stacks(void)
{
    cleanup_symbols struct symbols s;
    struct profile p;
    symbols_init(&s, 1 << 20);
    CHECK_INT(collapsed_decode(STR("a\0b 1\n"), &s, &p, &err), -EBADMSG);
    symbols_done(&s);
    symbols_init(&s, 1 << 10);
    CHECK_INT(collapsed_decode(STR("a;b;c;d;e;f;g;h;i;j;k;l;m;n;o;p;q;r;s;t;u;v;w;x;y;z 1\n"), &s, &p, &err), -E2BIG);
}

int main(void)
{
    RUN(what_is_written_is_read);
    RUN(equal_lines_are_added_and_others_left_out);
    RUN(a_frame_may_have_bytes_that_would_end_it);
    RUN(what_is_no_stack_is_named);
    RUN(bytes_of_another_kind_are_no_stacks);
    return REPORT();
}
