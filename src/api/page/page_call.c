#include "api/page/page_call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

enum {
    NODES_DEFAULT = 8192,
    NODES_MAX = 1 << 17,
    BUCKETS_DEFAULT = 120,
    BUCKETS_MAX = 2000,
    ROWS_DEFAULT = 20,
    ROWS_MAX = 100,
    LIMIT_MAX = 1 << 16,
    QUERY_LABELS_MAX = 16,
    QUERY_PATH_MAX = 4096,
    HOUR_MS = 3600 * 1000,
    TIME_PARTS = 4, /* so that what is computed with times stays a number */
};

/* Parameters on their way into a call. */
struct page_reader {
    struct page_call *q;
    struct label_selector *selector; /* that labels are added to */
    struct name_matches *matches;    /* that patterns are added to */
    size_t labels;
    int code;
};

static struct str page_call_text(const struct page_call *q, const char *name)
{
    return str_of(page_parameter(&q->parameters, name));
}

static int page_call_number(struct page_call *q, const char *name, int64_t otherwise, int64_t *ret)
{
    const struct str text = page_call_text(q, name);
    *ret = otherwise;
    if (text.n == 0 || (str_to_i64(text, ret) && *ret >= 0))
        return 0;
    return err_set(&q->err, -EINVAL,
                   "from, until, base_from, base_until, max_nodes, buckets, rows and limit must be integers; times are "
                   "milliseconds since the epoch");
}

/* ---- times ---- */

static int page_call_range(struct page_call *q, const char *from, const char *until, struct store_range otherwise,
                           struct store_range *ret)
{
    int code = page_call_number(q, until, otherwise.until_ms, &ret->until_ms);
    if (code == 0) {
        const int64_t length = otherwise.until_ms - otherwise.from_ms;
        code = page_call_number(q, from, ret->until_ms > length ? ret->until_ms - length : 0, &ret->from_ms);
    }
    if (code == 0 && ret->from_ms > ret->until_ms)
        code = err_set(&q->err, -EINVAL, "%s is later than %s", from, until);
    if (code == 0 && ret->until_ms > INT64_MAX / TIME_PARTS)
        ret->until_ms = INT64_MAX / TIME_PARTS;
    if (code == 0 && ret->from_ms > ret->until_ms)
        ret->from_ms = ret->until_ms;
    return code;
}

/* ---- what is selected ---- */

static void page_call_add_label(void *arg, const char *value)
{
    struct page_reader *in = arg;
    const char *equals = value ? strchr(value, '=') : NULL;
    if (in->code < 0)
        return;
    if (!equals || equals == value || in->labels++ == QUERY_LABELS_MAX) {
        in->code = err_set(&in->q->err, -EINVAL, "invalid label: expected name=value, at most 16 times");
        return;
    }
    const struct str name = {value, (size_t)(equals - value)};
    in->code = label_selector_add_equal(in->selector, name, str_of(equals + 1), &in->q->err);
}

/* The selector of a side: a query, and what the other parameters say beside it. */
static int page_call_select(struct page_call *q, size_t side, struct str query, bool with_labels)
{
    struct page_reader in = {.q = q, .selector = &q->sides[side].selector};
    const char *service = page_parameter(&q->parameters, "service");
    int code = label_selector_add(in.selector, query, &q->err);
    if (code == 0 && service && with_labels)
        code = label_selector_add_equal(in.selector, STR("service_name"), str_of(service), &q->err);
    if (code == 0 && q->type.n)
        code = label_selector_add_equal(in.selector, STR("__profile_type__"), q->type, &q->err);
    if (code == 0 && with_labels) {
        page_parameters_each(&q->parameters, "label", page_call_add_label, &in);
        code = in.code;
    }
    return code;
}

static int page_call_read_shown(struct page_call *q, unsigned needs)
{
    const struct str query = page_call_text(q, "query");
    const int64_t now = clock_wall_ns() / NS_PER_MS;
    const struct store_range hour = {now - HOUR_MS, now};
    q->type = page_call_text(q, "type");
    const bool lacks_service = needs & PAGE_NEEDS_SERVICE && !page_parameter(&q->parameters, "service") && query.n == 0;
    if (lacks_service || (needs & PAGE_NEEDS_TYPE && !page_parameter(&q->parameters, "type")))
        return err_set(&q->err, -EINVAL,
                       needs & PAGE_NEEDS_TYPE ? "service and type are required: a query may name the service"
                                               : "service is required: a query may name it");
    const int code = page_call_range(q, "from", "until", hour, &q->sides[PAGE_SHOWN].range);
    return code < 0 ? code : page_call_select(q, PAGE_SHOWN, query, true);
}

/* Without a query of its own the base is the same, and without a time as long before; with one it is at the same
 * time. */
static int page_call_read_base(struct page_call *q)
{
    const struct str query = page_call_text(q, "base_query");
    const struct store_range shown = q->sides[PAGE_SHOWN].range;
    const int64_t length = shown.until_ms - shown.from_ms;
    const struct store_range before = {shown.from_ms > length ? shown.from_ms - length : 0, shown.from_ms};
    const int code =
        page_call_range(q, "base_from", "base_until", query.n ? shown : before, &q->sides[PAGE_BASE].range);
    return code < 0 ? code : page_call_select(q, PAGE_BASE, query.n ? query : page_call_text(q, "query"), query.n == 0);
}

/* ---- how it is shown ---- */

static void page_call_add_pattern(void *arg, const char *value)
{
    struct page_reader *in = arg;
    if (in->code == 0 && value && *value)
        in->code = name_matches_add(in->matches, str_of(value), &in->q->err);
}

static void page_call_add_frame(void *arg, const char *value)
{
    struct page_reader *in = arg;
    struct page_call *q = in->q;
    if (in->code < 0)
        return;
    if (q->path_len == QUERY_PATH_MAX) {
        in->code = err_set(&q->err, -EINVAL, "at is given too many times");
        return;
    }
    xgrow(&q->path, &q->path_cap, q->path_len + 1, sizeof *q->path);
    q->path[q->path_len++] = str_of(value);
}

static void page_call_add_by(void *arg, const char *value)
{
    struct page_reader *in = arg;
    struct page_call *q = in->q;
    if (in->code < 0 || !value || !*value)
        return;
    if (q->by_count == PAGE_BY_MAX) {
        in->code = err_set(&q->err, -EINVAL, "by is given more than %d times", PAGE_BY_MAX);
        return;
    }
    q->by[q->by_count++] = str_of(value);
}

static bool page_call_flag(const struct page_call *q, const char *name)
{
    const struct str text = page_call_text(q, name);
    return text.n && !str_is(text, "0") && !str_is(text, "false");
}

static int page_call_read_view(struct page_call *q)
{
    const struct {
        const char *name;
        struct name_matches *matches;
    } patterns[] = {{"only", &q->only},
                    {"without", &q->without},
                    {"hide", &q->hidden},
                    {"fold", &q->folded},
                    {"search", &q->search}};
    struct page_reader in = {.q = q};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        in.matches = patterns[i].matches;
        page_parameters_each(&q->parameters, patterns[i].name, page_call_add_pattern, &in);
    }
    page_parameters_each(&q->parameters, "at", page_call_add_frame, &in);
    page_parameters_each(&q->parameters, "by", page_call_add_by, &in);
    q->recursion = page_call_flag(q, "recursion");
    q->callers = page_call_flag(q, "callers");
    q->lines = page_call_flag(q, "lines");
    q->function = page_call_text(q, "function");
    q->name = page_call_text(q, "name");
    q->sort = page_call_text(q, "sort");
    q->format = page_call_text(q, "format");
    return in.code;
}

static int page_call_count(struct page_call *q, const char *name, size_t otherwise, size_t max, size_t *ret)
{
    int64_t n;
    const int code = page_call_number(q, name, (int64_t)otherwise, &n);
    *ret = n < 1 ? 1 : (uint64_t)n > max ? max : (size_t)n;
    return code;
}

static int page_call_read_counts(struct page_call *q)
{
    int code = page_call_count(q, "max_nodes", NODES_DEFAULT, NODES_MAX, &q->nodes);
    if (code == 0)
        code = page_call_count(q, "buckets", BUCKETS_DEFAULT, BUCKETS_MAX, &q->buckets);
    if (code == 0)
        code = page_call_count(q, "rows", ROWS_DEFAULT, ROWS_MAX, &q->rows);
    if (code == 0 && page_call_text(q, "limit").n)
        code = page_call_count(q, "limit", 1, LIMIT_MAX, &q->limit);
    return code;
}

int page_call_read(struct page_call *q, const struct request *rq, unsigned needs)
{
    *q = (struct page_call){.sides = {{.selector = LABEL_SELECTOR_INIT}, {.selector = LABEL_SELECTOR_INIT}},
                            .out = BUF_INIT(PAGE_ANSWER_MAX)};
    int code = page_parameters_read(&q->parameters, rq, &q->err);
    if (code == 0)
        code = page_call_read_shown(q, needs);
    if (code == 0 && needs & PAGE_COMPARES)
        code = page_call_read_base(q);
    if (code == 0)
        code = page_call_read_view(q);
    return code < 0 ? code : page_call_read_counts(q);
}

void page_call_done(struct page_call *q)
{
    struct name_matches *const matches[] = {&q->only, &q->without, &q->hidden, &q->folded, &q->search};
    for (size_t i = 0; i < FLAME_SIDES; i++)
        label_selector_done(&q->sides[i].selector);
    for (size_t i = 0; i < sizeof matches / sizeof *matches; i++)
        name_matches_done(matches[i]);
    page_parameters_done(&q->parameters);
    free(q->path);
    free((void *)q->disposition);
    buf_done(&q->out);
}

struct str page_call_service(const struct page_call *q)
{
    return label_selector_value(&q->sides[PAGE_SHOWN].selector, STR("service_name"));
}

bool page_call_is_filtered(const struct page_call *q)
{
    const struct label_selector *s = &q->sides[PAGE_SHOWN].selector;
    for (size_t i = 0; i < s->len; i++)
        if (!str_is(s->items[i].name, "service_name") || s->items[i].op != MATCH_EQUAL)
            return true;
    return s->len > 1;
}

int64_t page_call_step(const struct page_call *q)
{
    const struct store_range range = q->sides[PAGE_SHOWN].range;
    return (range.until_ms - range.from_ms) / (int64_t)q->buckets + 1;
}

void page_put_unit(struct page_call *q)
{
    struct str parts[TYPE_PARTS];
    profile_type_split(q->type, parts);
    buf_puts(&q->out, "{\"unit\":");
    json_string(&q->out, parts[TYPE_UNIT]);
}

void page_put_steps(struct page_call *q)
{
    buf_printf(&q->out, "\"from_ms\":%lld,\"step_ms\":%lld", (long long)q->sides[PAGE_SHOWN].range.from_ms,
               (long long)page_call_step(q));
}
