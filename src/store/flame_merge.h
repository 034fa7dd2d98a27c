/* The flame graph of stored profiles: merged in a parser process, where they are decoded; added up where it was asked
 * for.
 *
 * An answer of the service is one tree: nodes, each after its parent, and names. What a process that was taken over can
 * say with one is a tree that it makes up.
 */
#pragma once

#include "parser/parser_service.h"
#include "pprof/flame.h"

/* Which samples of a body are wanted. The head of an item is an array of these. */
struct flame_part {
    int64_t split; /* store/splits.h */
    int64_t type;  /* index of the sample type */
};

/* Bytes of an answer: all nodes and names a graph may have. */
enum { FLAME_MERGE_MAX = 40 << 20 };

/* Items: stored bodies. One that cannot be decoded is left out: it was decoded when it came, so its bytes are what
 * changed, and one bad page must not hide everything else. */
extern const struct parser_service flame_merge_service;
/* A parser_check (parser/parser_batch.h) of its answers. */
must_check int flame_merge_check(void *arg, size_t n, struct str answer, struct err *err);
/* Adds an answer that passed to `out`. */
void flame_merge_add(struct flame *out, struct str answer);
