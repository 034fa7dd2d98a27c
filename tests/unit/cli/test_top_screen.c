/* Frames and tables of smolder top. */
#include "cli/top_screen.h"

#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "test.h"

enum { OUT_MAX = 1 << 20, SERVICES = 3, METHODS = 30 };
#define CPU "process_cpu:cpu:nanoseconds:cpu:nanoseconds"

static struct top_service service_items[SERVICES] = {
    {.name = (char[]){"shop"}, .value = 90e9, .trend = {0, 0, 0, 0, 0, 0, 0, 0, 1, 4, 8, 8}},
    {.name = (char[]){"api"}, .value = 20e9, .trend = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
    {.name = (char[]){""}, .value = 10e9}};
static struct top_method method_items[METHODS];
static const struct top_services services = {service_items, SERVICES, 120e9};
static const struct top_methods methods = {method_items, METHODS, 100};

static struct top_view view(void)
{
    return (struct top_view){.server = "http://127.0.0.1:4040",
                             .type = CPU,
                             .problem = "",
                             .until_ms = 1700000000000,
                             .range_ms = 60000,
                             .flame_scale = 120e9 / 100};
}

/* The frame with what a terminal makes of it: lines of text. */
struct drawn {
    struct buf text;
    const char *lines[100];
    size_t len;
};

static size_t columns(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xC0) != 0x80;
    return n;
}

static struct drawn draw(const struct top_view *v, const struct top_methods *m, unsigned width, unsigned height)
{
    struct drawn d = {.text = BUF_INIT(OUT_MAX)};
    cleanup_buf struct buf out = BUF_INIT(OUT_MAX);
    top_screen_frame(v, &services, m, width, height, &out);
    for (const char *at = buf_cstr(&out); *at; at++) {
        if (*at == '\033')
            at += strcspn(at, "mK");
        else if (*at != '\r')
            buf_byte(&d.text, *at == '\n' ? '\0' : (uint8_t)*at);
    }
    buf_byte(&d.text, '\0');
    for (size_t at = 0; at < d.text.len; at += strlen((const char *)d.text.p + at) + 1)
        d.lines[d.len++] = (const char *)d.text.p + at;
    return d;
}

static void a_frame_has_services_and_methods(void)
{
    const struct top_view v = view();
    struct drawn d = draw(&v, &methods, 80, 24);
    CHECK_INT(d.len, 24);
    for (size_t i = 0; i < d.len; i++)
        CHECK(columns(d.lines[i]) <= 80);
    CHECK_HAS(d.lines[0], "process_cpu:cpu  60s until ");
    CHECK_HAS(d.lines[0], "http://127.0.0.1:4040");
    CHECK_HAS(d.lines[1], "2.000 CORES in 3 services");
    CHECK_HAS(d.lines[2], "SERVICE ");
    CHECK_HAS(d.lines[3], "(all) ");
    CHECK_HAS(d.lines[3], "2.000 100.0%");
    CHECK_HAS(d.lines[4], "shop ");
    CHECK_HAS(d.lines[4], "1.500  75.0%         ▂▅██");
    CHECK_HAS(d.lines[5], "api ");
    CHECK_HAS(d.lines[5], "████████████");
    CHECK_HAS(d.lines[6], "(no service_name) ");
    CHECK_HAS(d.lines[7], "CORES   SELF  TOTAL METHODS of all services, by self");
    CHECK_HAS(d.lines[8], "0.600  30.0%  60.0% com.example.Class0.method0");
    CHECK_HAS(d.lines[23], "q quit");
    buf_done(&d.text);
}

static void a_method_view_of_one_service(void)
{
    struct top_view v = view();
    v.service = "shop";
    v.methods_only = true;
    v.sort = TOP_TOTAL;
    v.first_method = 28;
    struct drawn d = draw(&v, &methods, 80, 24);
    CHECK_INT(d.len, 24);
    CHECK_HAS(d.lines[2], "METHOD of shop, by total");
    CHECK_HAS(d.lines[3], "method28");
    CHECK_HAS(d.lines[4], "method29");
    CHECK_STR(d.lines[5] + strspn(d.lines[5], " "), "");
    CHECK_INT(top_screen_method_rows(&v, SERVICES, 24), 20);
    buf_done(&d.text);
}

static void every_size_is_drawn(void)
{
    const struct top_view v = view();
    for (unsigned height = 1; height < 60; height += 3) {
        for (unsigned width = 1; width < 200; width += 7) {
            struct drawn d = draw(&v, &methods, width, height);
            CHECK_INT(d.len, height < 6 ? 6 : height);
            for (size_t i = 0; i < d.len; i++)
                CHECK(columns(d.lines[i]) <= (width < 39 ? 39 : width));
            buf_done(&d.text);
        }
    }
}

/* The end of a method says more than its package. */
static void long_names_are_cut(void)
{
    struct top_method items[] = {
        {.name = (char[]){"com/example/a/very/long/package/that/has/no/end/at/all/Class.theMethod"},
         .self = 50,
         .total = 50}};
    const struct top_methods one = {items, 1, 100};
    struct top_view v = view();
    struct drawn d = draw(&v, &one, 60, 24);
    CHECK_HAS(d.lines[8], "…");
    CHECK_HAS(d.lines[8], "/Class.theMethod");
    CHECK_INT(columns(d.lines[8]), 60);
    buf_done(&d.text);
    v.ascii = true;
    d = draw(&v, &one, 60, 24);
    CHECK_HAS(d.lines[8], "~");
    for (size_t i = 0; i < d.len; i++)
        for (const char *c = d.lines[i]; *c; c++)
            CHECK(*c > 0);
    buf_done(&d.text);
}

static void names_cannot_control_the_terminal(void)
{
    struct top_method items[] = {{.name = (char[]){"evil\033[2J\nname\ttab\a"}, .self = 1, .total = 1}};
    const struct top_methods one = {items, 1, 100};
    const struct top_view v = view();
    cleanup_buf struct buf out = BUF_INIT(OUT_MAX), table = BUF_INIT(OUT_MAX);
    top_screen_frame(&v, &services, &one, 80, 24, &out);
    CHECK(!strstr(buf_cstr(&out), "\033[2J"));
    CHECK_HAS(buf_cstr(&out), "evil\\x1b[2J name tab\\x07");
    top_screen_table(&v, &services, &one, 5, &table);
    CHECK_HAS(buf_cstr(&table), "  evil\033[2J name tab\a\n"); /* terminal_write() escapes it for a terminal */
}

static void a_problem_is_shown_with_what_there_is(void)
{
    struct top_view v = view();
    v.problem = "http://127.0.0.1:4040: connection refused";
    v.paused = true;
    struct drawn d = draw(&v, &methods, 80, 24);
    CHECK_HAS(d.lines[0], "paused");
    CHECK_HAS(d.lines[1], "connection refused");
    CHECK_HAS(d.lines[4], "shop ");
    buf_done(&d.text);
    v = (struct top_view){.server = "x", .type = "", .problem = "", .range_ms = 60000};
    d = draw(&v, &methods, 80, 24);
    CHECK_HAS(d.lines[1], "waiting for the first answer");
    buf_done(&d.text);
}

static void values_have_units(void)
{
    static const struct {
        const char *type;
        double value;
        const char *text;
    } cases[] = {{CPU, 90e9, "1.500"},
                 {"memory:alloc_in_new_tlab_bytes:bytes:space:bytes", 60.0 * (3 << 20), "3.00 MiB/s"},
                 {"memory:alloc_objects:count:space:bytes", 60 * 12345, "12.3 k/s"},
                 {"memory:inuse_space:bytes::", 512.0 * 1024, "512 KiB"},
                 {"goroutine:goroutine:count::", 17, "17.0"},
                 {"odd", 60, "1.00/s"},
                 {"", 0, "0.00/s"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_buf struct buf out = BUF_INIT(100);
        top_value_print(cases[i].type, cases[i].value, 60000, &out);
        CHECK_STR(buf_cstr(&out), cases[i].text);
    }
}

static void tables_and_json_are_for_scripts(void)
{
    struct top_view v = view();
    cleanup_buf struct buf table = BUF_INIT(OUT_MAX), json = BUF_INIT(OUT_MAX);
    top_screen_table(&v, &services, &methods, 2, &table);
    CHECK_STR(buf_cstr(&table), CPU ", 60 s until 22:13:20\n\n"
                                    "      CORES  SHARE  SERVICE\n"
                                    "      1.500  75.0%  shop\n"
                                    "      0.333  16.7%  api\n\n"
                                    "      CORES   SELF  TOTAL  METHOD\n"
                                    "      0.600  30.0%  60.0%  com.example.Class0.method0\n"
                                    "      0.580  29.0%  58.0%  com.example.Class1.method1\n");
    v.service = "shop";
    top_screen_json(&v, &services, &methods, 1, &json);
    CHECK_STR(buf_cstr(&json), "{\"type\":\"" CPU "\",\"service\":\"shop\",\"from_ms\":1699999940000,"
                               "\"until_ms\":1700000000000,\"value\":120000000000,\"services\":[{\"name\":\"shop\","
                               "\"value\":90000000000}],\"methods\":[{\"name\":\"com.example.Class0.method0\","
                               "\"self\":36000000000,\"total\":72000000000}]}\n");
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
    for (size_t i = 0; i < METHODS; i++) {
        char *name = NULL;
        if (asprintf(&name, "com.example.Class%zu.method%zu", i, i) < 0)
            abort();
        method_items[i] = (struct top_method){name, (double)(30 - i), (double)(60 - 2 * i)};
    }
    RUN(a_frame_has_services_and_methods);
    RUN(a_method_view_of_one_service);
    RUN(every_size_is_drawn);
    RUN(long_names_are_cut);
    RUN(names_cannot_control_the_terminal);
    RUN(a_problem_is_shown_with_what_there_is);
    RUN(values_have_units);
    RUN(tables_and_json_are_for_scripts);
    for (size_t i = 0; i < METHODS; i++)
        free(method_items[i].name);
    return REPORT();
}
