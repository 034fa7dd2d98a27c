#include "store/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

enum { FILE_MODE = 0600, LIST_MAX = 4096 };

void aside_mark(const char *path)
{
    cleanup_free char *marker = xasprintf("%s.damaged", path);
    const int fd = open(marker, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (fd >= 0)
        close(fd);
}

static bool aside_is_marked(const char *path)
{
    cleanup_free char *marker = xasprintf("%s.damaged", path);
    return access(marker, F_OK) == 0;
}

static void aside_unmark(const char *path)
{
    cleanup_free char *marker = xasprintf("%s.damaged", path);
    (void)unlink(marker);
}

/* ---- the list ---- */

static struct buf aside_read_list(const char *path)
{
    cleanup_free char *list = xasprintf("%s.salvage", path);
    struct buf text = BUF_INIT(LIST_MAX);
    cleanup_close int fd = open(list, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    uint8_t *room = buf_reserve(&text, LIST_MAX - 1);
    const ssize_t n = fd >= 0 && room ? read(fd, room, LIST_MAX - 1) : 0;
    text.len = n > 0 ? (size_t)n : 0;
    return text;
}

static int aside_write_list(const char *path, struct str text, struct err *err)
{
    cleanup_free char *list = xasprintf("%s.salvage", path), *next = xasprintf("%s.salvage.new", path);
    cleanup_close int fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (fd < 0 || fd_write_all(fd, text.p, text.n) < 0 || fsync(fd) < 0 || rename(next, list) < 0)
        return err_errno(err, "write %s", list);
    return 0;
}

/* The next line as a path. NULL: it is the name of something else. */
static char *aside_path_of(const char *path, struct str line)
{
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    cleanup_free char *prefix = xasprintf("%s.damaged-", name);
    if (!str_has_prefix(line, str_of(prefix)) || memchr(line.p, '/', line.n))
        return NULL;
    return xasprintf("%.*s%.*s", (int)(name - path), path, STR_ARG(line));
}

char *aside_first(const char *path)
{
    cleanup_buf struct buf text = aside_read_list(path);
    struct str rest = buf_slice(&text), line;
    while (str_split(&rest, '\n', &line)) {
        char *aside = aside_path_of(path, line);
        if (aside && access(aside, F_OK) == 0)
            return aside;
        free(aside);
    }
    return NULL;
}

void aside_finish(const char *path, const char *aside)
{
    cleanup_buf struct buf text = aside_read_list(path), left = BUF_INIT(LIST_MAX);
    struct str rest = buf_slice(&text), line;
    struct err err;
    while (str_split(&rest, '\n', &line)) {
        cleanup_free char *other = aside_path_of(path, line);
        if (other && strcmp(other, aside) != 0)
            buf_printf(&left, "%.*s\n", STR_ARG(line));
    }
    cleanup_free char *list = xasprintf("%s.salvage", path);
    if (left.len == 0)
        (void)unlink(list);
    else
        (void)!aside_write_list(path, buf_slice(&left), &err);
}

/* ---- moving ---- */

/* Of a move that was interrupted, else a new one. */
static char *aside_name(const char *path, struct buf *list)
{
    struct str rest = buf_slice(list), line;
    while (str_split(&rest, '\n', &line)) {
        char *aside = aside_path_of(path, line);
        if (aside && access(aside, F_OK) < 0)
            return aside;
        free(aside);
    }
    for (time_t now = time(NULL);; now++) {
        char *aside = xasprintf("%s.damaged-%lld", path, (long long)now);
        if (access(aside, F_OK) < 0) {
            const char *name = strrchr(aside, '/');
            buf_printf(list, "%s\n", name ? name + 1 : aside);
            return aside;
        }
        free(aside);
    }
}

/* The database itself last: until then, the mark says what is to be done. */
static int aside_move(const char *path, char **ret, struct err *err)
{
    static const char *const parts[] = {"-wal", "-shm", ""};
    struct stat st;
    aside_mark(path);
    if (stat(path, &st) == 0 && st.st_size == 0) {
        aside_unmark(path);
        *ret = NULL;
        return 0;
    }
    cleanup_buf struct buf list = aside_read_list(path);
    cleanup_free char *aside = aside_name(path, &list);
    const int code = aside_write_list(path, buf_slice(&list), err);
    if (code < 0)
        return code;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        cleanup_free char *from = xasprintf("%s%s", path, parts[i]), *to = xasprintf("%s%s", aside, parts[i]);
        if (rename(from, to) < 0 && errno != ENOENT)
            return err_errno(err, "move %s to %s", path, aside);
    }
    aside_unmark(path);
    *ret = TAKE_PTR(aside);
    return 0;
}

/* ---- opening ---- */

int aside_open(const char *path, struct db *write, struct db *read, struct buf *notice, struct err *err)
{
    int code = aside_is_marked(path) ? err_set(err, -EBADMSG, "detected at run time") : db_open(path, write, err);
    if (code == -EBADMSG) {
        cleanup_free char *aside = NULL;
        const struct err why = *err;
        code = aside_move(path, &aside, err);
        if (code < 0)
            return err_wrap(err, code, "%s is damaged (%s)", path, why.text);
        if (aside && notice)
            buf_printf(notice, "%s is damaged (%s); moved to %s, what can be read of it is copied into a new one", path,
                       why.text, aside);
        code = db_open(path, write, err);
    }
    if (code == 0 && (code = db_open(path, read, err)) < 0)
        db_close(write);
    return code < 0 ? err_wrap(err, code, "open %s", path) : 0;
}
