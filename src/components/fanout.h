/* Passing profiles on to the receivers in a component's `forward_to`, with the reference's metrics
 * pyroscope_fanout_latency and pyroscope_forwarded_entries_total.
 */
#pragma once

#include "flow/receiver.h"

struct fanout {
    char *component_path;
    const char *component_id; /* in the memory of the id it was made with */
};

/* `component_id` is borrowed as long as the fanout lives. */
void fanout_init(struct fanout *f, const char *component_id);
/* To all of `to`; everything is borrowed. */
void fanout_send(const struct fanout *f, const struct receivers *to, const struct labels *labels,
                 struct encoded_profile *p);
void fanout_done(struct fanout *f);
