/* Profiles of OpenTelemetry (OTLP), turned into a push in a parser process.
 *
 * The head of the one item is this; its bytes are an ExportProfilesServiceRequest of v1development. The answer is a
 * push.v1.PushRequest in plain protobuf, which push_message_decode() reads in place: a series for each profile, for one
 * there has one sample type. Attributes of resource and scope become labels, those of samples that are text labels of
 * samples, and the link of a sample the labels span_id and trace_id. Source: spec store-query §2.3.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "parser/parser_service.h"

struct otlp_body {
    bool json, gzip;
    int64_t now_ns; /* of a profile without time */
};

/* -EINVAL: cannot be read; -EMSGSIZE, -E2BIG: too large. Profiles without samples are left out; the answer is empty
 * where nothing is left. */
extern const struct parser_service otlp_body_service;
