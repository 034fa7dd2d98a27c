#include "pyroscope/ingest_name.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

enum { LABELS_MAX = 200 };

static int ingest_name_check(struct str text, const char *more, const char *what, struct err *err)
{
    for (size_t i = 0; i < text.n; i++) {
        const unsigned char c = (unsigned char)text.p[i];
        if (c < 0x80 && (isalnum(c) || (c && strchr(more, c))))
            continue;
        return err_set(err, -EINVAL, "invalid %s: %.*s: character is not allowed: '%c'", what, STR_ARG(text),
                       c < 0x80 && isprint(c) ? c : '?');
    }
    return text.n ? 0 : err_set(err, -EINVAL, "%s is required", what);
}

/* The labels between the braces. */
static int ingest_name_labels(struct labels_builder *b, struct str rest, struct err *err)
{
    for (unsigned n = 0; rest.n; n++) {
        const char *equals = memchr(rest.p, '=', rest.n), *end = memchr(rest.p, '}', rest.n);
        if (!equals || (end && end < equals))
            return 0;
        const struct str key = str_trim((struct str){rest.p, (size_t)(equals - rest.p)});
        struct str value = {equals + 1, rest.n - (size_t)(equals + 1 - rest.p)};
        size_t len = 0;
        while (len < value.n && value.p[len] != ',' && value.p[len] != '}')
            len++;
        const bool last = len == value.n || value.p[len] == '}';
        rest = last ? STR("") : (struct str){value.p + len + 1, value.n - len - 1};
        value.n = len;
        const int code = ingest_name_check(key, "_.", "label name", err);
        if (code < 0)
            return code;
        if (n == LABELS_MAX)
            return err_set(err, -EINVAL, "more than %d labels", LABELS_MAX);
        labels_set(b, key, str_trim(value));
    }
    return 0;
}

int ingest_name_parse(struct str text, struct labels **ret, struct err *err)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    const char *brace = text.n ? memchr(text.p, '{', text.n) : NULL;
    const size_t n = brace ? (size_t)(brace - text.p) : text.n;
    const struct str name = str_trim((struct str){text.p, n});
    int code = ingest_name_check(name, "_-./", "service name", err);
    if (code < 0)
        return code;
    labels_set(&b, STR("__name__"), name);
    if (brace)
        code = ingest_name_labels(&b, (struct str){brace + 1, text.n - n - 1}, err);
    if (code < 0)
        return code;
    *ret = labels_build(&b, false);
    return 0;
}
