#include "jvm/probe/kernel_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* A log of the largest usual size has fewer records; the longest record, as the ABI has it. */
enum { RECORDS_MAX = 100000, RECORD_MAX = 8192, COMM_MAX = 15 };
/* The inode of the initial PID namespace: linux/proc_ns.h, PROC_PID_INIT_INO. */
static const ino_t INITIAL_PID_NAMESPACE = 0xEFFFFFFC;
/* The log's clock is not adjusted: it is off by so much, and by a thousandth of the uptime. */
static const int64_t SLACK_US = 10 * 1000000, DRIFT = 1000;

static bool kernel_log_number(struct str *text, int64_t *ret)
{
    size_t n = 0;
    while (n < text->n && text->p[n] >= '0' && text->p[n] <= '9')
        n++;
    if (n == 0 || !str_to_i64((struct str){text->p, n}, ret))
        return false;
    *text = (struct str){text->p + n, text->n - n};
    return true;
}

static bool kernel_log_cut(struct str *text, const char *prefix)
{
    const size_t n = strlen(prefix);
    if (!str_has_prefix(*text, (struct str){prefix, n}))
        return false;
    *text = (struct str){text->p + n, text->n - n};
    return true;
}

/* "Out of memory: Killed process 12 (java)", "Memory cgroup out of memory: Killed process 12 (java)". */
static void kernel_log_oom(struct str text, pid_t pid, struct kernel_death *ret)
{
    int64_t n;
    const bool group = kernel_log_cut(&text, "Memory cgroup out of memory: ");
    if ((!group && !kernel_log_cut(&text, "Out of memory: ")) ||
        (!kernel_log_cut(&text, "Killed process ") && !kernel_log_cut(&text, "Kill process ")) ||
        !kernel_log_number(&text, &n) || n != pid)
        return;
    ret->oom = true;
    ret->of_group = group;
}

/* "java[12]: segfault at 0 … in libx.so[7f…+1000]", "traps: java[12] trap invalid opcode …". The name may have brackets
 * of its own: the last ones that lie within its reach are the kernel's. */
static void kernel_log_fault(struct str text, pid_t pid, struct kernel_death *ret)
{
    const bool trap = kernel_log_cut(&text, "traps: ");
    for (size_t i = text.n < COMM_MAX ? text.n : COMM_MAX + 1; i-- > 0;) {
        struct str rest = {text.p + i + 1, i < text.n ? text.n - i - 1 : 0};
        int64_t n;
        if (i >= text.n || text.p[i] != '[' || !kernel_log_number(&rest, &n))
            continue;
        if (trap ? !kernel_log_cut(&rest, "] trap ") && !kernel_log_cut(&rest, "] general protection")
                 : !kernel_log_cut(&rest, "]: segfault at "))
            continue;
        if (n == pid) {
            ret->fault = true;
            ret->profiler = rest.n && memmem(rest.p, rest.n, " in libasyncProfiler", strlen(" in libasyncProfiler"));
        }
        return;
    }
}

void kernel_log_record(struct str record, pid_t pid, int64_t since_us, struct kernel_death *ret)
{
    struct str head, level, sequence, time;
    int64_t us;
    /* Lines of further properties follow the text. */
    struct str text = record;
    if (!str_split(&text, ';', &head) || !str_split(&head, ',', &level) || !str_split(&head, ',', &sequence) ||
        !str_split(&head, ',', &time) || !str_to_i64(time, &us) || us < since_us)
        return;
    /* Facility 0: written by the kernel, not through /dev/kmsg. */
    int64_t priority;
    if (!str_to_i64(level, &priority) || priority < 0 || priority > 7)
        return;
    struct str line;
    if (!str_split(&text, '\n', &line))
        return;
    kernel_log_oom(line, pid, ret);
    kernel_log_fault(line, pid, ret);
}

void kernel_log_read(pid_t pid, int64_t age_ns, struct kernel_death *ret)
{
    struct stat st;
    char record[RECORD_MAX];
    *ret = (struct kernel_death){0};
    if (stat("/proc/self/ns/pid", &st) < 0 || st.st_ino != INITIAL_PID_NAMESPACE)
        return;
    cleanup_close int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    const int64_t now_us = clock_ns() / 1000, since_us = now_us - age_ns / 1000 - SLACK_US - now_us / DRIFT;
    for (unsigned i = 0; fd >= 0 && i < RECORDS_MAX; i++) {
        const ssize_t n = read(fd, record, sizeof record);
        if (n < 0 && (errno == EPIPE || errno == EINTR)) /* overwritten meanwhile: the next one comes */
            continue;
        if (n <= 0) {
            ret->whole = n < 0 && errno == EAGAIN;
            return;
        }
        kernel_log_record((struct str){record, (size_t)n}, pid, since_us, ret);
    }
}
