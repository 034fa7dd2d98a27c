/* One recording of a JVM for a while, taken from the component that profiles it (flow/jvm_record.h).
 *
 * It begins where the chunk that is written at the call ends, and ends with the chunk that contains the end of the
 * time; both are closed early, which costs the JVM no sample. One that cannot be closed early ends by itself within a
 * minute. Loop thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "graph/controller.h"
#include "net/server_request.h"

struct jfr_chunk;
struct agent_take;

struct agent_take_request {
    pid_t pid;
    uint64_t start_time, seconds;
    const char *events; /* names that must be sampled, separated by commas: "itimer,alloc"; NULL = any */
};

struct agent_take_events {
    void (*begun)(void *arg); /* what is sampled from now on is in the recording; may be NULL */
    /* The next chunk. False: nothing more is wanted; `over` comes within the call. */
    bool (*chunk)(void *arg, struct jfr_chunk *c);
    /* It is over: complete, or the JVM ended. To be freed by whoever took it. */
    void (*over)(void *arg);
};

/* From the parameters pid, start_time, seconds (at most `seconds_max`) and events, which are borrowed from the request.
 * False: replied with 400. */
must_check bool agent_take_read(struct request *rq, uint64_t seconds_max, struct agent_take_request *ret);
/* Replies with what an error of agent_take_new() means: 404 or 409. */
void agent_take_refuse(struct request *rq, int code, const struct err *err);

/* -ENOENT: no component profiles that process; -EAGAIN: not at the moment, or not
 * with these events. The error says so for people. `events` outlives it. */
must_check int agent_take_new(uv_loop_t *loop, struct controller *c, const struct agent_take_request *rq,
                              const struct agent_take_events *events, void *arg, struct agent_take **ret,
                              struct err *err);
/* How the component converts its chunks, while it is not over. */
const struct convert_options *agent_take_conversion(const struct agent_take *t);
/* Ends now, with what is there: `over` comes after the last chunk. */
void agent_take_finish(struct agent_take *t);
/* At any time; without `over`. NULL is fine. */
void agent_take_free(struct agent_take *t);
