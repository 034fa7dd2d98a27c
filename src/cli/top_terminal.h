/* The terminal while smolder top has it: keys as they are pressed, the alternate screen, no cursor.
 *
 * However the program ends, the terminal is as it was: the signals that end a program by default are handled, those of
 * crashes included; SIGKILL is the one exception, and leaves the terminal to `reset`. A suspended program gives it back
 * until it goes on. One terminal, loop thread.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "base/err.h"
#include "base/str.h"

enum top_key {
    TOP_KEY_NONE,
    TOP_KEY_UP = 256, /* below: characters */
    TOP_KEY_DOWN,
    TOP_KEY_PAGE_UP,
    TOP_KEY_PAGE_DOWN,
    TOP_KEY_HOME,
    TOP_KEY_ENTER,
    TOP_KEY_BACK, /* Escape, Backspace */
};

struct top_terminal_events {
    void (*key)(void *arg, int key);   /* a character, or one of the above */
    void (*resized)(void *arg);        /* the frame is to be drawn anew */
    void (*ended)(void *arg, int why); /* a signal, or 0: the terminal is gone */
    void *arg;
};

/* Standard input and output are a terminal that can do this. */
bool top_terminal_is_one(void);
/* Takes it. Events come from the loop. */
must_check int top_terminal_open(uv_loop_t *loop, const struct top_terminal_events *events, struct err *err);
void top_terminal_size(unsigned *columns, unsigned *rows);
/* Writes a frame from the upper left corner on. -errno. */
must_check int top_terminal_draw(struct str frame);
/* Gives it back. Handles are closed by the loop. Nothing happens where it was not opened. */
void top_terminal_close(void);

/* The key that `bytes` begin with; *used: of how many bytes. TOP_KEY_NONE: one that is not known. */
int top_key_read(struct str bytes, size_t *used);
