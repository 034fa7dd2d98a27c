/* Preconditions of profiling that /proc and the kernel's settings tell, read before privileges are given up
 * (jvm/operation/examine.h). Each function reports one precondition; nothing they call opens a path of the target.
 */
#pragma once

#include "jvm/operation/examination.h"
#include "jvm/probe/probe.h"
#include "jvm/probe/view.h"

/* Suspended by its cgroup? */
void examine_frozen(const struct examiner *x, const struct jvm_view *v);
/* Which namespaces it has of its own. */
void examine_container(const struct examiner *x, const struct jvm_view *v);
/* Threads that block SIGPROF have no CPU samples. */
void examine_signals(const struct examiner *x, const struct jvm_view *v);
/* File size, descriptors, pending signals. */
void examine_limits(const struct examiner *x, const struct jvm_view *v);
/* seccomp, no_new_privs, AppArmor or SELinux. */
void examine_confinement(const struct examiner *x, const struct jvm_view *v);
/* perf_events, if the chosen event needs them. */
void examine_perf_events(const struct examiner *x, const struct jvm_view *v);
/* Of ours, async-profiler of others, and agents on the command line that bring one. */
void examine_profilers(const struct examiner *x, const struct jvm_view *v, const struct jvm_probe *t);
