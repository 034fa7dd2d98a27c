/* The receivers of a component's `forward_to`, with the reference's metrics pyroscope_fanout_latency and
 * pyroscope_forwarded_entries_total.
 */
#pragma once

#include "flow/receiver.h"

struct fanout {
    struct receivers to;
    char *component_path;
    const char *component_id; /* in the memory of the id it was made with */
};

/* `component_id` is borrowed as long as the fanout lives. */
void fanout_init(struct fanout *f, const char *component_id);
/* From now on to these; takes references of its own. */
void fanout_set(struct fanout *f, const struct receivers *to);
/* To all of them; labels and profile are borrowed. */
void fanout_send(const struct fanout *f, const struct labels *labels, struct encoded_profile *p);
void fanout_done(struct fanout *f);
