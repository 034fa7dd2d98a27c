#include "pprof/encode.h"

#include "base/wire.h"
#include "pprof/decode.h"
#include "pprof/sample_profile.h"
#include "pprof/text.h"
#include "test.h"

enum { MAX = 1 << 20 };

static void check_same_text(const struct profile *a, const struct profile *b)
{
    struct buf text = BUF_INIT(MAX), other = BUF_INIT(MAX);
    pprof_text(a, PPROF_TEXT_REFERENCE, &text);
    pprof_text(b, PPROF_TEXT_REFERENCE, &other);
    CHECK_STR(buf_cstr(&other), buf_cstr(&text));
    buf_done(&text);
    buf_done(&other);
}

static void what_is_written_is_read_again(void)
{
    cleanup_symbols struct symbols s, s2;
    cleanup_profile struct profile p, q;
    struct buf b = BUF_INIT(MAX);
    struct err err = {0};
    symbols_init(&s, MAX);
    symbols_init(&s2, MAX);
    sample_profile(&p, &s);
    profile_init(&q, &s2);
    pprof_encode(&p, &b);
    CHECK_INT(pprof_decode(b.p, b.len, MAX, &s2, &q, &err), 0);
    check_same_text(&p, &q);
    CHECK_INT(q.period, 524288);
    CHECK_INT(q.time_nanos, 1700000000000000000);
    CHECK_INT(q.duration_nanos, 15000000000);
    CHECK(str_is(s2.strings[q.period_type.type], "space") && str_is(s2.strings[q.period_type.unit], "bytes"));
    const struct pprof_labels *l = &s2.label_sets[q.samples[1].labels];
    CHECK_INT(l->count, 1);
    CHECK(str_is(s2.strings[l->labels[0].key], "thread") && str_is(s2.strings[l->labels[0].str], "main"));
    buf_done(&b);
}

static unsigned fields(const struct buf *b, uint32_t number)
{
    unsigned n = 0;
    struct wire_field f;
    struct wire_reader r = wire_reader_of(buf_slice(b));
    while (wire_next(&r, &f))
        n += f.number_of == number;
    CHECK(!r.bad);
    return n;
}

static void only_what_samples_refer_to_is_written(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    struct buf b = BUF_INIT(MAX);
    symbols_init(&s, MAX);
    sample_profile(&p, &s);
    uint32_t other = sample_location(&s, "of.another.profile", 1);
    (void)profile_add(&p, symbols_stack(&s, &other, 1), 0, (int64_t[]){0, 0}); /* nothing came of it */
    pprof_encode(&p, &b);
    CHECK_INT(fields(&b, 2), 2); /* samples */
    CHECK_INT(fields(&b, 3), 1); /* mapping */
    CHECK_INT(fields(&b, 4), 2); /* locations */
    CHECK_INT(fields(&b, 5), 2); /* functions */
    CHECK(!memmem(b.p, b.len, "another", 7));
    buf_done(&b);
}

static void the_size_is_capped(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    struct buf b = BUF_INIT(50);
    symbols_init(&s, MAX);
    sample_profile(&p, &s);
    pprof_encode(&p, &b);
    CHECK(!buf_ok(&b));
    buf_done(&b);
}

int main(void)
{
    RUN(what_is_written_is_read_again);
    RUN(only_what_samples_refer_to_is_written);
    RUN(the_size_is_capped);
    return REPORT();
}
