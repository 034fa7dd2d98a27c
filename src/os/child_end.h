/* Ends a child of this process, and says how it ended. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child_end {
    int status;     /* of waitpid(2), if it ended by itself; 0 = it was killed here */
    int64_t cpu_ns; /* of its whole life */
};

/* Kills the child unless it has ended, and waits for it. `closed`: its socket ended, so it is about to end by itself
 * most likely, and may do so for CHILD_END_MS. Only for children that nothing in the kernel can hold up. */
enum { CHILD_END_MS = 200 };
struct child_end child_end(pid_t pid, bool closed);
