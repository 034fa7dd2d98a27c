#include "jvm/probe/perfdata.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "os/fsutil.h"
#include "os/rootfs.h"

enum { MAGIC = 0xcafec0c0u, PROLOGUE = 32, ENTRY_HEAD = 20, ENTRIES_MAX = 65536, DIRENTS_MAX = 65536 };

static uint32_t perfdata_u32(struct str bytes, size_t at, bool big)
{
    uint8_t b[4];
    if (at > bytes.n || bytes.n - at < sizeof b)
        return 0;
    memcpy(b, bytes.p + at, sizeof b);
    return big ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]
               : (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

/* The bytes at `at`, up to a NUL or the end of the entry. */
static struct str text_at(struct str bytes, size_t at, size_t end)
{
    if (at >= end || end > bytes.n)
        return (struct str){0};
    return (struct str){bytes.p + at, strnlen(bytes.p + at, end - at)};
}

bool perfdata_string(struct str bytes, const char *name, struct str *ret)
{
    if (bytes.n < PROLOGUE || perfdata_u32(bytes, 0, true) != MAGIC)
        return false;
    bool big = bytes.p[4] == 0;
    size_t at = perfdata_u32(bytes, 24, big); /* entry_offset */
    uint32_t count = perfdata_u32(bytes, 28, big);
    for (uint32_t i = 0; i < count && i < ENTRIES_MAX; i++) {
        uint32_t length = perfdata_u32(bytes, at, big);
        if (length < ENTRY_HEAD || at > bytes.n || length > bytes.n - at)
            return false;
        size_t end = at + length, name_at = at + perfdata_u32(bytes, at + 4, big),
               data_at = at + perfdata_u32(bytes, at + 16, big);
        bool is_text = bytes.p[at + 12] == 'B';
        if (is_text && str_is(text_at(bytes, name_at, end), name)) {
            *ret = text_at(bytes, data_at, end);
            return true;
        }
        at = end;
    }
    return false;
}

bool perfdata_read(int root, pid_t ns_pid, uid_t euid, struct buf *out)
{
    cleanup_close int tmp = rootfs_dir(root, "/tmp", NULL);
    int fd = tmp < 0 ? -1 : fs_reopen(tmp, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
    cleanup_closedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    /* Which user name the JVM saw is its own affair: the file's owner decides. */
    struct dirent *entry;
    for (unsigned i = 0; i < DIRENTS_MAX && (entry = readdir(dir)); i++) {
        if (strncmp(entry->d_name, "hsperfdata_", strlen("hsperfdata_")) != 0)
            continue;
        char path[sizeof entry->d_name + 16];
        snprintf(path, sizeof path, "%s/%d", entry->d_name, (int)ns_pid);
        struct stat st;
        cleanup_close int file = rootfs_file_in(tmp, path, O_RDONLY, out->max - out->len, &st, NULL);
        if (file >= 0 && st.st_uid == euid)
            return fs_read(file, out, NULL) == 0;
    }
    return false;
}
