/* HotSpot's perf data: the file /tmp/hsperfdata_<user>/<pid>, mapped and written by the JVM.
 *
 * Format: HotSpot share/runtime/perfMemory.hpp (version 2.0): a prologue, then entries with a NUL-terminated name and,
 * here, a string. Untrusted: bounds-checked, and used for decisions about that JVM only.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/str.h"

/* The string counter `name` ("sun.rt.jvmCapabilities"), without its NUL padding; false when it is not there. Borrowed
 * from `bytes`. */
bool perfdata_string(struct str bytes, const char *name, struct str *ret);

/* Appends the file of process `ns_pid`, owned by `euid`, beneath `root`. False when there is none
 * (-XX:-UsePerfData). */
bool perfdata_read(int root, pid_t ns_pid, uid_t euid, struct buf *out);
