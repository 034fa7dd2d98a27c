/* Probes of a JVM before anything is installed in it or a signal is sent: architecture, build, memory.
 *
 * Two steps with different privileges (jvm/probe/view.h): /proc and cgroupfs (fit_peek), then files beneath the
 * target's root (fit_check). For a JVM that has our library mapped already only the memory is checked.
 */
#pragma once

#include "base/err.h"
#include "jvm/attach/asprof.h"
#include "jvm/probe/builds.h"
#include "jvm/probe/elf_kind.h"
#include "jvm/probe/headroom.h"
#include "jvm/probe/probe.h"
#include "os/pidref.h"

enum { FIT_NOTE_MAX = 192 };

struct jvm_fit {
    struct jvm_build build;
    struct headroom room;
    char note[FIT_NOTE_MAX]; /* what could not be looked at; "" = nothing */
};

/* Which VM it is: -ENOTSUP for OpenJ9, which was tested against a simulation only, unless `untested` or our library is
 * mapped already. */
must_check int fit_vm(const struct jvm_probe *t, bool untested, struct err *err);

/* From /proc/PID and the cgroup file system. `need`: bytes its cgroups must have left; 0 = whatever they have. -ENOMEM
 * without room. */
must_check int fit_peek(const struct pidref *p, const struct jvm_probe *t, uint64_t need, struct jvm_fit *ret,
                        struct err *err);

/* How much the profiler may keep of stacks there, beside what it needs from the start: whole MiB, at most `usual`.
 * Where little is left it rather forgets stacks than costs the JVM its life. */
unsigned fit_storage(const struct jvm_fit *f, unsigned usual);

/* For which machine the profiler has to be: EM_… of its libjvm, another than this host's only where that libjvm runs,
 * as the JVM's memory tells; or of its program where libjvm cannot be read; 0 = not known. */
unsigned fit_machine(const struct jvm_view *v, const struct jvm_probe *t);

/* From the files beneath the target's root, with the target's rights; fills in the build. -ENOTSUP for a JVM that must
 * not be attached to with the profiler `library` (NULL: it has one mapped, and only the build is found out); `untested`
 * as in jvm_build_check(). */
must_check int fit_check(const struct jvm_view *v, const struct jvm_probe *t, const struct asprof_file *library,
                         bool untested, struct jvm_fit *fit, struct err *err);
