/* The memory of this process by itself, and made-up memory: files serve as /proc/PID/mem. */
#include "jvm/probe/memory.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "test.h"

static struct memory m;

static int own(void)
{
    return open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
}

/* Where the library that defines `symbol` begins. */
static uint64_t head_of(void *symbol)
{
    Dl_info info;
    return dladdr(symbol, &info) ? (uint64_t)(uintptr_t)info.dli_fbase : 0;
}

static void symbols_are_found_as_the_linker_finds_them(void)
{
    static const char *const names[] = {"getppid", "qsort", "malloc", "environ", "stdout", "pthread_create"};
    cleanup_close int fd = own();
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    void *known = libc ? dlsym(libc, "getppid") : NULL;
    if (!known) {
        SKIP(symbols, "no libc.so.6 here");
        return;
    }
    CHECK(memory_open(&m, fd, head_of(known)));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        Dl_info info;
        void *at = dlsym(libc, names[i]);
        /* A sanitizer or the program may have one of its own. */
        if (at && dladdr(at, &info) && (uint64_t)(uintptr_t)info.dli_fbase == head_of(known))
            CHECK_INT(memory_symbol(&m, names[i]) != 0, 1);
    }
    CHECK_INT(memory_symbol(&m, "getppid"), (uint64_t)(uintptr_t)known);
    CHECK_INT(memory_symbol(&m, "no_such_symbol_anywhere"), 0);
    CHECK_INT(memory_symbol(&m, ""), 0);
    dlclose(libc);
}

static void a_read_is_whole_or_nothing(void)
{
    const size_t page = MEMORY_PAGE;
    cleanup_close int fd = own();
    char *p = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), text[64];
    CHECK(p != MAP_FAILED);
    munmap(p + 2 * page, page);
    const uint64_t at = (uint64_t)(uintptr_t)p;
    memcpy(p + page - 3, "across", 7);
    memset(p + 2 * page - 4, 'x', 4);
    (void)memory_open(&m, fd, at);
    CHECK(memory_text_is(&m, at + page - 3, "across"));
    CHECK(!memory_text_is(&m, at + page - 3, "acros"));
    CHECK(!memory_text_is(&m, at + page - 3, "across it"));
    CHECK_INT(memory_text(&m, at + page - 3, text, sizeof text), 6);
    CHECK_STR(text, "across");
    CHECK_INT(memory_text(&m, at + page - 3, text, 4), 3);
    CHECK_STR(text, "acr");
    /* Text that runs out of the mapping ends there. */
    CHECK_INT(memory_text(&m, at + 2 * page - 4, text, sizeof text), 4);
    CHECK(!memory_text_is(&m, at + 2 * page - 4, "xxxxx"));
    CHECK(!memory_read(&m, at + 2 * page - 4, text, 5));
    CHECK_INT(memory_word(&m, at + 2 * page - 4), 0);
    CHECK_INT(memory_word(&m, 0), 0);
    CHECK_INT(memory_word(&m, UINT64_MAX - 3), 0);
    CHECK_INT(memory_word(&m, (uint64_t)INT64_MAX - 1), 0);
    munmap(p, 2 * page);
}

static void what_is_no_library_is_refused(void)
{
    cleanup_close int fd = memfd_create("memory", MFD_CLOEXEC);
    char page[2 * MEMORY_PAGE] = "\177ELF";
    CHECK_INT(write(fd, page, sizeof page), sizeof page);
    CHECK(!memory_open(&m, fd, 0));
    CHECK(!memory_open(&m, fd, MEMORY_PAGE));
    CHECK(!memory_open(&m, fd, 1 << 20));
    CHECK(!memory_open(&m, -1, 0));
    CHECK_INT(memory_symbol(&m, "malloc"), 0);
}

/* A page is read once while it is looked at in turns with others, wherever those are: it still says what it did. */
static void pages_do_not_displace_each_other_by_their_addresses(void)
{
    enum { FAR = MEMORY_PAGES * MEMORY_PAGE, APART = 4 };
    cleanup_close int fd = memfd_create("memory", MFD_CLOEXEC);
    CHECK_INT(ftruncate(fd, (APART + 2) * FAR), 0);
    (void)memory_open(&m, fd, 0);
    for (size_t i = 1; i <= APART; i++) {
        CHECK_INT(pwrite(fd, "before", 7, (off_t)(i * FAR)), 7);
        CHECK(memory_text_is(&m, i * FAR, "before"));
        CHECK_INT(pwrite(fd, "after", 6, (off_t)(i * FAR)), 6);
    }
    for (size_t i = 1; i <= APART; i++)
        CHECK(memory_text_is(&m, i * FAR, "before"));
    /* And no page for ever. */
    for (size_t i = 0; i < MEMORY_PAGES; i++)
        CHECK_INT(memory_word(&m, (APART + 1) * FAR + i * MEMORY_PAGE), 0);
    CHECK(memory_text_is(&m, FAR, "after"));
}

int main(void)
{
    RUN(symbols_are_found_as_the_linker_finds_them);
    RUN(a_read_is_whole_or_nothing);
    RUN(what_is_no_library_is_refused);
    RUN(pages_do_not_displace_each_other_by_their_addresses);
    return REPORT();
}
