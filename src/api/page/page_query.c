#include "api/page/page_query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/page/page_call.h"
#include "base/cleanup.h"
#include "base/drain.h"
#include "base/json.h"
#include "base/mem.h"

struct page_queries {
    struct store *store;
    struct drain drain; /* queries */
};

struct page_query {
    struct page_queries *all;
    struct request *rq;
    const struct page_answer *answer;
    struct page_call call;
    int code;
};

struct page_queries *page_queries_new(struct store *store)
{
    struct page_queries *all = xcalloc(1, sizeof *all);
    all->store = store;
    return all;
}

static void page_queries_end(struct page_queries *all)
{
    drain_tell(&all->drain);
    free(all);
}

void page_queries_close(struct page_queries *all, void (*closed)(void *arg), void *arg)
{
    if (all && drain_close(&all->drain, closed, arg))
        page_queries_end(all);
}

static void page_query_free(struct page_query *q)
{
    struct page_queries *all = q->all;
    page_call_done(&q->call);
    free(q);
    if (drain_give(&all->drain))
        page_queries_end(all);
}

static unsigned page_query_status(int code)
{
    switch (code) {
    case -EINVAL:
    case -EMSGSIZE:
        return 400;
    case -ESRCH:
        return 404;
    case -EAGAIN:
        return 503;
    case -ETIMEDOUT:
        return 504;
    default:
        return 500;
    }
}

static void page_query_reply_error(struct request *rq, int code, const char *text)
{
    struct buf out = BUF_INIT(16 * ERR_MAX);
    buf_puts(&out, "{\"error\":");
    json_string(&out, str_of(text));
    buf_byte(&out, '}');
    if (code == -EAGAIN)
        request_set_header(rq, "Retry-After", "1");
    request_reply_buf(rq, page_query_status(code), "application/json", &out);
    buf_done(&out);
}

static void page_query_on_done(void *arg)
{
    struct page_query *q = arg;
    struct page_call *call = &q->call;
    const char *type = call->content_type ? call->content_type : "application/json";
    request_set_header(q->rq, "Cache-Control", "no-store");
    if (q->code < 0) {
        page_query_reply_error(q->rq, q->code, call->err.text);
    } else if (!buf_ok(&call->out)) {
        page_query_reply_error(q->rq, -EMSGSIZE,
                               "the answer is too large: choose a shorter time range or add label matchers");
    } else {
        if (call->disposition)
            request_set_header(q->rq, "Content-Disposition", call->disposition);
        request_reply_buf(q->rq, 200, type, &call->out);
    }
    page_query_free(q);
}

static void page_query_on_work(void *arg, struct store_reader *r)
{
    struct page_query *q = arg;
    q->code = q->answer->run(&q->call, r);
}

static const struct page_answer *page_query_answer(const char *name)
{
    static const struct page_answer *const answers[] = {
        &page_services, &page_types,      &page_labels,    &page_values,   &page_timeline, &page_series,
        &page_heatmap,  &page_flamegraph, &page_functions, &page_sandwich, &page_diff,     &page_download};
    for (size_t i = 0; i < ARRAY_LEN(answers); i++)
        if (strcmp(answers[i]->name, name) == 0)
            return answers[i];
    return NULL;
}

void page_queries_handle(struct page_queries *all, struct request *rq)
{
    const struct page_answer *answer = page_query_answer(request_tail(rq));
    if (!answer) {
        request_reply_text(rq, 404, "404 page not found\n");
        return;
    }
    struct page_query *q = xcalloc(1, sizeof *q);
    *q = (struct page_query){.all = all, .rq = rq, .answer = answer};
    drain_take(&all->drain);
    if (page_call_read(&q->call, rq, answer->needs) < 0) {
        page_query_reply_error(rq, -EINVAL, q->call.err.text);
        page_query_free(q);
    } else if (store_read(all->store, page_query_on_work, page_query_on_done, q) < 0) {
        page_query_reply_error(rq, -EAGAIN, "too many concurrent queries, retry later");
        page_query_free(q);
    }
}
