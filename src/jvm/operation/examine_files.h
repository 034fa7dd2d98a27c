/* Preconditions of profiling that lie beneath the target's root (jvm/operation/examine.h): this process has the
 * target's privileges, and what it may do is what an attach may do. Nothing is created; each function reports one
 * precondition.
 */
#pragma once

#include "jvm/attach/asprof.h"
#include "jvm/attach/fit.h"
#include "jvm/attach/target.h"
#include "jvm/operation/examine_process.h"

/* Version, vendor and main class from the perf data, where there is one. */
void examine_facts(struct examiner *x, const struct jvm_target *t);
/* Whether attach is allowed, and the listener runs or can be started; opens t->attach. */
void examine_attach(const struct examiner *x, struct jvm_target *t);
/* A place from which the JVM can load the library. */
void examine_library(const struct examiner *x, const struct jvm_target *t, const struct asprof_dist *d);
/* A place for the recording. */
void examine_recording(const struct examiner *x, const struct jvm_target *t);
/* Architecture and version; fills in fit->build. */
void examine_build(struct examiner *x, const struct jvm_target *t, const struct asprof_dist *d, struct jvm_fit *fit);
/* Did one like it die after an attach? */
void examine_quarantine(const struct examiner *x, const struct jvm_makeup *m);
/* Events that this version does not support. */
void examine_events(const struct examiner *x, const struct jvm_fit *fit);
