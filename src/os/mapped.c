#include "os/mapped.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the handler needs to know. It may run in any thread at any time, hence atomics; a slot is free while end is
 * 0. */
static struct {
    atomic_uintptr_t start, end;
    atomic_bool torn;
} slots[MAPPED_MAX];
static size_t page_size;
static struct sigaction before;

static int mapped_slot_of(uintptr_t address)
{
    for (int i = 0; i < MAPPED_MAX; i++) {
        if (address >= atomic_load(&slots[i].start) && address < atomic_load(&slots[i].end))
            return i;
    }
    return -1;
}

/* Only what may be called in a signal handler: mmap is a plain system call. */
static void on_sigbus(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)context;
    const int saved = errno;
    const uintptr_t address = (uintptr_t)info->si_addr;
    const int slot = mapped_slot_of(address);
    void *page = (void *)(address & ~(uintptr_t)(page_size - 1)); // NOLINT(performance-no-int-to-ptr)
    if (slot >= 0 && mmap(page, page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page)
        atomic_store(&slots[slot].torn, true);
    else
        (void)sigaction(SIGBUS, &before, NULL); /* not ours: the access is repeated, and meets who was there before */
    errno = saved;
}

static void mapped_handle_signal(void)
{
    page_size = (size_t)sysconf(_SC_PAGESIZE);
    struct sigaction sa = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_RESTART};
    (void)sigaction(SIGBUS, &sa, &before);
}

static int mapped_map_file(int fd, size_t n, struct mapped *ret, struct err *err)
{
    int slot = 0;
    while (slot < MAPPED_MAX && atomic_load(&slots[slot].end) != 0)
        slot++;
    if (slot == MAPPED_MAX)
        return err_set(err, -EMFILE, "more than %d mapped files", MAPPED_MAX);
    void *p = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return err_errno(err, "map %zu bytes", n);
    (void)madvise(p, n, MADV_SEQUENTIAL);
    atomic_store(&slots[slot].torn, false);
    atomic_store(&slots[slot].start, (uintptr_t)p);
    atomic_store(&slots[slot].end, (uintptr_t)p + n);
    *ret = (struct mapped){.p = p, .n = n, .slot = slot};
    return 0;
}

int mapped_open(int fd, struct mapped *ret, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct stat st;
    pthread_once(&once, mapped_handle_signal);
    if (fstat(fd, &st) < 0)
        return err_errno(err, "stat");
    if (!S_ISREG(st.st_mode))
        return err_set(err, -EINVAL, "not a regular file");
    if (st.st_size > 0)
        return mapped_map_file(fd, (size_t)st.st_size, ret, err);
    *ret = MAPPED_INIT; /* an empty mapping is not allowed */
    ret->p = (const uint8_t *)"";
    return 0;
}

bool mapped_torn(const struct mapped *m)
{
    return m->slot >= 0 && atomic_load(&slots[m->slot].torn);
}

void mapped_release(const struct mapped *m, size_t n)
{
    n = n / page_size * page_size;
    if (m->slot >= 0 && n > 0 && n <= m->n)
        (void)madvise((void *)m->p, n, MADV_DONTNEED);
}

void mapped_done(struct mapped *m)
{
    if (m->slot >= 0) {
        atomic_store(&slots[m->slot].end, 0);
        (void)munmap((void *)m->p, m->n);
    }
    *m = MAPPED_INIT;
}
