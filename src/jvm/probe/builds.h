/* Supported JVM versions and builds, and how the version of a JVM is determined without an attach.
 *
 * An attach loads native code that reads HotSpot's internal structures; an incompatible HotSpot crashes instead of
 * failing. So JVMs of feature releases newer than the tested ones are attached to only on request, and builds known to
 * crash never. The tables are in builds.c, each row with its source.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

enum { JVM_VERSION_MAX = 96, JVM_VENDOR_MAX = 64 };

struct jvm_build {
    unsigned major;              /* 8, 11, 17 …; 0 = not known */
    unsigned update;             /* 504 of 8u504, 23 of 11.0.23 */
    bool early;                  /* an early-access build: "28-ea+18" */
    char text[JVM_VERSION_MAX];  /* as the JVM puts it, printable */
    char vendor[JVM_VENDOR_MAX]; /* "Eclipse Adoptium", from a release file; "" = not known */
};

/* Copies as much as fits; what is not printable becomes '?'. */
void jvm_printable(struct str text, char *ret, size_t size);

/* Of java.vm.version, java.version or java.runtime.version: "17.0.15+6-Debian", "1.8.0_504-b01", and what HotSpot calls
 * itself in JDK 8, "25.504-b01". False when it is none. */
bool jvm_build_parse(struct str version, struct jvm_build *ret);
/* From the text of <java.home>/release. */
bool jvm_build_of_release(struct str text, struct jvm_build *ret);
/* From the bytes of libjvm, which has "OpenJDK 64-Bit Server VM (17.0.15+6) for linux-amd64" in it. Works on a part of
 * them, too. */
bool jvm_build_of_libjvm(struct str bytes, struct jvm_build *ret);

/* Of what a library says: "async-profiler 4.6"; 4006. 0 = not known. */
unsigned asprof_version_of(struct str library);

/* That a profiler of version `profiler` may be loaded into that JVM; `untested`: newer ones than those tested, and
 * unknown ones, too. -ENOTSUP with the reason and its remedy. */
must_check int jvm_build_check(const struct jvm_build *b, unsigned profiler, bool untested, struct err *err);

/* Why the profiler's option `name` ("live", "features") with `value` is not for that JVM; NULL = it is. */
const char *jvm_build_forbids(const struct jvm_build *b, struct str name, struct str value);
