#include "jvm/probe/elf_kind.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

enum { MACHINE_AT = 18 }; /* e_machine: behind e_ident and e_type, in both classes */

static const struct {
    unsigned machine;
    const char *name;
} machines[] = {
    {EM_X86_64, "amd64"},  {EM_386, "i386"},    {EM_AARCH64, "arm64"},     {EM_ARM, "arm"},
    {EM_PPC64, "ppc64le"}, {EM_S390, "s390"},   {EM_RISCV, "riscv64"},     {EM_MIPS, "mips"},
    {EM_PPC, "ppc"},       {EM_SPARC, "sparc"}, {EM_LOONGARCH, "loong64"},
};

int elf_kind_of(const void *bytes, size_t n, struct elf_kind *ret)
{
    const uint8_t *p = bytes;
    if (n < ELF_HEAD || memcmp(p, ELFMAG, SELFMAG) != 0)
        return -ENOEXEC;
    if ((p[EI_CLASS] != ELFCLASS32 && p[EI_CLASS] != ELFCLASS64) ||
        (p[EI_DATA] != ELFDATA2LSB && p[EI_DATA] != ELFDATA2MSB))
        return -ENOEXEC;
    uint16_t machine;
    memcpy(&machine, p + MACHINE_AT, sizeof machine);
    machine = p[EI_DATA] == ELFDATA2LSB ? le16toh(machine) : be16toh(machine);
    *ret = (struct elf_kind){p[EI_CLASS] == ELFCLASS32 ? 32 : 64, machine};
    return 0;
}

const char *elf_machine_name(unsigned machine, char room[ELF_NAME_MAX])
{
    for (size_t i = 0; i < ARRAY_LEN(machines); i++)
        if (machines[i].machine == machine)
            return machines[i].name;
    snprintf(room, ELF_NAME_MAX, "machine %u", machine);
    return room;
}

/* x86 kernels run i386 code, arm64 ones often arm: that is no emulation. */
static bool runs_natively(unsigned machine, unsigned host)
{
    return machine == host || (host == EM_X86_64 && machine == EM_386) || (host == EM_AARCH64 && machine == EM_ARM);
}

int elf_check(const struct elf_kind *libjvm, const struct elf_kind *profiler, unsigned host, struct err *err)
{
    char rooms[2][ELF_NAME_MAX];
    const char *theirs = elf_machine_name(libjvm->machine, rooms[0]),
               *ours = elf_machine_name(profiler->machine, rooms[1]);
    if (libjvm->bits == profiler->bits && libjvm->machine == profiler->machine)
        return 0;
    if (libjvm->bits != profiler->bits)
        return err_set(err, -ENOTSUP,
                       "the JVM is %u-bit (its libjvm is an ELF file of class %u for %s); the profiler is for %u-bit "
                       "JVMs on %s",
                       libjvm->bits, libjvm->bits, theirs, profiler->bits, ours);
    return err_set(err, -ENOTSUP,
                   "the JVM's libjvm is for %s%s; the profiler is for %s (set 'dist' to an async-profiler for %s)",
                   theirs, runs_natively(libjvm->machine, host) ? "" : " and runs under emulation", ours, theirs);
}

unsigned elf_host_machine(void)
{
#if defined __x86_64__
    return EM_X86_64;
#elif defined __aarch64__
    return EM_AARCH64;
#else
    return EM_NONE;
#endif
}
