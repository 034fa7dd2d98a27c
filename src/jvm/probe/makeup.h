/* What a JVM is made of, so that the next one like it is known: whose it is, its program, its main class and its build.
 *
 * A JVM that an attach killed is started again by whoever runs it, with another pid, in a container with another mount; what stays the
 * same is this. The user belongs to it so that nobody can spoil another user's. All text is printable and bounded.
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
