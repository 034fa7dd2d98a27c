/* ELF headers, made up and real. */
#include "jvm/probe/elf_kind.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "test.h"

static void head(uint8_t ret[ELF_HEAD], int class, int data, int machine)
{
    memset(ret, 0, ELF_HEAD);
    memcpy(ret, ELFMAG, SELFMAG);
    ret[EI_CLASS] = (uint8_t) class;
    ret[EI_DATA] = (uint8_t)data;
    ret[data == ELFDATA2LSB ? 18 : 19] = (uint8_t)machine;
    ret[data == ELFDATA2LSB ? 19 : 18] = (uint8_t)(machine >> 8);
}

static void reads_class_and_machine_in_both_byte_orders(void)
{
    uint8_t bytes[ELF_HEAD];
    struct elf_kind k = {0};
    head(bytes, ELFCLASS64, ELFDATA2LSB, EM_AARCH64);
    CHECK_INT(elf_kind_of(bytes, sizeof bytes, &k), 0);
    CHECK_INT(k.bits, 64);
    CHECK_INT(k.machine, EM_AARCH64);
    head(bytes, ELFCLASS32, ELFDATA2MSB, EM_PPC);
    CHECK_INT(elf_kind_of(bytes, sizeof bytes, &k), 0);
    CHECK_INT(k.bits, 32);
    CHECK_INT(k.machine, EM_PPC);
}

static void refuses_what_is_no_elf_file(void)
{
    uint8_t bytes[ELF_HEAD];
    struct elf_kind k;
    head(bytes, ELFCLASS64, ELFDATA2LSB, EM_X86_64);
    for (size_t n = 0; n < sizeof bytes; n++)
        CHECK_INT(elf_kind_of(bytes, n, &k), -ENOEXEC);
    bytes[EI_CLASS] = 3;
    CHECK_INT(elf_kind_of(bytes, sizeof bytes, &k), -ENOEXEC);
    head(bytes, ELFCLASS64, 0, EM_X86_64);
    CHECK_INT(elf_kind_of(bytes, sizeof bytes, &k), -ENOEXEC);
    CHECK_INT(elf_kind_of("#!/bin/sh\nexec java \"$@\"\n", ELF_HEAD, &k), -ENOEXEC);
}

static void this_program_is_for_this_host(void)
{
    uint8_t bytes[ELF_HEAD] = {0};
    struct elf_kind k = {0};
    struct err err;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    CHECK_INT(read(fd, bytes, sizeof bytes), sizeof bytes);
    close(fd);
    CHECK_INT(elf_kind_of(bytes, sizeof bytes, &k), 0);
    CHECK_INT(k.machine, elf_host_machine());
    CHECK_INT(elf_check(&k, &k, elf_host_machine(), &err), 0);
}

static void says_what_does_not_fit(void)
{
    const struct elf_kind amd64 = {64, EM_X86_64}, i386 = {32, EM_386}, x32 = {32, EM_X86_64}, arm64 = {64, EM_AARCH64};
    struct err err = {0};
    CHECK_INT(elf_check(&amd64, &amd64, EM_X86_64, &err), 0);
    CHECK_INT(elf_check(&i386, &amd64, EM_X86_64, &err), -ENOTSUP);
    CHECK_HAS(err.text, "the JVM is 32-bit");
    CHECK_HAS(err.text, "class 32 for i386");
    CHECK_INT(elf_check(&x32, &amd64, EM_X86_64, &err), -ENOTSUP);
    CHECK_INT(elf_check(&arm64, &amd64, EM_X86_64, &err), -ENOTSUP);
    CHECK_HAS(err.text, "libjvm is for arm64 and runs under emulation; the profiler is for amd64");
    /* The library of an emulated JVM's own machine does. */
    CHECK_INT(elf_check(&arm64, &arm64, EM_X86_64, &err), 0);
    CHECK_INT(elf_check(&amd64, &arm64, EM_X86_64, &err), -ENOTSUP);
    CHECK(!strstr(err.text, "emulation"));
}

static void names_machines(void)
{
    char room[ELF_NAME_MAX];
    CHECK_STR(elf_machine_name(EM_X86_64, room), "amd64");
    CHECK_STR(elf_machine_name(4711, room), "machine 4711");
}

int main(void)
{
    RUN(reads_class_and_machine_in_both_byte_orders);
    RUN(refuses_what_is_no_elf_file);
    RUN(this_program_is_for_this_host);
    RUN(says_what_does_not_fit);
    RUN(names_machines);
    return REPORT();
}
