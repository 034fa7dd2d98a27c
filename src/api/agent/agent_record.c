#include "api/agent/agent_record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/agent/agent_take.h"
#include "base/list.h"
#include "base/mem.h"
#include "jfr/shared_chunk.h"

enum { TOKEN_MAX = 64 };
/* What may wait for a client: two of the largest chunks. */
enum { WAITING_MAX = 32 << 20 };

struct agent_record {
    uv_loop_t *loop;
    struct controller *controller;
    struct list items; /* struct streamed_take */
    size_t count;
};

struct streamed_take {
    struct list link;
    struct agent_record *owner;
    struct agent_take *take;
    struct reply_stream *stream;
    char token[TOKEN_MAX + 1];
};

/* The stream is over. */
static void record_gone(void *arg)
{
    struct streamed_take *t = arg;
    agent_take_free(t->take);
    list_del(&t->link);
    t->owner->count--;
    free(t);
}

static void record_over(void *arg)
{
    struct streamed_take *t = arg;
    stream_end(t->stream);
    record_gone(t);
}

static bool record_chunk(void *arg, struct jfr_chunk *c)
{
    struct streamed_take *t = arg;
    return stream_send(t->stream, (struct str){(const char *)c->bytes, c->len});
}

static const struct agent_take_events record_events = {.chunk = record_chunk, .over = record_over};

/* ---- requests ---- */

static void record_start(struct agent_record *r, const struct agent_take_request *wanted, struct request *rq)
{
    struct streamed_take *t = xcalloc(1, sizeof *t);
    struct err err = {0};
    const char *token = request_query(rq, "token");
    t->owner = r;
    snprintf(t->token, sizeof t->token, "%s", token ? token : "");
    const int code = agent_take_new(r->loop, r->controller, wanted, &record_events, t, &t->take, &err);
    if (code < 0) {
        agent_take_refuse(rq, code, &err);
        free(t);
        return;
    }
    list_push(&r->items, &t->link);
    r->count++;
    t->stream = request_stream(rq, "application/octet-stream", record_gone, t);
    if (t->stream)
        stream_set_max(t->stream, WAITING_MAX);
    else
        record_gone(t);
}

void agent_record_start(struct agent_record *r, struct request *rq)
{
    struct agent_take_request wanted;
    if (!agent_take_read(rq, AGENT_RECORD_MAX_S, &wanted))
        return;
    if (r->count >= AGENT_RECORDINGS)
        request_reply_text(rq, 503, "%d recordings are running; try again later\n", AGENT_RECORDINGS);
    else
        record_start(r, &wanted, rq);
}

void agent_record_stop(struct agent_record *r, struct request *rq)
{
    const char *token = request_query(rq, "token");
    list_each(&r->items, node)
    {
        const struct streamed_take *t = list_entry(node, struct streamed_take, link);
        if (token && *token && strcmp(t->token, token) == 0) {
            agent_take_finish(t->take);
            request_reply_text(rq, 200, "stopping\n");
            return;
        }
    }
    request_reply_text(rq, 404, "no recording with this token\n");
}

/* ---- life ---- */

struct agent_record *agent_record_new(uv_loop_t *loop, struct controller *c)
{
    struct agent_record *r = xcalloc(1, sizeof *r);
    *r = (struct agent_record){.loop = loop, .controller = c};
    list_init(&r->items);
    return r;
}

void agent_record_free(struct agent_record *r)
{
    if (!r)
        return;
    list_each(&r->items, node) record_over(list_entry(node, struct streamed_take, link));
    free(r);
}
