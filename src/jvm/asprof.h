/* The embedded async-profiler and the documented layout it is laid out in, on the host and beneath a target's root:
 *
 *     <tmp_dir>/grafana-agent-asprof-{glibc,musl}-<SHA1>/bin/asprof
 *     <tmp_dir>/grafana-agent-asprof-{glibc,musl}-<SHA1>/lib/libasyncProfiler.so
 *
 * SHA1 is that of libasyncProfiler.so. One library serves both variants; the names keep the documented promise. Files are written aside
 * and renamed; a bad file of ours is replaced, and what is not ours (a symlink, another owner, a directory others may write) is refused.
 * Blocking, for a child of the helper. Facts: spec components §1.2, §1.3; jfr-asprof §4.8.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "jvm/sha1.h"
#include "jvm/traits.h"

enum { ASPROF_FILE_MAX = 16 << 20, ASPROF_PATH_SIZE = 512 };

struct asprof_file {
    const uint8_t *p;
    size_t n;
};

struct asprof_dist {
    struct asprof_file library, launcher;
    char sha1[SHA1_HEX_SIZE];
    bool mapped; /* from files, to be unmapped */
};

/* The embedded one, or with a `dist` directory its files: bin/asprof and lib/libasyncProfiler.so. */
must_check int asprof_dist_open(const char *dist, struct asprof_dist *ret, struct err *err);
void asprof_dist_done(struct asprof_dist *d);
#define cleanup_dist __attribute__((cleanup(asprof_dist_done)))

/* Writes the layout on this host for one variant. `ret` is its directory. */
must_check int asprof_install(const struct asprof_dist *d, const char *tmp_dir, enum jvm_libc libc,
                              char ret[ASPROF_PATH_SIZE], struct err *err);

/* Puts the library beneath the root of the JVM with these traits. `ret` is the library's path as the JVM sees it. */
must_check int asprof_place(const struct asprof_dist *d, int root, const char *tmp_dir, const struct jvm_traits *t,
                            char ret[ASPROF_PATH_SIZE], struct err *err);
