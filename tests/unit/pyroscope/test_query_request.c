#include "pyroscope/query_request.h"

#include <errno.h>

#include "base/wire.h"
#include "pyroscope/query_messages.h"
#include "test.h"

static const struct proto_message *series(void)
{
    return query_methods[QUERY_SERIES].request;
}

static void fields_are_those_of_the_call(void)
{
    struct err err = {0};
    cleanup_query_request struct query_request q = QUERY_REQUEST_INIT;
    cleanup_buf struct buf m = BUF_INIT(1 << 16);
    for (int i = 0; i < 20; i++)
        wire_bytes(&m, 1, STR("{}"));
    wire_bytes(&m, 2, STR("zone"));
    wire_number(&m, 3, 5);
    wire_tag(&m, 4, WIRE_VARINT);
    wire_varint(&m, 0);
    wire_bytes(&m, 77, STR("of a newer client"));
    CHECK_INT(query_request_read(&q, series(), buf_slice(&m), &err), 0);
    CHECK_INT(q.matchers.len, 20);
    CHECK(str_is(q.matchers.items[19], "{}"));
    CHECK_INT(q.label_names.len, 1);
    CHECK(str_is(q.label_names.items[0], "zone"));
    CHECK_INT(q.start.value, 5);
    CHECK(q.end.set);
    CHECK(!q.limit.set);
}

static int read_bytes(struct str bytes, struct err *err)
{
    cleanup_query_request struct query_request q = QUERY_REQUEST_INIT;
    *err = (struct err){0};
    return query_request_read(&q, series(), bytes, err);
}

static void nonsense_is_refused(void)
{
    struct err err;
    cleanup_buf struct buf many = BUF_INIT(1 << 20);
    CHECK_INT(read_bytes(STR("\x0a\x05xx"), &err), -EINVAL);
    CHECK_STR(err.text, "unmarshal message: unexpected EOF");
    CHECK_INT(read_bytes(STR("\x08\x01"), &err), -EINVAL);
    CHECK_HAS(err.text, "wrong wire type");
    CHECK_INT(read_bytes(STR("\x0a\x01\xff"), &err), -EINVAL);
    CHECK_HAS(err.text, "invalid UTF-8");
    for (int i = 0; i <= QUERY_TEXTS_MAX; i++)
        wire_bytes(&many, 1, STR(""));
    CHECK_INT(read_bytes(buf_slice(&many), &err), -EINVAL);
    CHECK_HAS(err.text, "more than 4096 values");
    CHECK_INT(read_bytes(STR(""), &err), 0);
}

int main(void)
{
    RUN(fields_are_those_of_the_call);
    RUN(nonsense_is_refused);
    return REPORT();
}
