/* import.file: a module from a file, or from all *.alloy files directly inside a directory.
 *
 * A load reads it at once; later changes are read by a worker, 30 ms after inotify tells of one, and every poll_frequency in case it
 * does not (network file systems, a full table of watches). Unreadable files leave the module as it was and make the import unhealthy.
 * Source: spec alloy-language §6.8.
 */
#pragma once

#include "graph/component.h"

extern const struct component_def import_file;
