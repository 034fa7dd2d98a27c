/* What HotSpot's own tables in the memory of a JVM say: its flags, its version, and the command it was started with.
 *
 * For a JVM of which nothing else says it: a launcher of another name, a program with a JVM inside, options from a file
 * that is gone, no perf data (-XX:+PerfDisableSharedMem, a user without a passwd entry). The tables are those of the
 * serviceability agent: libjvm exports gHotSpotVMStructs (fields by type and name) and gHotSpotVMTypes (sizes).
 * Source: HotSpot share/runtime/vmStructs.hpp and .cpp, the same from JDK 8 on. JDK 8 calls JVMFlag "Flag", its fields
 * "name" and "addr".
 *
 * Untrusted (jvm/probe/memory.h), and used for decisions about that JVM only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "jvm/probe/vm_flags.h"

enum { VM_COMMAND_MAX = 1024, VM_VERSION_MAX = 64 };

/* Sets the flags of `o` to what they are now. `mem` is /proc/PID/mem, `libjvm` where the first byte of libjvm.so is
 * mapped. False, with nothing changed, when the tables are not there, or the JVM has not read its options yet. */
bool vm_memory_flags(int mem, uint64_t libjvm, struct vm_flags *o);

/* The property sun.java.command: "com.example.Main arg", "/srv/app.jar"; "" when there is none, as in a program that
 * starts a JVM without it. Cut at VM_COMMAND_MAX - 1 bytes. Returns its length. */
size_t vm_memory_command(int mem, uint64_t libjvm, char ret[VM_COMMAND_MAX]);

/* The version as java -version shows it, "17.0.12", "1.8.0_392", "27-ea"; "" when it is not known. */
size_t vm_memory_version(int mem, uint64_t libjvm, char ret[VM_VERSION_MAX]);
/* The same of a release of HotSpot, "17.0.12+7-Debian-2" or, of JDK 8, "25.392-b08". */
size_t vm_version_of_release(struct str release, char ret[VM_VERSION_MAX]);
