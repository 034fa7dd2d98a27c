#include "cli/convert_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/terminal.h"

int output_directory(struct output *o, const char *path, struct err *err)
{
    struct stat st;
    if (mkdir(path, 0777) == 0) {
        o->made = xstrdup(path);
        return 0;
    }
    if (errno != EEXIST)
        return err_errno(err, "create directory %s", path);
    if (stat(path, &st) < 0)
        return err_errno(err, "%s", path);
    if (!S_ISDIR(st.st_mode))
        return err_set(err, -EINVAL, "%s: is a file; several profiles need a directory", path);
    return 0;
}

static int write_straight(const char *path, int fd, struct str bytes, struct err *err)
{
    int code = terminal_write(fd, bytes);
    return code < 0 ? err_set(err, code, "write %s: %s", path, strerror(-code)) : 0;
}

/* The mode and owner of the file it takes the place of, else the mode of any new file, not that of mkstemp, which
 * nobody else may read. */
static int take_identity(const char *path, int fd)
{
    struct stat st;
    if (stat(path, &st) == 0) {
        if (fchown(fd, st.st_uid, st.st_gid) < 0 && errno != EPERM)
            return -1;
        return fchmod(fd, st.st_mode & 0777);
    }
    mode_t mask = umask(0);
    umask(mask);
    return fchmod(fd, 0666 & ~mask);
}

static int write_beside(const char *path, char *temporary, struct str bytes, struct err *err)
{
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "write %s", path);
    int code = fd_write_all(fd, bytes.p, bytes.n);
    if (code == 0 && take_identity(path, fd) < 0)
        code = -errno;
    if (close(fd) < 0 && code == 0)
        code = -errno;
    if (code == 0)
        return 0;
    unlink(temporary);
    return err_set(err, code, "write %s: %s", path, strerror(-code));
}

int output_write(struct output *o, const char *path, struct str bytes, struct err *err)
{
    if (strcmp(path, "-") == 0)
        return write_straight("standard output", STDOUT_FILENO, bytes, err);
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
            return err_errno(err, "write %s", path);
        return write_straight(path, fd, bytes, err);
    }
    cleanup_free char *real = realpath(path, NULL);
    struct output_file f = {.path = xstrdup(real ? real : path)};
    f.temporary = xasprintf("%s.XXXXXX", f.path);
    int code = write_beside(path, f.temporary, bytes, err);
    if (code < 0) {
        free(f.path);
        free(f.temporary);
        return code;
    }
    xgrow(&o->files, &o->cap, o->len + 1, sizeof *o->files);
    o->files[o->len++] = f;
    return 0;
}

int output_commit(struct output *o, struct err *err)
{
    for (size_t i = 0; i < o->len; i++) {
        if (rename(o->files[i].temporary, o->files[i].path) < 0)
            return err_errno(err, "write %s", o->files[i].path);
        free(TAKE_PTR(o->files[i].temporary));
    }
    free(TAKE_PTR(o->made));
    return 0;
}

void output_done(struct output *o)
{
    for (size_t i = 0; i < o->len; i++) {
        if (o->files[i].temporary)
            unlink(o->files[i].temporary);
        free(o->files[i].temporary);
        free(o->files[i].path);
    }
    if (o->made)
        rmdir(o->made);
    free(o->made);
    free(o->files);
    *o = (struct output){0};
}
