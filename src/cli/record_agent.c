#include "cli/record_agent.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/secret.h"
#include "jfr/chunk.h"
#include "net/http_client.h"

/* The agent closes the first and the last chunk early, or they end by themselves within a minute each. */
enum { AGENT_SPARE_MS = 150000, AGENT_STOP_MS = 10000, AGENT_ANSWER_MAX = 4096, AGENT_URL_MAX = 4096 };
enum { AGENT_CHUNK_MAX = 32 << 20, TOKEN_BYTES = 16 };

struct agent_recording {
    const struct record_request *request;
    struct record_progress *progress;
    struct spool *spool;
    struct http_client *client;
    struct http_call *call, *stop;
    uv_timer_t timer; /* after an interrupt */
    struct buf held;  /* of a chunk that is not whole yet */
    char token[2 * TOKEN_BYTES + 1];
    struct err *err;
    int code;
    bool done, refused; /* it is no recording */
};

/* Whole chunks go to the spool, and the rest stays. */
static void record_agent_take_chunks(struct agent_recording *a)
{
    size_t at = 0;
    while (!a->refused && a->held.len - at >= JFR_HEADER_SIZE) {
        struct jfr_header h;
        int64_t start, end;
        const enum jfr_framing framing = jfr_header_framing(a->held.p + at, &h);
        a->refused = framing != JFR_CHUNK_CLOSED || h.size > AGENT_CHUNK_MAX;
        if (a->refused || h.size > a->held.len - at)
            break;
        jfr_header_span(&h, &start, &end);
        record_progress_begin(a->progress);
        if (spool_chunk(a->spool, (struct str){(const char *)a->held.p + at, (size_t)h.size}, start, end, a->err) < 0) {
            a->code = a->err->code;
            a->refused = true;
        }
        at += (size_t)h.size;
    }
    a->held.len -= at;
    memmove(a->held.p, a->held.p + at, a->held.len);
}

static void record_agent_on_piece(void *arg, int status, struct str bytes)
{
    struct agent_recording *a = arg;
    (void)status; /* record_agent_judge() */
    if (a->refused)
        return;
    buf_str(&a->held, bytes);
    if (buf_ok(&a->held))
        record_agent_take_chunks(a);
    else
        a->refused = true;
}

static int record_agent_judge(struct agent_recording *a, const struct http_response *r)
{
    const struct str said = str_trim(r->body);
    cleanup_buf struct buf from = BUF_INIT(AGENT_URL_MAX);
    secret_hide(str_of(a->request->from), &from);
    if (a->code < 0 || (a->spool->chunks && (r->status == 200 || r->status == 0)))
        return a->code;
    if (r->status == 0)
        return err_set(a->err, r->failure == HTTP_NO_CONNECTION ? -ECONNREFUSED : -EIO, "agent at %s: %s",
                       buf_cstr(&from), r->error);
    switch (r->status) {
    case 200:
        return err_set(a->err, -ENOTSUP, "the agent at %s sent no recording: the JVM ended, or does not answer",
                       buf_cstr(&from));
    case 401:
    case 403:
        return err_set(a->err, -EACCES,
                       "the agent at %s requires authentication; use "
                       "--from=http://USER:PASSWORD@HOST:PORT",
                       buf_cstr(&from));
    case 404:
        return err_set(a->err, -ENOENT, "agent at %s: %.*s", buf_cstr(&from), STR_ARG(said));
    case 409:
    case 503:
        return err_set(a->err, -ENOTSUP, "%.*s", STR_ARG(said));
    default:
        return err_set(a->err, -EIO, "agent at %s: status %d: %.*s", buf_cstr(&from), r->status, STR_ARG(said));
    }
}

static void record_agent_on_done(void *arg, const struct http_response *r)
{
    struct agent_recording *a = arg;
    a->call = NULL;
    a->code = record_agent_judge(a, r);
    a->done = true;
}

/* ---- the end before its time ---- */

static void record_agent_on_stopped(void *arg, const struct http_response *r)
{
    struct agent_recording *a = arg;
    (void)r; /* the stream ends, or the timer does */
    a->stop = NULL;
}

static void record_agent_give_up(uv_timer_t *t)
{
    struct agent_recording *a = t->data;
    if (a->call)
        http_cancel(TAKE_PTR(a->call));
    a->done = true;
    if (!a->spool->chunks)
        a->code = err_set(a->err, -EIO, "interrupted before the first chunk");
}

static char *record_agent_url(const struct agent_recording *a, const char *rest)
{
    size_t n = strlen(a->request->from);
    while (n && a->request->from[n - 1] == '/')
        n--;
    return xasprintf("%.*s/api/v0/record%s", (int)n, a->request->from, rest);
}

static void record_agent_interrupt(void *arg)
{
    struct agent_recording *a = arg;
    cleanup_free char *rest = xasprintf("/stop?token=%s", a->token), *url = record_agent_url(a, rest);
    const struct http_request request = {.method = "POST",
                                         .url = url,
                                         .timeout_ms = AGENT_STOP_MS,
                                         .proxy = {.from_environment = true},
                                         .response_max = AGENT_ANSWER_MAX};
    uv_timer_start(&a->timer, record_agent_give_up, AGENT_STOP_MS, 0);
    if (http_start(a->client, &request, record_agent_on_stopped, a, &a->stop, NULL) < 0)
        a->stop = NULL;
}

/* ---- the beginning ---- */

static int record_agent_start(struct agent_recording *a)
{
    const struct local_jvm *jvm = a->request->jvm;
    const uint64_t ms = (uint64_t)(a->progress->duration_ns / NS_PER_MS), seconds = (ms + 999) / 1000;
    uint8_t random[TOKEN_BYTES];
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return err_errno(a->err, "getrandom");
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(a->token + 2 * i, 3, "%02x", random[i]);
    cleanup_free char *rest =
        xasprintf("?pid=%d&start_time=%" PRIu64 "&seconds=%" PRIu64 "&token=%s%s%s", (int)jvm->pid, jvm->start_time,
                  seconds, a->token, *a->request->events ? "&events=" : "", a->request->events);
    cleanup_free char *url = record_agent_url(a, rest);
    const struct http_request request = {.method = "GET",
                                         .url = url,
                                         .timeout_ms = (int64_t)(ms + AGENT_SPARE_MS),
                                         .proxy = {.from_environment = true},
                                         .piece = record_agent_on_piece,
                                         .response_max = AGENT_ANSWER_MAX};
    return http_start(a->client, &request, record_agent_on_done, a, &a->call, a->err);
}

int record_through_agent(uv_loop_t *loop, const struct record_request *r, struct record_progress *progress,
                         struct spool *spool, struct err *err)
{
    struct agent_recording a = {.request = r,
                                .progress = progress,
                                .spool = spool,
                                .client = http_client_get(loop),
                                .held = BUF_INIT(AGENT_CHUNK_MAX),
                                .err = err};
    uv_timer_init(loop, &a.timer);
    a.timer.data = &a;
    progress->interrupt = record_agent_interrupt;
    progress->arg = &a;
    int code = record_agent_start(&a);
    while (code == 0 && !a.done && uv_run(loop, UV_RUN_ONCE))
        ;
    if (a.stop)
        http_cancel(a.stop);
    http_client_put(a.client);
    buf_done(&a.held);
    uv_close((uv_handle_t *)&a.timer, NULL);
    uv_run(loop, UV_RUN_NOWAIT);
    return code < 0 ? code : a.code;
}
