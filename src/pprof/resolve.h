/* What the ids of one chunk mean: stacks, threads and thread states, looked up when an event refers to them.
 *
 * Turns a stack trace id into a number of `symbols`, where equal stacks of all chunks are one. Each stack, method and
 * thread of the chunk is decoded once at most. Ids mean nothing in any other chunk, so this lives as long as its chunk.
 */
#pragma once

#include "base/buf.h"
#include "jfr/cpool.h"
#include "pprof/symbols.h"

enum resolve_pool {
    RESOLVE_STACKS,
    RESOLVE_METHODS,
    RESOLVE_CLASSES,
    RESOLVE_SYMBOLS,
    RESOLVE_STRINGS,
    RESOLVE_STATES,
    RESOLVE_THREADS,
    RESOLVE_POOLS,
};

enum thread_state { THREAD_STATE_UNKNOWN, THREAD_STATE_OTHER, THREAD_STATE_RUNNABLE, THREAD_STATE_SLEEPING };

/* Stack ids that lead nowhere. */
#define RESOLVE_NO_STACK (UINT32_MAX - 1)

struct frame_slot;
struct resolver {
    const uint8_t *chunk, *end; /* borrowed, as are the next two */
    const struct jfr_metadata *metadata;
    struct symbols *symbols;
    struct jfr_pool pools[RESOLVE_POOLS];
    struct jfr_plan frame;
    bool compat;              /* as the reference: frames without a method are left out, negative lines stay */
    bool mark_truncated;      /* a frame "[truncated]" stands for what was cut off a stack */
    struct frame_slot *cache; /* (method id, line) -> location, of this chunk */
    size_t cache_len, cache_cap;
    struct str *texts; /* stable names of symbols, as they are asked for */
    size_t text_count, text_cap;
    struct arena made;   /* those that are not a part of the chunk */
    uint32_t *locations; /* of the stack at hand */
    size_t location_cap;
    struct buf name;     /* scratch */
    uint64_t name_bytes; /* that may still be built */
};

/* Reads the chunk's pools. -EBADMSG or -E2BIG; to be done() in any case. `threads` = thread names will be asked for. */
must_check int resolver_open(struct resolver *r, const uint8_t *chunk, const struct jfr_header *header,
                             const struct jfr_metadata *m, struct arena *arena, struct symbols *symbols, bool threads,
                             struct err *err);
void resolver_done(struct resolver *r);
#define cleanup_resolver __attribute__((cleanup(resolver_done)))

/* Number of the stack; RESOLVE_NO_STACK where the chunk has no such id, SYMBOLS_FULL. */
uint32_t resolver_stack(struct resolver *r, uint64_t id);
/* A stack of the one frame "[unknown]"; SYMBOLS_FULL. */
uint32_t resolver_unknown_stack(struct resolver *r);
/* The label set {thread: name}; 0, the empty one, where the chunk has no such thread; SYMBOLS_FULL. */
uint32_t resolver_thread(struct resolver *r, uint64_t id);
enum thread_state resolver_state(struct resolver *r, uint64_t id);
/* The text of a string field, in `out`, which is emptied first; cut where out->max is short. */
void resolver_text(const struct resolver *r, struct jfr_value v, struct buf *out);
