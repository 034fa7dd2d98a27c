#include "conf/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/fsutil.h"

static struct conf_stamp conf_stamp_of_stat(const struct stat *st)
{
    return (struct conf_stamp){st->st_dev, st->st_ino, st->st_size, st->st_mtim};
}

struct conf_stamp conf_stamp_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? conf_stamp_of_stat(&st) : (struct conf_stamp){0};
}

bool conf_stamp_equal(const struct conf_stamp *a, const struct conf_stamp *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->mtime.tv_sec == b->mtime.tv_sec &&
           a->mtime.tv_nsec == b->mtime.tv_nsec;
}

/* The cause in the words of strerror(3), and what to do where that is known. */
static int conf_file_failed(struct err *err, int code)
{
    switch (code) {
    case -EACCES:
    case -EPERM:
        return err_set(err, code, "%s: let user %u read the file and search the directories above it", strerror(-code),
                       geteuid());
    case -ELOOP:
        return err_set(err, code, "%s: the link leads back to itself", strerror(-code));
    case -EMFILE:
    case -ENFILE:
        return err_set(err, code, "%s: raise the limit of open files (LimitNOFILE= of the unit)", strerror(-code));
    default:
        return err_set(err, code, "%s", strerror(-code));
    }
}

static int conf_file_too_large(struct err *err, size_t max)
{
    static const size_t kib = 1 << 10, mib = 1 << 20;
    return max >= mib ? err_set(err, -EFBIG, "larger than %zu MiB, the most for a file of this kind", max / mib)
                      : err_set(err, -EFBIG, "larger than %zu KiB, the most for a file of this kind", max / kib);
}

int conf_file_read(const char *path, size_t max, enum conf_file_kind kind, struct buf *out, struct conf_stamp *ret,
                   struct err *err)
{
    buf_done(out);
    cleanup_buf struct buf text = BUF_INIT(max);
    *out = BUF_INIT(max);
    /* Opening a FIFO waits for a writer, unless told not to. */
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | (kind == CONF_STREAM ? 0 : O_NONBLOCK));
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return conf_file_failed(err, -errno);
    if (kind == CONF_REGULAR && !S_ISREG(st.st_mode))
        return err_set(err, -EINVAL, "not a regular file");
    bool whole;
    const int code = fs_read(fd, &text, &whole);
    if (code < 0)
        return conf_file_failed(err, code);
    if (!whole)
        return conf_file_too_large(err, max);
    *out = text;
    text = BUF_INIT(0);
    if (ret)
        *ret = conf_stamp_of_stat(&st);
    return 0;
}
