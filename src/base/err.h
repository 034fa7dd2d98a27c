/* Error code and message.
 *
 * A fallible function returns 0 or a negative errno. If the failure is reported to a user, it also takes a `struct err
 * *` as its last argument and fills it once, where the failure is detected. Callers prepend context with err_wrap() and
 * pass the code on. Only the top of the program logs.
 *
 * Ownership: the caller's memory, no heap; safe to copy. Text longer than ERR_MAX is truncated.
 */
#pragma once

enum { ERR_MAX = 512 };

struct err {
    int code;           /* negative errno; 0 = nothing happened */
    char text[ERR_MAX]; /* "open /proc/7/maps: Permission denied" */
};

#define must_check        __attribute__((warn_unused_result))
#define printf_like(f, a) __attribute__((format(printf, f, a)))

/* Records the failure and returns `code`, so that raising is one line. `e` may be NULL. */
int err_set(struct err *e, int code, const char *fmt, ...) printf_like(3, 4);

/* As err_set with ": <strerror>" appended and the current errno as the code. */
int err_errno(struct err *e, const char *fmt, ...) printf_like(2, 3);

/* Puts "<what the caller was doing>: " in front of what is recorded; returns `code`. */
int err_wrap(struct err *e, int code, const char *fmt, ...) printf_like(3, 4);
