/* Profiles in OpenTelemetry's format: one ProfilesData message with a dictionary that all of them share.
 *
 * A profile there has one sample type, so that one of ours becomes as many as it has types. Labels become attributes of
 * samples ("thread" as thread.name), the kind of a frame one of its location (profile.frame.type: jvm, native, kernel).
 * Entry 0 of each table stands for nothing. Source: opentelemetry-proto 1.9 to 1.10,
 * opentelemetry/proto/profiles/v1development/profiles.proto, which is not stable yet.
 */
#pragma once

#include "base/buf.h"
#include "pprof/profile.h"

struct otlp_profile {
    const struct profile *p;
    int column; /* the sample type; -1 = each */
};

/* Appends; all profiles have the same symbols, which get what names are missing. buf_ok() tells whether out->max, the
 * room of symbols and memory did. */
void otlp_encode(const struct otlp_profile *profiles, size_t n, struct buf *out);
