#include "pyroscope/push_server.h"

#include <errno.h>
#include <stdlib.h>

#include "base/gzip.h"
#include "base/mem.h"
#include "pyroscope/push_json.h"
#include "pyroscope/push_message.h"
#include "pyroscope/push_seen.h"

struct push_server {
    uv_loop_t *loop;
    push_receive *receive;
    void *ctx;
    struct push_seen seen; /* what was accepted lately */
    unsigned under_way;
    size_t bytes; /* of their bodies */
    bool closing;
    void (*closed)(void *arg);
    void *closed_arg;
};

struct push_request {
    uv_work_t work;
    struct push_server *server;
    struct request *rq;
    struct connect_call call;
    uint8_t *body; /* NULL once it is inflated */
    size_t len;
    struct buf inflated;
    struct push_message message;
    int code;
    struct err err;
};

struct push_server *push_server_new(uv_loop_t *loop, push_receive *receive, void *ctx)
{
    struct push_server *s = xcalloc(1, sizeof *s);
    *s = (struct push_server){.loop = loop, .receive = receive, .ctx = ctx};
    return s;
}

static void push_server_free_idle(struct push_server *s)
{
    if (!s->closing || s->under_way)
        return;
    if (s->closed)
        s->closed(s->closed_arg);
    push_seen_done(&s->seen);
    free(s);
}

void push_server_close(struct push_server *s, void (*closed)(void *arg), void *arg)
{
    if (!s)
        return;
    s->closing = true;
    s->closed = closed;
    s->closed_arg = arg;
    push_server_free_idle(s);
}

/* ---- answers ---- */

static void push_server_end(struct push_request *p)
{
    struct push_server *s = p->server;
    s->bytes -= p->len;
    s->under_way--;
    push_message_done(&p->message);
    buf_done(&p->inflated);
    free(p->body);
    free(p);
    push_server_free_idle(s);
}

static void push_server_ask_to_wait(struct request *rq, const char *why)
{
    request_set_header(rq, "Retry-After", "1");
    connect_error(rq, CONNECT_UNAVAILABLE, "%s", why);
}

void push_server_accept(struct push_request *push)
{
    connect_reply(push->rq, &push->call, push->call.codec == CONNECT_JSON ? STR("{}") : STR(""));
    push_seen_add(&push->server->seen, &push->message);
    push_server_end(push);
}

void push_server_refuse(struct push_request *push, enum connect_code code, const char *why)
{
    connect_error(push->rq, code, "%s", why);
    push_server_end(push);
}

void push_server_postpone(struct push_request *push, const char *why)
{
    push_server_ask_to_wait(push->rq, why);
    push_server_end(push);
}

/* ---- requests ---- */

static void push_server_decode(uv_work_t *w)
{
    struct push_request *p = w->data;
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

static void push_server_refuse_body(struct push_request *p)
{
    const bool packing = p->code == -EMSGSIZE || p->code == -EBADMSG;
    connect_error(p->rq, p->code == -EMSGSIZE ? CONNECT_RESOURCE_EXHAUSTED : CONNECT_INVALID_ARGUMENT, "%s%s",
                  packing ? "get decompressor: " : "", p->err.text);
    push_server_end(p);
}

static void push_server_on_decoded(uv_work_t *w, int status)
{
    (void)status;
    struct push_request *p = w->data;
    if (p->code < 0) {
        push_server_refuse_body(p);
        return;
    }
    if (push_seen_filter(&p->server->seen, &p->message) && !p->message.series_count) {
        push_server_accept(p);
        return;
    }
    const struct push_delivery delivery = {
        .series = p->message.series,
        .count = p->message.series_count,
        .bytes = p->inflated.len + p->message.arena.used + (p->body ? p->len : 0),
    };
    p->server->receive(p->server->ctx, p, &delivery);
}

void push_server_handle(struct push_server *s, struct request *rq)
{
    struct connect_call call;
    if (!connect_accept(rq, &call))
        return;
    if (s->bytes && s->bytes + request_body(rq).n > PUSH_BODIES_MAX) {
        push_server_ask_to_wait(rq, "too many concurrent pushes");
        return;
    }
    struct push_request *p = xcalloc(1, sizeof *p);
    *p = (struct push_request){
        .server = s, .rq = rq, .call = call, .message = PUSH_MESSAGE_INIT, .inflated = BUF_INIT(SERVER_BODY_MAX)};
    p->work.data = p;
    p->body = request_take_body(rq, &p->len);
    s->bytes += p->len;
    s->under_way++;
    uv_queue_work(s->loop, &p->work, push_server_decode, push_server_on_decoded);
}
