#include "lang/stdlib/rows.h"

/* The shortest path that means the same without looking at any file: no ".", no "x/..", no "//". */
static void file_clean(struct str path, struct buf *out)
{
    const bool rooted = path.n && path.p[0] == '/';
    struct str part;
    size_t depth = 0; /* names in `out` that a ".." may take away */
    if (rooted)
        buf_byte(out, '/');
    while (str_split(&path, '/', &part)) {
        if (part.n == 0 || str_is(part, ".") || (rooted && depth == 0 && str_is(part, "..")))
            continue;
        if (depth > 0 && str_is(part, "..")) {
            while (out->len > 0 && out->p[out->len - 1] != '/')
                out->len--;
            out->len -= out->len > (rooted ? 1 : 0);
            depth--;
            continue;
        }
        if (out->len > (rooted ? 1 : 0))
            buf_byte(out, '/');
        buf_str(out, part);
        depth += !str_is(part, "..");
    }
    if (out->len == 0)
        buf_byte(out, '.');
}

static int path_join(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    cleanup_buf struct buf joined = BUF_INIT(STDLIB_TEXT_MAX), out = BUF_INIT(STDLIB_TEXT_MAX);
    for (size_t i = 0; i < n; i++) {
        cleanup_buf struct buf part = BUF_INIT(0);
        int code = stdlib_text(args, i, &part, bad_arg, err);
        if (code < 0)
            return code;
        if (part.len && joined.len)
            buf_byte(&joined, '/');
        buf_str(&joined, buf_slice(&part));
    }
    if (buf_ok(&joined) && joined.len)
        file_clean(buf_slice(&joined), &out);
    out.failed |= joined.failed;
    return stdlib_string_of(&out, ret, err);
}

const struct stdlib_function stdlib_file[] = {
    {{"file.path_join", 0, true, path_join},
     .parameters = "parts string…",
     .result = "string",
     .help = "Joins the non-empty parts with / and cleans the path: empty elements, `.` and elements followed by `..` "
             "are removed. The file system is not accessed.",
     .examples = {{"file.path_join(\"/etc\", \"smolder\", \"../app.yaml\")", "\"/etc/app.yaml\""},
                  {"file.path_join()", "\"\""}}},
    {{NULL}},
};
