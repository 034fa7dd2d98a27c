/* Label sets that series are grouped by: each once, with a number. */
#pragma once

#include "base/arena.h"
#include "base/map.h"
#include "pyroscope/query_request.h"
#include "store/select.h"

struct querier_groups {
    const struct query_texts *by; /* names of labels; borrowed */
    struct str *keys; /* by number: name NUL value NUL …, without labels that a series lacks; owned array */
    size_t len, cap;
    bool full;             /* some did not fit, and are counted for others */
    struct strmap numbers; /* private from here: number + 1 as a pointer */
    struct arena texts;
    int64_t series; /* asked for last, and its number */
    uint32_t number;
};

void querier_groups_init(struct querier_groups *g, const struct query_texts *by);
void querier_groups_done(struct querier_groups *g);
/* The group of a series. */
uint32_t querier_group_of(struct querier_groups *g, const struct store_series *series);
/* The labels of a series that it is not grouped by, in the same form; copied, "" where they do not fit. */
struct str querier_groups_rest(struct querier_groups *g, const struct store_series *series);
