#include "pyroscope/query_body.h"

#include <errno.h>

#include "base/gzip.h"
#include "base/wire.h"
#include "pyroscope/query_messages.h"
#include "pyroscope/query_request.h"
#include "test.h"

static int serve(enum connect_codec codec, bool gzip, struct str body, struct buf *out, struct err *err)
{
    const struct query_body how = {codec, gzip, QUERY_LABEL_VALUES};
    const struct parser_item item = {{(const char *)&how, sizeof how}, body};
    *out = BUF_INIT(QUERY_REQUEST_MAX);
    *err = (struct err){0};
    return query_body_service.serve(&item, 1, out, err);
}

static void all_forms_become_the_same_message(void)
{
    struct err err;
    cleanup_buf struct buf want = BUF_INIT(1 << 10), packed = BUF_INIT(1 << 10);
    static const char json[] = "{\"name\":\"zone\",\"matchers\":[\"{}\"],\"start\":\"7\"}";
    wire_bytes(&want, 1, STR("zone"));
    wire_bytes(&want, 2, STR("{}"));
    wire_number(&want, 3, 7);
    CHECK_INT(gzip_deflate(STR(json), 6, &packed), 0);
    const struct {
        enum connect_codec codec;
        bool gzip;
        struct str body;
    } forms[] = {{CONNECT_JSON, false, STR(json)},
                 {CONNECT_JSON, true, buf_slice(&packed)},
                 {CONNECT_PROTO, false, buf_slice(&want)}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct buf got;
        CHECK_INT(serve(forms[i].codec, forms[i].gzip, forms[i].body, &got, &err), 0);
        CHECK(str_eq(buf_slice(&got), buf_slice(&want)));
        buf_done(&got);
    }
}

static void damaged_and_large_bodies_are_refused(void)
{
    struct err err;
    struct buf got;
    cleanup_buf struct buf large = BUF_INIT(4 << 20), packed = BUF_INIT(4 << 20);
    CHECK_INT(serve(CONNECT_PROTO, true, STR("no gzip"), &got, &err), -EBADMSG);
    buf_done(&got);
    for (int i = 0; i <= QUERY_REQUEST_MAX; i++)
        buf_byte(&large, ' ');
    CHECK_INT(gzip_deflate(buf_slice(&large), 6, &packed), 0);
    CHECK_INT(serve(CONNECT_JSON, true, buf_slice(&packed), &got, &err), -EMSGSIZE);
    buf_done(&got);
}

int main(void)
{
    RUN(all_forms_become_the_same_message);
    RUN(damaged_and_large_bodies_are_refused);
    return REPORT();
}
