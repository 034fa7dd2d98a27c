/* POST /push.v1.PusherService/Push: headers here, decoding in a worker, storing in the store's writer. */
#include <errno.h>
#include <stdlib.h>

#include "api/connect.h"
#include "api/push_json.h"
#include "api/store_http_internal.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "store/push_message.h"

enum { PUSHING_MAX = 96 << 20 /* bytes of bodies under way, beyond which senders are asked to wait */ };

struct push {
    uv_work_t work;
    struct store_http *http;
    struct request *rq;
    struct connect_call call;
    uint8_t *body;
    size_t len;
    struct buf inflated;
    struct push_message message;
    int code;
    struct err err;
};

static void push_free(struct push *p)
{
    struct store_http *http = p->http;
    http->pushing -= p->len;
    push_message_done(&p->message);
    buf_done(&p->inflated);
    free(p->body);
    free(p);
    store_http_job_done(http);
}

static void busy(struct request *rq, const char *why)
{
    request_set_header(rq, "Retry-After", "1");
    connect_error(rq, CONNECT_UNAVAILABLE, "%s", why);
}

static void on_stored(void *arg, enum store_result result, const struct err *err)
{
    static const enum connect_code codes[] = {
        [STORE_INVALID] = CONNECT_INVALID_ARGUMENT,
        [STORE_DAMAGED] = CONNECT_DATA_LOSS,
        [STORE_FAILED] = CONNECT_INTERNAL,
    };
    struct push *p = arg;
    if (result == STORE_OK)
        connect_reply(p->rq, &p->call, p->call.codec == CONNECT_JSON ? STR("{}") : STR(""));
    else if (result == STORE_BUSY)
        busy(p->rq, err->text);
    else
        connect_error(p->rq, codes[result], "%s", err->text);
    push_free(p);
}

static void decode(uv_work_t *w)
{
    struct push *p = w->data;
    struct str body = {(const char *)p->body, p->len};
    if (p->call.gzip) {
        p->code = gzip_inflate(body, &p->inflated, &p->err);
        if (p->code < 0)
            return;
        free(p->body);
        p->body = NULL;
        body = buf_slice(&p->inflated);
    }
    p->code = p->call.codec == CONNECT_JSON ? push_json_decode(&p->message, body, &p->err)
                                            : push_message_decode(&p->message, body, &p->err);
}

static void on_decoded(uv_work_t *w, int status)
{
    (void)status;
    struct push *p = w->data;
    size_t weight = p->inflated.len + p->message.arena.used + (p->body ? p->len : 0);
    if (p->code == -EMSGSIZE) {
        connect_error(p->rq, CONNECT_RESOURCE_EXHAUSTED, "get decompressor: %s", p->err.text);
    } else if (p->code == -EBADMSG) {
        connect_error(p->rq, CONNECT_INVALID_ARGUMENT, "get decompressor: %s", p->err.text);
    } else if (p->code < 0) {
        connect_error(p->rq, CONNECT_INVALID_ARGUMENT, "%s", p->err.text);
    } else if (store_push(p->http->store, p->message.series, p->message.series_count, weight, on_stored, p) < 0) {
        busy(p->rq, "the store's queue is full");
    } else {
        return;
    }
    push_free(p);
}

void store_http_push(void *ctx, struct request *rq)
{
    struct store_http *http = ctx;
    struct connect_call call;
    if (!connect_accept(rq, &call))
        return;
    if (http->pushing && http->pushing + request_body(rq).n > PUSHING_MAX) {
        busy(rq, "too many concurrent pushes");
        return;
    }
    struct push *p = xcalloc(1, sizeof *p);
    *p = (struct push){
        .http = http, .rq = rq, .call = call, .message = PUSH_MESSAGE_INIT, .inflated = BUF_INIT(SERVER_BODY_MAX)};
    p->work.data = p;
    p->body = request_take_body(rq, &p->len);
    http->pushing += p->len;
    store_http_job_begun(http);
    uv_queue_work(http->loop, &p->work, decode, on_decoded);
}
