#include "jfr/plan.h"

#include <errno.h>

#include "jfr/chunk_builder.h"
#include "test.h"

/* One type of a chunk, compiled. */
struct fixture {
    struct chunk_builder c;
    struct arena arena;
    struct jfr_metadata m;
    struct jfr_plan plan;
    struct err err;
    int code;
};

static void fixture_done(struct fixture *f)
{
    chunk_done(&f->c);
    arena_done(&f->arena);
    jfr_metadata_done(&f->m);
}

static struct fixture compile(const char *types, const char *type, const char *const *names, size_t n, bool whole)
{
    struct fixture f = {.c = chunk_begin(types), .arena = ARENA_INIT(1 << 20)};
    f.code = jfr_metadata_read(f.c.b.p, f.c.b.len, f.c.metadata, &f.arena, &f.m, &f.err);
    CHECK_INT(f.code, 0);
    const struct jfr_type *t = jfr_type_by_name(&f.m, type);
    CHECK(t);
    if (t)
        f.code = jfr_plan_compile(&f.m, t, names, n, whole, &f.arena, &f.plan, &f.err);
    return f;
}
#define WITH_PLAN __attribute__((cleanup(fixture_done))) struct fixture

/* Every kind of field that may stand in front of the one that is wanted. */
static const char everything[] =
    "4 boolean\n5 char\n6 float\n7 double\n8 byte\n9 short\n10 int\n11 long\n20 java.lang.String\n"
    "30 Inner a:6 b:20 c:11*\n31 Outer inner:30 inners:30[] flag:4\n"
    "100 Event z:4 c:5 f:6 d:7 b:8 s:9 i:10 l:11 t:20 p:30* o:31 n:8[] k:11*[] x:20[] wanted:11 text:20 after:11";

static void put_everything(struct chunk_builder *c)
{
    static const uint8_t float_bytes[] = {0xff, 0xff, 0xff, 0xff}; /* no varint of any sense */
    chunk_byte(c, 1);
    chunk_varint(c, 300);
    buf_append(&c->b, float_bytes, 4);
    buf_append(&c->b, float_bytes, 4);
    buf_append(&c->b, float_bytes, 4);
    chunk_byte(c, 0xff);
    CHUNK_VARINTS(c, 0xffff, 0xffffffff, UINT64_MAX);
    chunk_text(c, "text");
    chunk_varint(c, 77);
    for (int i = 0; i < 3; i++) { /* the struct inside, then two of an array */
        if (i == 1)
            chunk_varint(c, 2);
        buf_append(&c->b, float_bytes, 4);
        chunk_text(c, "inner");
        chunk_varint(c, 1 << 20);
    }
    chunk_byte(c, 0xff);
    chunk_varint(c, 3);
    buf_append(&c->b, float_bytes, 3);
    CHUNK_VARINTS(c, 2, UINT64_MAX, 1);
    chunk_varint(c, 2);
    chunk_byte(c, 0);
    chunk_text(c, "of an array");
    chunk_varint(c, 4711);
    chunk_text(c, "kept");
    chunk_varint(c, 1);
}

static void unknown_fields_of_every_kind_are_stepped_over(void)
{
    static const char *const names[] = {"wanted", "text", "missing"};
    WITH_PLAN f = compile(everything, "Event", names, 3, false);
    CHECK_INT(f.code, 0);
    CHECK_INT(f.plan.has, 3);
    size_t at = f.c.b.len;
    put_everything(&f.c);
    const uint8_t *p = f.c.b.p + at, *end = f.c.b.p + f.c.b.len;
    struct jfr_record rec = {0};
    CHECK(jfr_plan_run(&f.plan, p, end, &rec) == end - 1); /* ends with the last field that is wanted */
    CHECK_INT(rec.v[0].num, 4711);
    CHECK(rec.v[1].at && rec.v[1].at[0] == 3 && memcmp(rec.v[1].at + 2, "kept", 4) == 0);
    for (const uint8_t *cut = p; cut < end - 1; cut++)
        CHECK(!jfr_plan_run(&f.plan, p, cut, &rec));
}

/* The most significant byte comes first. */
static void a_float_is_kept_as_its_bits(void)
{
    static const char *const names[] = {"f", "d", "z"};
    static const uint8_t bytes[] = {0x41, 0xc8, 0, 0, 0x40, 0x59, 0, 0, 0, 0, 0, 1, 1};
    WITH_PLAN f = compile("4 boolean\n6 float\n7 double\n11 long\n100 Event f:6 d:7 z:4", "Event", names, 3, false);
    struct jfr_record rec = {0};
    CHECK(jfr_plan_run(&f.plan, bytes, bytes + sizeof bytes, &rec) == bytes + sizeof bytes);
    CHECK_INT(rec.v[0].num, 0x41c80000);
    CHECK_INT(rec.v[1].num, 0x4059000000000001);
    CHECK_INT(rec.v[2].num, 1);
    CHECK(!jfr_plan_run(&f.plan, bytes, bytes + sizeof bytes - 1, &rec));
}

static void a_whole_plan_reaches_the_end_of_the_value(void)
{
    WITH_PLAN f = compile(everything, "Event", NULL, 0, true);
    size_t at = f.c.b.len;
    put_everything(&f.c);
    const size_t size = f.c.b.len - at;
    put_everything(&f.c);
    const uint8_t *p = f.c.b.p + at, *end = f.c.b.p + f.c.b.len;
    CHECK(jfr_plan_run(&f.plan, p, end, NULL) == p + size);
    CHECK(jfr_plan_skip(&f.plan, p, end, 2, false) == end);
    CHECK(!jfr_plan_skip(&f.plan, p, end, 3, false));
    CHECK(f.plan.min_size <= size);
}

static void a_string_that_is_the_value_is_in_the_first_slot(void)
{
    static const char *const names[] = {"value"};
    WITH_PLAN f = compile("20 java.lang.String", "java.lang.String", names, 1, true);
    size_t at = f.c.b.len;
    chunk_text(&f.c, "bare");
    struct jfr_record rec = {0};
    CHECK(jfr_plan_run(&f.plan, f.c.b.p + at, f.c.b.p + f.c.b.len, &rec) == f.c.b.p + f.c.b.len);
    CHECK(rec.v[0].at == f.c.b.p + at);
}

/* Values of numbers, of numbers and bytes, with the wanted fields in front or not: each has a way of its own, and
 * another one near the end of the bytes. */
static void numbers_are_read_in_every_layout(void)
{
    static const char *const layouts[] = {
        "4 boolean\n11 long\n20 java.lang.String\n100 Event a:11 b:11 c:11",
        "4 boolean\n11 long\n20 java.lang.String\n100 Event a:11 b:11 c:11 d:4 e:4",
        "4 boolean\n11 long\n20 java.lang.String\n100 Event a:11 b:11 c:11 s:20",
        "4 boolean\n11 long\n20 java.lang.String\n100 Event x:4 a:11 b:11 c:11",
    };
    static const char *const names[] = {"c", "missing", "a"};
    static const uint64_t a[] = {0, 0x7f, 0x80, UINT64_C(1) << 35, UINT64_MAX};
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts * (sizeof a / sizeof *a); i++) {
        const size_t layout = i % 4, value = i / 4;
        WITH_PLAN f = compile(layouts[layout], "Event", names, 3, true);
        const size_t at = f.c.b.len;
        if (layout == 3)
            chunk_byte(&f.c, 0xff);
        CHUNK_VARINTS(&f.c, a[value], UINT64_MAX, 300);
        if (layout == 1)
            buf_append(&f.c.b, "\xff\xff", 2);
        if (layout == 2)
            chunk_text(&f.c, "text");
        const size_t len = f.c.b.len - at;
        buf_append(&f.c.b, (const uint8_t[64]){0}, 64);
        const uint8_t *p = f.c.b.p + at, *ends[] = {p + len, p + len + 64};
        for (size_t k = 0; k < 2; k++) {
            uint64_t v[JFR_SLOTS] = {1, 2, 3, 4};
            struct jfr_record rec = {0};
            CHECK(jfr_plan_numbers(&f.plan, p, ends[k], v));
            CHECK(v[0] == 300 && v[1] == 2 && v[2] == a[value] && v[3] == 4); /* slots without a field stay */
            CHECK(jfr_plan_run(&f.plan, p, ends[k], &rec) == p + len);
            CHECK(rec.v[0].num == 300 && rec.v[2].num == a[value]);
            CHECK(jfr_plan_run(&f.plan, p, ends[k], NULL) == p + len);
            rec = (struct jfr_record){0};
            CHECK(jfr_plan_look(&f.plan, p, ends[k], &rec));
            CHECK(rec.v[0].num == 300 && rec.v[2].num == a[value]);
        }
        for (const uint8_t *cut = p; cut < p + len; cut++)
            CHECK(!jfr_plan_run(&f.plan, p, cut, NULL));
    }
}

static void of_fields_with_one_name_the_last_counts(void)
{
    static const char *const names[] = {"a"};
    WITH_PLAN f =
        compile("11 long\n100 Event a:11 a:11 a:11 a:11 a:11 a:11 a:11 a:11 a:11 a:11", "Event", names, 1, false);
    const size_t at = f.c.b.len;
    CHUNK_VARINTS(&f.c, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1000);
    const size_t len = f.c.b.len - at;
    buf_append(&f.c.b, (const uint8_t[128]){0}, 128);
    struct jfr_record rec = {0};
    uint64_t v[JFR_SLOTS];
    const uint8_t *p = f.c.b.p + at;
    CHECK(jfr_plan_run(&f.plan, p, p + len + 128, &rec) == p + len);
    CHECK_INT(rec.v[0].num, 1000);
    CHECK(jfr_plan_numbers(&f.plan, p, p + len + 128, v));
    CHECK_INT(v[0], 1000);
}

/* The last one wanted is found without being read. */
static void looking_stops_at_the_last_string_or_array(void)
{
    static const char *const names[] = {"list", "n"};
    WITH_PLAN f = compile("11 long\n100 Event n:11 list:11[] after:11", "Event", names, 2, true);
    const size_t at = f.c.b.len;
    CHUNK_VARINTS(&f.c, 5, 1000, 1); /* a thousand elements that are not there */
    const uint8_t *p = f.c.b.p + at, *end = f.c.b.p + f.c.b.len;
    struct jfr_record rec = {0};
    CHECK(jfr_plan_look(&f.plan, p, end, &rec));
    CHECK(rec.v[1].num == 5 && rec.v[0].at == p + 1);
    CHECK(!jfr_plan_run(&f.plan, p, end, &rec));
    CHECK(!jfr_plan_look(&f.plan, p, p + 1, &rec)); /* nothing of it is there */
}

static void layouts_that_cannot_be_are_refused(void)
{
    WITH_PLAN unknown = compile("11 long\n100 Event a:12", "Event", NULL, 0, true);
    CHECK_INT(unknown.code, -EBADMSG);
    CHECK_HAS(unknown.err.text, "not described");
    WITH_PLAN endless = compile("100 Event a:100", "Event", NULL, 0, true);
    CHECK_INT(endless.code, -EBADMSG);
    CHECK_HAS(endless.err.text, "too deep");
    WITH_PLAN bomb = compile("20 java.lang.String\n1 A a:20 b:20 c:20 d:20\n2 B a:1 b:1 c:1 d:1\n3 C a:2 b:2 c:2 d:2\n"
                             "4 D a:3 b:3 c:3 d:3\n100 Event a:4 b:4 c:4 d:4",
                             "Event", NULL, 0, true);
    CHECK_INT(bomb.code, -EBADMSG);
    CHECK_HAS(bomb.err.text, "too many");
    /* Of no bytes at all, so that no steps are too many. */
    WITH_PLAN hollow = compile("1 A\n2 B a:1 b:1 c:1 d:1 e:1 f:1 g:1 h:1\n3 C a:2 b:2 c:2 d:2 e:2 f:2 g:2 h:2\n"
                               "4 D a:3 b:3 c:3 d:3 e:3 f:3 g:3 h:3\n5 E a:4 b:4 c:4 d:4 e:4 f:4 g:4 h:4\n"
                               "100 Event a:5 b:5 c:5 d:5 e:5 f:5 g:5 h:5",
                               "Event", NULL, 0, true);
    CHECK_INT(hollow.code, -EBADMSG);
    CHECK_HAS(hollow.err.text, "too many");
    /* Of one step. */
    cleanup_buf struct buf types = BUF_INIT(CHUNK_MAX);
    buf_puts(&types, "11 long\n100 Event");
    for (int i = 0; i < 5000; i++)
        buf_puts(&types, " a:11");
    WITH_PLAN wide = compile(buf_cstr(&types), "Event", NULL, 0, true);
    CHECK_INT(wide.code, -EBADMSG);
    CHECK_HAS(wide.err.text, "too many");
    WITH_PLAN damaged = compile("11 long\n100 Event a:11 b:x", "Event", NULL, 0, true);
    CHECK_INT(damaged.code, -EBADMSG);
    CHECK_HAS(damaged.err.text, "damaged");
}

static void an_array_cannot_claim_more_than_the_bytes_hold(void)
{
    WITH_PLAN f = compile("8 byte\n100 Event a:8[]", "Event", NULL, 0, true);
    size_t at = f.c.b.len;
    chunk_varint(&f.c, UINT64_MAX);
    chunk_byte(&f.c, 1);
    CHECK(!jfr_plan_run(&f.plan, f.c.b.p + at, f.c.b.p + f.c.b.len, NULL));
}

int main(void)
{
    RUN(unknown_fields_of_every_kind_are_stepped_over);
    RUN(a_float_is_kept_as_its_bits);
    RUN(a_whole_plan_reaches_the_end_of_the_value);
    RUN(a_string_that_is_the_value_is_in_the_first_slot);
    RUN(numbers_are_read_in_every_layout);
    RUN(of_fields_with_one_name_the_last_counts);
    RUN(looking_stops_at_the_last_string_or_array);
    RUN(layouts_that_cannot_be_are_refused);
    RUN(an_array_cannot_claim_more_than_the_bytes_hold);
    return REPORT();
}
