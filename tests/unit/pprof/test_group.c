#include "pprof/group.h"

#include "pprof/sample_profile.h"
#include "pprof/text.h"
#include "test.h"

static void check_text(const struct profile *p, const char *want)
{
    cleanup_buf struct buf text = BUF_INIT(1 << 16);
    pprof_text(p, PPROF_TEXT_COLLAPSED, &text);
    CHECK_STR(buf_cstr(&text), want);
}

static void a_labels_value_becomes_the_outermost_frame(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p, grouped;
    struct err err = {0};
    symbols_init(&s, 1 << 20);
    sample_profile(&p, &s);
    profile_init(&grouped, &s);
    CHECK_INT(profile_group(&grouped, &p, STR("thread"), &err), 0);
    check_text(&grouped, "[main];app.Main.main 1\napp.Main.main;app.Main.work 2\n");
}

static void other_labels_change_nothing(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p, grouped;
    struct err err = {0};
    symbols_init(&s, 1 << 20);
    sample_profile(&p, &s);
    profile_init(&grouped, &s);
    CHECK_INT(profile_group(&grouped, &p, STR("pod"), &err), 0);
    check_text(&grouped, "app.Main.main 1\napp.Main.main;app.Main.work 2\n");
}

static void numbers_have_their_unit(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p, grouped;
    struct err err = {0};
    symbols_init(&s, 1 << 20);
    sample_profile(&p, &s);
    const struct pprof_label size = {
        .key = symbols_string(&s, STR("size")), .num = 64, .unit = symbols_string(&s, STR("bytes"))};
    CHECK(profile_add(&p, p.samples[1].stack, symbols_labels(&s, &size, 1), (int64_t[]){5, 0}));
    profile_init(&grouped, &s);
    CHECK_INT(profile_group(&grouped, &p, STR("size"), &err), 0);
    check_text(&grouped, "[64 bytes];app.Main.main 5\napp.Main.main 1\napp.Main.main;app.Main.work 2\n");
}

int main(void)
{
    RUN(a_labels_value_becomes_the_outermost_frame);
    RUN(other_labels_change_nothing);
    RUN(numbers_have_their_unit);
    return REPORT();
}
