#include "pyroscope/proto_json_write.h"

#include "base/wire.h"
#include "test.h"

static const char *const colours[] = {"COLOUR_RED", "COLOUR_BLUE", NULL};
static const struct proto_message part = {
    "testv1.Part", (const struct proto_field[]){{.number = 1, .kind = PROTO_INT64, .json = "values", .repeated = true},
                                                {.number = 2, .kind = PROTO_DOUBLE, .json = "edges", .repeated = true},
                                                {0}}};
static const struct proto_message all = {
    "testv1.All", (const struct proto_field[]){
                      {.number = 1, .kind = PROTO_TEXT, .json = "names", .repeated = true},
                      {.number = 2, .kind = PROTO_INT64, .json = "maxSelf"},
                      {.number = 3, .kind = PROTO_UINT64, .json = "bytes"},
                      {.number = 4, .kind = PROTO_INT32, .json = "count"},
                      {.number = 5, .kind = PROTO_ENUM, .json = "colour", .values = colours},
                      {.number = 6, .kind = PROTO_BOOL, .json = "deep"},
                      {.number = 7, .kind = PROTO_BYTES, .json = "tree"},
                      {.number = 8, .kind = PROTO_MESSAGE, .json = "parts", .message = &part, .repeated = true},
                      {.number = 9, .kind = PROTO_DOUBLE, .json = "value"},
                      {0}}};

static void check_json(const struct buf *message, const char *want)
{
    cleanup_buf struct buf out = BUF_INIT(1 << 16);
    proto_json_write(&all, buf_slice(message), &out);
    CHECK_STR(buf_cstr(&out), want);
}

static void an_empty_message_is_an_empty_object(void)
{
    const struct buf nothing = BUF_INIT(1);
    check_json(&nothing, "{}");
}

static void numbers_of_64_bits_are_texts(void)
{
    cleanup_buf struct buf m = BUF_INIT(1 << 16);
    wire_number(&m, 2, (uint64_t)-5);
    wire_number(&m, 3, UINT64_MAX);
    wire_number(&m, 4, 12);
    wire_number(&m, 6, 1);
    wire_double(&m, 9, 2.5);
    check_json(&m, "{\"maxSelf\":\"-5\",\"bytes\":\"18446744073709551615\",\"count\":12,\"deep\":true,\"value\":2.5}");
}

static void lists_are_in_order_wherever_their_parts_stand(void)
{
    cleanup_buf struct buf m = BUF_INIT(1 << 16), values = BUF_INIT(64), edges = BUF_INIT(64), in = BUF_INIT(256);
    wire_varint(&values, 1);
    wire_varint(&values, 300);
    for (int i = 0; i < 2; i++)
        buf_append(&edges, (const uint8_t[]){0, 0, 0, 0, 0, 0, 0xf0, 0x3f}, 8);
    wire_bytes(&in, 1, buf_slice(&values));
    wire_bytes(&in, 2, buf_slice(&edges));
    wire_bytes(&m, 1, STR("a"));
    wire_bytes(&m, 8, buf_slice(&in));
    wire_bytes(&m, 1, STR("\"b\""));
    wire_bytes(&m, 8, STR(""));
    wire_bytes(&m, 99, STR("unknown"));
    check_json(&m, "{\"names\":[\"a\",\"\\\"b\\\"\"],\"parts\":[{\"values\":[\"1\",\"300\"],\"edges\":[1,1]},{}]}");
}

static void bytes_are_base64_and_enums_have_names(void)
{
    cleanup_buf struct buf m = BUF_INIT(1 << 16), unknown = BUF_INIT(64);
    wire_number(&m, 5, 1);
    wire_bytes(&m, 7, STR("\xfb\xff"));
    check_json(&m, "{\"colour\":\"COLOUR_BLUE\",\"tree\":\"+/8=\"}");
    wire_number(&unknown, 5, 9);
    check_json(&unknown, "{\"colour\":9}");
}

int main(void)
{
    RUN(an_empty_message_is_an_empty_object);
    RUN(numbers_of_64_bits_are_texts);
    RUN(lists_are_in_order_wherever_their_parts_stand);
    RUN(bytes_are_base64_and_enums_have_names);
    return REPORT();
}
