/* The embedded async-profiler and its documented layout, on the host and beneath a target's root:
 *
 *     <tmp_dir>/grafana-agent-asprof-{glibc,musl}-<SHA1>/bin/asprof
 *     <tmp_dir>/grafana-agent-asprof-{glibc,musl}-<SHA1>/lib/libasyncProfiler.so
 *
 * SHA1 is that of libasyncProfiler.so. One library serves both variants; the names are documented. Files are written
 * atomically; an invalid file of ours is replaced.
 *
 * The host's copy belongs to root and is readable by all. In a target the copy is created with the privileges of the
 * target's user, belongs to that user and is in a directory of mode 0700. JVMs of several users may share a tmp_dir,
 * and the directory name may be taken. So an existing copy is used only if it belongs to root or the user, is not
 * writable by others, and has the right content, all checked through descriptors. Otherwise these names are tried: with
 * the suffix "-<UID>", an earlier one of this user with "-<random>", a new one with "-<random>".
 *
 * Blocking, for a child of the helper. Facts: spec components §1.2, §1.3; jfr-asprof §4.8.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "jvm/attach/sha1.h"
#include "jvm/probe/probe.h"

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

/* The embedded one, or with a `dist` directory its files: bin/asprof and lib/libasyncProfiler.so. Those, and the three
 * directories, must belong to root or this user and be writable by nobody else; only `dist` itself may be a link. */
must_check int asprof_dist_open(const char *dist, struct asprof_dist *ret, struct err *err);
void asprof_dist_done(struct asprof_dist *d);

/* Takes the embedded library for JVMs of `machine` (elf_kind.h) where there is one and `dist` does not replace it: an
 * emulated JVM loads libraries of its own machine. */
void asprof_dist_choose(struct asprof_dist *d, unsigned machine);
#define cleanup_dist __attribute__((cleanup(asprof_dist_done)))

/* Writes the layout on this host for one variant, as the user this process is. `ret` is its directory. */
must_check int asprof_install(const struct asprof_dist *d, const char *tmp_dir, enum jvm_libc libc,
                              char ret[ASPROF_PATH_SIZE], struct err *err);

/* The library beneath a target's root, where this process is the target's user. */
struct asprof_placed {
    char path[ASPROF_PATH_SIZE]; /* as the JVM sees it */
    ino_t inode;                 /* of the file that was checked */
    bool overlay;                /* on a file system whose maps may show another inode than stat(2) */
};
/* `guarded`: only where nobody but root and this user can exchange it (rootfs_guarded()), as it has to be on the host:
 * whoever may write the tmp_dir of a container can harm that container, but local users must not get at each other
 * through us. */
must_check int asprof_place(const struct asprof_dist *d, int root, const char *tmp_dir, enum jvm_libc libc,
                            bool guarded, struct asprof_placed *ret, struct err *err);
/* asprof_place() for a JVM: in tmp_dir or, where that is missing, read-only, noexec or not for its user to write, in
 * the first of /run, /opt, /dev, /var/tmp and its working directory that will do. None of these is made. The error is
 * that of tmp_dir. */
must_check int asprof_place_for(const struct asprof_dist *d, const struct jvm_view *v, const char *tmp_dir,
                                enum jvm_libc libc, struct asprof_placed *ret, struct err *err);
/* Whether asprof_place_for() would find a place: a writable, executable directory with enough space, which `ret` names.
 * Nothing is made. */
must_check int asprof_place_check(const struct asprof_dist *d, const struct jvm_view *v, const char *tmp_dir,
                                  char ret[ASPROF_PATH_SIZE], struct err *err);

/* SHA-1 digits of the library that is mapped in the JVM, whose directory is named by them, or else of the distribution.
 * Borrowed from either. */
struct str asprof_fingerprint(const struct jvm_probe *t, const struct asprof_dist *d);
