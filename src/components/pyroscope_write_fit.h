/* Makes a profile fit the limits of a server that rejected it: fewer labels, shorter values, several smaller profiles.
 *
 * What is left out or split is counted in smolder_adapted_profiles_total{change}.
 */
#pragma once

#include <uv.h>

#include "flow/receiver.h"
#include "pyroscope/push_verdict.h"

/* Labels within the limit, a new reference; NULL where the limit is not about labels or they are within it. Of too many
 * labels those that identify a profile stay: name, service, namespace, pod, container and host first, then by name. */
struct labels *write_fit_labels(const struct labels *labels, struct push_limit limit);

/* Parts of a profile, each with one reference and an ID made of that of the whole. `lost` samples exceed the limit by
 * themselves. None: it cannot be split any further, see `reason`. */
struct write_fit_parts {
    struct encoded_profile **items;
    size_t len, lost;
    const char *reason;
};
typedef void write_fit_done(void *arg, const struct write_fit_parts *parts);

struct write_fit;
/* Splits in a worker; `done` is called once, later, unless it is cancelled. The parts are the callee's. */
struct write_fit *write_fit_start(uv_loop_t *loop, struct encoded_profile *p, struct push_limit limit,
                                  write_fit_done *done, void *arg);
void write_fit_cancel(struct write_fit *f);
