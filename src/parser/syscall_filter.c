#include "parser/syscall_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#if defined(__x86_64__)
#define FILTER_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define FILTER_ARCH AUDIT_ARCH_AARCH64
#else
#error "the architecture is not known to seccomp here"
#endif

/* x32 on x86-64: other numbers for the same calls. */
enum { X32_BIT = 0x40000000 };
enum { HEAD_MAX = 8, BLOCK_MAX = 8, FILTER_MAX = 256 };

static const int plain_calls[] = {
    SYS_read,          SYS_write,        SYS_recvmsg,      SYS_sendmsg,         SYS_close,        SYS_munmap,
    SYS_mremap,        SYS_madvise,      SYS_brk,          SYS_futex,           SYS_rt_sigreturn, SYS_rt_sigprocmask,
    SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday, SYS_getrandom,       SYS_getpid,       SYS_gettid,
    SYS_exit,          SYS_exit_group,   SYS_sched_yield,  SYS_restart_syscall,
};

/* Memory that is not to be executable. */
static const int memory_calls[] = {SYS_mmap, SYS_mprotect};

struct filter {
    struct sock_filter code[FILTER_MAX];
    unsigned short len;
};

static void filter_put(struct filter *f, struct sock_filter one)
{
    f->code[f->len++] = one;
}

static void filter_load(struct filter *f, size_t offset)
{
    filter_put(f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void filter_return(struct filter *f, uint32_t action)
{
    filter_put(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* Skips `n` instructions unless what was loaded is `value`. */
static void filter_unless(struct filter *f, uint32_t value, uint8_t n)
{
    filter_put(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, n));
}

/* The low half of an argument: those that matter are an int. */
static size_t filter_argument(unsigned i)
{
    return offsetof(struct seccomp_data, args) + i * sizeof(uint64_t) +
           (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? sizeof(uint32_t) : 0);
}

static void filter_head(struct filter *f)
{
    filter_load(f, offsetof(struct seccomp_data, arch));
    filter_put(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FILTER_ARCH, 1, 0));
    filter_return(f, SECCOMP_RET_KILL_PROCESS);
    filter_load(f, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
    filter_put(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1));
    filter_return(f, SECCOMP_RET_KILL_PROCESS);
#endif
}

static void filter_memory(struct filter *f, int call)
{
    enum { PROT_ARGUMENT = 2 };
    filter_unless(f, (uint32_t)call, 4);
    filter_load(f, filter_argument(PROT_ARGUMENT));
    filter_put(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1));
    filter_return(f, SECCOMP_RET_KILL_PROCESS);
    filter_return(f, SECCOMP_RET_ALLOW);
}

/* abort(3) signals itself; nobody else can be reached. */
static void filter_own_signal(struct filter *f)
{
    filter_unless(f, SYS_tgkill, 4);
    filter_load(f, filter_argument(0));
    filter_put(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)getpid(), 1, 0));
    filter_return(f, SECCOMP_RET_KILL_PROCESS);
    filter_return(f, SECCOMP_RET_ALLOW);
}

int syscall_filter_apply(struct err *err)
{
    struct filter f = {.len = 0};
    _Static_assert(HEAD_MAX + 2 * ARRAY_LEN(plain_calls) + (ARRAY_LEN(memory_calls) + 1) * BLOCK_MAX + 1 < FILTER_MAX,
                   "all of it fits");
    filter_head(&f);
    for (size_t i = 0; i < ARRAY_LEN(plain_calls); i++) {
        filter_unless(&f, (uint32_t)plain_calls[i], 1);
        filter_return(&f, SECCOMP_RET_ALLOW);
    }
    /* A block that does not match goes on with the number still loaded: it loads arguments only where it returns. */
    for (size_t i = 0; i < ARRAY_LEN(memory_calls); i++)
        filter_memory(&f, memory_calls[i]);
    filter_own_signal(&f);
    filter_return(&f, SECCOMP_RET_KILL_PROCESS);
    const struct sock_fprog program = {.len = f.len, .filter = f.code};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
        return err_errno(err, "seccomp filter");
    return 0;
}
