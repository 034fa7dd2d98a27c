#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/id_map.h"
#include "base/log.h"
#include "base/map.h"
#include "base/metric.h"
#include "base/str.h"
#include "test.h"

static void err_wraps_what_it_holds(void)
{
    struct err e = {0};
    CHECK_INT(err_set(&e, -2, "open %s", "/x"), -2);
    CHECK_INT(err_wrap(&e, e.code, "load"), -2);
    CHECK_STR(e.text, "load: open /x");
    CHECK_INT(err_wrap(&e, -2, "%s", e.text), -2);
    CHECK_STR(e.text, "load: open /x: load: open /x");
}

static void buf_stops_at_its_maximum_and_stays_failed(void)
{
    cleanup_buf struct buf b = BUF_INIT(4);
    buf_puts(&b, "abcd");
    CHECK(buf_ok(&b));
    buf_puts(&b, "e");
    CHECK(!buf_ok(&b));
    CHECK_STR(buf_cstr(&b), "abcd");
}

static void arena_refuses_beyond_its_cap(void)
{
    cleanup_arena struct arena a = ARENA_INIT(100);
    CHECK(arena_alloc(&a, 90));
    CHECK(!arena_alloc(&a, 90));
    CHECK(!arena_calloc(&a, SIZE_MAX, 2));
}

/* Texts lie next to each other, whatever needs alignment gets it, and room that is not kept is given again. */
static void arena_keeps_texts_close(void)
{
    cleanup_arena struct arena a = ARENA_INIT(1 << 20);
    CHECK(arena_alloc(&a, 0));
    for (int i = 0; i < 5000; i++) {
        struct str one = arena_str(&a, STR("abc"));
        char *room = arena_room(&a, 5);
        CHECK(room == arena_room(&a, 2));
        memcpy(room, "xyz", 4);
        arena_keep(&a, 4);
        void *aligned = arena_alloc(&a, 24);
        CHECK((uintptr_t)aligned % _Alignof(max_align_t) == 0);
        memset(aligned, 0xff, 24);
        CHECK_STR(one.p, "abc");
        CHECK_STR(room, "xyz");
    }
    CHECK(!arena_room(&a, 1 << 20));
}

static void cursor_reads_jfr_varints(void)
{
    const uint8_t nine[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct cursor c = cursor_of(nine, sizeof nine);
    CHECK(cursor_varint(&c) == UINT64_MAX);
    CHECK(!c.bad && cursor_left(&c) == 0);
    const uint8_t padded[] = {0x85, 0x80, 0x80, 0x80, 0x00};
    c = cursor_of(padded, sizeof padded);
    CHECK_INT(cursor_varint(&c), 5);
    c = cursor_of(padded, 2);
    (void)cursor_varint(&c);
    CHECK(c.bad);
}

static void id_maps_grow_with_zeros(void)
{
    struct id_map d = ID_MAP_INIT;
    CHECK_INT(id_map_get(&d, 7), 0);
    for (uint32_t i = 0; i < 5000; i += 7)
        *id_map_at(&d, i) = i + 1;
    for (uint32_t i = 0; i < 5000; i++)
        CHECK_INT(id_map_get(&d, i), i % 7 ? 0 : i + 1);
    CHECK_INT(id_map_get(&d, SIZE_MAX), 0);
    id_map_done(&d);
    CHECK_INT(id_map_get(&d, 7), 0);
}

static void maps_find_what_was_put(void)
{
    cleanup_u64map struct u64map m = U64MAP_INIT;
    for (uint64_t i = 0; i < 10000; i++)
        u64map_put(&m, i * 0x1000000, i);
    uint64_t v = 0;
    CHECK(u64map_get(&m, 0x1000000ULL * 77, &v) && v == 77);
    CHECK(!u64map_get(&m, 1, &v));
    u64map_expect(&m, 30000);
    const struct u64map_slot *slots = m.slots;
    for (uint64_t i = 0; i < 30000; i++)
        u64map_put(&m, i * 0x1000000, i + 1);
    CHECK(m.slots == slots && m.len == 30000);
    CHECK(u64map_get(&m, 0x1000000ULL * 77, &v) && v == 78);
    cleanup_strmap struct strmap s = STRMAP_INIT;
    char keys[100][8];
    for (int i = 0; i < 100; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        strmap_put(&s, str_of(keys[i]), keys[i]);
    }
    CHECK(strmap_get(&s, STR("k42")) == keys[42]);
    CHECK(strmap_del(&s, STR("k42")) == keys[42]);
    CHECK(!strmap_get(&s, STR("k42")));
    CHECK_INT(s.len, 99);
}

static void strings_know_numbers_and_utf8(void)
{
    uint64_t u;
    int64_t i;
    CHECK(str_to_u64(STR("18446744073709551615"), &u) && u == UINT64_MAX);
    CHECK(!str_to_u64(STR("18446744073709551616"), &u));
    CHECK(str_to_i64(STR("-9223372036854775808"), &i) && i == INT64_MIN);
    CHECK(!str_to_i64(STR(""), &i) && !str_to_i64(STR("1x"), &i));
    CHECK(str_is_utf8(STR("gr\xc3\xbc\xc3\x9f")));
    CHECK(!str_is_utf8(STR("\xed\xa0\x80")) && !str_is_utf8(STR("\xc3")) && !str_is_utf8(STR("\xc0\x80")));
    CHECK_INT(str_distance(STR("target"), STR("targets"), 3), 1);
    CHECK_INT(str_distance(STR("kitten"), STR("sitting"), 3), 3);
    CHECK_INT(str_distance(STR("kitten"), STR("sitting"), 2), 3);
    CHECK_INT(str_distance(STR("abab"), STR("ababab"), 3), 2);
    CHECK_INT(str_distance(STR("ab"), STR("ababab"), 3), 4);
    CHECK_INT(str_distance(STR(""), STR("ab"), 3), 2);
    CHECK_INT(str_distance(STR("same"), STR("same"), 3), 0);
    struct str rest = STR("a,,b"), piece;
    int n = 0;
    while (str_split(&rest, ',', &piece))
        n++;
    CHECK_INT(n, 3);
}

static void metrics_render_as_prometheus_text(void)
{
    static const double bounds[] = {0.1, 1};
    static struct metric_family h = {
        .name = "t_seconds", .help = "T.", .kind = METRIC_HISTOGRAM, .buckets = bounds, .bucket_count = 2};
    static struct metric_family c = {.name = "t_total", .help = "C.", .labels = {"a"}};
    metric_observe(&h, 0.5);
    metric_add(&c, 2, "x\"y");
    metric_add(&c, 1, "x\"y");
    cleanup_buf struct buf out = BUF_INIT(1 << 20);
    metric_render(&out);
    CHECK_HAS(buf_cstr(&out), "t_seconds_bucket{le=\"1\"} 1\n");
    CHECK_HAS(buf_cstr(&out), "t_seconds_bucket{le=\"0.1\"} 0\n");
    CHECK_HAS(buf_cstr(&out), "t_total{a=\"x\\\"y\"} 3\n");
    CHECK_HAS(buf_cstr(&out), "process_resident_memory_bytes");
}

struct metric_sums {
    double value, count;
    char labels[64];
};

static void add_reading(void *arg, const struct metric_reading *r)
{
    struct metric_sums *s = arg;
    s->value += r->value;
    s->count += r->count;
    for (size_t i = 0; i < r->label_count; i++)
        snprintf(s->labels + strlen(s->labels), sizeof s->labels - strlen(s->labels), "%s=%s;", r->names[i],
                 r->values[i]);
}

static void metrics_can_be_read_by_name(void)
{
    static const double bounds[] = {1, 2};
    static struct metric_family h = {
        .name = "t_read_seconds", .help = "H.", .kind = METRIC_HISTOGRAM, .buckets = bounds, .bucket_count = 2};
    static struct metric_family c = {.name = "t_read_total", .help = "C.", .labels = {"a", "b"}};
    struct metric_sums sums = {0};
    metric_each("t_read_total", add_reading, &sums);
    CHECK(sums.value == 0);
    metric_observe(&h, 0.5);
    metric_observe(&h, 5);
    metric_add(&c, 2, "x", "");
    metric_each("t_read_seconds", add_reading, &sums);
    CHECK(sums.value == 5.5 && sums.count == 2);
    metric_each("t_read_total", add_reading, &sums);
    CHECK(sums.value == 7.5 && sums.count == 2);
    CHECK_STR(sums.labels, "a=x;b=;");
}

static void metrics_of_many_labels_are_kept_apart(void)
{
    enum { MANY = 20000 };
    static struct metric_family f = {.name = "t_many", .help = "M.", .kind = METRIC_GAUGE, .labels = {"a", "b"}};
    char a[16], b[16];
    for (int i = 0; i < MANY; i++) {
        snprintf(a, sizeof a, "%d", i);
        snprintf(b, sizeof b, "%d", i % 7);
        metric_set(&f, i, a, b);
        if (i % 2)
            metric_forget(&f, a, b);
    }
    metric_set(&f, 5, "1", "11");
    metric_set(&f, 6, "11", "1");
    CHECK_INT(metric_value(&f, "1", "11"), 5);
    CHECK_INT(metric_value(&f, "11", "1"), 6);
    CHECK_INT(metric_value(&f, "19998", "6"), 19998);
    CHECK_INT(metric_value(&f, "19999", "0"), 0);
    cleanup_buf struct buf out = BUF_INIT(1 << 22);
    metric_render(&out);
    /* In the order in which they came. */
    CHECK(strstr(buf_cstr(&out), "t_many{a=\"0\",b=\"0\"} 0\nt_many{a=\"2\",b=\"2\"} 2\n"));
    CHECK(!strstr(buf_cstr(&out), "t_many{a=\"3\""));
    metric_clear(&f);
    CHECK_INT(metric_value(&f, "1", "11"), 0);
}

static void taking_evaluates_its_argument_once(void)
{
    int fds[] = {3, 4}, n = 0;
    CHECK_INT(TAKE_FD(fds[n++]), 3);
    CHECK_INT(n, 1);
    CHECK_INT(fds[0], -1);
    CHECK_INT(fds[1], 4);
    char text[] = "x", *items[] = {text, text};
    n = 0;
    CHECK(TAKE_PTR(items[n++]) == text && n == 1 && !items[0] && items[1]);
}

static void a_component_is_named_by_its_place_and_its_id(void)
{
    char text[1024] = "";
    FILE *f = tmpfile();
    log_to(fileno(f));
    log_setup(LOG_INFO, LOG_LOGFMT);
    log_info("x", L_COMPONENT("a.b"), L_INT("n", 1));
    log_info("x", L_COMPONENT("mod.x/foreach.f/foreach_1_1/a.b"));
    log_setup(LOG_INFO, LOG_JSON);
    log_info("x", L_COMPONENT("mod.x/a.b"));
    log_setup(LOG_INFO, LOG_LOGFMT);
    log_to(2);
    CHECK(pread(fileno(f), text, sizeof text - 1, 0) > 0);
    fclose(f);
    CHECK_HAS(text, " msg=x component_path=/ component_id=a.b n=1\n");
    CHECK_HAS(text, " msg=x component_path=/mod.x/foreach.f/foreach_1_1 component_id=a.b\n");
    CHECK_HAS(text, "\"msg\":\"x\",\"component_path\":\"/mod.x\",\"component_id\":\"a.b\"}\n");
}

static void a_message_acts_on_nobody_who_shows_it(void)
{
    static const struct {
        const char *text, *want;
        size_t size;
    } table[] = {
        {" two\nlines\r\n", " two lines  ", 64},
        {"\033[31mred\x7f.", " [31mred .", 64},
        {"\xc2\x9b"
         "31m \xc2\x85.",
         " 31m  .", 64}, /* C1 controls: CSI, NEL */
        {"a\xe2\x80\xae"
         "b\xef\xbb\xbf"
         "c",
         "a b c", 64},
        {"caf\xc3\xa9 \xff\x9b", "caf\xc3\xa9 \xff\x9b", 64},
        {"caf\xc3\xa9", "caf", 5}, /* no half character */
        {"cafe", "caf", 4},
        {"", "", 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char got[64];
        str_one_line(str_of(table[i].text), got, table[i].size);
        CHECK_STR(got, table[i].want);
    }
    char same[] = "  in\tplace\n";
    str_one_line(str_of(same), same, sizeof same);
    CHECK_STR(same, "  in place ");
}

int main(void)
{
    RUN(taking_evaluates_its_argument_once);
    RUN(err_wraps_what_it_holds);
    RUN(buf_stops_at_its_maximum_and_stays_failed);
    RUN(arena_refuses_beyond_its_cap);
    RUN(arena_keeps_texts_close);
    RUN(cursor_reads_jfr_varints);
    RUN(id_maps_grow_with_zeros);
    RUN(maps_find_what_was_put);
    RUN(strings_know_numbers_and_utf8);
    RUN(a_component_is_named_by_its_place_and_its_id);
    RUN(metrics_render_as_prometheus_text);
    RUN(metrics_of_many_labels_are_kept_apart);
    RUN(metrics_can_be_read_by_name);
    RUN(a_message_acts_on_nobody_who_shows_it);
    return REPORT();
}
