#include "cli/convert_files.h"

#include <errno.h>
#include <glob.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"

static void convert_files_add(struct file_list *l, char *path, bool found)
{
    xgrow(&l->items, &l->cap, l->len + 1, sizeof *l->items);
    xgrow(&l->found, &l->found_cap, l->len + 1, sizeof *l->found);
    l->found[l->len] = found;
    l->items[l->len++] = path;
}

void file_list_done(struct file_list *l)
{
    for (size_t i = 0; i < l->len; i++)
        free(l->items[i]);
    free(l->items);
    free(l->found);
    *l = (struct file_list){0};
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_recording(const char *name)
{
    static const char *const endings[] = {".jfr", ".jfr.gz", ".jfr.zst", ".jfr.xz", ".jfr.lz4", ".jfr.zip"};
    for (size_t i = 0; name[0] != '.' && i < ARRAY_LEN(endings); i++) {
        if (str_has_suffix(str_of(name), str_of(endings[i])))
            return true;
    }
    return false;
}

static int add_directory(struct file_list *l, const char *path, struct err *err)
{
    cleanup_closedir DIR *dir = opendir(path);
    if (!dir)
        return err_errno(err, "%s", path);
    size_t before = l->len, end = strlen(path);
    while (end > 1 && path[end - 1] == '/')
        end--;
    for (struct dirent *e; (e = readdir(dir));) {
        if (is_recording(e->d_name))
            convert_files_add(l, xasprintf("%.*s/%s", (int)end, path, e->d_name), true);
    }
    if (l->len == before)
        return err_set(err, -ENOENT, "%s: no *.jfr, *.jfr.gz, … in this directory", path);
    qsort(l->items + before, l->len - before, sizeof *l->items, by_name);
    return 0;
}

static int add_pattern(struct file_list *l, const char *pattern, struct err *err)
{
    glob_t found = {0};
    int code = glob(pattern, GLOB_BRACE | GLOB_TILDE, NULL, &found);
    for (size_t i = 0; code == 0 && i < found.gl_pathc; i++)
        convert_files_add(l, xstrdup(found.gl_pathv[i]), true);
    globfree(&found);
    if (code == GLOB_NOMATCH)
        return err_set(err, -ENOENT, "%s: no file matches", pattern);
    return code == 0 ? 0 : err_set(err, -EIO, "%s: cannot read directories", pattern);
}

static int expand_one(struct file_list *l, const char *arg, bool *stdin_taken, struct err *err)
{
    struct stat st;
    if (strcmp(arg, "-") == 0) {
        if (*stdin_taken)
            return err_set(err, -EINVAL, "- (standard input) can only be given once");
        *stdin_taken = true;
    } else if (stat(arg, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return add_directory(l, arg, err);
    } else if (errno == ENOENT && strpbrk(arg, "*?[{")) {
        return add_pattern(l, arg, err);
    } else {
        return err_errno(err, "%s", arg);
    }
    convert_files_add(l, xstrdup(arg), false);
    return 0;
}

int files_expand(const char *const *args, size_t n, struct file_list *ret, struct err *err)
{
    cleanup_file_list struct file_list l = {0};
    bool stdin_taken = false;
    for (size_t i = 0; i < n; i++) {
        int code = expand_one(&l, args[i], &stdin_taken, err);
        if (code < 0)
            return code;
    }
    *ret = l;
    l = (struct file_list){0};
    return 0;
}
