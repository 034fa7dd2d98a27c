/* The looks of a process table (components/process_table.h), with a worker reading /proc: with 30,000 processes that
 * takes some tenths of a second, in which the loop has other things to do. Loop thread only.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "components/process_table.h"

struct process_watch_job;
struct process_watch {
    uv_loop_t *loop;
    struct process_table table;
    /* What a look found, on the loop: 0, or why /proc could not be read. Then the table is as it was. */
    void (*looked)(void *arg, int code, const struct process_poll *poll, const char *why);
    void *arg;
    struct process_watch_job *job; /* the look at the moment; NULL: none */
};

/* A look, for everything with `all`; `looked` is called once, at once if there is nothing to look for. False, and no
 * look, while the one before has not ended. */
bool process_watch_look(struct process_watch *w, bool all);
/* Forgets all processes, and a look that has not ended: `looked` is not called any more. */
void process_watch_done(struct process_watch *w);
