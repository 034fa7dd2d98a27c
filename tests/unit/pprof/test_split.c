#include "pprof/split.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "pprof/decode.h"
#include "pprof_maker.h"
#include "test.h"

enum { SAMPLES = 1000 };

/* As many stacks as samples, each with functions of its own. */
static struct buf large_profile(void)
{
    static char names[SAMPLES][64];
    static struct made_sample samples[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) {
        snprintf(names[i], sizeof names[i], "java/lang/Thread.run;com/example/Class%04d.method", i);
        samples[i] = (struct made_sample){names[i], {i + 1, 2 * i}, i % 2 ? "worker" : NULL};
    }
    return make_profile(&(struct made_profile){.types = {{"cpu", "nanoseconds"}, {"wall", "nanoseconds"}},
                                               .period = {"cpu", "nanoseconds"},
                                               .time_ns = 5 * NS_PER_SEC,
                                               .duration_ns = 15 * NS_PER_SEC,
                                               .samples = samples,
                                               .n = SAMPLES});
}

/* Sums of both values; checks that every stack is whole. */
static void add_up(const struct pprof_part *part, int64_t sums[2])
{
    cleanup_symbols struct symbols symbols;
    symbols_init(&symbols, 64 << 20);
    struct profile p;
    struct err err = {0};
    CHECK_INT(pprof_decode(part->pprof, part->len, 16 << 20, &symbols, &p, &err), 0);
    CHECK_STR(err.text, "");
    CHECK_INT(p.sample_count, part->samples);
    CHECK_INT(p.time_nanos, part->time_nanos);
    CHECK_INT(p.duration_nanos, 15 * NS_PER_SEC);
    CHECK(str_is(symbols.strings[p.types[0].type], "cpu") &&
          str_is(symbols.strings[p.period_type.unit], "nanoseconds"));
    for (size_t i = 0; i < p.sample_count; i++) {
        const struct pprof_stack *stack = &symbols.stacks[p.samples[i].stack];
        CHECK_INT(stack->count, 2);
        CHECK(str_has_prefix(symbols_name(&symbols, stack->locations[0]), STR("com/example/Class")));
        CHECK(str_is(symbols_name(&symbols, stack->locations[1]), "java/lang/Thread.run"));
        sums[0] += profile_values(&p, i)[0];
        sums[1] += profile_values(&p, i)[1];
    }
    profile_done(&p);
}

static size_t plain_size(const struct pprof_part *part)
{
    struct err err = {0};
    cleanup_buf struct buf plain = BUF_INIT(64 << 20);
    CHECK_INT(gzip_inflate((struct str){(const char *)part->pprof, part->len}, &plain, &err), 0);
    return plain.len;
}

static void the_parts_have_the_samples_of_the_whole(void)
{
    static const struct {
        struct pprof_split_limits limits;
        size_t parts;
    } cases[] = {
        {{.samples = 300}, 4}, {{.parts = 2}, 2}, {{.samples = 300, .parts = 8}, 8}, {{.samples = 5000}, 1}, {{0}, 1}};
    cleanup_buf struct buf whole = large_profile();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pprof_parts parts = {0};
        struct err err = {0};
        int64_t sums[2] = {0};
        CHECK_INT(pprof_split(buf_slice(&whole), &cases[i].limits, &parts, &err), 0);
        CHECK_INT(parts.len, cases[i].parts);
        CHECK_INT(parts.samples_lost, 0);
        for (size_t k = 0; k < parts.len; k++) {
            CHECK(!cases[i].limits.samples || parts.items[k].samples <= cases[i].limits.samples);
            CHECK_INT(parts.items[k].time_nanos, 5 * NS_PER_SEC + (int64_t)k * NS_PER_MS);
            add_up(&parts.items[k], sums);
        }
        CHECK_INT(sums[0], SAMPLES * (SAMPLES + 1) / 2);
        CHECK_INT(sums[1], SAMPLES * (SAMPLES - 1));
        pprof_parts_done(&parts);
    }
}

static void a_part_is_no_larger_than_the_limit(void)
{
    cleanup_buf struct buf whole = large_profile();
    struct buf packed = BUF_INIT(16 << 20);
    CHECK_INT(gzip_deflate(buf_slice(&whole), 1, &packed), 0);
    struct pprof_parts parts = {0};
    struct err err = {0};
    int64_t sums[2] = {0};
    const size_t most = whole.len / 5;
    CHECK_INT(pprof_split(buf_slice(&packed), &(struct pprof_split_limits){.bytes = most}, &parts, &err), 0);
    CHECK(parts.len >= 5 && parts.len <= 12);
    for (size_t k = 0; k < parts.len; k++) {
        CHECK(plain_size(&parts.items[k]) <= most);
        add_up(&parts.items[k], sums);
    }
    CHECK_INT(sums[0], SAMPLES * (SAMPLES + 1) / 2);
    pprof_parts_done(&parts);
    buf_done(&packed);
}

static void samples_too_large_for_any_part_are_counted(void)
{
    cleanup_buf struct buf whole = large_profile();
    struct pprof_parts parts = {0};
    struct err err = {0};
    CHECK_INT(pprof_split(buf_slice(&whole), &(struct pprof_split_limits){.bytes = 64}, &parts, &err), 0);
    CHECK_INT(parts.len, 0);
    CHECK_INT(parts.samples_lost, SAMPLES);
    pprof_parts_done(&parts);
}

static void damage_is_an_error(void)
{
    static const char *const cases[] = {"\x12\x7f", "\x1f\x8b\x08nonsense", "\x0a\x05"};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pprof_parts parts = {0};
        struct err err = {0};
        CHECK_INT(pprof_split(str_of(cases[i]), &(struct pprof_split_limits){.parts = 2}, &parts, &err), -EBADMSG);
    }
    cleanup_buf struct buf whole = large_profile();
    for (size_t n = 0; n < whole.len; n += 1 + whole.len / 300) {
        struct pprof_parts parts = {0};
        struct err err = {0};
        if (pprof_split((struct str){(const char *)whole.p, n}, &(struct pprof_split_limits){.parts = 2}, &parts,
                        &err) == 0)
            pprof_parts_done(&parts);
    }
}

static void more_parts_than_anybody_wants_are_an_error(void)
{
    cleanup_buf struct buf whole = large_profile();
    struct pprof_parts parts = {0};
    struct err err = {0};
    CHECK_INT(pprof_split(buf_slice(&whole), &(struct pprof_split_limits){.samples = 1}, &parts, &err), -E2BIG);
}

int main(void)
{
    RUN(the_parts_have_the_samples_of_the_whole);
    RUN(a_part_is_no_larger_than_the_limit);
    RUN(samples_too_large_for_any_part_are_counted);
    RUN(damage_is_an_error);
    RUN(more_parts_than_anybody_wants_are_an_error);
    return REPORT();
}
