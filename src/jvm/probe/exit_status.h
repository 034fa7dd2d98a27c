/* How a process ended that is not a child: its wait status, as wait(2) has it.
 *
 * A zombie has it in /proc/PID/stat for those who may trace it; its parent may fetch it at any time. Afterwards its
 * pidfd has it, on Linux 6.15 and newer. So a child of the helper reads it (jvm/operation/ending.h), and the main
 * process what it may. Source: proc(5) stat field 52; linux/pidfd.h, PIDFD_GET_INFO.
 */
#pragma once

#include <stdbool.h>

#include "os/pidref.h"

/* False when nobody tells. */
must_check bool exit_status_of(const struct pidref *p, int *ret);
