/* The flame graph of stored profiles: merged in a parser process, where they are decoded; added up where it was asked
 * for.
 *
 * An answer of the service is one tree: nodes, each after its parent, and names. What a process that was taken over can
 * say with one is a tree that it makes up.
 */
#pragma once

#include "parser/parser_service.h"
#include "pprof/flame.h"
#include "store/flame_ask.h"

/* Bytes of an answer: all nodes (store/limits.h) and names a graph may have. */
enum { FLAME_MERGE_MAX = 64 << 20 };

/* Items: what is asked (store/flame_ask.h), which samples are wanted (store/body_samples.h), a stored body. One that
 * cannot be decoded is left out: it was decoded when it came, so its bytes are what changed, and one bad page must not
 * hide everything else. */
extern const struct parser_service flame_merge_service;
/* A parser_check (parser/parser_batch.h) of its answers. */
must_check int flame_merge_check(void *arg, size_t n, struct str answer, struct err *err);
/* How many bodies, or blobs of blocks, were left out. */
uint32_t flame_merge_damaged(struct str answer);
/* Adds an answer that passed to `out`. `period`: the longest of all profiles so far; may be NULL. */
void flame_merge_add(struct flame *out, int64_t *period, struct str answer);

/* ---- what makes such a tree of something else ---- */

/* Puts an answer. */
void flame_merge_put(const struct flame *f, int64_t period, uint32_t damaged, struct buf *out);

/* What becomes of a node of another tree. */
struct flame_place {
    uint32_t node; /* of the graph */
    bool cut;      /* a name is missing: what is below counts for this */
};
/* A child of what became of `parent`. */
struct flame_place flame_place_of(struct flame *out, const struct flame_place *parent, int64_t name);
