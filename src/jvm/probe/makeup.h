/* The identity of a workload across restarts of its JVM: its user, program, main class, arguments and build, and the
 * profiler.
 *
 * A JVM that died after an attach is usually restarted, with another PID and, in a container, another mount; these
 * properties stay the same. In arguments every number counts as the same one, and so does every identifier that
 * contains digits (a port, an executor's number, a UUID), since a restart changes them. The user is included so that no
 * user can affect another; build and profiler, so that an upgrade of either makes it another workload. All text is
 * printable and limited.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "jvm/probe/builds.h"
#include "jvm/probe/view.h"

enum { MAKEUP_KEY_SIZE = 33, MAKEUP_PATH_MAX = 192, MAKEUP_MAIN_MAX = 128, MAKEUP_PROFILER_SIZE = 13 };

struct jvm_makeup {
    char
        key[MAKEUP_KEY_SIZE]; /* 32 hexadecimal digits of all that follows and of the program's inode; "" = not known */
    uint32_t uid;             /* its effective user, as this process sees it */
    char exe[MAKEUP_PATH_MAX];
    char main[MAKEUP_MAIN_MAX]; /* main class, or the jar's name */
    char build[JVM_VERSION_MAX];
    char profiler[MAKEUP_PROFILER_SIZE]; /* the first digits of its library's SHA-1; "" = not known */
};

/* All but the last two, from what /proc/PID said; an unknown part is "". The key is made by makeup_seal(). */
void makeup_read(const struct jvm_view *v, struct jvm_makeup *ret);
/* `profiler`: the library's SHA-1 in hexadecimal digits. */
void makeup_seal(struct jvm_makeup *m, const struct jvm_build *build, struct str profiler);

/* Appends arguments as they are compared (NUL after each, as in /proc/PID/cmdline): every run of letters and digits
 * that contains a digit, or consists of four or more hexadecimal digits, is "0". */
void makeup_arguments(struct str cmdline, struct buf *out);
