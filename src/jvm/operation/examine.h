/* Examines a JVM without touching it: what it is, and whether each precondition of profiling is met.
 *
 * The operation reads /proc and, with the target's own privileges, files beneath its root; it sends no signal, connects
 * to no socket and creates no file. Every check that an attach makes is made by the same code (jvm/probe, jvm/attach),
 * so that "ok" here and a refusal there cannot contradict each other. Beyond those, the examination reports conditions
 * an attach only meets by failing: a blocked SIGPROF, resource limits, perf_events, confinement.
 *
 * Facts and preconditions are delivered one by one, so that what was read survives a target that hangs the rest.
 * Facts: proc(5), seccomp(2), signal(7), getrlimit(2); kernel.perf_event_paranoid in Documentation/admin-guide/sysctl;
 * spec jfr-asprof §4.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "jvm/operation/examination.h"
#include "jvm/operation/request.h"
#include "priv/priv.h"

enum { JVM_EXAMINE_MS = 6000 };

/* The examination itself, in this process, which becomes the target's user: for a child of the helper. */
void examine_run(struct examiner *x);

/* `id` with start_time 0: whichever process has the PID. Of the request, tmp_dir, dist, options (events), untested,
 * headroom and condemned count, as for a start. `e` is borrowed during the call. */
typedef void jvm_examined(void *arg, const struct jvm_examination *e);
uint64_t jvm_examine(struct priv *p, const struct jvm_request *r, jvm_examined *done, void *arg);

/* The operation, for the table of the helper. */
void jvm_op_examine(struct priv_call *call);
