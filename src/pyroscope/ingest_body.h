/* Bodies of /ingest, Pyroscope's older way to push: collapsed stacks, pprof and JFR, turned into a push in a parser
 * process.
 *
 * The head of the one item is this, the labels of the request as a text (name NUL value NUL …), and the Content-Type.
 * The answer is a push.v1.PushRequest in plain protobuf, which push_message_decode() reads in place. Source: spec
 * store-query §2.2.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "parser/parser_service.h"

enum ingest_format { INGEST_FOLDED, INGEST_LINES, INGEST_PPROF, INGEST_JFR };

struct ingest_how {
    enum ingest_format format;
    bool gzip;                 /* the whole body */
    int64_t from_ns, until_ns; /* of the profile, where its bytes do not say */
    uint32_t sample_rate;      /* samples per second */
    uint32_t type;             /* of stacks, by ingest_type_of() */
    uint32_t labels_size;
};

/* The type of stacks after which an application is named, "cpu" of "shop.cpu"; CPU time where there is no dot. -EINVAL:
 * unknown. */
must_check int ingest_type_of(struct str application, uint32_t *ret, struct str *service, struct err *err);

/* Bytes of a body when inflated. */
enum { INGEST_INFLATED_MAX = 128 << 20 };
/* -EINVAL, -EBADMSG: cannot be read; -EMSGSIZE, -E2BIG: too large. */
extern const struct parser_service ingest_body_service;
