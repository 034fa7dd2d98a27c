#include "store/frame_text.h"

#include "test.h"

static void a_frame_is_read_as_it_was_written(void)
{
    cleanup_symbols struct symbols s;
    cleanup_buf struct buf text = BUF_INIT(1 << 10), unknown = BUF_INIT(1 << 10);
    symbols_init(&s, 1 << 20);
    const struct pprof_function f = {.name = symbols_string(&s, STR("Shop.bake")),
                                     .system_name = symbols_string(&s, STR("bake")),
                                     .filename = symbols_string(&s, STR("Shop.java")),
                                     .start_line = 7};
    frame_text_put(&s, symbols_location(&s, (struct pprof_location){symbols_function(&s, f), 12}), &text);
    const struct frame_text t = frame_text_read(buf_slice(&text));
    CHECK(str_is(t.name, "Shop.bake"));
    CHECK(str_is(t.system_name, "bake"));
    CHECK(str_is(t.filename, "Shop.java"));
    CHECK_INT(t.start_line, 7);
    CHECK_INT(t.line, 12);
    CHECK(str_is(frame_text_name(buf_slice(&text)), "Shop.bake"));
    const struct pprof_function none = {0};
    frame_text_put(&s, symbols_location(&s, (struct pprof_location){symbols_function(&s, none), 0}), &unknown);
    CHECK(str_is(frame_text_name(buf_slice(&unknown)), "(unknown)"));
}

static void any_text_is_a_frame(void)
{
    CHECK(str_is(frame_text_name(STR("main")), "main"));
    CHECK(str_is(frame_text_name(STR("")), ""));
    const struct frame_text t = frame_text_read(STR("a\0b\0c\0short"));
    CHECK(str_is(t.name, "a"));
    CHECK(str_is(t.filename, "c"));
    CHECK_INT(t.line, 0);
}

int main(void)
{
    RUN(a_frame_is_read_as_it_was_written);
    RUN(any_text_is_a_frame);
    return REPORT();
}
