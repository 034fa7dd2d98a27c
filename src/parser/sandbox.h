/* Takes everything from this process that parsing does not need, before the first untrusted byte arrives.
 *
 * In this order: namespaces of its own (network, IPC, host name), an empty root directory, a user of its own with no
 * group and no capability, no_new_privs, closed to ptrace(2), an end with its parent, limits of resources, Landlock
 * without a rule (no path; from ABI 4 no TCP port, from 6 no signal and no abstract socket outside), libraries it does
 * not call unmapped, and the list of system calls (parser/syscall_filter.h). Each layer is independent of the others;
 * what cannot be had is returned, and the rest still applies: an ordinary user has no other user, and namespaces and an
 * empty root only where the kernel permits user namespaces; a kernel before 5.13 has no Landlock.
 *
 * Must be called in a program that was just executed: one thread, no memory of another process.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum sandbox_layer {
    SANDBOX_USER,     /* a UID that nobody else has */
    SANDBOX_RIGHTS,   /* no capabilities, no_new_privs, not dumpable */
    SANDBOX_NETWORK,  /* network, IPC and UTS namespace */
    SANDBOX_ROOT,     /* chroot into an empty directory */
    SANDBOX_LANDLOCK, /* no path */
    SANDBOX_LIMITS,   /* memory, CPU time, files, processes */
    SANDBOX_SECCOMP,  /* system calls */
    SANDBOX_LAYERS,
};
extern const char *const sandbox_layer_names[SANDBOX_LAYERS];

/* Address space and data; a conversion takes 64 MiB and a chunk at most, more are open now and then. Seconds of CPU
 * time are those of a whole life: the process is replaced before. */
enum { SANDBOX_SPACE = 640 << 20, SANDBOX_DATA = 320 << 20, SANDBOX_CPU_S = 1200, SANDBOX_FILES = 16 };
/* The first of the UIDs and GIDs, each process has its own: in a range that systemd leaves unused (its
 * UIDS-GIDS.md). */
enum { SANDBOX_UID = 61100 };

/* Bits of what is in force, by enum sandbox_layer. `number` makes the UID. The process keeps descriptor `keep` and
 * those before it. */
uint32_t sandbox_enter(unsigned number, int keep);

/* Lets go of pages of code (os/code_pages.h), those of unmapped libraries left alone. */
void sandbox_release_code(void);
