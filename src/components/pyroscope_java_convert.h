/* Converts chunks to profiles on workers: one queue per user, one stream per JVM.
 *
 * A stream is ordered: its chunks are added to one interval of a conversion (parser/parser_interval.h) until it ends,
 * then the profiles of the interval are delivered on the loop. Streams share one or two workers, so that memory does
 * not grow with the number of JVMs. Waiting chunks are limited to JAVA_CONVERT_BYTES; beyond that the oldest waiting
 * chunk of the user with the most bytes is dropped and counted, so that sampling and tailing never wait for
 * conversions, and no user loses chunks because of another.
 *
 * Recordings are untrusted, and one user must not delay another. Users are scheduled round-robin, job by job. While
 * others wait, a user has at most one worker, and none after using more than JAVA_CONVERT_CPU percent of a CPU over
 * JAVA_CONVERT_CPU_S seconds. A single user has all resources. Time and memory of one job: pprof/limits.h.
 *
 * Loop thread only; a worker runs a step of a conversion in a parser process, and waits for it. While no process can
 * be had, all wait.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/metric.h"
#include "convert/message.h"
#include "flow/receiver.h"
#include "jfr/shared_chunk.h"
#include "parser/parser_pool.h"

enum { JAVA_CONVERT_BYTES = 16 << 20, JAVA_CONVERT_JOBS = 4096 };
enum { JAVA_CONVERT_CPU = 25, JAVA_CONVERT_CPU_S = 60 };
/* Distinct label sets of samples that one JVM may have in an hour: each is a series in a store. Further samples have
 * none. */
enum { JAVA_CONVERT_SERIES = 2000 };

/* What recordings had too much of, by reason (pprof/limits.h). */
extern struct metric_family conversion_cut_total;
/* Parser processes that ended, by reason (parser/parser_interval.h). */

struct java_converter;
struct java_stream;

struct java_stream_events {
    /* One profile of an interval, and what it is; both are borrowed. */
    void (*profile)(void *arg, const struct convert_profile *meta, struct encoded_profile *p);
    /* A chunk, or a whole interval, was refused: why. */
    void (*refused)(void *arg, const char *why);
    /* May be NULL. A chunk, or all that waited, was given up before it was converted: why. */
    void (*lost)(void *arg, const char *why);
    /* What of an interval was left out, a sentence: as soon as there is something, and at its end; "" = nothing. */
    void (*cut)(void *arg, const char *what);
    /* May be NULL. The profiles of an interval were delivered, once per interval that a chunk ended. `whole`: of all
     * its chunks. */
    void (*finished)(void *arg, bool whole);
    /* A recording of this stream ended parser processes: how the last one did, and how many chunks were set aside for
     * it. May be NULL. */
    void (*parser_ended)(void *arg, const char *how, unsigned set_aside);
    /* CPU time that a parser process took for this stream. May be NULL. */
    void (*used)(void *arg, int64_t cpu_ns);
    /* After java_stream_end(): all is handed out and the stream is freed. */
    void (*ended)(void *arg);
};

struct java_converter *java_converter_new(uv_loop_t *loop, struct parser_pool *parsers);
/* Only when all its streams have ended. */
void java_converter_free(struct java_converter *c);
/* Gives up all that waits; what a worker has will still arrive. For a stop that ran out of time. */
void java_converter_hurry(struct java_converter *c);

/* Counts CPU time that something else took for that user's JVMs. */
void java_converter_charge(struct java_converter *c, uint64_t user, int64_t cpu_ns);

/* `user` stands for whoever the JVM belongs to. Limits and series of the options are the stream's own. */
struct java_stream *java_stream_new(struct java_converter *c, uint64_t user, const struct convert_options *options,
                                    const struct java_stream_events *events, void *arg);
/* For new settings. What chunks say of themselves wins, so only what they cannot say changes, with the next
 * interval. */
void java_stream_options(struct java_stream *s, const struct convert_options *options);
/* In force, with the settings that chunks told last; borrowed until the stream ends. */
const struct convert_options *java_stream_conversion(const struct java_stream *s);
/* Takes a reference. Without bytes it is the end of the interval and nothing else. */
void java_stream_chunk(struct java_stream *s, struct jfr_chunk *chunk);
/* Ends the interval, too. A stream with nothing in it ends at once, within the call. */
void java_stream_end(struct java_stream *s);
