#include "base/wire.h"

#include "test.h"

static void what_is_written_is_read(void)
{
    static const uint64_t numbers[] = {1, 127, 128, UINT32_MAX, INT64_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct buf b = BUF_INIT(64);
        wire_number(&b, 5, numbers[i]);
        CHECK_INT(b.len, 1 + wire_size(numbers[i]));
        wire_bytes(&b, 1000, STR("text"));
        struct wire_reader r = wire_reader_of(buf_slice(&b));
        struct wire_field f;
        CHECK(wire_next(&r, &f));
        CHECK(f.number_of == 5 && f.type == WIRE_VARINT && f.number == numbers[i]);
        CHECK(wire_next(&r, &f));
        CHECK(f.number_of == 1000 && f.type == WIRE_BYTES && str_is(f.bytes, "text"));
        CHECK(!wire_next(&r, &f));
        CHECK(!r.bad);
        buf_done(&b);
    }
}

static void zero_is_left_out(void)
{
    struct buf b = BUF_INIT(64);
    wire_number(&b, 5, 0);
    CHECK_INT(b.len, 0);
    CHECK_INT(wire_size(0), 1);
    buf_done(&b);
}

static void fixed_widths_are_read(void)
{
    struct wire_reader r = wire_reader_of(STR("\x09\1\2\3\4\5\6\7\x08\x15\1\2\3\x80"));
    struct wire_field f;
    CHECK(wire_next(&r, &f));
    CHECK(f.number == UINT64_C(0x0807060504030201));
    CHECK(wire_next(&r, &f));
    CHECK(f.number_of == 2 && f.number == 0x80030201);
}

static void check_bad(const char *bytes, size_t n)
{
    struct wire_reader r = wire_reader_of((struct str){bytes, n});
    struct wire_field f;
    CHECK(!wire_next(&r, &f));
    CHECK(r.bad);
}

static void damage_is_noticed(void)
{
    check_bad("\x0a\5abc", 5);                                     /* bytes that are not there */
    check_bad("\x08\x80", 2);                                      /* a number that is cut */
    check_bad("\x08", 1);                                          /* a field without a value */
    check_bad("\x0d\1\2\3", 4);                                    /* half a fixed one */
    check_bad("\x0b", 1);                                          /* a group */
    check_bad("\x00\1", 2);                                        /* field 0 */
    check_bad("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11); /* eleven bytes */
}

static void packed_numbers_are_read(void)
{
    struct wire_reader r = wire_reader_of(STR("\1\x80\1"));
    uint64_t v;
    CHECK(wire_next_packed(&r, &v) && v == 1);
    CHECK(wire_next_packed(&r, &v) && v == 128);
    CHECK(!wire_next_packed(&r, &v) && !r.bad);
}

int main(void)
{
    RUN(what_is_written_is_read);
    RUN(zero_is_left_out);
    RUN(fixed_widths_are_read);
    RUN(damage_is_noticed);
    RUN(packed_numbers_are_read);
    return REPORT();
}
