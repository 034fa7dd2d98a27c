#include "pprof/text.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "pprof/sample_profile.h"
#include "test.h"

static void check_text(const struct profile *p, enum pprof_text_style style, const char *want)
{
    struct buf b = BUF_INIT(4096);
    pprof_text(p, style, &b);
    CHECK_STR(buf_cstr(&b), want);
    buf_done(&b);
}

static void stacks_are_sorted_and_summed(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    symbols_init(&s, 1 << 20);
    sample_profile(&p, &s);
    (void)profile_add(&p, p.samples[1].stack, 0, (int64_t[]){4, 0}); /* another sample: it has no label */
    check_text(&p, PPROF_TEXT_COLLAPSED, "app.Main.main 5\napp.Main.main;app.Main.work 2\n");
    check_text(&p, PPROF_TEXT_REFERENCE, "app.Main.main:10 [5 -5]\napp.Main.main:10;app.Main.work:20 [2 300]");
}

static void a_stack_without_frames_is_an_empty_line(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    symbols_init(&s, 1 << 20);
    profile_init(&p, &s);
    (void)profile_add_type(&p, STR("cpu"), STR("nanoseconds"));
    (void)profile_add(&p, symbols_stack(&s, NULL, 0), 0, (int64_t[]){4});
    check_text(&p, PPROF_TEXT_REFERENCE, " [4]");
    const uint32_t nameless = sample_location(&s, "", 0), unknown = sample_location(&s, "[unknown]", 0);
    (void)profile_add(&p, symbols_stack(&s, &nameless, 1), 0, (int64_t[]){20});
    (void)profile_add(&p, symbols_stack(&s, &unknown, 1), 0, (int64_t[]){100});
    check_text(&p, PPROF_TEXT_COLLAPSED, "[unknown] 124\n");
}

/* Names of threads, spans and user events are what an application likes. */
static void a_name_stays_one_frame_of_one_line(void)
{
    static const struct {
        const char *name, *want;
    } cases[] = {
        {"[worker;q=1\nx]", "[worker\\x3bq=1\\x0ax]"},
        {"a\tb\rc\x7f\x1b[0m", "a\\x09b\\x0dc\\x7f\\x1b[0m"},
        {"U+0085 \xc2\x85", "U+0085 \\xc2\\x85"},
        {"U+2028 \xe2\x80\xa8", "U+2028 \\xe2\\x80\\xa8"},
        {"\xc3\xa4 \xe6\x97\xa5", "\xc3\xa4 \xe6\x97\xa5"},
        {"no UTF-8 \xff;", "no UTF-8 \xff\\x3b"},
        {"two words", "two words"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cleanup_symbols struct symbols s;
        cleanup_profile struct profile p;
        symbols_init(&s, 1 << 20);
        profile_init(&p, &s);
        (void)profile_add_type(&p, STR("cpu"), STR("nanoseconds"));
        (void)profile_add_type(&p, STR("cpu"), STR("nanoseconds"));
        const uint32_t frames[] = {sample_location(&s, "A.main", 1), sample_location(&s, cases[i].name, 0)};
        (void)profile_add(&p, symbols_stack(&s, frames, 2), 0, (int64_t[]){4, 5});
        cleanup_free char *one = xasprintf("%s;A.main 4\n", cases[i].want);
        cleanup_free char *both = xasprintf("%s;A.main 4 5\n", cases[i].want);
        check_text(&p, PPROF_TEXT_COLLAPSED, one);
        check_text(&p, PPROF_TEXT_COMPARED, both);
    }
}

static void the_size_is_capped(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    symbols_init(&s, 1 << 20);
    sample_profile(&p, &s);
    struct buf b = BUF_INIT(20);
    pprof_text(&p, PPROF_TEXT_COLLAPSED, &b);
    CHECK(!buf_ok(&b));
    buf_done(&b);
}

int main(void)
{
    RUN(stacks_are_sorted_and_summed);
    RUN(a_stack_without_frames_is_an_empty_line);
    RUN(a_name_stays_one_frame_of_one_line);
    RUN(the_size_is_capped);
    return REPORT();
}
