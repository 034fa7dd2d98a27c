/* The flame graph of stored profiles: merged in a parser process, where they are decoded; added up where it was asked
 * for.
 *
 * An answer of the service is one tree: nodes, each after its parent, and names. What a process that was taken over can
 * say with one is a tree that it makes up.
 */
#pragma once

#include "parser/parser_service.h"
#include "pprof/flame.h"

/* How stacks become a tree, and which samples count. The head of an item is this, the ids of spans and traces (in hex,
 * lower case), and the parts. */
struct flame_how {
    uint32_t lines;      /* names of nodes are texts of store/frame_text.h */
    uint32_t nodes;      /* of a tree, at most */
    uint32_t span_count; /* samples of these spans count alone; 0 = all */
    uint32_t trace_count;
};
/* Which samples of a body are wanted. */
struct flame_part {
    int64_t split; /* store/splits.h */
    int64_t type;  /* index of the sample type */
};

/* Bytes of an answer: all nodes (store/limits.h) and names a graph may have. */
enum { FLAME_MERGE_MAX = 64 << 20 };

/* Items: stored bodies. One that cannot be decoded is left out: it was decoded when it came, so its bytes are what
 * changed, and one bad page must not hide everything else. */
extern const struct parser_service flame_merge_service;
/* A parser_check (parser/parser_batch.h) of its answers. */
must_check int flame_merge_check(void *arg, size_t n, struct str answer, struct err *err);
/* The longest period of the profiles of an answer that passed. */
int64_t flame_merge_period(struct str answer);
/* Adds an answer that passed to `out`. */
void flame_merge_add(struct flame *out, struct str answer);
