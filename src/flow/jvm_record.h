/* Listening to the recording of a JVM that a component profiles: the chunks that it reads anyway are shown to one more
 * reader. The profiling itself is not changed.
 *
 * Components offer it through the `record` hook of struct component_def; controller_record() calls the hook. A recorder
 * is embedded by whoever listens, and listens from a successful call until jvm_recorder_leave() or `ended`. Loop
 * thread; a callback may leave.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"

struct jfr_chunk; /* jfr/shared_chunk.h */
struct convert_options;

struct jvm_recorder {
    struct list node; /* list_init() before the first use */
    /* One chunk with bytes; whoever keeps it takes a reference. */
    void (*chunk)(void *arg, struct jfr_chunk *c);
    /* Nothing will follow: the JVM ended, or is not profiled any more. It listens no longer. */
    void (*ended)(void *arg);
    void *arg;
    /* Set by the component while it listens. */
    const char *options;                      /* of the profiler: "event=itimer,interval=…"; may change */
    const struct convert_options *conversion; /* as it converts the chunks itself (convert/message.h) */
    void (*cut)(void *of); /* closes the chunk that is being written, soon; may fail without a word */
    void *of;
};

static inline void jvm_recorder_leave(struct jvm_recorder *r)
{
    list_del(&r->node);
    r->cut = NULL;
}

static inline void jvm_recorder_cut(const struct jvm_recorder *r)
{
    if (r->cut)
        r->cut(r->of);
}
