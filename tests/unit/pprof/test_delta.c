#include "pprof/delta.h"

#include <errno.h>

#include "base/wire.h"
#include "pprof/decode.h"
#include "pprof_maker.h"
#include "test.h"

static const char *const alloc[] = {"alloc_objects", "alloc_space", NULL};

/* Decoded: "stack values" lines, in the order of the profile; the duration in front. */
static const char *shown(struct str bytes)
{
    static char text[4096];
    cleanup_buf struct buf out = BUF_INIT(sizeof text - 1);
    struct symbols symbols;
    struct profile p;
    struct err err = {0};
    symbols_init(&symbols, 1 << 20);
    if (pprof_decode(bytes.p, bytes.n, 1 << 20, &symbols, &p, &err) < 0) {
        symbols_done(&symbols);
        snprintf(text, sizeof text, "%s", err.text);
        return text;
    }
    buf_printf(&out, "%lld", (long long)p.duration_nanos);
    for (size_t i = 0; i < p.sample_count; i++) {
        const struct pprof_stack *stack = &symbols.stacks[p.samples[i].stack];
        buf_byte(&out, ' ');
        for (size_t k = stack->count; k-- > 0;) {
            const uint32_t location = stack->locations[k];
            const struct str name = symbols.strings[symbols.functions[symbols.locations[location].function].name];
            buf_str(&out, name);
            buf_puts(&out, k ? ";" : "");
        }
        for (size_t k = 0; k < p.type_count; k++)
            buf_printf(&out, "%c%lld", k ? ',' : '=', (long long)profile_values(&p, i)[k]);
    }
    profile_done(&p);
    symbols_done(&symbols);
    snprintf(text, sizeof text, "%s", buf_cstr(&out));
    return text;
}

static const char *take(struct pprof_delta *d, struct str profile)
{
    cleanup_buf struct buf out = BUF_INIT(1 << 20);
    bool any;
    struct err err = {0};
    if (pprof_delta_take(d, profile, &out, &any, &err) < 0)
        return "failed";
    return any ? shown(buf_slice(&out)) : "nothing";
}

static const char *take_made(struct pprof_delta *d, const char *second_type, int64_t time_ns,
                             const struct made_sample *samples, size_t n)
{
    const struct made_profile m = {.types = {{"alloc_objects", "count"}, {second_type, "bytes"}},
                                   .time_ns = time_ns,
                                   .duration_ns = 77,
                                   .samples = samples,
                                   .n = n};
    cleanup_buf struct buf bytes = make_profile(&m);
    return take(d, buf_slice(&bytes));
}
#define TAKE(second_type, time, ...)                                                                                   \
    take_made(d, second_type, time, (const struct made_sample[]){__VA_ARGS__},                                         \
              sizeof((const struct made_sample[]){__VA_ARGS__}) / sizeof(struct made_sample))

static void what_was_there_before_is_taken_away(void)
{
    struct pprof_delta *d = pprof_delta_new(alloc);
    CHECK_STR(TAKE("alloc_space", 1000, {"main;a", {10, 100}}, {"main;b", {5, 50}}), "nothing");
    CHECK_STR(TAKE("alloc_space", 3000, {"main;b", {5, 50}}, {"main;a", {12, 130}}, {"main;c", {1, 1}}),
              "2000 main;a=2,30 main;c=1,1");
    CHECK_STR(TAKE("alloc_space", 4000, {"main;c", {1, 1}}, {"main;a", {12, 130}}, {"main;b", {5, 50}}), "nothing");
    CHECK_STR(TAKE("alloc_space", 5000, {"main;c", {2, 1}}), "1000 main;c=1,0");
    /* One that is gone and comes back has nothing before it. */
    CHECK_STR(TAKE("alloc_space", 6000, {"main;c", {2, 1}}, {"main;a", {12, 130}}), "1000 main;a=12,130");
    pprof_delta_free(d);
}

static void other_types_are_passed_through(void)
{
    struct pprof_delta *d = pprof_delta_new(alloc);
    CHECK_STR(TAKE("inuse_space", 1000, {"main;a", {10, 100}}, {"main;b", {10, 0}}), "nothing");
    CHECK_STR(TAKE("inuse_space", 2000, {"main;a", {10, 90}}, {"main;b", {10, 0}}), "1000 main;a=0,90");
    pprof_delta_free(d);
}

static void a_value_that_became_less_counts_whole(void)
{
    struct pprof_delta *d = pprof_delta_new(alloc);
    CHECK_STR(TAKE("alloc_space", 1000, {"main;a", {10, 100}}), "nothing");
    CHECK_STR(TAKE("alloc_space", 2000, {"main;a", {3, 300}}), "1000 main;a=3,300");
    CHECK_STR(TAKE("alloc_space", 1500, {"main;a", {4, 400}}), "0 main;a=1,100"); /* a clock that was set back */
    pprof_delta_free(d);
}

static void labels_separate_stacks(void)
{
    struct pprof_delta *d = pprof_delta_new(alloc);
    CHECK_STR(TAKE("alloc_space", 1000, {"main", {1, 1}, "x"}, {"main", {5, 5}, "y"}, {"main", {7, 7}}), "nothing");
    CHECK_STR(TAKE("alloc_space", 2000, {"main", {1, 1}, "x"}, {"main", {6, 5}, "y"}, {"main", {9, 7}}),
              "1000 main=1,0 main=2,0");
    pprof_delta_free(d);
}

static void a_damaged_profile_begins_anew(void)
{
    struct pprof_delta *d = pprof_delta_new(alloc);
    CHECK_STR(TAKE("alloc_space", 1000, {"main", {1, 1}}), "nothing");
    CHECK_STR(take(d, STR("\x0a\xff")), "failed");
    CHECK_STR(TAKE("alloc_space", 2000, {"main", {2, 2}}), "nothing");
    CHECK_STR(TAKE("alloc_space", 3000, {"main", {3, 4}}), "1000 main=1,2");
    CHECK_STR(take(d, STR("")), "failed");
    pprof_delta_free(d);
    pprof_delta_free(NULL);
}

/* A profile by hand: types count, samples that share a stack, one location without a line, and what no encoder of ours
 * writes. */
static struct buf by_hand(int64_t one, int64_t two)
{
    struct buf out = BUF_INIT(4096), type = BUF_INIT(64), sample = BUF_INIT(64), mapping = BUF_INIT(64),
               location = BUF_INIT(64);
    wire_number(&type, 1, 1);
    wire_number(&type, 2, 2);
    wire_bytes(&out, 1, buf_slice(&type));
    for (int i = 0; i < 2; i++) {
        buf_reset(&sample);
        wire_number(&sample, 1, 40 + (uint64_t)0);
        wire_number(&sample, 2, (uint64_t)(i ? two : one)); /* not packed */
        wire_bytes(&out, 2, buf_slice(&sample));
    }
    wire_number(&mapping, 1, 1);
    wire_number(&mapping, 5, 3);
    wire_bytes(&out, 3, buf_slice(&mapping));
    wire_number(&location, 1, 40);
    wire_number(&location, 2, 1);
    wire_number(&location, 3, 0xabcdef);
    wire_bytes(&out, 4, buf_slice(&location));
    buf_reset(&location);
    wire_number(&location, 1, 41); /* nobody refers to it */
    wire_bytes(&out, 4, buf_slice(&location));
    static const char *const strings[] = {"", "alloc_objects", "count", "/bin/program", "nobody's", "a comment"};
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        wire_bytes(&out, 6, str_of(strings[i]));
    wire_number(&out, 13, 5);
    buf_done(&type);
    buf_done(&sample);
    buf_done(&mapping);
    buf_done(&location);
    return out;
}

static bool has(const struct buf *b, const char *text)
{
    return memmem(b->p, b->len, text, strlen(text)) != NULL;
}

static void equal_samples_are_summed_and_the_rest_stays(void)
{
    struct pprof_delta *d = pprof_delta_new(alloc);
    bool any;
    cleanup_buf struct buf first = by_hand(1, 2), second = by_hand(4, 4), out = BUF_INIT(4096);
    CHECK_INT(pprof_delta_take(d, buf_slice(&first), &out, &any, NULL), 0);
    CHECK(!any);
    CHECK_INT(out.len, 0);
    CHECK_INT(pprof_delta_take(d, buf_slice(&second), &out, &any, NULL), 0);
    CHECK(any);
    CHECK(has(&out, "/bin/program") && has(&out, "a comment") && has(&out, "alloc_objects"));
    CHECK(!has(&out, "nobody's"));
    CHECK(has(&out, "\x18\xef\x9b\xaf\x05"));         /* the address */
    CHECK(!has(&out, "\x08\x29"));                    /* the location of nobody */
    CHECK(has(&out, "\x12\x05\x08\x28\x12\x01\x05")); /* one sample: 8 - 3 */
    pprof_delta_free(d);
}

static void a_sample_must_fit_its_profile(void)
{
    static const struct {
        const char *bytes;
        size_t n;
    } cases[] = {
        {"\x0a\x02\x08\x01\x12\x04\x0a\x00\x12\x00\x32\x00", 12},         /* no value */
        {"\x0a\x02\x08\x01\x12\x06\x0a\x00\x12\x02\x01\x02\x32\x00", 14}, /* two values */
        {"\x0a\x02\x08\x01\x12\x06\x0a\x01\x07\x12\x01\x02\x32\x00", 14}, /* a location that is not there */
        {"\x12\x05\x0a\x00\x12\x01\x05", 7},                              /* no sample types */
        {"\x0a\x02\x08\x01\x12\x05\x0a\x09\x12\x01\x05", 11},             /* cut inside */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pprof_delta *d = pprof_delta_new(alloc);
        cleanup_buf struct buf out = BUF_INIT(4096);
        bool any;
        struct err err = {0};
        if (pprof_delta_take(d, (struct str){cases[i].bytes, cases[i].n}, &out, &any, &err) != -EBADMSG)
            FAIL_("case %zu is taken", i);
        pprof_delta_free(d);
    }
}

int main(void)
{
    RUN(what_was_there_before_is_taken_away);
    RUN(other_types_are_passed_through);
    RUN(a_value_that_became_less_counts_whole);
    RUN(labels_separate_stacks);
    RUN(a_damaged_profile_begins_anew);
    RUN(equal_samples_are_summed_and_the_rest_stays);
    RUN(a_sample_must_fit_its_profile);
    return REPORT();
}
