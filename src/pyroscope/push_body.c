#include "pyroscope/push_body.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/gzip.h"
#include "pyroscope/push_json.h"
#include "pyroscope/push_message.h"

static void push_body_encode(const struct push_message *m, struct buf *out)
{
    for (size_t i = 0; i < m->series_count; i++) {
        for (size_t k = 0; k < m->series[i].profile_count; k++) {
            push_message_head(out, &m->series[i], k);
            buf_str(out, m->series[i].profiles[k]);
        }
    }
}

static int push_body_read(const struct push_body *how, struct str body, struct buf *out, struct err *err)
{
    struct push_message m = PUSH_MESSAGE_INIT;
    int code = how->codec == CONNECT_JSON ? push_json_decode(&m, body, err) : push_message_decode(&m, body, err);
    if (code == 0)
        push_body_encode(&m, out);
    push_message_done(&m);
    return code;
}

static int push_body_serve(const struct parser_item *items, size_t n, struct buf *out, struct err *err)
{
    struct push_body how;
    if (n != 1 || items->head.n != sizeof how)
        return err_set(err, -EINVAL, "invalid request");
    memcpy(&how, items->head.p, sizeof how);
    if (!how.gzip)
        return push_body_read(&how, items->bytes, out, err);
    cleanup_buf struct buf inflated = BUF_INIT(SERVER_BODY_MAX);
    int code = gzip_inflate(items->bytes, &inflated, err);
    return code < 0 ? code : push_body_read(&how, buf_slice(&inflated), out, err);
}

const struct parser_service push_body_service = {"push.body", push_body_serve};
