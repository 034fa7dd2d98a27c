/* Label sets that series are grouped by: each once, with a number. */
#pragma once

#include "base/arena.h"
#include "base/map.h"
#include "store/select.h"

struct label_groups {
    const struct str *by; /* names of labels; borrowed */
    size_t by_count;
    struct str *keys; /* by number: name NUL value NUL …, without labels that a series lacks; owned array */
    size_t len, cap;
    bool full;             /* some did not fit, and are counted for others */
    struct strmap numbers; /* private from here: number + 1 as a pointer */
    struct arena texts;
    int64_t series; /* asked for last, and its number */
    uint32_t number;
};

void label_groups_init(struct label_groups *g, const struct str *by, size_t by_count);
void label_groups_done(struct label_groups *g);
/* The group of a series. */
uint32_t label_group_of(struct label_groups *g, const struct store_series *series);
/* The labels of a series that it is not grouped by, in the same form; copied, "" where they do not fit. */
struct str label_groups_rest(struct label_groups *g, const struct store_series *series);
