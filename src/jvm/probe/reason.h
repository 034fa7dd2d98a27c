/* The state of a JVM and the reason for it: one table, which the component's JSON, the page, metrics, commands and
 * docs/troubleshooting.md use.
 *
 * A reason is a sentence, written where the cause is detected. Its row in the table adds what programs and people need
 * besides: a code, which is never renamed, the state, and a remedy. The row is found by the text that the sentence
 * contains, so that a sentence has the same code in a session, in a command, and in a log that is read later.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum jvm_state {
    JVM_STATE_WAITING,     /* for something that comes by itself, or for the first attach */
    JVM_STATE_ATTACHING,   /* an attach is under way */
    JVM_STATE_PROFILING,   /* and nothing is missing */
    JVM_STATE_DEGRADED,    /* profiling, but something is missing or wrong: the reason names it */
    JVM_STATE_BACKING_OFF, /* failed; it is retried with increasing delays */
    JVM_STATE_REFUSED,     /* not profiled until somebody changes the JVM, its container or the configuration */
    JVM_STATE_GONE,        /* the process ended, or is no target any more */
};
enum { JVM_STATE_COUNT = JVM_STATE_GONE + 1 };

const char *jvm_state_name(enum jvm_state s);    /* "waiting", …, "backing_off", …: stable */
const char *jvm_state_meaning(enum jvm_state s); /* a sentence, for documentation */

enum { JVM_REASON_MATCHES = 4 };

struct jvm_reason {
    const char *code; /* stable identifier: "attach_disabled" */
    /* Of a JVM that is not profiled for this reason; JVM_STATE_DEGRADED: the row is for those that are profiled. */
    enum jvm_state state;
    /* The sentence contains one of these; NULL = unused. None: the row stands for a state without a sentence. */
    const char *match[JVM_REASON_MATCHES];
    const char *cause, *remedy; /* Markdown without a final period */
};

/* All rows, in the order in which they are tried. */
extern const struct jvm_reason jvm_reasons[];
extern const size_t jvm_reason_count;

/* The row of a sentence: never NULL. A sentence without a row has the code "other". An empty sentence has the row of
 * `state`: "queued", "attaching", "ok", …. */
const struct jvm_reason *jvm_reason_of(enum jvm_state state, const char *sentence);

/* The state of a JVM that is not profiled for this reason. */
enum jvm_state jvm_state_of_reason(const char *sentence);
