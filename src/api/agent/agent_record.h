/* Recordings over HTTP: a client receives the JFR chunks of a JVM that the agent profiles, for a while.
 *
 *     GET  /api/v0/record?pid=&start_time=&seconds=[&events=][&token=]
 *     POST /api/v0/record/stop?token=          the recording with that token ends now, with what is there
 *
 * The answer is a JFR recording of unknown length. It begins where the chunk that is written at the request ends, and
 * ends with the chunk that contains the end of the time; both chunks are closed early, which costs the JVM no sample.
 * 404: the agent does not profile the process; 409: not at the moment, or not with these events; 503: too many
 * recordings. A client that reads too slowly is disconnected. Loop thread.
 */
#pragma once

#include <uv.h>

#include "graph/controller.h"
#include "net/server.h"

enum { AGENT_RECORDINGS = 4, AGENT_RECORD_MAX_S = 24 * 3600 };

struct agent_record;

struct agent_record *agent_record_new(uv_loop_t *loop, struct controller *c);
void agent_record_start(struct agent_record *r, struct request *rq);
void agent_record_stop(struct agent_record *r, struct request *rq);
/* Ends all recordings. NULL is fine. */
void agent_record_free(struct agent_record *r);
