#include "pyroscope/push_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/drain.h"
#include "base/mem.h"
#include "base/work.h"
#include "parser/parser_batch.h"
#include "pyroscope/push_body.h"
#include "pyroscope/push_message.h"
#include "pyroscope/push_seen.h"

enum { PROBLEM_EVERY_MS = 60000 }; /* whoever can push must not fill the log */

struct push_server {
    struct push_server_options options;
    int64_t problem_ms;    /* when the last one was reported; 0 = never */
    struct push_seen seen; /* what was accepted lately */
    struct drain drain;    /* requests */
    size_t bytes;          /* of their bodies */
};

struct push_request {
    uv_work_t work;
    struct push_server *server;
    struct request *rq;
    struct connect_call call;
    uint8_t *body; /* NULL once it is decoded */
    size_t len;
    struct buf decoded; /* by the parser: plain protobuf */
    struct push_message message;
    int code;
    struct err err;
    unsigned endings[PARSER_ENDINGS], set_aside;
};

struct push_server *push_server_new(const struct push_server_options *options)
{
    struct push_server *s = xcalloc(1, sizeof *s);
    s->options = *options;
    return s;
}

static void push_server_free(struct push_server *s)
{
    drain_tell(&s->drain);
    push_seen_done(&s->seen);
    free(s);
}

void push_server_close(struct push_server *s, void (*closed)(void *arg), void *arg)
{
    if (s && drain_close(&s->drain, closed, arg))
        push_server_free(s);
}

bool push_server_is_idle(const struct push_server *s)
{
    return s->drain.under_way == 0;
}

/* ---- answers ---- */

static void push_server_end(struct push_request *p)
{
    struct push_server *s = p->server;
    s->bytes -= p->len;
    push_message_done(&p->message);
    buf_done(&p->decoded);
    free(p->body);
    free(p);
    if (drain_give(&s->drain))
        push_server_free(s);
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

void push_server_set_aside(struct push_request *push, const char *why)
{
    struct push_server *s = push->server;
    const int64_t now = clock_ms();
    if (s->options.problem && (s->problem_ms == 0 || now - s->problem_ms > PROBLEM_EVERY_MS)) {
        char text[ERR_MAX];
        snprintf(text, sizeof text, "a push was refused: %s", why);
        s->problem_ms = now;
        s->options.problem(s->options.problem_arg, text);
    }
    push_server_refuse(push, CONNECT_INVALID_ARGUMENT, why);
}

void push_server_postpone(struct push_request *push, const char *why)
{
    push_server_ask_to_wait(push->rq, why);
    push_server_end(push);
}

/* ---- requests ---- */

/* By a parser process, to what is left to be read here. */
static int push_server_parse(struct push_request *p)
{
    const struct push_body how = {p->call.codec, p->call.gzip};
    const struct parser_item item = {{(const char *)&how, sizeof how}, {(const char *)p->body, p->len}};
    cleanup_parser_batch struct parser_batch b = {.pool = p->server->options.parsers,
                                                  .service = &push_body_service,
                                                  .items = &item,
                                                  .count = 1,
                                                  .answer_max = SERVER_BODY_MAX};
    struct parser_answer a;
    const int code = parser_batch_next(&b, &a, &p->err);
    memcpy(p->endings, b.endings, sizeof p->endings);
    p->set_aside = b.set_aside;
    if (code < 0)
        return code;
    p->decoded = b.answer;
    b.answer = BUF_INIT(0);
    free(p->body);
    p->body = NULL;
    return 0;
}

static void push_server_decode(uv_work_t *w)
{
    struct push_request *p = w->data;
    struct str body = {(const char *)p->body, p->len};
    if (p->call.gzip || p->call.codec == CONNECT_JSON) {
        p->code = push_server_parse(p);
        if (p->code < 0)
            return;
        body = buf_slice(&p->decoded);
    }
    p->code = push_message_decode(&p->message, body, &p->err);
}

static void push_server_refuse_body(struct push_request *p)
{
    if (p->code == -EAGAIN) {
        push_server_postpone(p, p->err.text);
        return;
    }
    if (p->code == -ECANCELED) {
        push_server_set_aside(p, p->err.text);
        return;
    }
    const bool packing = p->code == -EMSGSIZE || p->code == -EBADMSG;
    connect_error(p->rq, p->code == -EMSGSIZE ? CONNECT_RESOURCE_EXHAUSTED : CONNECT_INVALID_ARGUMENT, "%s%s",
                  packing ? "get decompressor: " : "", p->err.text);
    push_server_end(p);
}

static void push_server_on_decoded(uv_work_t *w, int status)
{
    (void)status;
    struct push_request *p = w->data;
    (void)parser_endings_count(p->endings);
    parser_set_aside_count("push", p->set_aside);
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
        .bytes = p->decoded.len + p->message.arena.used + (p->body ? p->len : 0),
    };
    p->server->options.receive(p->server->options.ctx, p, &delivery);
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
        .server = s, .rq = rq, .call = call, .message = PUSH_MESSAGE_INIT, .decoded = BUF_INIT(SERVER_BODY_MAX)};
    p->work.data = p;
    p->body = request_take_body(rq, &p->len);
    s->bytes += p->len;
    drain_take(&s->drain);
    work_queue(s->options.loop, &p->work, push_server_decode, push_server_on_decoded);
}
