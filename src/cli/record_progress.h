/* Progress of `smolder record` on standard error: one line that is rewritten on a terminal, else one line at the start
 * and one at the end; and the signals that end it early. Loop thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "cli/record_spool.h"

enum { RECORD_SIGNALS = 3 };

struct record_progress {
    const char *title; /* "com.example.Shop (4711)"; borrowed */
    int64_t duration_ns;
    bool quiet, terminal;
    const struct spool *spool;
    int64_t began_ns; /* CLOCK_MONOTONIC; 0 = not yet */
    uv_timer_t tick;
    uv_signal_t signals[RECORD_SIGNALS];
    bool interrupted;
    void (*interrupt)(void *arg); /* the first signal */
    void *arg;
};

void record_progress_open(struct record_progress *p, uv_loop_t *loop);
/* Sampling begins. */
void record_progress_begin(struct record_progress *p);
/* The line of the end; handles are closed by the next turn of the loop. */
void record_progress_close(struct record_progress *p);
