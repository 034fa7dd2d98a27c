/* import.file: a module from a file, or from the *.alloy files of a directory.
 *
 * A load reads it synchronously; later changes are read by a worker, 30 ms after an inotify event and at every
 * poll_frequency, for file systems without events. If a file is unreadable, the previous module stays in use and the
 * import is unhealthy.
 * Source: spec alloy-language §6.8.
 */
#pragma once

#include "graph/component.h"

extern const struct component_def import_file;
