/* pyroscope.write: pushes the profiles it receives to any number of Pyroscope servers.
 *
 * Exports `receiver`, the same object for the component's whole life, so that an update needs nothing of those who send to it. Each
 * endpoint has its own queue and its own back-off (pyroscope_write_sender.h); one that stays across an update keeps both. On stop each
 * makes one attempt for what it has, all together within 4 s. Without endpoints profiles are accepted and discarded.
 *
 * Source: spec components §4.1-4.5.
 */
#pragma once

#include "graph/component.h"

extern const struct component_def pyroscope_write;
