/* A command's requests to a running agent over HTTP. Synchronous: runs the loop until the answer is there. */
#pragma once

#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/err.h"

#define AGENT_CLIENT_URL "http://127.0.0.1:12345"

/* The body of a GET below `base` ("http://host:port", an optional path, user:password@ for basic authentication).
 * -ECONNREFUSED when nobody listens there; -EACCES for 401 and 403; -EBADMSG for any other status than 200. Errors name
 * the URL without its secrets. */
must_check int agent_client_get(uv_loop_t *loop, const char *base, const char *path, struct buf *body, struct err *err);
