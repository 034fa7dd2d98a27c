#include "components/file_glob.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"

/* --- alternatives --- */

struct glob_patterns {
    char *items[FILE_GLOB_PATTERNS];
    size_t len;
};

static void glob_patterns_done(struct glob_patterns *p)
{
    for (size_t i = 0; i < p->len; i++)
        free(p->items[i]);
}

/* The brace that closes the one at `open`; NULL: none does. */
static const char *glob_close(const char *open)
{
    unsigned depth = 0;
    for (const char *p = open; *p; p++) {
        if (*p == '\\' && p[1])
            p++;
        else if (*p == '{')
            depth++;
        else if (*p == '}' && --depth == 0)
            return p;
    }
    return NULL;
}

/* "a{b,c{d,e}}" becomes "ab", "acd", "ace"; what is too much is left out. */
static void glob_expand(const char *pattern, struct glob_patterns *ret)
{
    const char *open = strchr(pattern, '{'), *close = open ? glob_close(open) : NULL;
    if (ret->len == FILE_GLOB_PATTERNS)
        return;
    if (!close) {
        ret->items[ret->len++] = xstrdup(pattern);
        return;
    }
    unsigned depth = 0;
    const char *from = open + 1;
    for (const char *p = from; p <= close; p++) {
        depth += *p == '{';
        if ((*p == ',' && depth == 0) || p == close) {
            cleanup_free char *one =
                xasprintf("%.*s%.*s%s", (int)(open - pattern), pattern, (int)(p - from), from, close + 1);
            glob_expand(one, ret);
            from = p + 1;
        }
        depth -= *p == '}' && p != close;
    }
}

/* --- the file system --- */

static void glob_add(struct file_matches *m, const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    if (m->len == FILE_GLOB_MAX) {
        m->too_many = true;
        return;
    }
    xgrow(&m->items, &m->cap, m->len + 1, sizeof *m->items);
    m->items[m->len++] = (struct file_match){xstrdup(path), st.st_mtime};
}

static void glob_walk(struct file_matches *m, const char *folder, struct str rest, unsigned depth);

static bool glob_is_folder(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool glob_is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* What is in `folder` and matches the part; NULL: everything, which stays at its `**`. */
static void glob_each(struct file_matches *m, const char *folder, const char *part, struct str rest, bool is_last,
                      unsigned depth)
{
    cleanup_closedir DIR *dir = opendir(*folder ? folder : ".");
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        if (glob_is_dots(e->d_name) || (part && fnmatch(part, e->d_name, 0) != 0))
            continue;
        cleanup_free char *path =
            xasprintf("%s%s%s", folder, *folder && !str_has_suffix(str_of(folder), STR("/")) ? "/" : "", e->d_name);
        if (part ? !is_last : glob_is_folder(path))
            glob_walk(m, path, rest, depth);
        else if (is_last)
            glob_add(m, path);
    }
}

/* `rest`: the parts of the pattern below `folder`. */
static void glob_walk(struct file_matches *m, const char *folder, struct str rest, unsigned depth)
{
    const struct str all = rest;
    struct str first;
    if (depth == FILE_GLOB_DEPTH || m->too_many || !str_split(&rest, '/', &first))
        return;
    cleanup_free char *part = str_dup(first);
    if (strcmp(part, "**") == 0) {
        if (rest.n)
            glob_walk(m, folder, rest, depth + 1);
        glob_each(m, folder, NULL, all, rest.n == 0, depth + 1);
    } else if (strpbrk(part, "*?[\\")) {
        glob_each(m, folder, part, rest, rest.n == 0, depth + 1);
    } else {
        const bool slash = *folder && !str_has_suffix(str_of(folder), STR("/"));
        cleanup_free char *path = xasprintf("%s%s%s", folder, slash ? "/" : "", part);
        if (rest.n == 0)
            glob_add(m, path);
        else
            glob_walk(m, path, rest, depth + 1);
    }
}

static int glob_by_path(const void *a, const void *b)
{
    return strcmp(((const struct file_match *)a)->path, ((const struct file_match *)b)->path);
}

void file_glob(const char *pattern, struct file_matches *ret)
{
    __attribute__((cleanup(glob_patterns_done))) struct glob_patterns patterns = {.len = 0};
    struct file_matches m = {0};
    glob_expand(pattern, &patterns);
    for (size_t i = 0; i < patterns.len; i++) {
        const char *rest = patterns.items[i];
        const bool absolute = *rest == '/';
        while (*rest == '/')
            rest++;
        glob_walk(&m, absolute ? "/" : "", str_of(rest), 0);
    }
    if (m.len > 1)
        qsort(m.items, m.len, sizeof *m.items, glob_by_path);
    size_t kept = 0;
    for (size_t i = 0; i < m.len; i++) {
        if (kept && glob_by_path(&m.items[kept - 1], &m.items[i]) == 0)
            free(m.items[i].path);
        else
            m.items[kept++] = m.items[i];
    }
    m.len = kept;
    *ret = m;
}

/* --- a path alone --- */

static bool glob_fits(struct str pattern, struct str path)
{
    struct str first, name;
    if (!str_split(&pattern, '/', &first))
        return path.n == 0;
    if (str_is(first, "**")) {
        for (struct str rest = path;;) {
            if (glob_fits(pattern, rest))
                return true;
            if (!str_split(&rest, '/', &name))
                return false;
        }
    }
    cleanup_free char *part = str_dup(first);
    if (!str_split(&path, '/', &name))
        return false;
    cleanup_free char *text = str_dup(name);
    return fnmatch(part, text, 0) == 0 && glob_fits(pattern, path);
}

bool file_glob_matches(const char *pattern, const char *path)
{
    __attribute__((cleanup(glob_patterns_done))) struct glob_patterns patterns = {.len = 0};
    glob_expand(pattern, &patterns);
    for (size_t i = 0; i < patterns.len; i++)
        if (glob_fits(str_of(patterns.items[i]), str_of(path)))
            return true;
    return false;
}

void file_matches_done(struct file_matches *m)
{
    for (size_t i = 0; i < m->len; i++)
        free(m->items[i].path);
    free(m->items);
    *m = (struct file_matches){0};
}
