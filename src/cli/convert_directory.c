#include "cli/convert_directory.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "pprof/events.h"

/* Of a name without its suffix. */
enum { STEM_MAX = 120, METRIC_MAX = 256 };

/* As profile sets call it: "memory:live/count live_bytes/bytes". */
static bool directory_is_kind(const struct profile_kind_def *kind, const char *metric)
{
    cleanup_buf struct buf text = BUF_INIT(METRIC_MAX);
    buf_printf(&text, "%s", kind->name);
    for (size_t i = 0; i < ARRAY_LEN(kind->types) && kind->types[i][0]; i++)
        buf_printf(&text, "%c%s/%s", i ? ' ' : ':', kind->types[i][0], kind->types[i][1]);
    return strcmp(buf_cstr(&text), metric) == 0;
}

static const char *directory_kind_file(const char *metric)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        const struct profile_kind_def *kind = &profile_kinds[i];
        if (directory_is_kind(kind, metric))
            return kind->file ? kind->file : kind->name;
    }
    return NULL;
}

/* Of text that may be anybody's. */
static void directory_put_word(struct buf *out, struct str word)
{
    for (size_t i = 0; i < word.n && out->len < STEM_MAX; i++) {
        const unsigned char c = (unsigned char)word.p[i];
        buf_byte(out, isalnum(c) || c == '-' || c == '.' ? c : '_');
    }
}

char *directory_file_name(const struct named_profile *n, bool gzip)
{
    const char *suffix = gzip ? "pb.gz" : "pb", *known = directory_kind_file(n->metric);
    if (known)
        return xasprintf("%s.%s", known, suffix);
    cleanup_buf struct buf stem = BUF_INIT(STEM_MAX + 1);
    directory_put_word(&stem, str_of(n->name));
    for (size_t i = 0; i < n->p.type_count; i++) {
        directory_put_word(&stem, STR("_"));
        directory_put_word(&stem, n->p.symbols->strings[n->p.types[i].type]);
    }
    return xasprintf("%s.%s", buf_cstr(&stem), suffix);
}

/* What a name begins with that a conversion may have written; once, a number stood in front. */
static bool directory_is_ours(struct str file)
{
    if (!str_has_suffix(file, STR(".pb")) && !str_has_suffix(file, STR(".pb.gz")))
        return false;
    struct str rest = file;
    while (rest.n && isdigit((unsigned char)*rest.p))
        rest = (struct str){rest.p + 1, rest.n - 1};
    if (rest.n < file.n && rest.n && *rest.p == '_')
        file = (struct str){rest.p + 1, rest.n - 1};
    for (size_t i = 0; i <= KIND_COUNT; i++) {
        const struct str name = str_of(i < KIND_COUNT ? profile_kinds[i].name : "profile");
        if (str_has_prefix(file, name) && (file.p[name.n] == '_' || file.p[name.n] == '.'))
            return true;
    }
    return false;
}

static bool directory_writes(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

int directory_check(const char *path, const char *const *names, size_t n,
                    bool (*is_input)(const void *of, const char *path), const void *of, struct err *err)
{
    cleanup_closedir DIR *dir = opendir(path);
    if (!dir)
        return err_errno(err, "%s", path);
    for (struct dirent *e; (e = readdir(dir));) {
        if (!directory_is_ours(str_of(e->d_name)) || directory_writes(names, n, e->d_name))
            continue;
        cleanup_free char *file = xasprintf("%s/%s", path, e->d_name);
        if (!is_input(of, file))
            return err_set(err, -EINVAL,
                           "%s: holds %s, which is not of this conversion; remove it or choose another "
                           "directory",
                           path, e->d_name);
    }
    return 0;
}
