/* HotSpot's attach protocol, and that of OpenJ9 behind the same calls (jvm/attach/openj9.h), from outside the target's
 * namespaces, with the target's privileges. The rest of this is about HotSpot.
 *
 * The socket and the trigger file are accessed through the target's root; a pathname socket connects by its inode,
 * independent of namespaces. HotSpot accepts commands from its own user, so the trigger file has the required owner
 * because that user creates it. In a directory the JVM cannot write to, none is created.
 * A signal is only sent after the trigger file is in place with the required owner: SIGQUIT without it is a thread dump
 * on the application's stdout, and without a handler it terminates the process. For the same reason a trigger file that
 * was signalled but not answered is kept (an empty file, removed by the next attach): the JVM may still check for it.
 *
 * Blocking, for a child of the helper. One request per connection. Facts: HotSpot os/linux/attachListener_linux.cpp
 * (8…25, attachListener_posix.cpp since 22), JDK sun.tools.attach.VirtualMachineImpl; spec §4.2-4.4, §4.7.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "jvm/attach/openj9_files.h"
#include "jvm/probe/probe.h"

enum { ATTACH_ARG_MAX = 1000, ATTACH_REPLY_MAX = 1 << 20 };

struct jvm_attach {
    const struct jvm_view *v;
    int tmp;             /* the JVM's /tmp, O_PATH; owned */
    bool may_signal;     /* SIGQUIT has a handler and attach is known to be allowed */
    const char *why_not; /* when it may not */
    int64_t deadline_ms; /* CLOCK_MONOTONIC: everything ends by then with -ETIMEDOUT */
    bool openj9;         /* then `files` is used instead of what is above */
    struct openj9_files files;
};
#define JVM_ATTACH_INIT ((struct jvm_attach){.tmp = -1, .files = OPENJ9_FILES_INIT})

/* Fills all but the deadline. This process has the target's rights (jvm_view_become()). -ENOTSUP when the JVM forbids
 * to be attached to. */
must_check int jvm_attach_open(struct jvm_attach *a, const struct jvm_view *v, const struct jvm_probe *t,
                               struct err *err);
void jvm_attach_done(struct jvm_attach *a);
/* Removes what a call that is under way has put there. Async-signal-safe, as often as you like. */
void jvm_attach_undo(struct jvm_attach *a);

/* The socket's file, O_PATH, to see later whether it is still there, which it is until the JVM ends in order; OpenJ9's
 * is another file. -1 where that could wait for somebody. */
int jvm_attach_socket(const struct jvm_attach *a);

/* Sends a command with up to three arguments, each shorter than ATTACH_ARG_MAX bytes (NULL = ""), and appends the whole
 * reply; the attach listener is started if need be. -ETIMEDOUT; -ENOTSUP when it may not be started; -ESRCH;
 * -ECONNRESET when there was no reply. */
must_check int jvm_attach_call(struct jvm_attach *a, const char *command, const char *const args[3], struct buf *reply,
                               struct err *err);

struct jvm_attach_command {
    const char *name, *const *args; /* three */
    struct buf *reply;
};
/* Two commands, the second of which waits in the JVM while the first one is carried out, so that nothing but the JVM
 * decides how long the gap between them is. *begun_ns: when the first one was sent. */
must_check int jvm_attach_call_both(struct jvm_attach *a, const struct jvm_attach_command both[2], int64_t *begun_ns,
                                    struct err *err);

/* What a reply to `load` says, JDK 8 to 25. */
struct jvm_load_reply {
    bool loaded; /* the library was found and asked: `result` is Agent_OnAttach's */
    int result;
    bool early;        /* the JVM is too young: "only permitted in the live phase" */
    char message[256]; /* else: what the JVM said, on one line */
};
void jvm_attach_parse_load(struct str reply, struct jvm_load_reply *ret);
