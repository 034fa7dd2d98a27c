#include "parser/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/code_pages.h"
#include "os/rights.h"
#include "parser/syscall_filter.h"

/* A sanitizer needs far more address space and, for its reports, system calls. */
#if defined(__SANITIZE_ADDRESS__)
#define SANDBOX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define SANDBOX_SANITIZED 1
#endif
#endif
#ifndef SANDBOX_SANITIZED
#define SANDBOX_SANITIZED 0
#endif

enum { SANDBOX_NAMESPACES = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS };

const char *const sandbox_layer_names[SANDBOX_LAYERS] = {
    [SANDBOX_USER] = "user",       [SANDBOX_RIGHTS] = "rights",     [SANDBOX_NETWORK] = "network",
    [SANDBOX_ROOT] = "root",       [SANDBOX_LANDLOCK] = "landlock", [SANDBOX_LIMITS] = "limits",
    [SANDBOX_SECCOMP] = "seccomp",
};

/* ---- descriptors and signals ---- */

static void sandbox_quiet(int keep)
{
    static const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGQUIT, SIGUSR1, SIGUSR2};
    /* It ends with the main process, which may still want conversions after a signal to the whole group. */
    for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
        signal(ignored[i], SIG_IGN);
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO && fd < keep; fd++) {
        if (SANDBOX_SANITIZED && fd == STDERR_FILENO)
            continue; /* for its reports */
        if (null < 0 || dup2(null, fd) < 0)
            close(fd);
    }
    close_range((unsigned)keep + 1, ~0U, 0);
}

/* ---- the file system ---- */

static bool sandbox_is_empty(const char *path)
{
    cleanup_closedir DIR *d = opendir(path);
    for (const struct dirent *e; d && (e = readdir(d));) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            return false;
    }
    return d != NULL;
}

/* Directories of the kernel in which nobody can make anything; the second shows nothing but positions of
 * descriptors. */
static bool sandbox_change_root(void)
{
    static const char *const empty[] = {"/proc/tty/ldisc", "/proc/self/fdinfo"};
    for (size_t i = 0; i < ARRAY_LEN(empty); i++) {
        if ((i == 0 && !sandbox_is_empty(empty[i])) || chroot(empty[i]) < 0)
            continue;
        return chdir("/") == 0;
    }
    return false;
}

/* The kernel's structures as of ABI 6; older kernels are given less of them, and headers may be older than kernels. */
struct sandbox_ruleset {
    uint64_t access_fs, access_net, scoped;
};

static bool sandbox_landlock(void)
{
    /* By ABI: rights of files, of TCP ports, scopes (landlock(7)). */
    static const struct {
        uint64_t fs, net, scoped;
        size_t size;
    } known[] = {{(1 << 13) - 1, 0, 0, 8},  {(1 << 14) - 1, 0, 0, 8},  {(1 << 15) - 1, 0, 0, 8},
                 {(1 << 15) - 1, 3, 0, 16}, {(1 << 16) - 1, 3, 0, 16}, {(1 << 16) - 1, 3, 3, 24}};
    enum { CREATE = 444, RESTRICT = 446, VERSION = 1 }; /* the same on all architectures */
    const long abi = syscall(CREATE, NULL, 0, VERSION);
    if (abi < 1)
        return false;
    const size_t i = (size_t)abi < ARRAY_LEN(known) ? (size_t)abi - 1 : ARRAY_LEN(known) - 1;
    const struct sandbox_ruleset r = {known[i].fs, known[i].net, known[i].scoped};
    cleanup_close int fd = (int)syscall(CREATE, &r, known[i].size, 0);
    return fd >= 0 && syscall(RESTRICT, fd, 0) == 0;
}

/* ---- user, rights, limits ---- */

static bool sandbox_change_user(unsigned number, bool *rights)
{
    const uid_t before = geteuid();
    const struct rights own = {.uid = SANDBOX_UID + number, .gid = SANDBOX_UID + number},
                        same = {.uid = before, .gid = getegid()};
    /* Where that UID is not mapped, or only root's capabilities are missing, at least those go. */
    const bool may = before == 0 || rights_have(RIGHTS_CAP(CAP_SETUID) | RIGHTS_CAP(CAP_SETGID));
    const bool changed = may && rights_become(&own, NULL) == 0;
    *rights = changed || rights_become(&same, NULL) == 0;
    return changed;
}

/* Who has no CAP_SYS_ADMIN and CAP_SYS_CHROOT has them in a user namespace of its own, where the kernel permits that to
 * ordinary users, and gives them up at once. It stays the user it is outside. */
static void sandbox_namespaces_of_own_user(bool in_force[SANDBOX_LAYERS])
{
    if ((in_force[SANDBOX_NETWORK] && in_force[SANDBOX_ROOT]) || !in_force[SANDBOX_RIGHTS] ||
        unshare(CLONE_NEWUSER | SANDBOX_NAMESPACES) < 0)
        return;
    in_force[SANDBOX_NETWORK] = true;
    in_force[SANDBOX_ROOT] |= sandbox_change_root();
    in_force[SANDBOX_RIGHTS] = rights_limit(0) == 0;
}

/* At most that: a lower limit of the agent's own stays. */
static bool sandbox_limit(int resource, rlim_t most)
{
    struct rlimit r;
    if (getrlimit(resource, &r) < 0)
        return false;
    r.rlim_max = r.rlim_max < most ? r.rlim_max : most;
    r.rlim_cur = r.rlim_cur < r.rlim_max ? r.rlim_cur : r.rlim_max;
    return setrlimit(resource, &r) == 0;
}

static bool sandbox_limits(void)
{
    static const struct {
        int resource;
        rlim_t most;
        bool with_sanitizers;
    } limits[] = {
        {RLIMIT_CORE, 0, true},
        {RLIMIT_FSIZE, 0, true},
        {RLIMIT_NPROC, 0, true},
        {RLIMIT_NOFILE, SANDBOX_FILES, true},
        {RLIMIT_MSGQUEUE, 0, true},
        {RLIMIT_MEMLOCK, 0, true},
        {RLIMIT_CPU, SANDBOX_CPU_S, true},
        {RLIMIT_AS, SANDBOX_SPACE, false},
        {RLIMIT_DATA, SANDBOX_DATA, false},
    };
    bool all = true;
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        if ((limits[i].with_sanitizers || !SANDBOX_SANITIZED) && !sandbox_limit(limits[i].resource, limits[i].most))
            all = false;
    }
    return all;
}

/* ---- libraries ---- */

static bool sandbox_needs(const char *path)
{
    /* What code of ours calls when it parses; the program itself and the kernel's page have no path. */
    static const char *const needed[] = {"libc.",       "ld-",         "libm.",     "libdeflate.",
                                         "libjansson.", "libpthread.", "linux-vdso"};
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    if (!*name)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        if (strncmp(name, needed[i], strlen(needed[i])) == 0)
            return true;
    }
    return false;
}

static int sandbox_unmap_one(struct dl_phdr_info *info, size_t size, void *arg)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
    (void)size;
    (void)arg;
    if (sandbox_needs(info->dlpi_name))
        return 0;
    uintptr_t low = UINTPTR_MAX, high = 0;
    for (ElfW(Half) i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type != PT_LOAD)
            continue;
        const uintptr_t begin = (info->dlpi_addr + p->p_vaddr) & ~page,
                        end = (info->dlpi_addr + p->p_vaddr + p->p_memsz + page) & ~page;
        low = begin < low ? begin : low;
        high = end > high ? end : high;
    }
    if (low < high)
        munmap((void *)low, high - low); /* NOLINT(performance-no-int-to-ptr) */
    return 0;
}

/* Fewer instructions for an attacker to return to, and less memory. The process ends by _exit(2), so nothing of them is
 * called any more. */
static void sandbox_unmap_libraries(void)
{
    if (!SANDBOX_SANITIZED)
        dl_iterate_phdr(sandbox_unmap_one, NULL);
}

void sandbox_release_code(void)
{
    if (!SANDBOX_SANITIZED)
        code_pages_release(sandbox_needs);
}

static int sandbox_order(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* At its first call for more than a kilobyte, qsort() of the GNU C library before 2.37 asks for the size of the memory,
 * with a system call that is forbidden later. */
static void sandbox_sort_once(void)
{
    int numbers[1024];
    for (int i = 0; i < 1024; i++)
        numbers[i] = i * 7919 % 1024;
    qsort(numbers, 1024, sizeof *numbers, sandbox_order);
}

uint32_t sandbox_enter(unsigned number, int keep)
{
    bool in_force[SANDBOX_LAYERS] = {0};
    uint32_t bits = 0;
    sandbox_quiet(keep);
    in_force[SANDBOX_NETWORK] = unshare(SANDBOX_NAMESPACES) == 0;
    in_force[SANDBOX_ROOT] = sandbox_change_root();
    in_force[SANDBOX_USER] = sandbox_change_user(number, &in_force[SANDBOX_RIGHTS]);
    sandbox_namespaces_of_own_user(in_force);
    /* After the change of user, which clears it. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    in_force[SANDBOX_LANDLOCK] = sandbox_landlock();
    sandbox_unmap_libraries();
    sandbox_sort_once();
    in_force[SANDBOX_LIMITS] = sandbox_limits();
    in_force[SANDBOX_SECCOMP] = !SANDBOX_SANITIZED && syscall_filter_apply(NULL) == 0;
    for (size_t i = 0; i < SANDBOX_LAYERS; i++)
        bits |= (uint32_t)in_force[i] << i;
    return bits;
}
