/* Label sets that series are grouped by, and those of the labels that are left: each once, with a number. */
#pragma once

#include "base/arena.h"
#include "base/map.h"
#include "store/select.h"

struct label_groups {
    const struct str *by; /* names of labels; borrowed */
    size_t by_count;
    /* By number: name NUL value NUL …, without labels that a series lacks; owned arrays. */
    struct str *keys, *rests;
    size_t len, cap, rest_len, rest_cap;
    bool full;                           /* some did not fit, and are counted for others */
    struct strmap numbers, rest_numbers; /* private from here: number + 1 as a pointer */
    struct u64map common;                /* two numbers of rests -> that of what they share */
    struct arena texts;
    int64_t series, rest_series; /* asked for last, and their numbers */
    uint32_t number, rest;
};

void label_groups_init(struct label_groups *g, const struct str *by, size_t by_count);
void label_groups_done(struct label_groups *g);
/* The group of a series. */
uint32_t label_group_of(struct label_groups *g, const struct store_series *series);
/* The labels of a series that it is not grouped by: an index of g->rests. */
uint32_t label_groups_rest(struct label_groups *g, const struct store_series *series);
/* Those that two of g->rests have in common. */
uint32_t label_groups_common(struct label_groups *g, uint32_t a, uint32_t b);
