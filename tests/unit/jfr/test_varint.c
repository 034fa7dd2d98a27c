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
    RUN(nothing_comes_of_nothing);
    return REPORT();
}
