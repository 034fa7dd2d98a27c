/* Asynchronous calls of operations on a JVM, for the main process; each is one operation of the privileged helper
 * (priv/priv.h). Replies are delivered on the loop.
 */
#pragma once

#include <stdint.h>

#include "jvm/operation/request.h"
#include "priv/priv.h"

const char *jvm_outcome_name(enum jvm_outcome o);

typedef void jvm_done(void *arg, const struct jvm_reply *reply);

/* Checks, library in place, output file, `start`, unlink. Takes over a recording of ours that is still running. */
uint64_t jvm_start(struct priv *p, const struct jvm_request *s, jvm_done *done, void *arg);
/* `stop` and `start` with a new output file, queued back to back. */
uint64_t jvm_roll(struct priv *p, const struct jvm_request *s, jvm_done *done, void *arg);
/* Closes the current chunk now; sampling goes on. */
uint64_t jvm_dump(struct priv *p, const struct jvm_request *s, jvm_done *done, void *arg);
/* Ends the session if it is ours. */
uint64_t jvm_stop(struct priv *p, const struct jvm_request *s, jvm_done *done, void *arg);
/* `metrics` of the running profiler, in reply.text. */
uint64_t jvm_metrics(struct priv *p, const struct jvm_request *s, jvm_done *done, void *arg);
/* Is there another profiler in the JVM (reply.text), and is it active (reply.was_running)? Asks a copy of
 * async-profiler for its status; others cannot be asked. Nothing is sent to a JVM without another copy. */
uint64_t jvm_look(struct priv *p, const struct jvm_request *s, jvm_done *done, void *arg);

/* Writes the documented layout under tmp_dir on the host (both libc variants); done once per component start.
 * reply.text = the glibc variant's directory. `id` is ignored. */
uint64_t jvm_install(struct priv *p, const struct jvm_request *s, jvm_done *done, void *arg);
