#include "pyroscope/query_body.h"

#include <errno.h>
#include <string.h>

#include "base/gzip.h"
#include "pyroscope/proto_json_read.h"
#include "pyroscope/query_messages.h"
#include "pyroscope/query_request.h"

static int query_body_read(const struct query_body *how, struct str body, struct buf *out, struct err *err)
{
    if (how->codec == CONNECT_JSON)
        return proto_json_read(query_methods[how->call].request, body, out, err);
    buf_str(out, body);
    return 0;
}

static int query_body_serve(const struct parser_item *items, size_t n, struct buf *out, struct err *err)
{
    struct query_body how;
    if (n != 1 || items->head.n != sizeof how)
        return err_set(err, -EINVAL, "invalid request");
    memcpy(&how, items->head.p, sizeof how);
    if (how.call >= QUERY_CALLS)
        return err_set(err, -EINVAL, "invalid request");
    if (!how.gzip)
        return query_body_read(&how, items->bytes, out, err);
    cleanup_buf struct buf inflated = BUF_INIT(QUERY_REQUEST_MAX);
    const int code = gzip_inflate(items->bytes, &inflated, err);
    return code < 0 ? code : query_body_read(&how, buf_slice(&inflated), out, err);
}

const struct parser_service query_body_service = {"query.body", query_body_serve};
