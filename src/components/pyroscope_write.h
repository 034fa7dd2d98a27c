/* pyroscope.write: pushes received profiles to any number of Pyroscope servers.
 *
 * Exports `receiver`, the same object for the life of the component, so that an update does not affect senders. Each
 * endpoint has its own queue and backoff (pyroscope_write_sender.h); endpoints that remain in an update keep both. On
 * stop, each endpoint makes one attempt for its queue, within 4 s in total. Without endpoints profiles are accepted and
 * discarded.
 *
 * Source: spec components §4.1-4.5.
 */
#pragma once

#include "graph/component.h"

extern const struct component_def pyroscope_write;
