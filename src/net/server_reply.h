/* Requests and replies, from the side of the server: their life, and the hand-over to libmicrohttpd. The handlers' side
 * is net/server_request.h. */
#pragma once

#include "net/server_state.h"

void request_release_body(struct request *rq);
void request_free(struct request *rq);
/* The handler still has it; its reply will be discarded. */
void request_orphan(struct request *rq);
/* Answers with rq->refusal. */
void request_refuse(struct request *rq);
/* Passes the response to libmicrohttpd, in its callback. */
void request_send(struct request *rq);
/* Something to send, or the end: the connection is resumed. */
void stream_wake(struct reply_stream *s);
