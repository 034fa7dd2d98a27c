#include "graph/config_path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"

static void add(struct config_files *files, char *name, char *text, size_t len)
{
    xgrow(&files->items, &files->cap, files->len + 1, sizeof *files->items);
    files->items[files->len++] = (struct config_file){name, text, len};
}

/* `fd` is open and of a regular file, a FIFO or a device such as /dev/stdin: all can be read to the end. */
static int read_all(int fd, const char *path, struct buf *text, struct err *err)
{
    for (;;) {
        uint8_t *p = buf_reserve(text, 64 * 1024);
        if (!p)
            return err_set(err, -EFBIG, "%s: larger than %d MiB", path, CONFIG_MAX >> 20);
        ssize_t n = read(fd, p, 64 * 1024);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, "read %s", path);
        if (n == 0)
            return 0;
        text->len += (size_t)n;
    }
}

static int read_file(struct config_files *files, const char *path, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(CONFIG_MAX + 64 * 1024);
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "reading config path \"%s\"", path);
    int code = read_all(fd, path, &text, err);
    if (code < 0)
        return code;
    size_t len;
    char *bytes = (char *)buf_take(&text, &len);
    add(files, xstrdup(path), bytes ? bytes : xstrdup(""), bytes ? len : 0);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bool config_wanted(const char *name)
{
    return str_has_suffix(str_of(name), STR(".alloy"));
}

static int read_directory(struct config_files *files, const char *path, struct err *err)
{
    cleanup_closedir DIR *dir = opendir(path);
    if (!dir)
        return err_errno(err, "reading config path \"%s\"", path);
    char **names = NULL;
    size_t n = 0, cap = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        if (!config_wanted(e->d_name))
            continue;
        xgrow(&names, &cap, n + 1, sizeof *names);
        names[n++] = xasprintf("%s/%s", path, e->d_name);
    }
    if (n)
        qsort(names, n, sizeof *names, by_name);
    int code = 0;
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        if (code == 0 && stat(names[i], &st) == 0 && S_ISREG(st.st_mode))
            code = read_file(files, names[i], err);
        free(names[i]);
    }
    free(names);
    return code;
}

int config_read(const char *const *paths, size_t n, struct config_files *ret, struct err *err)
{
    cleanup_config_files struct config_files files = {0};
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        if (stat(paths[i], &st) < 0)
            return err_errno(err, "reading config path \"%s\"", paths[i]);
        int code = S_ISDIR(st.st_mode) ? read_directory(&files, paths[i], err) : read_file(&files, paths[i], err);
        if (code < 0)
            return code;
    }
    *ret = files;
    files = (struct config_files){0};
    return 0;
}

void config_text(const char *name, const char *text, struct config_files *ret)
{
    add(ret, xstrdup(name), xstrdup(text), strlen(text));
}

void config_files_done(struct config_files *files)
{
    for (size_t i = 0; i < files->len; i++) {
        free((char *)files->items[i].name);
        free((char *)files->items[i].text);
    }
    free(files->items);
    *files = (struct config_files){0};
}
