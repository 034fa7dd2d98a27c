#include "jvm/session/quarantine_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/mem.h"
#include "os/fsutil.h"

enum { LOCK_TRIES = 100, LOCK_WAIT_US = 20000 };

#define FILE_NAME "quarantine"
#define LOCK_NAME "quarantine.lock"
#define NEW_NAME  "quarantine.new"

void quarantine_list_done(struct quarantine_list *l)
{
    free(l->items);
    *l = QUARANTINE_LIST_INIT;
}

struct quarantine_entry *quarantine_list_find(const struct quarantine_list *l, const char *key)
{
    for (size_t i = 0; i < l->len; i++)
        if (strcmp(l->items[i].makeup.key, key) == 0)
            return &l->items[i];
    return NULL;
}

void quarantine_list_remove(struct quarantine_list *l, size_t i)
{
    l->len--;
    memmove(&l->items[i], &l->items[i + 1], (l->len - i) * sizeof l->items[0]);
}

/* The oldest of that user's, when that user has too many; else the oldest of all. */
static void quarantine_file_make_room(struct quarantine_list *l, uint32_t uid)
{
    size_t of_user = 0, oldest = l->len;
    for (size_t i = l->len; i-- > 0;)
        if (l->items[i].makeup.uid == uid) {
            of_user++;
            oldest = i;
        }
    if (of_user >= QUARANTINE_USER_MAX)
        quarantine_list_remove(l, oldest);
    else if (l->len >= QUARANTINE_MAX)
        quarantine_list_remove(l, 0);
}

void quarantine_list_put(struct quarantine_list *l, const struct quarantine_entry *e)
{
    const struct quarantine_entry copy = *e;
    struct quarantine_entry *old = quarantine_list_find(l, copy.makeup.key);
    if (old)
        quarantine_list_remove(l, (size_t)(old - l->items));
    quarantine_file_make_room(l, copy.makeup.uid);
    xgrow(&l->items, &l->cap, l->len + 1, sizeof *l->items);
    l->items[l->len++] = copy;
}

/* ---- text ---- */

static bool is_key(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!text.p[i] || !strchr("0123456789abcdef", text.p[i]))
            return false;
    return text.n == MAKEUP_KEY_SIZE - 1;
}

static bool parse_line(struct str line, struct quarantine_entry *ret)
{
    struct quarantine_entry e = {0};
    struct str key, strikes, when, uid, why, exe, main, build, profiler = {0};
    uint64_t s, u;
    if (!str_split(&line, '\t', &key) || !str_split(&line, '\t', &strikes) || !str_split(&line, '\t', &when) ||
        !str_split(&line, '\t', &uid) || !str_split(&line, '\t', &why) || !str_split(&line, '\t', &exe) ||
        !str_split(&line, '\t', &main) || !str_split(&line, '\t', &build))
        return false;
    (void)!str_split(&line, '\t', &profiler); /* older lists have none */
    if (!is_key(key) || !str_to_u64(strikes, &s) || s == 0 || s > QUARANTINE_SURE || !str_to_i64(when, &e.when_s) ||
        !str_to_u64(uid, &u) || u > UINT32_MAX)
        return false;
    e.strikes = (unsigned)s;
    e.makeup.uid = (uint32_t)u;
    jvm_printable(key, e.makeup.key, sizeof e.makeup.key);
    jvm_printable(why, e.why, sizeof e.why);
    jvm_printable(exe, e.makeup.exe, sizeof e.makeup.exe);
    jvm_printable(main, e.makeup.main, sizeof e.makeup.main);
    jvm_printable(build, e.makeup.build, sizeof e.makeup.build);
    jvm_printable(profiler, e.makeup.profiler, sizeof e.makeup.profiler);
    *ret = e;
    return true;
}

void quarantine_parse(struct str text, struct quarantine_list *ret)
{
    struct quarantine_entry e;
    for (struct str line; str_split(&text, '\n', &line);)
        if (parse_line(line, &e))
            quarantine_list_put(ret, &e);
}

void quarantine_print(const struct quarantine_list *l, struct buf *out)
{
    for (size_t i = 0; i < l->len; i++) {
        const struct quarantine_entry *e = &l->items[i];
        buf_printf(out, "%s\t%u\t%lld\t%u\t%s\t%s\t%s\t%s\t%s\n", e->makeup.key, e->strikes, (long long)e->when_s,
                   e->makeup.uid, e->why, e->makeup.exe, e->makeup.main, e->makeup.build, e->makeup.profiler);
    }
}

/* ---- file ---- */

static int read_at(int dir, struct quarantine_list *l, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(QUARANTINE_FILE_MAX);
    struct stat st;
    cleanup_close int fd = openat(dir, FILE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_errno(err, "open " FILE_NAME);
    if (!S_ISREG(st.st_mode))
        return err_set(err, -EINVAL, FILE_NAME " is not a regular file");
    int code = fs_read(fd, &text, NULL);
    if (code < 0)
        return err_set(err, code, "read " FILE_NAME ": %s", strerror(-code));
    quarantine_parse(buf_slice(&text), l);
    return 0;
}

/* Root leaves no file of root's in the directory of an agent that runs as another user: that one could not read it. */
static int quarantine_give(int fd, int dir)
{
    struct stat st;
    if (geteuid() != 0)
        return 0;
    return fstat(dir, &st) < 0 || (st.st_uid != 0 && fchown(fd, st.st_uid, st.st_gid) < 0) ? -errno : 0;
}

static int write_at(int dir, const struct quarantine_list *l, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(QUARANTINE_FILE_MAX);
    quarantine_print(l, &text);
    if (!buf_ok(&text))
        return err_set(err, -EFBIG, FILE_NAME " would be too large");
    (void)!unlinkat(dir, NEW_NAME, 0);
    cleanup_close int fd = openat(dir, NEW_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(err, "create " NEW_NAME);
    int code = quarantine_give(fd, dir);
    if (code == 0)
        code = fd_write_all(fd, text.p, text.len);
    if (code == 0 && (fsync(fd) < 0 || renameat(dir, NEW_NAME, dir, FILE_NAME) < 0))
        code = -errno;
    if (code == 0)
        return 0;
    (void)!unlinkat(dir, NEW_NAME, 0);
    return err_set(err, code, "write " FILE_NAME ": %s", strerror(-code));
}

int quarantine_load(const char *dir, struct quarantine_list *ret, struct err *err)
{
    cleanup_close int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (at < 0 && errno == ENOENT)
        return 0;
    if (at < 0)
        return err_errno(err, "%s", dir);
    int code = read_at(at, ret, err);
    return code < 0 ? err_wrap(err, code, "%s", dir) : 0;
}

/* -1 with errno. */
static int open_lock(int dir)
{
    const int how = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    cleanup_close int made = openat(dir, LOCK_NAME, how | O_CREAT | O_EXCL, 0600);
    if (made < 0)
        return errno == EEXIST ? openat(dir, LOCK_NAME, how) : -1;
    return quarantine_give(made, dir) < 0 ? -1 : TAKE_FD(made);
}

/* It is held for milliseconds; who holds it longer must not hold up a worker. -1 with errno. */
static int take_lock(int fd)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return 0;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return -1;
        usleep(LOCK_WAIT_US);
    }
    errno = EWOULDBLOCK;
    return -1;
}

int quarantine_edit(const char *dir, bool (*change)(void *arg, struct quarantine_list *l), void *arg, struct err *err)
{
    cleanup_quarantine_list struct quarantine_list l = QUARANTINE_LIST_INIT;
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return err_errno(err, "create %s", dir);
    cleanup_close int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (at < 0)
        return err_errno(err, "%s", dir);
    cleanup_close int lock = open_lock(at);
    if (lock < 0 || take_lock(lock) < 0)
        return err_errno(err, "lock %s/" LOCK_NAME, dir);
    int code = read_at(at, &l, err);
    if (code == 0 && change(arg, &l))
        code = write_at(at, &l, err);
    return code < 0 ? err_wrap(err, code, "%s", dir) : 0;
}
