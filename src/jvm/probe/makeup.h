/* The identity of a JVM across restarts: its user, program, main class and build.
 *
 * A JVM that died after an attach is usually restarted, with another PID and, in a container, another mount; these
 * properties stay the same. The user is included so that no user can affect another. All text is printable and limited.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "jvm/probe/builds.h"
#include "jvm/probe/view.h"

enum { MAKEUP_KEY_SIZE = 33, MAKEUP_PATH_MAX = 192, MAKEUP_MAIN_MAX = 128 };

struct jvm_makeup {
    char
        key[MAKEUP_KEY_SIZE]; /* 32 hexadecimal digits of all that follows and of the program's inode; "" = not known */
    uint32_t uid;             /* its effective user, as this process sees it */
    char exe[MAKEUP_PATH_MAX];
    char main[MAKEUP_MAIN_MAX]; /* main class, or the jar's name */
    char build[JVM_VERSION_MAX];
};

/* All but the build, from what /proc/PID said; an unknown part is "". The key is made by makeup_seal(). */
void makeup_read(const struct jvm_view *v, struct jvm_makeup *ret);
void makeup_seal(struct jvm_makeup *m, const struct jvm_build *build);
