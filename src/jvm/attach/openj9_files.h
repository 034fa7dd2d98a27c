/* The attach directory of OpenJ9 JVMs, which those of all users share, and the files in it.
 *
 *     /tmp/.com_ibm_tools_attach/              mode 1777, of whoever came first
 *         _attachlock                          held by who attaches
 *         _notifier                            names the semaphore that JVMs wait for: ftok(3) with 0xa1
 *         <PID>/                               of one JVM and its user
 *             attachInfo                       lines of KEY=VALUE: processId, userUid, …
 *             attachNotificationSync           a JVM that was woken waits for this lock before it waits again
 *             replyInfo                        where to connect to: key and port, a line each; made by who attaches
 *
 * Everything is done with the privileges of the JVM's user. Nothing is followed out of the directory: no symlink, no
 * mount point. The JVM's own directory must belong to its user and be writable by nobody else. Files of other JVMs are
 * only locked, and only those that lie in a directory of their owner, without ever waiting for anybody.
 * JVMs use record locks of fcntl(2) (OFD locks conflict with those), other attachers such as jattach flock(2); both are
 * taken.
 * Blocking as far as a file system can be, for a child of the helper. Facts: OpenJ9
 * openj9.internal.tools.attach.target.{CommonDirectory,TargetDirectory,Advertisement,Reply,FileLock}.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ipc.h>

#include "base/err.h"
#include "jvm/probe/openj9_options.h"
#include "jvm/probe/view.h"

enum { OPENJ9_JVMS_MAX = 256 };

struct openj9_files {
    const struct jvm_view *v;
    int common, own; /* O_PATH; owned */
    bool has_reply;  /* of ours, to be removed */
};
#define OPENJ9_FILES_INIT ((struct openj9_files){.common = -1, .own = -1})

/* -ENOEXEC where the JVM has no such directory, or not yet; -EPERM where it cannot be trusted. */
must_check int openj9_files_open(struct openj9_files *f, const struct jvm_view *v, const struct openj9_options *o,
                                 struct err *err);
void openj9_files_done(struct openj9_files *f);

/* attachInfo, O_PATH, which the JVM removes when it ends in order; -1 where that could wait for somebody. */
int openj9_files_advertisement(const struct openj9_files *f);
/* The key of the semaphore. */
must_check int openj9_files_semaphore(const struct openj9_files *f, key_t *ret, struct err *err);

/* Takes _attachlock if nobody has it: -EAGAIN if somebody does. Descriptor, to be closed, or negative errno. */
int openj9_files_lock(const struct openj9_files *f);
/* The locks of the JVMs that would be woken: fills `locks` with descriptors, *ret of them, to be closed. Returns how
 * many JVMs there are, at least 1 and at most OPENJ9_JVMS_MAX. */
size_t openj9_files_lock_jvms(const struct openj9_files *f, int locks[OPENJ9_JVMS_MAX], size_t *ret);

/* Makes replyInfo anew. */
must_check int openj9_files_put_reply(struct openj9_files *f, const char *key, unsigned port, struct err *err);
/* If it was made here. Async-signal-safe, as often as you like. */
void openj9_files_remove_reply(struct openj9_files *f);
