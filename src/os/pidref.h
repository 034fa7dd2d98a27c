/* A process, identified by PID and start time.
 *
 * A PID is reused; (PID, start time) is not. A pidfd and an open /proc/PID directory keep referring to the same process
 * after it has exited: reads through them return its own data or an error.
 *
 * Thread: any, one owner. Source: proc(5) stat field 22, pidfd_open(2).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

struct pidref {
    pid_t pid;           /* as this process sees it */
    int fd;              /* pidfd, -1 when empty; owned */
    int proc;            /* /proc/PID, O_PATH; owned */
    uint64_t start_time; /* clock ticks since boot */
};

#define PIDREF_INIT ((struct pidref){.fd = -1, .proc = -1})

/* Opens `pid`, which must have started at `start_time` (0: whenever). -ESRCH when there is no such process. */
must_check int pidref_open(pid_t pid, uint64_t start_time, struct pidref *ret, struct err *err);

/* As that, of one that may have ended, as long as its PID is still its own: a zombie. -ESRCH when it is not. */
must_check int pidref_open_ended(pid_t pid, uint64_t start_time, struct pidref *ret);

/* False once it ended, reaped or not. */
bool pidref_alive(const struct pidref *p);

/* Sends `sig` to exactly this process; -ESRCH once it is gone. */
must_check int pidref_kill(const struct pidref *p, int sig, struct err *err);

/* Opens /proc/PID/NAME; links are followed to what they name. Returns the descriptor or a negative errno. */
int pidref_openat(const struct pidref *p, const char *name, int flags);

/* Appends what /proc/PID/NAME holds, up to what the buffer may still grow by; *whole (may be NULL) says whether that
 * was all. */
must_check int pidref_read(const struct pidref *p, const char *name, struct buf *out, bool *whole, struct err *err);

/* The text of link /proc/PID/NAME, cut at `size` - 1. Returns its length or a negative errno. */
ssize_t pidref_readlink(const struct pidref *p, const char *name, char *ret, size_t size);

/* 'R', 'S', 'T' … of the main thread; 0 when it is gone. */
char pidref_state(const struct pidref *p);

/* Closes and empties; an empty one is fine. */
void pidref_done(struct pidref *p);
#define cleanup_pidref __attribute__((cleanup(pidref_done)))
