/* What the engine and a component know of each other.
 *
 * A component is one static struct component_def: an option table and callbacks. The engine decodes the block into the
 * args record, builds the component once, and calls update only when the decoded args differ. All calls come on the
 * loop thread; none may block. The record is the engine's and constant; a component that keeps it takes a reference
 * (graph/args.h).
 *
 * Life: build -> start -> (update)* -> stop -> free. build must have no effect on the outside (it also runs for a
 * configuration that is then refused); effects begin at start. A build that fails leaves nothing behind.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "flow/jvm_record.h"
#include "flow/jvm_status.h"
#include "graph/args.h"
#include "lang/schema.h"
#include "lang/stability.h"
#include "lang/value.h"

struct component; /* the engine's handle, passed to build and kept by the component */

struct component_def {
    const char *name; /* "discovery.process" */
    const char *help; /* first sentence of its page */
    enum stability stability;
    const struct schema *args;
    /* Names of the exports, NULL-terminated; their zero values are null. Used before the first component_export(). */
    const char *const *exports;

    int (*build)(struct component *self, const void *args, void **ret_state, struct err *err);
    /* A failing update leaves the old arguments in force. */
    int (*update)(void *state, const void *args, struct err *err);
    void (*start)(void *state); /* NULL: nothing to start */
    /* Begin to stop; call component_stopped(self) when done (may be at once). Must end within 5 s by itself. Comes only
     * after all components that refer to this one have stopped: a receiver still takes what they hand over at their
     * end. NULL: nothing to do. */
    void (*stop)(void *state);
    void (*free)(void *state);
    /* Optional: what an operator wants to see; new reference to an object. */
    struct value *(*debug_info)(void *state);
    /* Optional: shows every JVM it knows, in the order of their process IDs. */
    void (*jvms)(void *state, jvm_status_visit *visit, void *arg);
    /* Optional, with `jvms`: shows those that ended not long ago, the last one first. */
    void (*jvms_ended)(void *state, jvm_status_visit *visit, void *arg);
    /* Optional, with `jvms`: lets `r` listen to the recording of that process. -ENOENT: it is none of its JVMs;
     * -EAGAIN: it is not profiled at the moment, the error says why. */
    int (*record)(void *state, pid_t pid, uint64_t start_time, struct jvm_recorder *r, struct err *err);
    /* Optional, for a component whose argument `targets` is a list of targets: whether it reads the label of one that
     * is no JVM (those of JVMs are always set, for people to see). So what nobody reads need not be found out. */
    bool (*reads_label)(const void *args, struct str name);
    /* With `reads_label`: the export in which it passes the targets on, with the labels they keep; NULL: none. */
    const char *passes_on;
    /* A source of modules, `import.*`: its label is a namespace, not a name for its exports, which the engine itself
     * reads:
     *     files        array of {name, text}, the texts of one module; null as long as nothing has arrived
     *     module_path  string: what `module_path` is in there; null: as around the import
     * build must export what it can get at once. It is also called to look at new arguments before they are in force;
     * such an instance is freed unstarted. */
    bool imports;
    /* Its exports are null until its first component_export(), which comes after start: what refers to them is built
     * then. For values that an expression takes apart, such as a map from another machine; it keeps them through
     * updates. */
    bool exports_late;
    bool remote; /* it brings what another machine wrote: that may import nothing from a source that is `local` */
    bool local;  /* it reads files of this machine */
};

/* Publishes the exports object (reference taken over). Equal to the last one: dropped. Else dependants are re-evaluated
 * soon, in a batch, from the loop. */
void component_export(struct component *c, struct value *exports);
/* Tells that the component handed n things to those behind it, for people who watch (exports are counted anyway). */
void component_sent(struct component *c, size_t n);
/* Whether anything reads that label of the targets in this export: a component that refers to it, what that passes them
 * on to, or somebody who looks at the exports. True where that is not known (graph/readers.h). */
bool component_label_is_read(struct component *c, const char *export, struct str label);
/* Another number whenever the answer may have become another, except by time. */
uint64_t component_readers(struct component *c);
/* Own health; healthy with message "" by default. */
void component_health(struct component *c, bool healthy, const char *fmt, ...) printf_like(3, 4);
void component_stopped(struct component *c);
/* "pyroscope.write.staging"; lives as long as the component. */
const char *component_id(const struct component *c);
/* What the program hands to all components (struct component_env in components/env.h). */
void *component_env(const struct component *c);
