/* One question of the page between its parts: what was asked, and the answer that is written.
 *
 * Parameters are read on the loop, where selectors and patterns are made and freed; an answer has one function, which
 * runs in the store's worker. Its errors: -EINVAL and -EMSGSIZE 400, -ESRCH 404, -ETIMEDOUT 504, -EAGAIN 503, others
 * 500.
 */
#pragma once

#include "api/page/name_match.h"
#include "api/page/page_parameters.h"
#include "pprof/flame_pair.h"
#include "store/query.h"
#include "store/reader.h"

enum { PAGE_ANSWER_MAX = 32 << 20, PAGE_BY_MAX = 8 };
/* What is shown, and what it is compared with. */
enum { PAGE_SHOWN, PAGE_BASE };

struct page_side {
    struct label_selector selector;
    struct store_range range;
};

struct page_call {
    struct page_parameters parameters; /* texts are borrowed from these, and from the request */
    struct page_side sides[FLAME_SIDES];
    struct str type;
    /* How stacks are shown (pprof/flame_view.h). */
    struct name_matches only, without, hidden, folded;
    bool recursion, callers, lines;
    struct name_matches search;
    struct str *path; /* of `at`; owned */
    size_t path_len, path_cap;
    struct str by[PAGE_BY_MAX]; /* labels */
    size_t by_count;
    struct str function, name, sort, format;
    size_t nodes, buckets, rows, limit;
    struct buf out;
    const char *content_type, *disposition; /* NULL: JSON that is shown; the second one is owned */
    struct err err;
};

/* What a question needs. */
enum { PAGE_NEEDS_SERVICE = 1, PAGE_NEEDS_TYPE = 2, PAGE_COMPARES = 4 };
struct page_answer {
    const char *name; /* the path is /api/NAME */
    unsigned needs;
    int (*run)(struct page_call *q, struct store_reader *r);
};

/* Reads all parameters; what is wrong with them is in q->err. To be done() in any case. */
must_check int page_call_read(struct page_call *q, const struct request *rq, unsigned needs);
void page_call_done(struct page_call *q);
/* The service that a side is of; "" = several. */
struct str page_call_service(const struct page_call *q);
/* Whether labels beside service and type are asked for. */
bool page_call_is_filtered(const struct page_call *q);
/* The time of one of the buckets. */
int64_t page_call_step(const struct page_call *q);

/* ---- what answers are made of ---- */

/* {"unit":"…" — the opening of most. */
void page_put_unit(struct page_call *q);
/* "from_ms":…,"step_ms":… */
void page_put_steps(struct page_call *q);

extern const struct page_answer page_services, page_types, page_labels, page_values, page_timeline, page_series,
    page_heatmap, page_flamegraph, page_functions, page_sandwich, page_diff, page_download;
