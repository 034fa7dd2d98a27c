#include "api/pyroscope/querier_legacy.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "pyroscope/time_text.h"

static struct str legacy_text(const struct request *rq, const char *name)
{
    const char *text = request_query(rq, name);
    return text ? str_of(text) : STR("");
}

/* ms since 1970, of which 0 means that nothing is said. */
static struct query_number legacy_time(const struct request *rq, const char *name)
{
    const struct str text = legacy_text(rq, name);
    const int64_t ms = time_text_parse(text, clock_wall_ns()) / NS_PER_MS;
    return text.n ? (struct query_number){ms ? ms : 1, true} : (struct query_number){0};
}

static void legacy_nodes(struct querier_call *q, const struct request *rq)
{
    int64_t n;
    if (str_to_i64(legacy_text(rq, "max-nodes"), &n) || str_to_i64(legacy_text(rq, "maxNodes"), &n))
        q->request.max_nodes = (struct query_number){n, true};
}

static void legacy_selection(struct querier_call *q, const struct request *rq, const char *query, const char *from,
                             const char *until)
{
    q->request.selector = legacy_text(rq, query);
    q->request.start = legacy_time(rq, from);
    q->request.end = legacy_time(rq, until);
    legacy_nodes(q, rq);
}

void querier_legacy_render(struct querier_call *q, const struct request *rq)
{
    const struct str by = legacy_text(rq, "groupBy");
    legacy_selection(q, rq, "query", "from", "until");
    if (by.n) {
        struct str *names = arena_alloc(&q->request.arena, sizeof *names);
        *names = by;
        q->request.group_by = (struct query_texts){names, 1, 1};
    }
    if (str_is(legacy_text(rq, "format"), "dot"))
        q->request.format = (struct query_number){FORMAT_DOT, true};
    if (str_is(legacy_text(rq, "aggregation"), "avg"))
        q->request.aggregation = (struct query_number){AGGREGATION_AVERAGE, true};
}

static struct querier_call *legacy_side(void)
{
    struct querier_call *side = xcalloc(1, sizeof *side);
    *side = QUERIER_CALL_INIT;
    return side;
}

void querier_legacy_render_diff(struct querier_call *q, const struct request *rq)
{
    q->left = legacy_side();
    q->right = legacy_side();
    legacy_selection(q->left, rq, "leftQuery", "leftFrom", "leftUntil");
    legacy_selection(q->right, rq, "rightQuery", "rightFrom", "rightUntil");
}

void querier_legacy_label_values(struct querier_call *q, const struct request *rq)
{
    q->request.name = legacy_text(rq, "label");
    q->request.start = (struct query_number){1, true};
}
