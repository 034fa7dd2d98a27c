/* What a user can do to processes that run as him: prowler PREFIX [stop]
 *
 * Looks without end for processes whose name begins with PREFIX and whose user is the caller, and tries to read their
 * environment, memory and descriptors, to take a descriptor of theirs and to trace them; with `stop` sends them
 * SIGSTOP, too. Says "SEEN PID NAME" once for each, and "GOT PID WHAT" for what it should not have been able to.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SEEN_MAX = 4096, DESCRIPTORS = 64 };

static bool name_of(int pid, char name[32])
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, name, 31);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return false;
    name[n] = '\0';
    name[strcspn(name, "\n")] = '\0';
    return true;
}

static bool is_ours(int pid)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return false;
    text[n] = '\0';
    char *uid = strstr(text, "\nUid:");
    return uid && (uid_t)strtoul(uid + strlen("\nUid:"), NULL, 10) == getuid();
}

static void got(int pid, const char *what)
{
    printf("GOT %d %s\n", pid, what);
    fflush(stdout);
}

static void try_file(int pid, const char *name)
{
    char path[64], byte;
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (read(fd, &byte, 1) == 1 || strcmp(name, "mem") == 0)
        got(pid, name);
    close(fd);
}

static void try_descriptors(int pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *dir = opendir(path);
    if (dir) {
        got(pid, "its list of descriptors");
        closedir(dir);
    }
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    for (int i = 0; pidfd >= 0 && i < DESCRIPTORS; i++) {
        int fd = (int)syscall(SYS_pidfd_getfd, pidfd, i, 0);
        if (fd < 0 && errno != EBADF)
            break;
        if (fd >= 0) {
            got(pid, "a descriptor");
            close(fd);
            break;
        }
    }
    if (pidfd >= 0)
        close(pidfd);
}

static void look_at(int pid, bool stop)
{
    try_file(pid, "environ");
    try_file(pid, "mem");
    try_file(pid, "maps");
    try_file(pid, "syscall");
    try_descriptors(pid);
    if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0) {
        got(pid, "traced");
        ptrace(PTRACE_DETACH, pid, NULL, NULL);
    }
    if (stop)
        kill(pid, SIGSTOP);
}

int main(int argc, char **argv)
{
    static bool seen[1 << 22];
    bool stop = argc > 2;
    printf("up\n");
    fflush(stdout);
    for (;;) {
        DIR *proc = opendir("/proc");
        for (struct dirent *e; proc && (e = readdir(proc));) {
            char name[32];
            int pid = isdigit((unsigned char)*e->d_name) ? atoi(e->d_name) : 0;
            if (!pid || pid == getpid() || !name_of(pid, name) || strncmp(name, argv[1], strlen(argv[1])) != 0 ||
                !is_ours(pid))
                continue;
            if (!seen[pid])
                printf("SEEN %d %s\n", pid, name);
            seen[pid] = true;
            fflush(stdout);
            look_at(pid, stop);
        }
        if (proc)
            closedir(proc);
        usleep(500);
    }
}
