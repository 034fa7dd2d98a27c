#include "pprof/text.h"

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
    RUN(the_size_is_capped);
    return REPORT();
}
