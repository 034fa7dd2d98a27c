#include "api/pyroscope/querier.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/pyroscope/querier_call.h"
#include "api/pyroscope/querier_legacy.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/drain.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "base/work.h"
#include "parser/parser_batch.h"
#include "pyroscope/proto_json_write.h"
#include "pyroscope/query_body.h"
#include "store/reader.h"

enum {
    QUERIER_GZIP_LEVEL = 3,
    QUERIER_GZIP_LEAST = 1 << 10,
};

struct querier {
    struct querier_options options;
    struct drain drain; /* calls */
};

/* A call with its request; what answers see of it is the first member. */
struct querier_job {
    struct querier_call call;
    uv_work_t work;
    struct querier *all;
    struct request *rq;
    struct connect_call connect;
    enum query_call method; /* QUERY_CALLS: of the older API */
    const struct querier_answer *answer;
    bool gzip;           /* the client takes gzip */
    int64_t deadline_ms; /* clock_ms(); 0 = the client has none */
    uint8_t *body;
    size_t len;
    struct buf decoded; /* by the parser: plain protobuf */
    int code;
    bool packed; /* the response is gzip */
    unsigned endings[PARSER_ENDINGS], set_aside;
};

static const struct querier_answer *const querier_answers[QUERY_CALLS] = {
    [QUERY_PROFILE_TYPES] = &answer_profile_types,
    [QUERY_LABEL_NAMES] = &answer_label_names,
    [QUERY_LABEL_VALUES] = &answer_label_values,
    [QUERY_SERIES] = &answer_series,
    [QUERY_STACKTRACES] = &answer_stacktraces,
    [QUERY_SPAN_PROFILE] = &answer_span_profile,
    [QUERY_MERGE_PROFILE] = &answer_merge_profile,
    [QUERY_SELECT_SERIES] = &answer_points,
    [QUERY_DIFF] = &answer_diff,
    [QUERY_HEATMAP] = &answer_heatmap,
    [QUERY_STATS] = &answer_stats,
    [QUERY_ANALYZE] = &answer_analyze,
    [QUERY_SETTINGS_GET] = &answer_settings_get,
    [QUERY_SETTINGS_SET] = &answer_settings_set,
    [QUERY_SETTINGS_DELETE] = &answer_settings_delete,
    [QUERY_VERSION] = &answer_version,
};

struct querier *querier_new(const struct querier_options *options)
{
    struct querier *all = xcalloc(1, sizeof *all);
    all->options = *options;
    return all;
}

static void querier_end(struct querier *all)
{
    drain_tell(&all->drain);
    free(all);
}

void querier_close(struct querier *all, void (*closed)(void *arg), void *arg)
{
    if (all && drain_close(&all->drain, closed, arg))
        querier_end(all);
}

/* ---- replies ---- */

static void querier_job_free(struct querier_job *job)
{
    struct querier *all = job->all;
    querier_call_done(&job->call);
    buf_done(&job->decoded);
    free(job->body);
    free(job);
    if (drain_give(&all->drain))
        querier_end(all);
}

static enum connect_code querier_code_of(int code)
{
    switch (code) {
    case -EINVAL:
    case -ECANCELED:
        return CONNECT_INVALID_ARGUMENT;
    case -EMSGSIZE:
        return CONNECT_RESOURCE_EXHAUSTED;
    case -ETIMEDOUT:
        return CONNECT_DEADLINE_EXCEEDED;
    case -EAGAIN:
        return CONNECT_UNAVAILABLE;
    case -ENOTSUP:
        return CONNECT_UNIMPLEMENTED;
    case -EBADMSG:
        return CONNECT_DATA_LOSS;
    default:
        return CONNECT_INTERNAL;
    }
}

static void querier_reply_error(struct request *rq, int code, const char *why)
{
    if (code == -EAGAIN)
        request_set_header(rq, "Retry-After", "1");
    connect_error(rq, querier_code_of(code), "%s", why);
}

static void querier_fail(struct querier_job *job, int code)
{
    querier_reply_error(job->rq, code, job->call.err.text);
    querier_job_free(job);
}

static void querier_on_answered(void *arg)
{
    struct querier_job *job = arg;
    if (job->code < 0) {
        querier_fail(job, job->code);
        return;
    }
    request_set_header(job->rq, "Accept-Encoding", "gzip");
    if (job->packed)
        request_set_header(job->rq, "Content-Encoding", "gzip");
    request_reply_buf(job->rq, 200, job->connect.content_type, &job->call.out);
    querier_job_free(job);
}

/* ---- in the store's worker ---- */

static int querier_encode(struct querier_job *job, const struct store_reader *r)
{
    struct querier_call *q = &job->call;
    if (job->connect.codec == CONNECT_JSON && job->method != QUERY_CALLS && buf_ok(&q->out)) {
        struct buf json = BUF_INIT(q->out.max);
        proto_json_write(query_methods[job->method].response, buf_slice(&q->out), &json);
        buf_done(&q->out);
        q->out = json;
    }
    if (!buf_ok(&q->out))
        return reader_too_large(r, &q->err);
    if (!job->gzip || q->out.len < QUERIER_GZIP_LEAST)
        return 0;
    struct buf packed = BUF_INIT(q->out.max);
    if (gzip_deflate(buf_slice(&q->out), QUERIER_GZIP_LEVEL, &packed) < 0 || packed.len >= q->out.len) {
        buf_done(&packed);
        return 0;
    }
    buf_done(&q->out);
    q->out = packed;
    job->packed = true;
    return 0;
}

static void querier_on_work(void *arg, struct store_reader *r)
{
    struct querier_job *job = arg;
    if (job->deadline_ms && (r->deadline_ms == 0 || job->deadline_ms < r->deadline_ms))
        r->deadline_ms = job->deadline_ms;
    job->call.out.max = reader_memory(r);
    job->code = reader_in_time(r, &job->call.err);
    if (job->code == 0)
        job->code = job->answer->run(&job->call, r);
    if (job->code == 0)
        job->code = querier_encode(job, r);
}

/* ---- requests ---- */

static void querier_submit(struct querier_job *job)
{
    struct querier_call *q = &job->call;
    struct store *store = job->all->options.store;
    int code = job->answer->prepare(q);
    if (code < 0) {
        querier_fail(job, code);
        return;
    }
    code = job->answer->writes ? store_write(store, querier_on_work, querier_on_answered, job)
                               : store_read(store, querier_on_work, querier_on_answered, job);
    if (code < 0) {
        (void)err_set(&q->err, code, "too many concurrent queries, retry later");
        querier_fail(job, code);
    }
}

static void querier_ask(struct querier_job *job, struct str message)
{
    struct querier_call *q = &job->call;
    const int code = query_request_read(&q->request, query_methods[job->method].request, message, &q->err);
    if (code < 0)
        querier_fail(job, code);
    else
        querier_submit(job);
}

static void querier_decode(uv_work_t *w)
{
    struct querier_job *job = w->data;
    const struct query_body how = {job->connect.codec, job->connect.gzip, job->method};
    const struct parser_item item = {{(const char *)&how, sizeof how}, {(const char *)job->body, job->len}};
    cleanup_parser_batch struct parser_batch b = {.pool = job->all->options.parsers,
                                                  .service = &query_body_service,
                                                  .items = &item,
                                                  .count = 1,
                                                  .answer_max = QUERY_REQUEST_MAX};
    struct parser_answer a;
    job->code = parser_batch_next(&b, &a, &job->call.err);
    memcpy(job->endings, b.endings, sizeof job->endings);
    job->set_aside = b.set_aside;
    if (job->code < 0)
        return;
    job->decoded = b.answer;
    b.answer = BUF_INIT(0);
}

static void querier_on_decoded(uv_work_t *w, int status)
{
    struct querier_job *job = w->data;
    (void)status;
    (void)parser_endings_count(job->endings);
    parser_set_aside_count("query", job->set_aside);
    if (job->code >= 0) {
        querier_ask(job, buf_slice(&job->decoded));
        return;
    }
    if (job->code == -EMSGSIZE || job->code == -EBADMSG) {
        const struct err why = job->call.err;
        (void)err_set(&job->call.err, why.code, "get decompressor: %s", why.text);
        job->code = job->code == -EBADMSG ? -EINVAL : job->code;
    }
    querier_fail(job, job->code);
}

/* The header was checked by connect_accept(). */
static int64_t querier_deadline(const struct request *rq)
{
    const char *timeout = request_header(rq, "Connect-Timeout-Ms");
    uint64_t ms;
    return timeout && str_to_u64(str_of(timeout), &ms) ? clock_ms() + (int64_t)ms : 0;
}

static struct querier_job *querier_job_new(struct querier *all, struct request *rq, enum query_call method,
                                           const struct connect_call *connect)
{
    const char *accept = request_header(rq, "Accept");
    struct querier_job *job = xcalloc(1, sizeof *job);
    *job = (struct querier_job){.call = QUERIER_CALL_INIT,
                                .all = all,
                                .rq = rq,
                                .connect = *connect,
                                .method = method,
                                .answer = method < QUERY_CALLS ? querier_answers[method] : NULL,
                                .gzip = connect->gzip || request_accepts_gzip(rq),
                                .deadline_ms = querier_deadline(rq),
                                .decoded = BUF_INIT(0)};
    job->call.utf8_names = accept && strstr(accept, "allow-utf8-labelnames=true");
    job->work.data = job;
    job->body = request_take_body(rq, &job->len);
    drain_take(&all->drain);
    return job;
}

static void querier_begin(struct querier *all, struct request *rq, enum query_call method)
{
    struct connect_call connect;
    if (!connect_accept(rq, &connect))
        return;
    if (request_body(rq).n > QUERY_REQUEST_MAX) {
        connect_error(rq, CONNECT_RESOURCE_EXHAUSTED, "message size %zu is larger than %d", request_body(rq).n,
                      QUERY_REQUEST_MAX);
        return;
    }
    struct querier_job *job = querier_job_new(all, rq, method, &connect);
    if (connect.codec == CONNECT_PROTO && !connect.gzip)
        querier_ask(job, (struct str){(const char *)job->body, job->len});
    else
        work_queue(all->options.loop, &job->work, querier_decode, querier_on_decoded);
}

void querier_handle(struct querier *all, struct request *rq)
{
    for (enum query_call i = 0; i < QUERY_CALLS; i++) {
        if (strcmp(request_path(rq), query_methods[i].path) == 0) {
            querier_begin(all, rq, i);
            return;
        }
    }
    request_reply_text(rq, 404, "404 page not found\n");
}

/* ---- the older API ---- */

static void querier_get(struct querier *all, struct request *rq, const struct querier_answer *answer,
                        void (*read)(struct querier_call *q, const struct request *rq))
{
    const struct connect_call json = {.codec = CONNECT_JSON, .content_type = "application/json"};
    struct querier_job *job = querier_job_new(all, rq, QUERY_CALLS, &json);
    job->answer = answer;
    read(&job->call, rq);
    if (job->call.request.format.value == FORMAT_DOT)
        job->connect.content_type = "text/plain; charset=utf-8";
    querier_submit(job);
}

void querier_handle_render(struct querier *all, struct request *rq)
{
    querier_get(all, rq, &answer_render, querier_legacy_render);
}

void querier_handle_render_diff(struct querier *all, struct request *rq)
{
    querier_get(all, rq, &answer_render_diff, querier_legacy_render_diff);
}

void querier_handle_label_values(struct querier *all, struct request *rq)
{
    querier_get(all, rq, &answer_legacy_values, querier_legacy_label_values);
}
