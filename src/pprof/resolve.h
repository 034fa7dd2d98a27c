/* What the ids of one chunk mean: stacks, threads and thread states, looked up when an event refers to them.
 *
 * Turns a stack trace id into a number of `symbols`, where equal stacks of all chunks are one. Each stack, method and
 * thread of the chunk is decoded once at most. Ids mean nothing in any other chunk, so this lives as long as its chunk.
 */
#pragma once

#include "base/buf.h"
#include "base/map.h"
#include "jfr/cpool.h"
#include "pprof/limits.h"
#include "pprof/symbols.h"
#include "pprof/threads.h"

enum resolve_pool {
    RESOLVE_STACKS,
    RESOLVE_METHODS,
    RESOLVE_CLASSES,
    RESOLVE_SYMBOLS,
    RESOLVE_STRINGS,
    RESOLVE_STATES,
    RESOLVE_FRAME_TYPES,
    RESOLVE_USER_EVENTS,
    RESOLVE_THREADS, /* last: the only one that is not always needed */
    RESOLVE_POOLS,
};

enum thread_state { THREAD_STATE_UNKNOWN, THREAD_STATE_OTHER, THREAD_STATE_RUNNABLE, THREAD_STATE_SLEEPING };

/* Stack ids that lead nowhere, and stacks that there is no room for: no numbers of stacks either. */
#define RESOLVE_NO_STACK (UINT32_MAX - 1)
#define RESOLVE_FULL     (UINT32_MAX - 2)
/* The frame that stands for what nobody knows. */
#define RESOLVE_UNKNOWN STR("[unknown]")

struct resolve_options {
    bool compat; /* as the reference: its rules for names, frames without a method are left out, negative lines stay */
    bool mark_truncated;                    /* a frame "[truncated]" stands for what was cut off a stack */
    bool no_lines;                          /* all lines are 0 */
    bool frame_types;                       /* names end with how a frame was run, as async-profiler has it: "_[j]" */
    bool libraries;                         /* functions of native libraries have these as mapping */
    bool raw_names;                         /* names are not normalised */
    bool threads;                           /* resolver_thread() or _thread_name() will be called */
    bool thread_ids;                        /* resolver_thread() puts a thread's id behind its name */
    bool bytecode_indices;                  /* lines are the bytecode indices of frames */
    const struct conversion_limits *limits; /* borrowed */
};

struct frame_slot;
struct resolver {
    const uint8_t *chunk, *end; /* borrowed, as are the next two */
    const struct jfr_metadata *metadata;
    struct symbols *symbols;
    struct jfr_pool pools[RESOLVE_POOLS];
    struct jfr_plan frame;
    struct resolve_options options;
    struct frame_slot *cache; /* frame -> location, of this chunk */
    size_t cache_len;
    unsigned cache_bits; /* it has room for two to this power, half of which is used */
    struct str *texts;   /* stable names of symbols, as they are asked for */
    size_t text_count, text_cap;
    struct u64map java_names; /* number of such a text of a class -> string, as Java spells it */
    struct arena made;        /* those that are not a part of the chunk */
    uint32_t *locations;      /* of the stack at hand */
    size_t location_cap;
    struct buf name;     /* scratch */
    uint64_t name_bytes; /* that may still be built */
    uint64_t cut_stacks; /* that were too deep */
    uint8_t states[8];   /* enum thread_state of the first ids; 0 = not asked for yet */
};

/* Reads the chunk's pools. -EBADMSG or -E2BIG; to be done() in any case. */
must_check int resolver_open(struct resolver *r, const uint8_t *chunk, const struct jfr_header *header,
                             const struct jfr_metadata *m, struct arena *arena, struct symbols *symbols,
                             const struct resolve_options *options, struct err *err);
void resolver_done(struct resolver *r);
#define cleanup_resolver __attribute__((cleanup(resolver_done)))

/* An empty pool has one entry, the null string; then no event has a text from there. */
static inline bool resolver_has_strings(const struct resolver *r)
{
    return r->pools[RESOLVE_STRINGS].len > 1;
}

/* Of a stack met for the first time. */
uint32_t resolver_new_stack(struct resolver *r, struct jfr_entry *entry);
/* Number of the stack; RESOLVE_NO_STACK where the chunk has no such id or the stack has no frame, RESOLVE_FULL. */
static inline uint32_t resolver_stack(struct resolver *r, uint64_t id)
{
    struct jfr_entry *entry = jfr_pool_find(&r->pools[RESOLVE_STACKS], id);
    if (!entry)
        return RESOLVE_NO_STACK;
    return entry->memo ? entry->memo - 1 : resolver_new_stack(r, entry);
}
/* The same with that method as the leaf, where the chunk knows it; or SYMBOLS_FULL. */
uint32_t resolver_stack_in(struct resolver *r, uint64_t id, uint64_t method);
/* A stack of one frame of that name; SYMBOLS_FULL. */
uint32_t resolver_named_stack(struct resolver *r, struct str name);
uint32_t resolver_string_stack(struct resolver *r, uint32_t name);
/* Strings: 0, the empty one, where the chunk has no such thing; SYMBOLS_FULL. A thread's name; a class as Java spells
 * it, "byte[]"; the type of a user event; the text of a field. */
uint32_t resolver_thread(struct resolver *r, uint64_t id, struct thread_names *names);
uint32_t resolver_class(struct resolver *r, uint64_t id);
uint32_t resolver_user_event(struct resolver *r, uint64_t id);
uint32_t resolver_string(struct resolver *r, struct jfr_value v);
enum thread_state resolver_state(struct resolver *r, uint64_t id);
/* In `out`, which is emptied first: the name of a thread alone; that of a state as it is written, in lower case and
 * without what all of them begin with: "runnable", "in_object_wait". Empty where the chunk has none. */
void resolver_thread_name(struct resolver *r, uint64_t id, struct buf *out);
void resolver_state_name(struct resolver *r, uint64_t id, struct buf *out);
/* The text of a string field, in `out`, which is emptied first; cut where out->max is short. */
void resolver_text(const struct resolver *r, struct jfr_value v, struct buf *out);
