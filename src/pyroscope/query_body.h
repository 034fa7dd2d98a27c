/* Bodies of queries that are more than lengths and bytes, gzip or JSON: unpacked and decoded in a parser process.
 *
 * The answer is the same request in plain protobuf, which query_request_read() reads in place; so it reads what a
 * client sends without these, too.
 */
#pragma once

#include <stdint.h>

#include "parser/parser_service.h"
#include "pyroscope/connect.h"

/* The head of the one item of a request. */
struct query_body {
    enum connect_codec codec;
    bool gzip;
    uint32_t call; /* pyroscope/query_messages.h */
};

/* -EINVAL, -EMSGSIZE, -EBADMSG: as of pushes (pyroscope/push_body.h). */
extern const struct parser_service query_body_service;
