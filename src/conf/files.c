#include "conf/files.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "conf/file.h"

static void conf_files_add(struct conf_files *files, char *name, char *text, size_t len)
{
    xgrow(&files->items, &files->cap, files->len + 1, sizeof *files->items);
    files->items[files->len++] = (struct config_file){name, text, len};
}

static int files_read_one(struct conf_files *files, const char *path, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(0);
    const int code = conf_file_read(path, CONF_FILE_MAX, CONF_STREAM, &text, NULL, err);
    if (code < 0)
        return err_wrap(err, code, "read %s", path);
    size_t len;
    char *bytes = (char *)buf_take(&text, &len);
    conf_files_add(files, xstrdup(path), bytes ? bytes : xstrdup(""), bytes ? len : 0);
    return 0;
}

static int files_by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int files_read_directory(struct conf_files *files, const char *path, struct err *err)
{
    cleanup_closedir DIR *dir = opendir(path);
    if (!dir && (errno == EACCES || errno == EPERM))
        return err_set(err, -errno, "%s: let user %u read and search the directory", strerror(errno), geteuid());
    if (!dir)
        return err_errno(err, "read %s", path);
    char **names = NULL;
    size_t n = 0, cap = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        if (fnmatch(CONF_ENTRIES, e->d_name, 0) != 0)
            continue;
        xgrow(&names, &cap, n + 1, sizeof *names);
        names[n++] = xasprintf("%s/%s", path, e->d_name);
    }
    if (n)
        qsort(names, n, sizeof *names, files_by_name);
    int code = 0;
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        if (code == 0 && stat(names[i], &st) == 0 && S_ISREG(st.st_mode))
            code = files_read_one(files, names[i], err);
        free(names[i]);
    }
    free(names);
    return code;
}

static int files_read_path(struct conf_files *files, const char *path, struct err *err)
{
    struct stat st;
    if (stat(path, &st) < 0 && (errno == EACCES || errno == EPERM))
        return err_set(err, -errno, "%s: let user %u search the directories above it", strerror(errno), geteuid());
    if (stat(path, &st) < 0)
        return err_set(err, -errno, "%s", strerror(errno));
    return S_ISDIR(st.st_mode) ? files_read_directory(files, path, err) : files_read_one(files, path, err);
}

int conf_files_read(const char *const *paths, size_t n, struct conf_files *ret, struct err *err)
{
    cleanup_conf_files struct conf_files files = {0};
    for (size_t i = 0; i < n; i++) {
        const int code = files_read_path(&files, paths[i], err);
        if (code < 0)
            return err_wrap(err, code, "reading config path \"%s\"", paths[i]);
    }
    *ret = files;
    files = (struct conf_files){0};
    return 0;
}

void conf_files_add_text(const char *name, const char *text, struct conf_files *files)
{
    conf_files_add(files, xstrdup(name), xstrdup(text), strlen(text));
}

void conf_files_done(struct conf_files *files)
{
    for (size_t i = 0; i < files->len; i++) {
        free((char *)files->items[i].name);
        free((char *)files->items[i].text);
    }
    free(files->items);
    *files = (struct conf_files){0};
}
