#include "cli/record_spool.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/mem.h"

static int spool_file(const char *dir)
{
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
        return fd;
    cleanup_free char *path = xasprintf("%s/.smolder-record-XXXXXX", dir);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

int spool_open(struct spool *s, const char *output, struct err *err)
{
    const char *tmp = getenv("TMPDIR");
    cleanup_free char *path = xstrdup(output);
    const char *dir = strcmp(output, "-") != 0 ? dirname(path) : tmp && *tmp ? tmp : "/tmp";
    const int fd = spool_file(dir);
    if (fd < 0)
        return err_errno(err, "create a temporary file in %s", dir);
    *s = (struct spool){.fd = fd};
    return 0;
}

int spool_chunk(struct spool *s, struct str bytes, int64_t start_ns, int64_t end_ns, struct err *err)
{
    const int code = fd_write_all(s->fd, bytes.p, bytes.n);
    if (code < 0)
        return err_set(err, code, "write the recording to a temporary file: %s", strerror(-code));
    if (!s->chunks++)
        s->start_ns = start_ns;
    s->end_ns = end_ns;
    s->bytes += bytes.n;
    return 0;
}

void spool_done(struct spool *s)
{
    if (s->fd >= 0)
        close(s->fd);
    *s = SPOOL_INIT;
}
