/* Bodies of pushes that are more than lengths and bytes, gzip or JSON: unpacked and decoded in a parser process.
 *
 * The answer is the same request in plain protobuf, which push_message_decode() reads in place. So it reads what a
 * client sends without these, too, and needs to believe nothing of it: fields are within their message, or it is
 * refused.
 */
#pragma once

#include "parser/parser_service.h"
#include "pyroscope/connect.h"

/* The head of the one item of a request. */
struct push_body {
    enum connect_codec codec;
    bool gzip;
};

/* -EINVAL, -EMSGSIZE, -EBADMSG: with the messages of the reference. */
extern const struct parser_service push_body_service;
