#include "pyroscope/proto_json_read.h"

#include <errno.h>

#include "base/wire.h"
#include "test.h"

static const char *const colours[] = {"COLOUR_RED", "COLOUR_BLUE", NULL};
static const struct proto_message part = {
    "testv1.Part", (const struct proto_field[]){{.number = 1, .kind = PROTO_TEXT, .json = "name"}, {0}}};
static const struct proto_message all = {
    "testv1.All", (const struct proto_field[]){
                      {.number = 1, .kind = PROTO_TEXT, .json = "labelSelector", .name = "label_selector"},
                      {.number = 2, .kind = PROTO_INT64, .json = "start"},
                      {.number = 3, .kind = PROTO_DOUBLE, .json = "step"},
                      {.number = 4, .kind = PROTO_ENUM, .json = "colour", .values = colours},
                      {.number = 5, .kind = PROTO_MESSAGE, .json = "parts", .message = &part, .repeated = true},
                      {.number = 6, .kind = PROTO_BYTES, .json = "raw"},
                      {.number = 7, .kind = PROTO_BOOL, .json = "deep"},
                      {0}}};

static int64_t numbers[8];
static double step;
static struct buf texts;

/* Reads JSON and takes the message apart. */
static int read_json(const char *json, struct err *err)
{
    cleanup_buf struct buf out = BUF_INIT(1 << 16);
    struct wire_field f;
    *err = (struct err){0};
    memset(numbers, 0, sizeof numbers);
    buf_reset(&texts);
    const int code = proto_json_read(&all, str_of(json), &out, err);
    struct wire_reader r = wire_reader_of(buf_slice(&out));
    while (code == 0 && wire_next(&r, &f)) {
        if (f.type == WIRE_BYTES)
            buf_printf(&texts, "%u:%.*s ", f.number_of, STR_ARG(f.bytes));
        else if (f.type == WIRE_FIXED64)
            step = wire_as_double(f.number);
        else
            numbers[f.number_of] = (int64_t)f.number;
    }
    CHECK(!r.bad);
    return code;
}

static void both_spellings_of_names_are_read(void)
{
    struct err err;
    CHECK_INT(read_json("{\"labelSelector\":\"{}\"}", &err), 0);
    CHECK_STR(buf_cstr(&texts), "1:{} ");
    CHECK_INT(read_json("{\"label_selector\":\"x\",\"unknown\":[1],\"start\":null}", &err), 0);
    CHECK_STR(buf_cstr(&texts), "1:x ");
}

static void numbers_have_several_forms(void)
{
    struct err err;
    CHECK_INT(read_json("{\"start\":1700000000000}", &err), 0);
    CHECK_INT(numbers[2], 1700000000000);
    CHECK_INT(read_json("{\"start\":\"1700000000001\",\"step\":15}", &err), 0);
    CHECK_INT(numbers[2], 1700000000001);
    CHECK(step == 15);
    CHECK_INT(read_json("{\"start\":1.0e12,\"step\":\"0.5\"}", &err), 0);
    CHECK_INT(numbers[2], 1000000000000);
    CHECK(step == 0.5);
    CHECK_INT(read_json("{\"start\":1000.5}", &err), -EINVAL);
    CHECK_STR(err.text, "unmarshal message: unmarshal into *testv1.All: proto: invalid value for field start");
    CHECK_INT(read_json("{\"start\":1e300}", &err), -EINVAL);
    CHECK_INT(read_json("{\"step\":\"\"}", &err), -EINVAL);
    CHECK_INT(read_json("{\"deep\":true}", &err), 0);
    CHECK_INT(numbers[7], 1);
    CHECK_INT(read_json("{\"deep\":1}", &err), -EINVAL);
}

static void an_enum_has_a_name_or_a_number(void)
{
    struct err err;
    CHECK_INT(read_json("{\"colour\":\"COLOUR_BLUE\"}", &err), 0);
    CHECK_INT(numbers[4], 1);
    CHECK_INT(read_json("{\"colour\":7}", &err), 0);
    CHECK_INT(numbers[4], 7);
    /* Newer clients ask for forms that are not known here. */
    CHECK_INT(read_json("{\"colour\":\"COLOUR_GREEN\"}", &err), 0);
    CHECK_INT(numbers[4], 0);
    CHECK_INT(read_json("{\"colour\":true}", &err), -EINVAL);
}

static void messages_and_bytes_are_nested(void)
{
    struct err err;
    CHECK_INT(read_json("{\"parts\":[{\"name\":\"a\"},{}],\"raw\":\"-_8\"}", &err), 0);
    CHECK_STR(buf_cstr(&texts), "5:\n\x01"
                                "a 5: 6:\xfb\xff ");
    CHECK_INT(read_json("{\"raw\":\"+/8=\"}", &err), 0);
    CHECK_STR(buf_cstr(&texts), "6:\xfb\xff ");
    CHECK_INT(read_json("{\"raw\":\"a\"}", &err), -EINVAL);
    CHECK_INT(read_json("{\"parts\":{}}", &err), -EINVAL);
    CHECK_INT(read_json("{\"parts\":[1]}", &err), -EINVAL);
    CHECK_STR(err.text, "unmarshal message: unmarshal into *testv1.Part: proto: not an object");
}

static void what_is_not_json_is_refused(void)
{
    struct err err;
    CHECK_INT(read_json(" ", &err), -EINVAL);
    CHECK_STR(err.text, "unmarshal message: zero-length payload is not a valid JSON object");
    CHECK_INT(read_json("{", &err), -EINVAL);
    CHECK_HAS(err.text, "unmarshal message: unmarshal into *testv1.All: proto: ");
    CHECK_INT(read_json("[]", &err), -EINVAL);
}

int main(void)
{
    texts = BUF_INIT(1 << 16);
    RUN(both_spellings_of_names_are_read);
    RUN(numbers_have_several_forms);
    RUN(an_enum_has_a_name_or_a_number);
    RUN(messages_and_bytes_are_nested);
    RUN(what_is_not_json_is_refused);
    buf_done(&texts);
    return REPORT();
}
