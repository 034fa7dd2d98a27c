/* All limits of one conversion.
 *
 * Recordings are untrusted. Whatever one contains, a conversion ends, does not run out of memory, and keeps most of a
 * regular recording. Events beyond a limit remain in the totals where that makes sense: under a frame "[other]" if
 * there is no room for the stack, without labels if there is none for these. What was left out is counted by reason
 * (conversion_cuts()) and reported with the texts of cut_reasons below.
 *
 * The agent's limits are far above what JVMs need: the largest profiles seen have 30,000 distinct stacks and 100,000
 * symbols. In total, with what is not listed here, they allow about 64 MiB plus the bytes of a chunk. Recordings given
 * to `smolder convert` belong to the user: memory is limited there, time is not.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct conversion_limits {
    /* Of an interval: */
    size_t symbols; /* bytes of names, stacks and label sets, indexes included */
    size_t stacks;  /* distinct ones */
    size_t samples; /* distinct pairs of stack and label set, all profiles together */
    size_t text;    /* bytes of names, functions and lines in a profile, before compression */
    size_t output;  /* the same of its samples; both together fit into what the embedded store takes */
    size_t series;  /* distinct label sets, ids of spans left out: each is a series in a store */
    size_t blocks;  /* native memory that is followed */
    /* Of a chunk: */
    size_t entries;  /* of the pool of methods and that of stacks; twice that of symbols, half of any other */
    size_t frames;   /* of one stack: the root's side is cut */
    size_t cached;   /* frames remembered; others are looked up again */
    size_t spans;    /* async-profiler's spans */
    size_t names;    /* bytes of names that had to be changed */
    size_t metadata; /* bytes for the descriptions of types */
    int64_t cpu_ns;  /* of the thread that converts; 0 = as long as it takes */
    /* Of a setting: */
    size_t event_name; /* bytes of what it says is sampled */
};
extern const struct conversion_limits conversion_limits_agent, conversion_limits_files;

/* Why something was left out. */
enum cut_reason {
    CUT_MEMORY, /* no room for the stack or the sample: counted under [other] */
    CUT_LABELS, /* no room for the labels, or too many of them: counted without */
    CUT_FRAMES, /* stacks that were too deep */
    CUT_POOLS,  /* entries of pools: what refers to them is [unknown] */
    CUT_SPANS,
    CUT_TIME, /* events not looked at, as the time was over */
    CUT_REASONS,
};
extern const struct cut_reason_def {
    const char *name; /* a metric's label */
    const char *text; /* behind a number: "events without a stack of their own: …" */
} cut_reasons[CUT_REASONS];
struct cut_count {
    uint64_t count;
};
