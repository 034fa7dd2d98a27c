/* What the log says of an endpoint: its failures once when they begin and once when they end, a rejected profile at
 * most once a minute. Times are monotonic nanoseconds, passed by the caller.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "flow/labels.h"

struct write_trouble {
    const char *component_id;
    bool standing; /* a warning stands that recovery must answer */
    int64_t warned_ns, since_ns, rejected_ns;
    uint64_t lost_before; /* profiles, when the trouble began */
    char last_error[ERR_MAX];
    int64_t last_error_s; /* Unix time; 0 = never */
};

void write_trouble_set_error(struct write_trouble *t, const char *reason);
/* Pushes to the endpoint fail with the last error; `lost` profiles so far. */
void write_trouble_begin(struct write_trouble *t, const char *endpoint, uint64_t lost, int64_t now_ns);
void write_trouble_end(struct write_trouble *t, const char *endpoint, uint64_t lost, int64_t now_ns);
/* The server rejects a profile with these labels. */
void write_trouble_rejected(struct write_trouble *t, const char *endpoint, const struct labels *labels, int64_t now_ns);
