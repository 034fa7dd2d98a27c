/* What single profiles have of a selection of samples: as a whole, or by span. Found in parser processes, in stored
 * bodies and in blocks, for what neither the totals of profiles nor a flame graph tell.
 *
 * An answer of the services is values. What a process that was taken over can say with one is values that it makes up.
 */
#pragma once

#include "parser/parser_service.h"
#include "store/flame_ask.h"

enum { CALL_SITE_FRAMES_MAX = 1024, VALUES_ANSWER_MAX = 64 << 20 };

struct values_ask {
    bool by_span;                /* only samples of spans count, by these */
    const struct str *call_site; /* names of functions, from the root on: only stacks that begin with them count */
    size_t call_site_len;        /* 0 = all stacks */
};
void values_ask_put(const struct values_ask *ask, struct buf *out);

struct profile_value {
    int64_t value;
    uint32_t profile;             /* the number that the caller gave it */
    uint32_t has_trace;           /* 0 or 1 */
    uint8_t span[SPAN_ID_SIZE];   /* 0 where it is not by span */
    uint8_t trace[TRACE_ID_SIZE]; /* of the span; 0 where it has none */
};

/* ---- bodies ---- */

/* Items: what is asked, which samples are wanted (store/body_samples.h), a stored body. The row of a part is the number
 * of the profile. */
extern const struct parser_service body_values_service;

/* ---- blocks ---- */

/* Items: what is asked, then slices of a block (store/block_wants.h), with its tree where there is a call site. */
extern const struct parser_service block_values_service;

/* ---- answers ---- */

/* A parser_check (parser/parser_batch.h). */
must_check int values_check(void *arg, size_t n, struct str answer, struct err *err);
/* How many bodies, trees or slices were left out as they are damaged. */
uint32_t values_damaged(struct str answer);
size_t values_count(struct str answer);
/* Ordered by profile, span and trace, each once per item. `i` < values_count(). */
struct profile_value values_at(struct str answer, size_t i);
