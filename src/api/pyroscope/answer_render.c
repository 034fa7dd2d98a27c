/* Pyroscope's older API: render, render-diff and label-values. The answer is JSON, and not a message.
 *
 * A call has `selector` with the profile type in it, and a range; of a comparison `left` and `right` have them. The
 * timeline has steps of at least 15 s, RENDER_POINTS at most, and begins at a multiple of its step; a value counts what
 * lies behind the one before it, up to itself; the last one may be behind the range. Source: spec store-query §3.9.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "api/pyroscope/flame_dot.h"
#include "api/pyroscope/flame_levels.h"
#include "api/pyroscope/querier_call.h"
#include "api/pyroscope/querier_tree.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/wire.h"
#include "store/label_groups.h"

enum { RENDER_POINTS = 1500, RENDER_GROUPS_MAX = 1000 };

/* ---- preparing ---- */

static int render_prepare_side(struct querier_call *q)
{
    if (q->request.selector.n == 0)
        return err_set(&q->err, -EINVAL, "\"query\" is required");
    int code = querier_call_range(q);
    if (code == 0)
        code = label_selector_add(&q->selector, q->request.selector, &q->err);
    if (code < 0)
        return code;
    q->type = label_selector_value(&q->selector, STR("__profile_type__"));
    if (q->type.n == 0)
        return err_set(&q->err, -EINVAL, "\"query\" must contain a profile-type selection");
    return querier_call_stacks(q);
}

static int render_prepare_diff(struct querier_call *q)
{
    struct querier_call *const sides[] = {q->left, q->right};
    for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
        const int code = render_prepare_side(sides[i]);
        if (code < 0) {
            q->err = sides[i]->err;
            return code;
        }
    }
    return str_eq(q->left->type, q->right->type) ? 0 : err_set(&q->err, -EINVAL, "profile types must match");
}

/* ---- the graph ---- */

static void render_put_level(struct str level, struct buf *out)
{
    struct wire_reader r = wire_reader_of(level);
    struct wire_field f;
    uint64_t v;
    buf_byte(out, '[');
    while (wire_next(&r, &f)) {
        struct wire_reader packed = wire_reader_of(f.bytes);
        for (bool first = true; wire_next_packed(&packed, &v); first = false)
            buf_printf(out, "%s%" PRId64, first ? "" : ",", (int64_t)v);
    }
    buf_byte(out, ']');
}

/* A list of one field of querier.v1.FlameGraph. */
static void render_put_list(struct str graph, uint32_t field, struct buf *out)
{
    struct wire_reader r = wire_reader_of(graph);
    struct wire_field f;
    bool first = true;
    buf_byte(out, '[');
    while (wire_next(&r, &f)) {
        if (f.number_of != field)
            continue;
        buf_puts(out, first ? "" : ",");
        first = false;
        if (field == 1)
            json_string(out, f.bytes);
        else
            render_put_level(f.bytes, out);
    }
    buf_byte(out, ']');
}

static int64_t render_number(struct str graph, uint32_t field)
{
    struct wire_reader r = wire_reader_of(graph);
    struct wire_field f;
    while (wire_next(&r, &f))
        if (f.number_of == field)
            return (int64_t)f.number;
    return 0;
}

static void render_put_metadata(struct str type, bool compare, struct buf *out)
{
    struct str parts[TYPE_PARTS];
    profile_type_split(type, parts);
    const bool cpu = str_is(parts[TYPE_SAMPLE], "cpu");
    const struct str sample = parts[TYPE_SAMPLE];
    const bool objects = str_has_suffix(sample, STR("objects")) || str_has_suffix(sample, STR("goroutine")) ||
                         str_has_suffix(sample, STR("goroutines")) || str_has_suffix(sample, STR("samples"));
    buf_printf(out, "\"metadata\":{\"format\":\"%s\",\"spyName\":\"\",\"sampleRate\":%s,\"units\":",
               compare ? "double" : "single", cpu ? "1000000000" : "100");
    json_string(out, cpu ? STR("samples") : objects ? STR("objects") : parts[TYPE_UNIT]);
    buf_puts(out, ",\"name\":");
    json_string(out, sample);
    buf_byte(out, '}');
}

static void render_put_graph(const struct flame_levels *l, struct str type, struct buf *out)
{
    cleanup_buf struct buf graph = BUF_INIT(QUERIER_ANSWER_MAX);
    flame_levels_put(l, &graph);
    const struct str g = buf_slice(&graph);
    out->failed |= !buf_ok(&graph);
    buf_puts(out, "{\"version\":1,\"flamebearer\":{\"names\":");
    render_put_list(g, 1, out);
    buf_puts(out, ",\"levels\":");
    render_put_list(g, 2, out);
    buf_printf(out, ",\"numTicks\":%" PRId64 ",\"maxSelf\":%" PRId64 "},", render_number(g, 3), render_number(g, 4));
    render_put_metadata(type, l->sides == FLAME_SIDES, out);
    if (l->sides == FLAME_SIDES)
        buf_printf(out, ",\"leftTicks\":%" PRId64 ",\"rightTicks\":%" PRId64, render_number(g, 5), render_number(g, 6));
}

/* ---- the timeline ---- */

struct render_line {
    double *values; /* owned */
    uint64_t *counts;
};

struct render_timeline {
    struct querier_call *q;
    int64_t start_ms, step_ms;
    size_t points;
    struct label_groups groups;        /* number 0 without labels */
    struct render_line all, *of_group; /* owned */
    size_t len, cap;
};

static int64_t render_step_ms(const struct store_range *range)
{
    static const int64_t steps[] = {15,   20,   30,   60,   120,   300,   600,   900,
                                    1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400};
    const int64_t want = (range->until_ms - range->from_ms) / RENDER_POINTS;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (steps[i] * 1000 >= want)
            return steps[i] * 1000;
    return want; /* of years */
}

static struct render_line render_line_new(size_t points)
{
    return (struct render_line){xcalloc(points, sizeof(double)), xcalloc(points, sizeof(uint64_t))};
}

static void render_line_add(struct render_line *line, size_t at, int64_t value)
{
    line->values[at] += (double)value;
    line->counts[at]++;
}

static void render_visit(void *arg, const struct store_point *p)
{
    struct render_timeline *t = arg;
    const int64_t past = p->time_ns / NS_PER_MS - t->start_ms;
    const size_t at = past <= 0 ? 0 : (size_t)((past + t->step_ms - 1) / t->step_ms);
    if (at >= t->points)
        return;
    render_line_add(&t->all, at, p->total);
    if (t->groups.by_count == 0)
        return;
    const uint32_t group = label_group_of(&t->groups, p->series);
    if (group >= RENDER_GROUPS_MAX)
        return;
    if (group == t->len) {
        xgrow(&t->of_group, &t->cap, t->len + 1, sizeof *t->of_group);
        t->of_group[t->len++] = render_line_new(t->points);
    }
    render_line_add(&t->of_group[group], at, p->total);
}

static void render_put_line(const struct render_timeline *t, const struct render_line *line, struct buf *out)
{
    const bool average = t->q->request.aggregation.value == AGGREGATION_AVERAGE;
    buf_printf(out, "{\"startTime\":%" PRId64 ",\"samples\":[", t->start_ms / 1000);
    for (size_t i = 0; i < t->points; i++) {
        const double value = line->values[i];
        buf_puts(out, i ? "," : "");
        json_double(out, average && line->counts[i] ? value / (double)line->counts[i] : value);
    }
    buf_printf(out, "],\"durationDelta\":%" PRId64 ",\"watermarks\":null}", t->step_ms / 1000);
}

/* Named by the value of the label; "*" has none. */
static void render_put_groups(const struct render_timeline *t, struct buf *out)
{
    buf_puts(out, ",\"groups\":");
    if (t->groups.by_count == 0) {
        buf_puts(out, "null");
        return;
    }
    buf_byte(out, '{');
    for (size_t i = 0; i < t->len; i++) {
        struct str key = t->groups.keys[i], name = STR(""), value = STR("*");
        if (key.n && (!str_split(&key, '\0', &name) || !str_split(&key, '\0', &value)))
            value = STR("*");
        buf_puts(out, i ? "," : "");
        json_string(out, value);
        buf_byte(out, ':');
        render_put_line(t, &t->of_group[i], out);
    }
    buf_byte(out, '}');
}

static void render_timeline_done(struct render_timeline *t)
{
    for (size_t i = 0; i < t->len; i++) {
        free(t->of_group[i].values);
        free(t->of_group[i].counts);
    }
    free(t->of_group);
    free(t->all.values);
    free(t->all.counts);
    label_groups_done(&t->groups);
}

static int render_put_timeline(struct querier_call *q, struct store_reader *r, struct buf *out)
{
    struct render_timeline t = {.q = q, .step_ms = render_step_ms(&q->range)};
    t.start_ms = q->range.from_ms / t.step_ms * t.step_ms;
    t.points = (size_t)((q->range.until_ms - t.start_ms + t.step_ms - 1) / t.step_ms + 1);
    t.all = render_line_new(t.points);
    label_groups_init(&t.groups, q->request.group_by.items, q->request.group_by.len);
    const struct store_filter filter = {&q->selector, {t.start_ms - t.step_ms + 1, q->range.until_ms}};
    int code = store_each_point(r, &filter, render_visit, &t, &q->err);
    if (code == 0 && (t.groups.full || t.groups.len > RENDER_GROUPS_MAX))
        code = err_set(&q->err, -EMSGSIZE, "more than %d groups: add label matchers", RENDER_GROUPS_MAX);
    if (code == 0) {
        buf_puts(out, ",\"timeline\":");
        render_put_line(&t, &t.all, out);
        render_put_groups(&t, out);
    }
    render_timeline_done(&t);
    return code;
}

/* ---- answers ---- */

static int render_run(struct querier_call *q, struct store_reader *r)
{
    cleanup_flame struct flame f = {0};
    cleanup_flame_levels struct flame_levels l = {0};
    int code = querier_tree(q, r, false, &f, NULL);
    if (code < 0)
        return code;
    if (q->request.format.value == FORMAT_DOT) {
        flame_finish(&f);
        flame_dot_put(&f, q->type, q->nodes, &q->out);
        return 0;
    }
    flame_levels_init(&l, &f, querier_tree_nodes(q));
    render_put_graph(&l, q->type, &q->out);
    code = render_put_timeline(q, r, &q->out);
    buf_puts(&q->out, ",\"heatmap\":null}");
    return code;
}

static int render_diff_run(struct querier_call *q, struct store_reader *r)
{
    struct querier_trees t = {0};
    const int code = querier_tree_compare(q, r, &t);
    if (code == 0) {
        render_put_graph(&t.levels, q->left->type, &q->out);
        buf_puts(&q->out, ",\"timeline\":null,\"groups\":null,\"heatmap\":null}");
    }
    querier_trees_done(&t);
    return code;
}

const struct querier_answer answer_render = {render_prepare_side, render_run},
                            answer_render_diff = {render_prepare_diff, render_diff_run};
