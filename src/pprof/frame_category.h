/* What a stack is about, told by the names of its frames: the JVM's own work by the function a thread was started with,
 * classes being loaded and initialised by who does that, anything else by what its top frame is.
 *
 * Names as profiles have them, with the types of frames ("_[j]") where Java code is to be classified by how it was run.
 * Sources: HotSpot (compileBroker.cpp, workerThread.cpp, instanceKlass.cpp, systemDictionary.cpp, linkResolver.cpp),
 * OpenJ9 none.
 */
#pragma once

#include "pprof/symbols.h"

/* "gc", "jit compiler", "class loading", …; static. */
const char *frame_category(const struct symbols *s, uint32_t stack);
/* What a frame is, by its name: "jvm" for methods of Java, "native" for functions of libraries, the JVM's among them,
 * or "kernel"; static. */
const char *frame_kind(struct str name);
