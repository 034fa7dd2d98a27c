#include "jvm/probe/mapped.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "os/rootfs.h"

enum { MOUNTS_MAX = 1 << 20, MOUNT_POINT_COLUMN = 4 };

bool jvm_mapped_is(int root, const char *path, ino_t inode)
{
    struct stat st;
    cleanup_close int fd = rootfs_peek(root, path, &st, NULL);
    return fd >= 0 && S_ISREG(st.st_mode) && (inode == 0 || st.st_ino == inode);
}

/* The mount point of one line of mountinfo; blanks in it are escaped, and such ones are not looked for. */
static struct str mount_point(struct str line)
{
    struct str word = {0};
    for (unsigned i = 0; i <= MOUNT_POINT_COLUMN; i++)
        if (!str_split(&line, ' ', &word))
            return (struct str){0};
    return word;
}

/* In a chroot the maps have the path from outside of it. */
static bool path_within_chroot(int root, const char *path, ino_t inode, char *ret, size_t size)
{
    for (const char *at = path[0] ? strchr(path + 1, '/') : NULL; at && inode; at = strchr(at + 1, '/'))
        if (jvm_mapped_is(root, at, inode))
            return (size_t)snprintf(ret, size, "%s", at) < size;
    return false;
}

bool jvm_mapped_path(const struct jvm_view *v, const char *path, ino_t inode, char *ret, size_t size)
{
    if (jvm_mapped_is(v->root, path, inode))
        return (size_t)snprintf(ret, size, "%s", path) < size;
    if (path_within_chroot(v->root, path, inode, ret, size))
        return true;
    cleanup_buf struct buf text = BUF_INIT(MOUNTS_MAX);
    if (jvm_view_read(v->mountinfo, &text) < 0)
        return false;
    struct str rest = buf_slice(&text);
    for (struct str line; str_split(&rest, '\n', &line);) {
        struct str at = mount_point(line);
        char tried[PATH_MAX];
        if (at.n < 2 || at.p[0] != '/' ||
            (size_t)snprintf(tried, sizeof tried, "%.*s%s", STR_ARG(at), path) >= sizeof tried)
            continue;
        if (jvm_mapped_is(v->root, tried, inode))
            return (size_t)snprintf(ret, size, "%s", tried) < size;
    }
    return false;
}
