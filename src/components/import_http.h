/* import.http: a module from a web server, asked for again every poll_frequency.
 *
 * The program does not wait for the first answer: what needs the module starts when it arrives. An answer that fails leaves the module
 * as it was and makes the import unhealthy; as long as nothing has arrived, it is asked for more often. Source: spec alloy-language
 * §6.8.
 */
#pragma once

#include "graph/component.h"

extern const struct component_def import_http;
