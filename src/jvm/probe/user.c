#include "jvm/probe/user.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/procfs.h"

/* Of the initial PID namespace: the process that is number 1 in it is the host's. */
static const ino_t INITIAL_PID_NAMESPACE = 0xEFFFFFFC;
enum { NESTED_MAX = 32 }; /* the kernel's own limit */

static const uint64_t LOCAL_USER = 1ULL << 32, CONTAINER = 2ULL << 32;

static ino_t inode_at(int dir, const char *path)
{
    struct stat st;
    return fstatat(dir, path, &st, 0) < 0 ? 0 : st.st_ino;
}

static ino_t inode_of(int fd)
{
    struct stat st;
    return fstat(fd, &st) < 0 ? 0 : st.st_ino;
}

bool jvm_sees_host(int proc)
{
    const ino_t its = inode_at(proc, "ns/mnt");
    if (its == 0 || its == inode_at(AT_FDCWD, "/proc/self/ns/mnt"))
        return true;
    return inode_at(AT_FDCWD, "/proc/1/ns/pid") == INITIAL_PID_NAMESPACE && its == inode_at(AT_FDCWD, "/proc/1/ns/mnt");
}

/* The outermost user namespace of the process below ours; -1 where it is ours, or cannot be seen. */
static int outermost_user_namespace(int proc)
{
    const ino_t ours = inode_at(AT_FDCWD, "/proc/self/ns/user");
    cleanup_close int at = openat(proc, "ns/user", O_RDONLY | O_CLOEXEC);
    for (unsigned i = 0; at >= 0 && inode_of(at) != ours && i < NESTED_MAX; i++) {
        const int parent = ioctl(at, NS_GET_PARENT);
        if (parent < 0 || inode_of(parent) == ours) {
            if (parent >= 0)
                close(parent);
            return TAKE_FD(at);
        }
        close(at);
        at = parent;
    }
    return -1;
}

static uint64_t local_user(uid_t uid)
{
    return uid ? LOCAL_USER | uid : 0;
}

uint64_t jvm_user_of(pid_t pid)
{
    char path[32];
    struct stat st;
    uint32_t uid;
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    cleanup_close int proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (proc < 0 || fstat(proc, &st) < 0)
        return LOCAL_USER;
    cleanup_close int space = outermost_user_namespace(proc);
    uid_t owner;
    if (space >= 0)
        return ioctl(space, NS_GET_OWNER_UID, &owner) == 0 && owner != 0 ? local_user(owner)
                                                                         : CONTAINER | (uint32_t)inode_of(space);
    if (!jvm_sees_host(proc))
        return CONTAINER | (uint32_t)inode_at(proc, "ns/mnt");
    return local_user(procfs_uid(pid, &uid, NULL) < 0 ? st.st_uid : uid);
}

bool jvm_user_is_visible(pid_t pid)
{
    char path[64];
    struct stat st;
    snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
    return stat(path, &st) == 0 || errno != EACCES;
}

const char *jvm_user_text(uint64_t user, char ret[JVM_USER_TEXT])
{
    if (user == 0)
        return "root";
    snprintf(ret, JVM_USER_TEXT, "%s %u", user & CONTAINER ? "container" : "user", (unsigned)(uint32_t)user);
    return ret;
}
