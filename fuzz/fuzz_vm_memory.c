/* The memory of a JVM, which its user may have written: whatever the tables say, what is read has an end. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "jvm/probe/memory.h"
#include "jvm/probe/vm_memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Address 0 stands for none: the library is mapped at the second page. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vm_flags flags = {0};
    char command[VM_COMMAND_MAX];
    const size_t pages = (size + MEMORY_PAGE - 1) / MEMORY_PAGE;
    cleanup_close int fd = memfd_create("memory", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)((1 + pages) * MEMORY_PAGE)) < 0 ||
        pwrite(fd, data, size, MEMORY_PAGE) != (ssize_t)size)
        abort();
    (void)vm_memory_flags(fd, MEMORY_PAGE, &flags);
    if (vm_memory_command(fd, MEMORY_PAGE, command) != strlen(command))
        abort();
    return 0;
}
