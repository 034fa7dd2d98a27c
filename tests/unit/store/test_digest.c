#include "store/digest.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/gzip.h"
#include "pprof_maker.h"
#include "store/splits.h"
#include "test.h"

static const struct made_sample samples[] = {
    {"main;work", {5, 50}, NULL}, {"main;bad", {-1, 3}, NULL}, {"main", {2, 0}, "pool-1"}, {"main;wait", {1, 1}, NULL}};

static struct buf pprof_of(size_t n)
{
    return make_profile(&(struct made_profile){.types = {{"samples", "count"}, {"cpu", "nanoseconds"}},
                                               .period = {"cpu", "nanoseconds"},
                                               .samples = samples,
                                               .n = n,
                                               .time_ns = 10,
                                               .duration_ns = 7});
}

/* The answer to these. */
static struct buf answer_to(const struct str *pprofs, size_t n)
{
    struct buf out = BUF_INIT(DIGEST_MAX);
    struct parser_item items[4] = {0};
    struct err err = {0};
    for (size_t i = 0; i < n; i++)
        items[i].bytes = pprofs[i];
    CHECK_INT(digest_service.serve(items, n, &out, &err), 0);
    return out;
}

static int check(const struct buf *answer, size_t n, struct err *err)
{
    return digest_check(NULL, n, buf_slice(answer), err);
}

static void has_what_the_store_keeps(void)
{
    struct err err = {0};
    cleanup_buf struct buf pprof = pprof_of(4);
    const struct str one = buf_slice(&pprof);
    cleanup_buf struct buf answer = answer_to(&one, 1);
    CHECK_INT(check(&answer, 1, &err), 0);
    struct cursor c = cursor_of(answer.p, answer.len);
    cleanup_digest struct digest d = {0};
    CHECK_INT(digest_read(&c, &d, &err), 0);
    CHECK_INT(d.code, 0);
    CHECK_INT(d.hash.n, 16);
    CHECK_INT(d.time_nanos, 10);
    CHECK_INT(d.duration_nanos, 7);
    CHECK_INT(d.type_count, 2);
    CHECK(str_is(d.types[0], "samples:count:cpu:nanoseconds"));
    CHECK(str_is(d.types[1], "cpu:nanoseconds:cpu:nanoseconds"));
    CHECK_INT(d.split_count, 2);
    if (d.split_count != 2)
        return;
    /* Without labels, its number is 0; samples with a negative value do not count. */
    CHECK_INT(d.splits[0].number, 0);
    CHECK_INT(d.splits[0].label_count, 0);
    CHECK_INT(d.splits[0].totals[0], 6);
    CHECK_INT(d.splits[0].totals[1], 51);
    CHECK(d.splits[1].number != 0);
    CHECK_INT(d.splits[1].label_count, 1);
    CHECK(str_is(d.splits[1].labels[0].name, "thread"));
    CHECK(str_is(d.splits[1].labels[0].value, "pool-1"));
    CHECK_INT(d.splits[1].totals[0], 2);
}

static void plain_and_gzip_have_the_same_hash(void)
{
    struct err err = {0};
    cleanup_buf struct buf pprof = pprof_of(1), packed = BUF_INIT(1 << 20);
    CHECK_INT(gzip_deflate(buf_slice(&pprof), 6, &packed), 0);
    const struct str both[] = {buf_slice(&pprof), buf_slice(&packed)};
    cleanup_buf struct buf answer = answer_to(both, 2);
    CHECK_INT(check(&answer, 2, &err), 0);
    struct cursor c = cursor_of(answer.p, answer.len);
    cleanup_digest struct digest a = {0}, b = {0};
    CHECK_INT(digest_read(&c, &a, &err), 0);
    CHECK_INT(digest_read(&c, &b, &err), 0);
    CHECK(str_eq(a.hash, b.hash));
}

static void the_first_bad_profile_ends_the_answer(void)
{
    struct err err = {0};
    cleanup_buf struct buf pprof = pprof_of(1);
    const struct str three[] = {buf_slice(&pprof), STR("\x1f\x8b by no means gzip"), buf_slice(&pprof)};
    cleanup_buf struct buf answer = answer_to(three, 3);
    CHECK_INT(check(&answer, 3, &err), 0);
    struct cursor c = cursor_of(answer.p, answer.len);
    cleanup_digest struct digest a = {0}, b = {0};
    CHECK_INT(digest_read(&c, &a, &err), 0);
    CHECK_INT(a.code, 0);
    CHECK_INT(digest_read(&c, &b, &err), 0);
    CHECK(b.code < 0);
    CHECK_HAS(b.why, "gzip: ");
    CHECK_INT(cursor_left(&c), 0);
}

static void an_answer_fits_its_request(void)
{
    struct err err = {0};
    cleanup_buf struct buf pprof = pprof_of(1);
    const struct str two[] = {buf_slice(&pprof), buf_slice(&pprof)};
    cleanup_buf struct buf answer = answer_to(two, 2);
    CHECK_INT(check(&answer, 1, &err), -EBADMSG);
    CHECK_INT(check(&answer, 3, &err), -EBADMSG);
    CHECK_HAS(err.text, "invalid digest of a profile: ");
}

/* A parser process that was taken over may say anything: nothing but an error or a digest comes of it. */
static void whatever_a_process_answers_is_read_within_bounds(void)
{
    enum { TRIES = 20000 };
    struct err err = {0};
    unsigned seed = 1;
    cleanup_buf struct buf pprof = pprof_of(4);
    const struct str one = buf_slice(&pprof);
    cleanup_buf struct buf answer = answer_to(&one, 1);
    for (size_t n = 0; n < answer.len; n++)
        CHECK_INT(digest_check(NULL, 1, (struct str){(const char *)answer.p, n}, &err), -EBADMSG);
    for (size_t i = 0; i < TRIES; i++) {
        cleanup_free uint8_t *lie = malloc(answer.len);
        memcpy(lie, answer.p, answer.len);
        for (unsigned k = 0; k < 1 + i % 3; k++) {
            seed = seed * 1103515245 + 12345;
            lie[seed / 65536 % answer.len] = (uint8_t)(seed >> 8);
        }
        (void)!digest_check(NULL, 1, (struct str){(const char *)lie, answer.len}, &err);
    }
}

int main(void)
{
    RUN(has_what_the_store_keeps);
    RUN(plain_and_gzip_have_the_same_hash);
    RUN(the_first_bad_profile_ends_the_answer);
    RUN(an_answer_fits_its_request);
    RUN(whatever_a_process_answers_is_read_within_bounds);
    return REPORT();
}
