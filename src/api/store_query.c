/* The page's questions to the store: parameters here, the query and its JSON in a worker. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/store_http_internal.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/mem.h"

enum {
    ANSWER_MAX = 32 << 20,
    NODES_DEFAULT = 8192,
    NODES_MAX = 1 << 16,
    BUCKETS_DEFAULT = 120,
    BUCKETS_MAX = 2000,
    QUERY_LABELS_MAX = 16,
    TOP_MAX = 50,
    HOUR_MS = 3600 * 1000,
};

struct query {
    struct store_http *http;
    struct request *rq;
    int (*run)(struct query *q, struct store_reader *r);
    struct store_range range;
    char *service, *type;
    char *label_text[QUERY_LABELS_MAX];
    struct store_label labels[QUERY_LABELS_MAX];
    size_t label_count;
    uint64_t count;  /* nodes or buckets */
    const char *bad; /* what is wrong with the parameters */
    struct buf out;
    int code;
    struct err err;
};

static void query_free(struct query *q)
{
    struct store_http *http = q->http;
    for (size_t i = 0; i < q->label_count; i++)
        free(q->label_text[i]);
    free(q->service);
    free(q->type);
    buf_done(&q->out);
    free(q);
    store_http_job_done(http);
}

static void reply_error(struct request *rq, unsigned status, const char *text)
{
    struct buf out = BUF_INIT(16 * ERR_MAX);
    buf_puts(&out, "{\"error\":");
    json_string(&out, str_of(text));
    buf_byte(&out, '}');
    request_reply_buf(rq, status, "application/json", &out);
    buf_done(&out);
}

static void on_done(void *arg)
{
    struct query *q = arg;
    request_set_header(q->rq, "Cache-Control", "no-store");
    if (q->code == -ETIMEDOUT)
        reply_error(q->rq, 504, q->err.text);
    else if (q->code == -EMSGSIZE)
        reply_error(q->rq, 400, q->err.text);
    else if (q->code < 0)
        reply_error(q->rq, 500, q->err.text);
    else
        request_reply_buf(q->rq, 200, "application/json", &q->out);
    query_free(q);
}

static void on_work(void *arg, struct store_reader *r)
{
    struct query *q = arg;
    q->code = q->run(q, r);
}

static void take_label(void *arg, const char *value)
{
    struct query *q = arg;
    const char *equals = strchr(value, '=');
    if (!equals || equals == value || q->label_count == QUERY_LABELS_MAX) {
        q->bad = "invalid label: expected name=value, at most 16 times";
        return;
    }
    char *text = q->label_text[q->label_count] = xstrdup(value);
    size_t n = (size_t)(equals - value);
    q->labels[q->label_count++] = (struct store_label){{text, n}, str_of(text + n + 1)};
}

static int64_t number(struct query *q, const char *name, int64_t otherwise)
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

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static struct query *query_new(struct store_http *http, struct request *rq,
                               int (*run)(struct query *q, struct store_reader *r))
{
    struct query *q = xcalloc(1, sizeof *q);
    *q = (struct query){.http = http, .rq = rq, .run = run, .out = BUF_INIT(ANSWER_MAX)};
    store_http_job_begun(http);
    q->range.until_ms = number(q, "until", now_ms());
    q->range.from_ms = number(q, "from", q->range.until_ms > HOUR_MS ? q->range.until_ms - HOUR_MS : 0);
    if (q->range.from_ms > q->range.until_ms)
        q->bad = "from is later than until";
    return q;
}

static void query_selection(struct query *q, bool with_type)
{
    const char *service = request_query(q->rq, "service"), *type = request_query(q->rq, "type");
    if (!service || (with_type && !type))
        q->bad = with_type ? "service and type are required" : "service is required";
    q->service = xstrdup(service ? service : "");
    q->type = xstrdup(type ? type : "");
    request_each_query(q->rq, "label", take_label, q);
}

static void query_submit(struct query *q)
{
    if (q->bad) {
        reply_error(q->rq, 400, q->bad);
        query_free(q);
    } else if (store_read(q->http->store, on_work, on_done, q) < 0) {
        request_set_header(q->rq, "Retry-After", "1");
        reply_error(q->rq, 503, "too many concurrent queries, retry later");
        query_free(q);
    }
}

static struct store_selection selection_of(const struct query *q)
{
    return (struct store_selection){.service = str_of(q->service),
                                    .type = str_of(q->type),
                                    .labels = q->labels,
                                    .label_count = q->label_count,
                                    .range = q->range};
}

/* ---- in the worker ---- */

/* The unit is the third part of name:type:unit:period type:period unit. */
static struct str unit_of(const char *type)
{
    struct str rest = str_of(type), part = STR("");
    for (int i = 0; i < 3; i++)
        if (!str_split(&rest, ':', &part))
            return STR("");
    return part;
}

static void separate(struct buf *out, char opening)
{
    if (out->len && out->p[out->len - 1] != (uint8_t)opening)
        buf_byte(out, ',');
}

static void print_service(void *arg, const struct store_service *s)
{
    struct buf *out = arg;
    separate(out, '[');
    buf_puts(out, "{\"name\":");
    json_string(out, s->name);
    buf_printf(out, ",\"profiles\":%llu,\"last_ms\":%lld}", (unsigned long long)s->profiles, (long long)s->last_ms);
}

static int run_services(struct query *q, struct store_reader *r)
{
    buf_puts(&q->out, "{\"services\":[");
    int code = store_services(r, q->range, print_service, &q->out, &q->err);
    buf_puts(&q->out, "]}");
    return code;
}

static void print_type(void *arg, const struct store_type *t)
{
    struct buf *out = arg;
    separate(out, '[');
    buf_puts(out, "{\"id\":");
    json_string(out, t->id);
    buf_printf(out, ",\"profiles\":%llu,\"total\":%lld}", (unsigned long long)t->profiles, (long long)t->total);
}

static int run_types(struct query *q, struct store_reader *r)
{
    buf_puts(&q->out, "{\"types\":[");
    int code = store_types(r, str_of(q->service), q->range, print_type, &q->out, &q->err);
    buf_puts(&q->out, "]}");
    return code;
}

static int run_timeline(struct query *q, struct store_reader *r)
{
    cleanup_free int64_t *values = xcalloc(q->count, sizeof *values);
    int64_t step = (q->range.until_ms - q->range.from_ms) / (int64_t)q->count + 1;
    struct store_selection what = selection_of(q);
    int code = store_timeline(r, &what, step, values, q->count, &q->err);
    buf_puts(&q->out, "{\"unit\":");
    json_string(&q->out, unit_of(q->type));
    buf_printf(&q->out, ",\"from_ms\":%lld,\"step_ms\":%lld,\"values\":[", (long long)q->range.from_ms,
               (long long)step);
    for (size_t i = 0; i < q->count; i++)
        buf_printf(&q->out, "%s%lld", i ? "," : "", (long long)values[i]);
    buf_puts(&q->out, "]}");
    return code;
}

/* The tree in preorder. What is below the threshold of a node's children appears as one child "(other)". */
struct printer {
    struct buf *out;
    const struct flame *f;
    uint32_t *number_of; /* name -> 1 + its number in the answer, in order of use */
    uint32_t *names;
    size_t name_count;
    int64_t threshold;
    bool first;
};

static unsigned number_of(struct printer *p, uint32_t name)
{
    if (!p->number_of[name]) {
        p->names[p->name_count++] = name;
        p->number_of[name] = (uint32_t)p->name_count;
    }
    return p->number_of[name] - 1;
}

static void print_node(struct printer *p, unsigned depth, uint32_t name, int64_t self, int64_t total)
{
    buf_printf(p->out, "%s%u,%u,%lld,%lld", p->first ? "" : ",", depth, number_of(p, name), (long long)self,
               (long long)total);
    p->first = false;
}

/* Children are sorted by total: from the first small one on, all are small. */
static void print_rest(struct printer *p, unsigned depth, uint32_t child, uint32_t other)
{
    int64_t rest = 0;
    for (uint32_t c = child; c; c = p->f->nodes[c].next_sibling)
        rest += p->f->nodes[c].total;
    if (rest > 0)
        print_node(p, depth, other, rest, rest);
}

static void print_nodes(struct printer *p, uint32_t other)
{
    const struct flame_node *nodes = p->f->nodes;
    uint32_t at = 0;
    unsigned depth = 0;
    print_node(p, depth, nodes[0].name, nodes[0].self, nodes[0].total);
    for (uint32_t next = nodes[0].first_child, parent = 0;;) {
        if (next && nodes[next].total >= p->threshold) {
            at = next;
            depth++;
            print_node(p, depth, nodes[at].name, nodes[at].self, nodes[at].total);
            parent = at;
            next = nodes[at].first_child;
            continue;
        }
        print_rest(p, depth + 1, next, other);
        /* Up: the parent's subtree is finished. */
        if (parent == 0)
            return;
        next = nodes[parent].next_sibling;
        parent = nodes[parent].parent;
        depth--;
    }
}

struct top {
    uint32_t name;
    int64_t self;
};

static int by_self(const void *a, const void *b)
{
    const struct top *x = a, *y = b;
    return x->self < y->self ? 1 : x->self > y->self ? -1 : x->name < y->name ? -1 : x->name > y->name;
}

/* Names with the largest own values over the whole tree, also where their frames were too small to be printed. */
static void print_top(struct printer *p)
{
    cleanup_free struct top *top = xcalloc(p->f->name_count, sizeof *top);
    for (uint32_t i = 0; i < p->f->name_count; i++)
        top[i].name = i;
    for (size_t i = 1; i < p->f->node_count; i++)
        top[p->f->nodes[i].name].self += p->f->nodes[i].self;
    qsort(top, p->f->name_count, sizeof *top, by_self);
    for (size_t i = 0; i < TOP_MAX && i < p->f->name_count && top[i].self > 0; i++)
        buf_printf(p->out, "%s%u,%lld", i ? "," : "", number_of(p, top[i].name), (long long)top[i].self);
}

static int run_flamegraph(struct query *q, struct store_reader *r)
{
    cleanup_flame struct flame f;
    flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    struct store_selection what = selection_of(q);
    struct store_span span = {0};
    int code = store_flame(r, &what, &f, &span, &q->err);
    if (code < 0)
        return code;
    flame_finish(&f);
    int64_t other = flame_name(&f, STR("(other)"));
    cleanup_free uint32_t *numbers = xcalloc(f.name_count, sizeof *numbers);
    cleanup_free uint32_t *names = xcalloc(f.name_count, sizeof *names);
    struct printer p = {.out = &q->out,
                        .f = &f,
                        .number_of = numbers,
                        .names = names,
                        .first = true,
                        .threshold = flame_threshold(&f, q->count)};
    buf_puts(&q->out, "{\"unit\":");
    json_string(&q->out, unit_of(q->type));
    buf_printf(
        &q->out,
        ",\"profiles\":%llu,\"first_ms\":%lld,\"last_ms\":%lld,\"total\":%lld,\"node_count\":%zu,\"truncated\":%s,"
        "\"nodes\":[",
        (unsigned long long)span.profiles, (long long)(span.first_ns / 1000000), (long long)(span.last_ns / 1000000),
        (long long)f.nodes[0].total, f.node_count, f.truncated ? "true" : "false");
    print_nodes(&p, other < 0 ? 0 : (uint32_t)other);
    buf_puts(&q->out, "],\"top\":[");
    print_top(&p);
    buf_puts(&q->out, "],\"names\":[");
    for (size_t i = 0; i < p.name_count; i++) {
        buf_puts(&q->out, i ? "," : "");
        json_string(&q->out, f.names[names[i]]);
    }
    buf_puts(&q->out, "]}");
    return 0;
}

/* ---- handlers ---- */

void store_http_services(void *ctx, struct request *rq)
{
    query_submit(query_new(ctx, rq, run_services));
}

void store_http_types(void *ctx, struct request *rq)
{
    struct query *q = query_new(ctx, rq, run_types);
    query_selection(q, false);
    query_submit(q);
}

void store_http_flamegraph(void *ctx, struct request *rq)
{
    struct query *q = query_new(ctx, rq, run_flamegraph);
    query_selection(q, true);
    q->count = (uint64_t)number(q, "max_nodes", NODES_DEFAULT);
    q->count = q->count < 1 ? 1 : q->count > NODES_MAX ? NODES_MAX : q->count;
    query_submit(q);
}

void store_http_timeline(void *ctx, struct request *rq)
{
    struct query *q = query_new(ctx, rq, run_timeline);
    query_selection(q, true);
    q->count = (uint64_t)number(q, "buckets", BUCKETS_DEFAULT);
    q->count = q->count < 1 ? 1 : q->count > BUCKETS_MAX ? BUCKETS_MAX : q->count;
    query_submit(q);
}
