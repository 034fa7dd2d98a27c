/* The command-line options of async-profiler's launcher as one table, and their translation to agent options.
 *
 * bin/asprof accepts all of them; `custom_arguments` of a configuration only those that control sampling, because
 * output, duration, loop, chunks, actions and PIDs are managed by the session. Options that async-profiler would
 * silently ignore (an unknown name, an unknown unit, which disables the event) are errors here.
 * Facts: async-profiler 4.6 docs/ProfilerOptions.md, src/main/main.cpp (the names), src/arguments.cpp (units).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* How the value of an option reads. Numbers are decimal or 0x…, then a unit of which only the first letter counts. */
enum asprof_value {
    ASPROF_NONE,     /* no value */
    ASPROF_TEXT,     /* anything without a comma */
    ASPROF_LIST,     /* commas become `separator` on the way to the agent */
    ASPROF_WORD,     /* one of `words` */
    ASPROF_WORDS,    /* a list of `words` by commas or '+', each perhaps with ":N" where they end with ':' */
    ASPROF_HTML,     /* a text for HTML: '&', '<', '>' and ',' become entities */
    ASPROF_EVENT,    /* an event, a comma list of them, or a PMU event such as cpu/umask=0x1,event=0xd3/ */
    ASPROF_COUNT,    /* a positive integer, perhaps N/M */
    ASPROF_BYTES,    /* units b k m g */
    ASPROF_NANOS,    /* units n u m s */
    ASPROF_SECONDS,  /* units s m h d */
    ASPROF_TIMEOUT,  /* as ASPROF_SECONDS, or hh:mm:ss */
    ASPROF_INTERVAL, /* units n u m s b k g, not 0 */
};

/* Where the option goes. */
enum asprof_target {
    ASPROF_PROFILING, /* the agent, with start and resume */
    ASPROF_REPORT,    /* the agent, with every command: what a report looks like */
    ASPROF_LAUNCHER,  /* the launcher itself; never an agent option by this table */
};

struct asprof_option {
    const char *short_name; /* "-e" or NULL */
    const char *long_name;  /* "--event" or NULL */
    enum asprof_value value;
    enum asprof_target target;
    const char *agent;   /* the agent's name for it, NULL where the launcher decides */
    char separator;      /* ASPROF_LIST, ASPROF_WORDS */
    const char *refused; /* why not in custom_arguments; NULL = welcome there */
    const char *words;   /* ASPROF_WORD, ASPROF_WORDS: "fp dwarf vm" */
};

/* All of them, for an index from 0; NULL behind the last. */
const struct asprof_option *asprof_option_at(size_t i);

/* By "-e" or "--event"; NULL when there is none. */
const struct asprof_option *asprof_option_find(const char *arg);

/* Appends ",name=value" for one option, checked. `events` counts CPU-like events across calls (the agent takes one). */
must_check int asprof_option_append(const struct asprof_option *o, const char *value, unsigned *events, struct buf *out,
                                    struct err *err);

/* Whether the agent may get these options, "event=itimer,alloc=512k,chunktime=60,…", from an untrusted caller: nothing
 * but what controls sampling, its duration and chunks. What names a file, a socket or an action is refused. -EPERM. */
must_check int asprof_options_permit(struct str options, struct err *err);

/* Appends "event=itimer,interval=10ms,…" for a whole argument list. With `from_config` what is refused there is refused
 * by name; else only ASPROF_LAUNCHER options, actions and pids are. An error names the argument and says what to write
 * instead. -EINVAL; `out` then holds an unusable part. Use it for the attributes too: {"-e", event, "--alloc",
 * alloc}. */
must_check int asprof_options_parse(const char *const *args, size_t n, bool from_config, struct buf *out,
                                    struct err *err);
