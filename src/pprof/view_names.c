#include "pprof/view_names.h"

#include <inttypes.h>

struct str view_name_split(struct str name, struct str *type)
{
    enum { TYPE_LEN = 4 }; /* "_[j]" */
    *type = STR("");
    if (name.n <= TYPE_LEN)
        return name;
    const char *const t = name.p + name.n - TYPE_LEN;
    if (t[0] != '_' || t[1] != '[' || t[3] != ']')
        return name;
    *type = (struct str){t, TYPE_LEN};
    return (struct str){name.p, name.n - TYPE_LEN};
}

/* Bytes of the class in "java/util/HashMap.get"; 0 where this is no name of Java with a package. Names of C++ may have
 * slashes as well, but then colons, spaces or brackets too; a function without a name is its library, with its path. */
static size_t view_class_len(struct str name)
{
    size_t slashes = 0, end = 0;
    if (name.n && (name.p[0] == '/' || name.p[0] == '.'))
        return 0;
    for (size_t i = 0; i < name.n; i++) {
        const char c = name.p[i];
        if (c == ':' || c == ' ' || c == '(')
            return 0;
        slashes += c == '/';
        end = c == '.' ? i : end;
    }
    return slashes ? end : 0;
}

static void view_class_put(const struct view_naming *v, struct str class, struct buf *out)
{
    const char *const last = memrchr(class.p, '/', class.n);
    if (v->simple && last)
        class = (struct str){last + 1, class.n - (size_t)(last + 1 - class.p)};
    for (size_t i = 0; i < class.n; i++)
        buf_byte(out, (uint8_t)(v->dot && class.p[i] == '/' ? '.' : class.p[i]));
}

void view_name_put(const struct view_naming *v, struct str name, int32_t line, struct buf *out)
{
    struct str type;
    name = view_name_split(name, &type);
    const size_t class = v->dot || v->simple ? view_class_len(name) : 0;
    if (class)
        view_class_put(v, (struct str){name.p, class}, out);
    buf_str(out, (struct str){name.p + class, name.n - class});
    if (v->number != VIEW_NUMBER_NONE && line > 0)
        buf_printf(out, "%c%" PRId32, v->number == VIEW_NUMBER_LINE ? ':' : '@', line);
    if (!v->strip_types)
        buf_str(out, type);
}
