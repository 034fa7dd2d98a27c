#include "api/page/page_query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/page/flame_json.h"
#include "api/page/flame_search.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/drain.h"
#include "base/json.h"
#include "base/mem.h"

enum {
    ANSWER_MAX = 32 << 20,
    NODES_DEFAULT = 8192,
    NODES_MAX = 1 << 16,
    BUCKETS_DEFAULT = 120,
    BUCKETS_MAX = 2000,
    QUERY_LABELS_MAX = 16,
    QUERY_PATH_MAX = 4096,
    HOUR_MS = 3600 * 1000,
};

struct page_queries {
    struct store *store;
    struct drain drain; /* queries */
};

struct page_query {
    struct page_queries *all;
    struct request *rq;
    int (*run)(struct page_query *q, struct store_reader *r);
    struct store_range range;
    char *service, *type, *search;
    struct str *path; /* of `at`; texts are owned */
    size_t path_len, path_cap;
    char *label_text[QUERY_LABELS_MAX];
    struct label labels[QUERY_LABELS_MAX];
    size_t label_count;
    uint64_t count;  /* nodes or buckets */
    const char *bad; /* what is wrong with the parameters */
    struct buf out;
    int code;
    struct err err;
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
    for (size_t i = 0; i < q->label_count; i++)
        free(q->label_text[i]);
    for (size_t i = 0; i < q->path_len; i++)
        free((void *)q->path[i].p);
    free(q->path);
    free(q->search);
    free(q->service);
    free(q->type);
    buf_done(&q->out);
    free(q);
    if (drain_give(&all->drain))
        page_queries_end(all);
}

static void page_query_reply_error(struct request *rq, unsigned status, const char *text)
{
    struct buf out = BUF_INIT(16 * ERR_MAX);
    buf_puts(&out, "{\"error\":");
    json_string(&out, str_of(text));
    buf_byte(&out, '}');
    request_reply_buf(rq, status, "application/json", &out);
    buf_done(&out);
}

static void page_query_on_done(void *arg)
{
    struct page_query *q = arg;
    request_set_header(q->rq, "Cache-Control", "no-store");
    if (q->code == -EAGAIN)
        request_set_header(q->rq, "Retry-After", "1");
    if (q->code == -ETIMEDOUT)
        page_query_reply_error(q->rq, 504, q->err.text);
    else if (q->code == -EAGAIN)
        page_query_reply_error(q->rq, 503, q->err.text);
    else if (q->code == -EMSGSIZE || q->code == -EINVAL)
        page_query_reply_error(q->rq, 400, q->err.text);
    else if (q->code < 0)
        page_query_reply_error(q->rq, 500, q->err.text);
    else
        request_reply_buf(q->rq, 200, "application/json", &q->out);
    page_query_free(q);
}

static void page_query_on_work(void *arg, struct store_reader *r)
{
    struct page_query *q = arg;
    q->code = q->run(q, r);
}

static void page_query_take_label(void *arg, const char *value)
{
    struct page_query *q = arg;
    const char *equals = strchr(value, '=');
    if (!equals || equals == value || q->label_count == QUERY_LABELS_MAX) {
        q->bad = "invalid label: expected name=value, at most 16 times";
        return;
    }
    char *text = q->label_text[q->label_count] = xstrdup(value);
    size_t n = (size_t)(equals - value);
    q->labels[q->label_count++] = (struct label){{text, n}, str_of(text + n + 1)};
}

static void page_query_take_frame(void *arg, const char *value)
{
    struct page_query *q = arg;
    if (q->path_len == QUERY_PATH_MAX) {
        q->bad = "at is given too many times";
        return;
    }
    xgrow(&q->path, &q->path_cap, q->path_len + 1, sizeof *q->path);
    q->path[q->path_len++] = str_of(xstrdup(value));
}

static int64_t page_query_number(struct page_query *q, const char *name, int64_t otherwise)
{
    const char *text = request_query(q->rq, name);
    int64_t v;
    if (!text || !*text)
        return otherwise;
    if (str_to_i64(str_of(text), &v) && v >= 0)
        return v;
    q->bad = "from, until, max_nodes and buckets must be integers; times are milliseconds since the epoch";
    return otherwise;
}

static struct page_query *page_query_new(struct page_queries *all, struct request *rq,
                                         int (*run)(struct page_query *q, struct store_reader *r))
{
    struct page_query *q = xcalloc(1, sizeof *q);
    *q = (struct page_query){.all = all, .rq = rq, .run = run, .out = BUF_INIT(ANSWER_MAX)};
    drain_take(&all->drain);
    q->range.until_ms = page_query_number(q, "until", clock_wall_ns() / NS_PER_MS);
    q->range.from_ms = page_query_number(q, "from", q->range.until_ms > HOUR_MS ? q->range.until_ms - HOUR_MS : 0);
    if (q->range.from_ms > q->range.until_ms)
        q->bad = "from is later than until";
    return q;
}

static void page_query_read_selection(struct page_query *q, bool with_type)
{
    const char *service = request_query(q->rq, "service"), *type = request_query(q->rq, "type");
    if (!service || (with_type && !type))
        q->bad = with_type ? "service and type are required" : "service is required";
    q->service = xstrdup(service ? service : "");
    q->type = xstrdup(type ? type : "");
    request_each_query(q->rq, "label", page_query_take_label, q);
}

static void page_query_submit(struct page_query *q)
{
    if (q->bad) {
        page_query_reply_error(q->rq, 400, q->bad);
        page_query_free(q);
    } else if (store_read(q->all->store, page_query_on_work, page_query_on_done, q) < 0) {
        request_set_header(q->rq, "Retry-After", "1");
        page_query_reply_error(q->rq, 503, "too many concurrent queries, retry later");
        page_query_free(q);
    }
}

static struct store_selection page_query_selection(const struct page_query *q)
{
    return (struct store_selection){.service = str_of(q->service),
                                    .type = str_of(q->type),
                                    .labels = q->labels,
                                    .label_count = q->label_count,
                                    .range = q->range};
}

/* ---- in the worker ---- */

/* The unit is the third part of name:type:unit:period type:period unit. */
static struct str page_query_unit(const char *type)
{
    struct str rest = str_of(type), part = STR("");
    for (int i = 0; i < 3; i++)
        if (!str_split(&rest, ':', &part))
            return STR("");
    return part;
}

static void page_query_separate(struct buf *out, char opening)
{
    if (out->len && out->p[out->len - 1] != (uint8_t)opening)
        buf_byte(out, ',');
}

static void page_query_put_service(void *arg, const struct store_service *s)
{
    struct buf *out = arg;
    page_query_separate(out, '[');
    buf_puts(out, "{\"name\":");
    json_string(out, s->name);
    buf_printf(out, ",\"profiles\":%llu,\"last_ms\":%lld}", (unsigned long long)s->profiles, (long long)s->last_ms);
}

static int page_query_run_services(struct page_query *q, struct store_reader *r)
{
    buf_puts(&q->out, "{\"services\":[");
    int code = store_services(r, q->range, page_query_put_service, &q->out, &q->err);
    buf_puts(&q->out, "]}");
    return code;
}

static void page_query_put_type(void *arg, const struct store_type *t)
{
    struct buf *out = arg;
    page_query_separate(out, '[');
    buf_puts(out, "{\"id\":");
    json_string(out, t->id);
    buf_printf(out, ",\"profiles\":%llu,\"total\":%lld}", (unsigned long long)t->profiles, (long long)t->total);
}

static int page_query_run_types(struct page_query *q, struct store_reader *r)
{
    buf_puts(&q->out, "{\"types\":[");
    int code = store_types(r, str_of(q->service), q->range, page_query_put_type, &q->out, &q->err);
    buf_puts(&q->out, "]}");
    return code;
}

static int page_query_run_timeline(struct page_query *q, struct store_reader *r)
{
    cleanup_free int64_t *values = xcalloc(q->count, sizeof *values);
    int64_t step = (q->range.until_ms - q->range.from_ms) / (int64_t)q->count + 1;
    struct store_selection what = page_query_selection(q);
    int code = store_timeline(r, &what, step, values, q->count, &q->err);
    buf_puts(&q->out, "{\"unit\":");
    json_string(&q->out, page_query_unit(q->type));
    buf_printf(&q->out, ",\"from_ms\":%lld,\"step_ms\":%lld,\"values\":[", (long long)q->range.from_ms,
               (long long)step);
    for (size_t i = 0; i < q->count; i++)
        buf_printf(&q->out, "%s%lld", i ? "," : "", (long long)values[i]);
    buf_puts(&q->out, "]}");
    return code;
}

static int page_query_run_flamegraph(struct page_query *q, struct store_reader *r)
{
    cleanup_flame struct flame f;
    flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    struct store_selection what = page_query_selection(q);
    struct store_span span = {0};
    int code = store_flame(r, &what, &f, &span, &q->err);
    if (code < 0)
        return code;
    flame_finish(&f);
    buf_puts(&q->out, "{\"unit\":");
    json_string(&q->out, page_query_unit(q->type));
    buf_printf(
        &q->out,
        ",\"profiles\":%llu,\"first_ms\":%lld,\"last_ms\":%lld,\"total\":%lld,\"node_count\":%zu,\"truncated\":%s,",
        (unsigned long long)span.profiles, (long long)(span.first_ns / 1000000), (long long)(span.last_ns / 1000000),
        (long long)f.nodes[0].total, f.node_count, f.truncated ? "true" : "false");
    const uint32_t at = flame_find(&f, q->path, q->path_len);
    if (q->search) {
        int64_t matched;
        code = flame_search(&f, at, str_of(q->search), &matched, &q->err);
        if (code < 0)
            return code;
        buf_printf(&q->out, "\"matched\":%lld,", (long long)matched);
    }
    flame_json_put(&f, at, q->count, &q->out);
    buf_byte(&q->out, '}');
    return 0;
}

/* ---- requests ---- */

void page_queries_services(struct page_queries *all, struct request *rq)
{
    page_query_submit(page_query_new(all, rq, page_query_run_services));
}

void page_queries_types(struct page_queries *all, struct request *rq)
{
    struct page_query *q = page_query_new(all, rq, page_query_run_types);
    page_query_read_selection(q, false);
    page_query_submit(q);
}

void page_queries_flamegraph(struct page_queries *all, struct request *rq)
{
    struct page_query *q = page_query_new(all, rq, page_query_run_flamegraph);
    page_query_read_selection(q, true);
    q->count = (uint64_t)page_query_number(q, "max_nodes", NODES_DEFAULT);
    q->count = q->count < 1 ? 1 : q->count > NODES_MAX ? NODES_MAX : q->count;
    const char *search = request_query(rq, "search");
    q->search = search && *search ? xstrdup(search) : NULL;
    request_each_query(rq, "at", page_query_take_frame, q);
    page_query_submit(q);
}

void page_queries_timeline(struct page_queries *all, struct request *rq)
{
    struct page_query *q = page_query_new(all, rq, page_query_run_timeline);
    page_query_read_selection(q, true);
    q->count = (uint64_t)page_query_number(q, "buckets", BUCKETS_DEFAULT);
    q->count = q->count < 1 ? 1 : q->count > BUCKETS_MAX ? BUCKETS_MAX : q->count;
    page_query_submit(q);
}
