/* GetProfileStats, AnalyzeQuery, the settings of clients, and the version of the API: nothing of a profile. */
#include <errno.h>

#include "api/pyroscope/querier_call.h"
#include "base/clock.h"
#include "base/wire.h"
#include "store/setting_table.h"

static int answer_nothing_prepare(struct querier_call *q)
{
    (void)q;
    return 0;
}

/* ---- GetProfileStats ---- */

static int answer_stats_run(struct querier_call *q, struct store_reader *r)
{
    struct store_bounds b = {0};
    const int code = store_read_bounds(r, &b, &q->err);
    if (code < 0)
        return code;
    wire_number(&q->out, 1, b.newest_ns != 0);
    wire_number(&q->out, 2, (uint64_t)(b.oldest_ns / NS_PER_MS));
    wire_number(&q->out, 3, (uint64_t)(b.newest_ns / NS_PER_MS));
    return 0;
}

/* ---- AnalyzeQuery ---- */

struct answer_counts {
    int64_t series, last; /* id of the one at hand */
    uint64_t profiles;
};

static void answer_analyze_visit(void *arg, const struct store_point *p)
{
    struct answer_counts *c = arg;
    c->series += p->series->id != c->last;
    c->last = p->series->id;
    c->profiles++;
}

static int answer_analyze_prepare(struct querier_call *q)
{
    const int code = querier_call_range(q);
    return code < 0 ? code : label_selector_add(&q->selector, q->request.query, &q->err);
}

static int answer_analyze_run(struct querier_call *q, struct store_reader *r)
{
    struct answer_counts c = {.last = -1};
    const struct store_filter filter = {&q->selector, q->range};
    int64_t bytes = 0;
    int code = store_each_point(r, &filter, answer_analyze_visit, &c, &q->err);
    if (code == 0)
        code = store_range_bytes(r, q->range, &bytes, &q->err);
    if (code < 0)
        return code;
    cleanup_buf struct buf scope = BUF_INIT(1 << 10), impact = BUF_INIT(1 << 10);
    wire_bytes(&scope, 1, STR("store"));
    wire_number(&scope, 2, 1);
    wire_number(&scope, 3, 1);
    wire_number(&scope, 4, (uint64_t)c.series);
    wire_number(&scope, 5, c.profiles);
    wire_number(&scope, 8, (uint64_t)bytes);
    wire_number(&impact, 2, (uint64_t)bytes);
    wire_number(&impact, 3, (uint64_t)c.series);
    wire_bytes(&q->out, 1, buf_slice(&scope));
    wire_bytes(&q->out, 2, buf_slice(&impact));
    return 0;
}

/* ---- settings ---- */

static void answer_setting_put(void *arg, const struct store_setting *s)
{
    struct buf *out = arg;
    cleanup_buf struct buf setting = BUF_INIT(2 * SETTING_VALUE_MAX);
    wire_bytes(&setting, 1, s->name);
    wire_bytes(&setting, 2, s->value);
    wire_number(&setting, 3, (uint64_t)s->modified_ms);
    wire_bytes(out, 1, buf_slice(&setting));
}

static int answer_settings_get_run(struct querier_call *q, struct store_reader *r)
{
    return store_each_setting(r, answer_setting_put, &q->out, &q->err);
}

static int answer_settings_set_run(struct querier_call *q, struct store_reader *r)
{
    const int64_t modified = q->request.modified.value;
    const struct store_setting s = {q->request.name, q->request.value,
                                    modified > 0 ? modified : clock_wall_ns() / NS_PER_MS};
    const int code = store_put_setting(r, &s, &q->err);
    if (code == 0)
        answer_setting_put(&q->out, &s);
    return code;
}

static int answer_settings_delete_run(struct querier_call *q, struct store_reader *r)
{
    return store_delete_setting(r, q->request.name, &q->err);
}

static int answer_version_run(struct querier_call *q, struct store_reader *r)
{
    (void)r;
    wire_number(&q->out, 1, 1);
    return 0;
}

const struct querier_answer answer_stats = {answer_nothing_prepare, answer_stats_run},
                            answer_analyze = {answer_analyze_prepare, answer_analyze_run},
                            answer_settings_get = {answer_nothing_prepare, answer_settings_get_run},
                            answer_settings_set = {answer_nothing_prepare, answer_settings_set_run, .writes = true},
                            answer_settings_delete = {answer_nothing_prepare, answer_settings_delete_run,
                                                      .writes = true},
                            answer_version = {answer_nothing_prepare, answer_version_run};
