#include "os/code_pages.h"

#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct code_pages {
    bool (*wanted)(const char *path);
};

static int code_pages_release_one(struct dl_phdr_info *info, size_t size, void *arg)
{
    const struct code_pages *which = arg;
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
    (void)size;
    /* The kernel's own page is no file. */
    if (strstr(info->dlpi_name, "linux-vdso") || (which->wanted && !which->wanted(info->dlpi_name)))
        return 0;
    for (ElfW(Half) i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        /* What is relocated lies in segments that were writable. */
        if (p->p_type != PT_LOAD || p->p_flags & PF_W)
            continue;
        const uintptr_t begin = (info->dlpi_addr + p->p_vaddr) & ~page,
                        end = (info->dlpi_addr + p->p_vaddr + p->p_memsz + page) & ~page;
        (void)madvise((void *)begin, end - begin, MADV_DONTNEED); /* NOLINT(performance-no-int-to-ptr) */
    }
    return 0;
}

void code_pages_release(bool (*wanted)(const char *path))
{
    struct code_pages which = {.wanted = wanted};
    dl_iterate_phdr(code_pages_release_one, &which);
}
