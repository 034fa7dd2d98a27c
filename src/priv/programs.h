/* Programs that the guard starts for the main process, which has given up the privileges that they need to put
 * themselves into a sandbox. For callers there are priv_program_start() and priv_program_end(); the rest is private to
 * this folder.
 *
 * The table is passed before the fork; a request is one byte, the number of a program and what to do with it, so the
 * guard parses nothing. Of each program one runs at a time, as this program's own file (os/self_exec.h).
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "os/child_end.h"

/* A program that the guard executes when asked: this program's own file with these arguments, and its end of a socket
 * as descriptor `sock`. It starts with the privileges of the guard, and has to give them up. */
struct priv_program {
    char *const *argv; /* NULL: the end of the table */
    int sock;
};
enum { PRIV_PROGRAMS_MAX = 8 };

/* ---- the guard ---- */

struct programs_server {
    int sock;
    const struct priv_program *table; /* NULL: none */
    pid_t running[PRIV_PROGRAMS_MAX]; /* 0 = none */
};
/* Answers one request. False at the end of the socket. */
bool programs_serve(struct programs_server *s);
/* Waits for all; what they work for has ended. */
void programs_wait(struct programs_server *s);

/* ---- the main process; any thread, blocks ---- */

struct programs_client {
    pthread_mutex_t lock;
    int sock; /* owned; -1 = the guard is gone */
};
must_check int programs_start(struct programs_client *c, unsigned number, int *sock, pid_t *pid, struct err *err);
must_check int programs_end(struct programs_client *c, unsigned number, bool closed, struct child_end *ret);
