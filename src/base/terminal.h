/* Untrusted text on a terminal.
 *
 * Escape sequences in a method, thread or file name could move the cursor, overwrite output, set the title or inject
 * input. Therefore everything written to a terminal has its control characters, except tab and line end, escaped byte
 * by byte as \xHH: those of the log (rune_is_control()), the raw bytes 0x80 to 0x9f, which some terminals interpret,
 * and invalid UTF-8. Pipes and files receive the bytes unchanged.
 */
#pragma once

#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { TERMINAL_ESCAPE = 4 /* cells of a byte that is spelt out */ };

/* The bytes of the character that `text`, not empty, begins with; *fit: a terminal may have it. What is no UTF-8 is one
 * byte. */
size_t terminal_character(struct str text, bool *fit);
/* Appends the text as a terminal may have it. */
void terminal_escape(struct str text, struct buf *out);

/* Writes all of it, escaped if `fd` is a terminal. -errno of write(2), -ENOMEM. */
must_check int terminal_write(int fd, struct str text);
/* fprintf() for what holds foreign text: escaped if `to` is a terminal. For messages, which nobody reads the status
 * of. */
void terminal_printf(FILE *to, const char *fmt, ...) printf_like(2, 3);
