#include "jvm/probe/limits.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"

enum { TEXT_MAX = 8192, DESCRIPTORS_MAX = 1 << 20 };

bool limits_soft(struct str text, const char *name, uint64_t *ret)
{
    for (struct str line; str_split(&text, '\n', &line);) {
        if (!str_has_prefix(line, str_of(name)))
            continue;
        struct str rest = str_trim((struct str){line.p + strlen(name), line.n - strlen(name)}), word;
        if (!str_split(&rest, ' ', &word))
            return false;
        if (str_is(word, "unlimited")) {
            *ret = UINT64_MAX;
            return true;
        }
        return str_to_u64(word, ret);
    }
    return false;
}

static bool limits_read(const struct pidref *p, const char *name, uint64_t *ret)
{
    cleanup_buf struct buf text = BUF_INIT(TEXT_MAX);
    return pidref_read(p, "limits", &text, NULL, NULL) == 0 && limits_soft(buf_slice(&text), name, ret);
}

bool limits_file_size(const struct pidref *p, uint64_t *ret)
{
    uint64_t most;
    if (!limits_read(p, "Max file size", &most) || most == UINT64_MAX)
        return false;
    *ret = most;
    return true;
}

bool limits_no_descriptors(const struct pidref *p, uint64_t *used, uint64_t *ret_max)
{
    uint64_t most, n = 0;
    if (!limits_read(p, "Max open files", &most))
        return false;
    const int fd = pidref_openat(p, "fd", O_RDONLY | O_DIRECTORY);
    cleanup_closedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    for (struct dirent *entry; n < DESCRIPTORS_MAX && (entry = readdir(dir));)
        n += entry->d_name[0] != '.';
    if (n < most)
        return false;
    *used = n;
    *ret_max = most;
    return true;
}
