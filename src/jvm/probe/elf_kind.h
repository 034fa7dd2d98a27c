/* The architecture of an ELF file: a JVM only loads libraries of its own architecture.
 *
 * Checked before anything is installed: a JVM that is told to load a library of another architecture writes a warning
 * to the application's standard output (HotSpot's os::dll_load, for 32-bit JVMs), and one under an emulator has the
 * emulator's signal handlers. Source: elf(5), the System V ABI's e_ident and e_machine.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The part of a file that has to be there: up to and with e_machine. */
enum { ELF_HEAD = 20 };

struct elf_kind {
    unsigned bits;    /* 32 or 64 */
    unsigned machine; /* EM_…, elf(5) */
};

/* From the first `n` bytes of a file. -ENOEXEC for what is no ELF file, or one cut short. */
must_check int elf_kind_of(const void *bytes, size_t n, struct elf_kind *ret);

/* "amd64", "arm64", "i386" …; "machine 243" for one without a name here, in `room`. */
enum { ELF_NAME_MAX = 32 };
const char *elf_machine_name(unsigned machine, char room[ELF_NAME_MAX]);

/* That a profiler library of kind `profiler` can be loaded by a JVM whose libjvm is `libjvm`, running on a kernel of
 * machine `host`: else -ENOTSUP with a reason that says which of the three does not fit. */
must_check int elf_check(const struct elf_kind *libjvm, const struct elf_kind *profiler, unsigned host,
                         struct err *err);
/* Of this program, which is the kernel's. */
unsigned elf_host_machine(void);
