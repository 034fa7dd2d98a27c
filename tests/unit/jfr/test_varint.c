#include "jfr/varint.h"

#include "jfr/chunk_builder.h"
#include "test.h"

static void check_number(uint64_t v)
{
    cleanup_buf struct buf b = BUF_INIT(64);
    chunk_put_varint(&b, v);
    uint64_t got = ~v;
    /* At the end of the bytes, and with room after them: two different ways through the code. */
    CHECK(jfr_varint(b.p, b.p + b.len, &got) == b.p + b.len);
    CHECK(got == v);
    CHECK(!jfr_varint(b.p, b.p + b.len - 1, &got));
    const uint8_t *after = b.p + b.len;
    size_t len = b.len;
    buf_append(&b, "\x80\x80\x80\x80\x80\x80\x80\x80\x80", 9);
    after = b.p + len;
    got = ~v;
    CHECK(jfr_varint(b.p, b.p + b.len, &got) == after);
    CHECK(got == v);
}

static void numbers_of_every_length_are_read(void)
{
    check_number(0);
    for (unsigned shift = 0; shift < 64; shift++) {
        check_number(UINT64_C(1) << shift);
        check_number((UINT64_C(1) << shift) - 1);
    }
    check_number(UINT64_MAX);
}

static void the_ninth_byte_ends_a_number_whatever_its_high_bit(void)
{
    const uint8_t bytes[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x81, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    uint64_t v;
    CHECK(jfr_varint(bytes, bytes + sizeof bytes, &v) == bytes + 9);
    CHECK(v == UINT64_C(0x81) << 56);
    CHECK(jfr_varint_skip(bytes, bytes + sizeof bytes, 2) == bytes + 10);
}

static void over_long_numbers_are_read(void)
{
    const uint8_t bytes[] = {0x85, 0x80, 0x80, 0x80, 0x00};
    uint64_t v;
    CHECK(jfr_varint(bytes, bytes + sizeof bytes, &v) == bytes + sizeof bytes);
    CHECK_INT(v, 5);
}

static void skipping_ends_where_reading_does(void)
{
    cleanup_buf struct buf b = BUF_INIT(4096);
    uint64_t state = 1, ignored;
    for (int i = 0; i < 200; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        chunk_put_varint(&b, i % 3 ? state >> (state >> 58) : UINT64_MAX);
    }
    const uint8_t *p = b.p, *end = b.p + b.len;
    for (uint64_t n = 0; n <= 200; n++) {
        CHECK(jfr_varint_skip(b.p, end, n) == p);
        p = jfr_varint(p, end, &ignored);
    }
    CHECK(!jfr_varint_skip(b.p, end, 201));
}

/* Long rows of short numbers, which are stepped over in blocks, with a long one here and there. */
static void skipping_many_ends_where_reading_does(void)
{
    enum { NUMBERS = 1500 };
    for (unsigned every = 1; every <= 200; every += 7) {
        cleanup_buf struct buf b = BUF_INIT(1 << 15);
        const uint8_t *at[NUMBERS + 1];
        size_t offsets[NUMBERS + 1];
        for (unsigned i = 0; i < NUMBERS; i++) {
            offsets[i] = b.len;
            chunk_put_varint(&b, i % every == every - 1 ? UINT64_MAX >> i % 60 : i % 300);
        }
        offsets[NUMBERS] = b.len;
        for (unsigned i = 0; i <= NUMBERS; i++)
            at[i] = b.p + offsets[i];
        for (unsigned n = 0; n <= NUMBERS; n += 1 + n / 50)
            CHECK(jfr_varint_skip(b.p, at[NUMBERS], n) == at[n]);
        for (unsigned from = 0; from < NUMBERS; from += 97)
            CHECK(jfr_varint_skip(at[from], at[NUMBERS], NUMBERS - from) == at[NUMBERS]);
        CHECK(!jfr_varint_skip(b.p, at[NUMBERS], NUMBERS + 1));
        CHECK(!jfr_varint_skip(b.p, at[NUMBERS] - 1, NUMBERS));
    }
}

static void one_step_is_one_number(void)
{
    for (unsigned shift = 0; shift < 64; shift++) {
        cleanup_buf struct buf b = BUF_INIT(64);
        chunk_put_varint(&b, UINT64_MAX >> shift);
        const size_t len = b.len;
        buf_append(&b, "\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9);
        CHECK(jfr_varint_step(b.p) == b.p + len);
    }
}

static void steps_end_where_reading_does(void)
{
    for (unsigned bits = 1; bits < 64; bits++) {
        cleanup_buf struct buf b = BUF_INIT(1024);
        enum { NUMBERS = 12 };
        size_t ends[NUMBERS];
        for (unsigned i = 0; i < NUMBERS; i++) {
            chunk_put_varint(&b, UINT64_MAX >> i * 7 % bits);
            ends[i] = b.len;
        }
        buf_append(&b, (const uint8_t[JFR_VARINT_MAX * NUMBERS]){0}, JFR_VARINT_MAX * NUMBERS);
        for (unsigned n = 1; n <= NUMBERS; n++)
            CHECK(jfr_varint_steps(b.p, n) == b.p + ends[n - 1]);
        cleanup_buf struct buf small = BUF_INIT(1024);
        for (unsigned i = 0; i < NUMBERS; i++) {
            chunk_put_varint(&small, i % 5 == 4 ? 1U << bits % 32 : i);
            ends[i] = small.len;
        }
        buf_append(&small, (const uint8_t[JFR_VARINT_MAX * NUMBERS]){0}, JFR_VARINT_MAX * NUMBERS);
        for (unsigned n = 1; n <= NUMBERS; n++)
            CHECK(jfr_varint_steps(small.p, n) == small.p + ends[n - 1]);
    }
}

static void ends_are_where_a_number_ends(void)
{
    cleanup_buf struct buf b = BUF_INIT(1024);
    uint64_t want = 0;
    for (unsigned i = 0; b.len < JFR_VARINT_LOOK; i++) {
        chunk_put_varint(&b, UINT64_C(1) << i * 7 % 50);
        want |= b.len <= JFR_VARINT_LOOK ? UINT64_C(1) << (b.len - 1) : 0;
    }
    CHECK(jfr_varint_ends(b.p) == want);
}

static void nothing_comes_of_nothing(void)
{
    uint64_t v = 1;
    uint8_t byte = 0;
    CHECK(!jfr_varint(NULL, &byte, &v));
    CHECK(!jfr_varint(&byte, &byte, &v));
    CHECK(jfr_varint_skip(&byte, &byte, 0) == &byte);
    CHECK(!jfr_varint_skip(&byte, &byte, 1));
}

int main(void)
{
    RUN(numbers_of_every_length_are_read);
    RUN(the_ninth_byte_ends_a_number_whatever_its_high_bit);
    RUN(over_long_numbers_are_read);
    RUN(skipping_ends_where_reading_does);
    RUN(skipping_many_ends_where_reading_does);
    RUN(one_step_is_one_number);
    RUN(steps_end_where_reading_does);
    RUN(ends_are_where_a_number_ends);
    RUN(nothing_comes_of_nothing);
    return REPORT();
}
