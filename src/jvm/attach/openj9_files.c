#include "jvm/attach/openj9_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "os/fsutil.h"
#include "os/rootfs.h"

#define ATTACH_LOCK   "_attachlock"
#define NOTIFIER      "_notifier"
#define ADVERTISEMENT "attachInfo"
#define SYNC          "attachNotificationSync"
#define REPLY         "replyInfo"

enum { ADVERTISEMENT_MAX = 64 << 10, LOCK_FILE_MAX = 1 << 20, OTHERS_WRITE = 022, PROJECT = 0xa1, NAME_SIZE = 300 };

/* The last component is not followed: who plants a link there decides nothing. */
static int openj9_open_common(int root, const char *path, struct err *err)
{
    char parent[OPENJ9_PATH_MAX];
    snprintf(parent, sizeof parent, "%s", path);
    size_t n = strlen(parent);
    while (n > 1 && parent[n - 1] == '/')
        parent[--n] = '\0';
    char *slash = strrchr(parent, '/');
    if (!slash || !slash[1])
        return err_set(err, -EINVAL, "%s cannot be an attach directory", path);
    *slash = '\0';
    cleanup_close int dir = rootfs_dir(root, slash == parent ? "/" : parent, err);
    return dir < 0 ? dir : rootfs_dir_in(dir, slash + 1, err);
}

static int openj9_check_owner(const struct openj9_files *f, int fd, const char *what, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_errno(err, "stat %s", what);
    if (st.st_uid != f->v->rights.uid || st.st_mode & OTHERS_WRITE)
        return err_set(err, -EPERM, "OpenJ9's %s has owner %u and mode %04o, not that of the JVM", what,
                       (unsigned)st.st_uid, st.st_mode & 07777u);
    return 0;
}

/* An earlier JVM with the same PID may have left its directory. */
static int openj9_check_pid(const struct openj9_files *f, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(ADVERTISEMENT_MAX);
    cleanup_close int fd = rootfs_file_in(f->own, ADVERTISEMENT, O_RDONLY, ADVERTISEMENT_MAX, NULL, err);
    if (fd < 0)
        return fd;
    int code = openj9_check_owner(f, fd, ADVERTISEMENT, err);
    if (code == 0)
        code = fs_read(fd, &text, NULL);
    if (code < 0)
        return code;
    struct str rest = buf_slice(&text), line;
    const struct str name = STR("processId=");
    int64_t pid;
    while (str_split(&rest, '\n', &line))
        if (str_has_prefix(line, name) && str_to_i64(str_trim((struct str){line.p + name.n, line.n - name.n}), &pid) &&
            pid == f->v->ns_pid)
            return 0;
    return err_set(err, -ENOENT, "%s is that of another JVM", ADVERTISEMENT);
}

static int openj9_open_own(struct openj9_files *f, const struct openj9_options *o, struct err *err)
{
    f->common = openj9_open_common(f->v->root, o->directory, err);
    if (f->common < 0)
        return f->common;
    f->own = rootfs_dir_in(f->common, o->id, err);
    if (f->own < 0)
        return f->own;
    const int code = openj9_check_owner(f, f->own, "attach directory", err);
    return code < 0 ? code : openj9_check_pid(f, err);
}

int openj9_files_open(struct openj9_files *f, const struct jvm_view *v, const struct openj9_options *o, struct err *err)
{
    struct err why = {0};
    f->v = v;
    const int code = openj9_open_own(f, o, &why);
    if (code == 0)
        return 0;
    return err_set(err, code == -ENOENT ? -ENOEXEC : code, "OpenJ9 cannot be attached to through %s/%s: %s",
                   o->directory, o->id, why.text);
}

void openj9_files_done(struct openj9_files *f)
{
    if (f->own >= 0)
        close(f->own);
    if (f->common >= 0)
        close(f->common);
    *f = OPENJ9_FILES_INIT;
}

int openj9_files_advertisement(const struct openj9_files *f)
{
    struct stat st;
    cleanup_close int fd = rootfs_peek_in(f->own, ADVERTISEMENT, &st, NULL);
    return fd >= 0 && S_ISREG(st.st_mode) && fs_is_local(fd) ? TAKE_FD(fd) : -1;
}

int openj9_files_semaphore(const struct openj9_files *f, key_t *ret, struct err *err)
{
    struct stat st;
    cleanup_close int fd = rootfs_peek_in(f->common, NOTIFIER, &st, err);
    if (fd < 0)
        return fd;
    /* As ftok(3), of the file that was found. */
    *ret = (key_t)((uint32_t)(st.st_ino & 0xffff) | (uint32_t)(st.st_dev & 0xff) << 16 | (uint32_t)PROJECT << 24);
    return 0;
}

/* Both kinds of locks; whoever has one of them does not wait. */
static int openj9_try_lock(int fd)
{
    const struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    if (fcntl(fd, F_OFD_SETLK, &all) < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EACCES || errno == EWOULDBLOCK ? -EAGAIN : -errno;
    return 0;
}

int openj9_files_lock(const struct openj9_files *f)
{
    cleanup_close int fd = rootfs_file_in(f->common, ATTACH_LOCK, O_RDWR, LOCK_FILE_MAX, NULL, NULL);
    if (fd == -ENOENT) {
        fd = rootfs_make_file(f->common, ATTACH_LOCK);
        /* For the JVMs and users that come later. */
        if (fd >= 0 && fchmod(fd, 0666) < 0)
            return -errno;
    }
    if (fd < 0)
        return fd == -EEXIST ? -EAGAIN : fd;
    const int code = openj9_try_lock(fd);
    return code < 0 ? code : TAKE_FD(fd);
}

/* Of the JVM whose directory is `name`. */
static int openj9_lock_jvm(const struct openj9_files *f, const char *name)
{
    char path[NAME_SIZE + sizeof SYNC];
    struct stat dir, st;
    snprintf(path, sizeof path, "%s/" SYNC, name);
    cleanup_close int own = rootfs_peek_in(f->common, name, &dir, NULL);
    cleanup_close int fd = own < 0 ? -1 : rootfs_file_in(f->common, path, O_RDWR, LOCK_FILE_MAX, &st, NULL);
    /* A link to another file of this user would have that one locked. */
    if (fd < 0 || st.st_uid != dir.st_uid || st.st_nlink != 1 || openj9_try_lock(fd) < 0)
        return -1;
    return TAKE_FD(fd);
}

/* What OpenJ9 counts: everything but the files for all and what is about to be deleted. */
static bool is_jvm(const struct dirent *e)
{
    return e->d_name[0] != '_' && e->d_name[0] != '.' && (e->d_type == DT_DIR || e->d_type == DT_UNKNOWN);
}

size_t openj9_files_lock_jvms(const struct openj9_files *f, int locks[OPENJ9_JVMS_MAX], size_t *ret)
{
    enum { ENTRIES_MAX = 4096 };
    const int fd = openat(f->common, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cleanup_closedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir && fd >= 0)
        close(fd);
    size_t jvms = 0, locked = 0;
    struct dirent *e;
    for (unsigned i = 0; dir && i < ENTRIES_MAX && jvms < OPENJ9_JVMS_MAX && (e = readdir(dir)); i++) {
        if (!is_jvm(e))
            continue;
        jvms++;
        const int lock = openj9_lock_jvm(f, e->d_name);
        if (lock >= 0)
            locks[locked++] = lock;
    }
    *ret = locked;
    return jvms ? jvms : 1;
}

int openj9_files_put_reply(struct openj9_files *f, const char *key, unsigned port, struct err *err)
{
    char text[64];
    const int n = snprintf(text, sizeof text, "%s\n%u\n", key, port);
    cleanup_close int fd = rootfs_make_file(f->own, REPLY);
    if (fd == -EEXIST) {
        /* Left by someone who gave up; a symlink goes as such. */
        unlinkat(f->own, REPLY, 0);
        fd = rootfs_make_file(f->own, REPLY);
    }
    f->has_reply = fd >= 0;
    int code = fd < 0 ? fd : fd_write_all(fd, text, (size_t)n);
    return code < 0 ? err_set(err, code, "create " REPLY " in OpenJ9's attach directory as user %u: %s",
                              (unsigned)f->v->rights.uid, strerror(-code))
                    : 0;
}

void openj9_files_remove_reply(struct openj9_files *f)
{
    if (f->has_reply)
        unlinkat(f->own, REPLY, 0);
    f->has_reply = false;
}
