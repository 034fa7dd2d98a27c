/* Thread names as a label's values: few enough of them to be one.
 *
 * Numbers that a pool gives its threads are replaced (normalise.h), and beyond a number of distinct names all further
 * ones are one: every value of a label multiplies the series and samples behind it.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "pprof/symbols.h"

/* Distinct names before the rest is THREADS_OTHER. */
enum { THREADS_MAX = 200 };
#define THREADS_OTHER "[other]"

struct thread_names {
    bool raw;          /* names as they are */
    uint32_t max;      /* 0 = THREADS_MAX */
    uint32_t *strings; /* owned; those seen */
    size_t count, cap;
    struct hash_index index;
    struct buf name; /* scratch */
};
#define THREAD_NAMES_INIT(raw_, max_) ((struct thread_names){.raw = (raw_), .max = (max_), .name = BUF_INIT(1 << 14)})

/* The string to label a thread of that name with; SYMBOLS_FULL. The same name gives the same string ever after. */
uint32_t thread_names_label(struct thread_names *t, struct symbols *s, struct str name);
/* The same of a name that is normalised already. */
uint32_t thread_names_add(struct thread_names *t, struct symbols *s, struct str name);
void thread_names_done(struct thread_names *t);
