/* Resource limits of a process (setrlimit(2)) that make an attach or a recording fail, from /proc/PID/limits.
 *
 * In a child of the helper; with the target's privileges or more. Source: fs/proc/base.c (proc_pid_limits).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "os/pidref.h"

/* The soft limit in the row `name` of that text; UINT64_MAX = unlimited. False where there is none. */
bool limits_soft(struct str text, const char *name, uint64_t *ret);

/* Bytes that a file may grow to; false if unlimited or unknown. */
bool limits_file_size(const struct pidref *p, uint64_t *ret);
/* Whether all descriptors it may have are in use: how many, of how many. */
bool limits_no_descriptors(const struct pidref *p, uint64_t *used, uint64_t *ret_max);
