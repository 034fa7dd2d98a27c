/* import.http: a module from an HTTP server, polled every poll_frequency.
 *
 * Startup does not wait for the first response: instances of the module start once it arrives. After a failed request
 * the previous module stays in use and the import is unhealthy; before the first success requests are more frequent.
 * Source: spec alloy-language §6.8.
 */
#pragma once

#include "graph/component.h"

extern const struct component_def import_http;
