/* The recordings of a session: read chunk by chunk, grouped into intervals.
 *
 * The current recording is the last one; earlier ones are drained first. Every read is a step in a child of the helper
 * (jvm/operation/reading.h); none is made if size and timestamps show that nothing was written. An interval is
 * complete when its chunks, by their headers, span it.
 *
 * Headers and the amount of data are under the target's control. So reading is limited to INTAKE_RATE with a burst of
 * INTAKE_BURST; at most INTAKE_BACKLOG remains on disk; and intervals end no faster than the clock of this process,
 * after at most as many at once as the recording of an earlier agent can hold.
 *
 * Loop thread only. Metrics: smolder_chunks_total{result} and smolder_jfr_bytes_total.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/metric.h"
#include "jvm/operation/reading.h"
#include "jvm/operation/recording.h"
#include "priv/priv.h"

/* Recordings at a time: the current one, and earlier ones not yet drained. */
enum { INTAKE_FILES = 4 };
/* Bytes: a second, at once, and unread. The profiler at its busiest closes 4 MB now and then. */
enum { INTAKE_RATE = 8 << 20, INTAKE_BURST = 64 << 20, INTAKE_BACKLOG = 256 << 20 };

struct intake_events {
    /* One finished chunk: to be kept by a reference. One without bytes only ends the interval: the chunks handed out
     * so far are all there will be of it. */
    void (*chunk)(void *arg, struct jfr_chunk *c);
    /* Of the running profiler, before it is handed out. */
    void (*live)(void *arg, const struct jfr_chunk *c);
    /* The current recording came to nothing: why. */
    void (*damaged)(void *arg, const char *why);
    /* A step was taken: there may be more, or nothing be left. */
    void (*turn)(void *arg);
    /* May be NULL. A chunk, or the rest of a recording, was counted as lost: why. */
    void (*lost)(void *arg, const char *why);
};

struct intake_file {
    struct recording recording;
    unsigned number;    /* for an answer that comes late */
    bool ended;         /* its writer is done */
    bool ends_interval; /* what follows was taken with other settings */
    bool find_first;
    bool looked; /* it was as the next two say when it was looked at */
    int64_t seen_size;
    struct timespec seen_time;
};

struct intake {
    struct priv *priv;
    uint64_t user;
    const struct intake_events *events;
    void *arg;
    int64_t interval_ns, first_ns, roll_ns; /* set by the owner, at any time */
    bool first_cut;                         /* the early first interval is done */

    struct intake_file files[INTAKE_FILES]; /* oldest first; the last one is written to unless ended */
    size_t file_count;
    unsigned last_number, reading_number;
    bool reading;
    unsigned unanswered; /* steps in a row */
    uint64_t call;
    bool hurry;         /* set by the owner when the end is near: a backlog is read without pauses */
    int64_t pace_at;    /* when the next chunk of a backlog is read; 0 = there is none */
    int64_t read_clock; /* when all that was read would have been, at INTAKE_RATE */

    bool open;                       /* chunks were handed out since the last interval ended */
    int64_t start_ns, end_ns, began; /* of the interval: by chunk headers; by our own clock */
    int64_t interval_clock;          /* when all intervals that ended would have, at the least time each may take */
};

void intake_init(struct intake *in, struct priv *priv, uint64_t user, const struct intake_events *events, void *arg);
/* A new current recording; those before it are over. Takes the descriptor. `other`: it is taken with other settings. */
void intake_add(struct intake *in, int fd, bool other);
/* An earlier agent's recording, or our own whose fate was unknown: it was stopped, so what is in it is complete.
 * Takes the descriptor. */
void intake_adopt(struct intake *in, int fd);
/* Nobody writes any more. */
void intake_end(struct intake *in);
/* Takes a step, if one may help: with the current recording when `due`, when the rest of a backlog is, or always with
 * those before it. True while one is under way, or more are to follow. */
bool intake_poll(struct intake *in, bool due);
/* How long until a poll that was put off, in nanoseconds; 0 = none is. */
int64_t intake_delay_ns(const struct intake *in);
/* Lets whoever finds the recordings' session running take it over: this agent, or the next. */
void intake_release(const struct intake *in);
/* What is unread is lost, and an open interval ends. */
void intake_close(struct intake *in);
/* The length of the current interval. */
int64_t intake_target_ns(const struct intake *in);

/* smolder_chunks_total{result}: "read" (handed out), "dropped" (too big, or too many), "broken" (not a recording),
 * "unfinished" (lost with its JVM) are counted here; "refused" by who converts. */
extern struct metric_family jvm_chunks_total;
