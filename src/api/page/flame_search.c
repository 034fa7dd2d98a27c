#include "api/page/flame_search.h"

#include <ctype.h>
#include <errno.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "flow/regex.h"

static void search_quote(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        const unsigned char c = (unsigned char)text.p[i];
        if (c < 0x80 && !isalnum(c))
            buf_byte(out, '\\');
        buf_byte(out, c);
    }
}

static bool search_is_between(struct str search, char mark)
{
    return search.n > 2 && search.p[0] == mark && search.p[search.n - 1] == mark;
}

static int search_compile(struct str search, struct regex **ret, struct err *err)
{
    cleanup_buf struct buf pattern = BUF_INIT(4 * REGEX_PATTERN_MAX);
    const struct str inner = {search.p + 1, search.n - 2};
    if (search_is_between(search, '"')) {
        search_quote(&pattern, inner);
    } else if (search_is_between(search, '/')) {
        buf_puts(&pattern, "(?i).*(?:");
        buf_str(&pattern, inner);
        buf_puts(&pattern, ").*");
    } else {
        buf_puts(&pattern, "(?i).*");
        search_quote(&pattern, search);
        buf_puts(&pattern, ".*");
    }
    return regex_new(str_of(buf_cstr(&pattern)), ret, err);
}

static bool search_matches(const struct regex *re, struct str name)
{
    cleanup_buf struct buf dotted = BUF_INIT(name.n + 1);
    if (regex_matches(re, name, NULL))
        return true;
    if (name.n && name.p[0] == '.')
        return regex_matches(re, (struct str){name.p + 1, name.n - 1}, NULL);
    buf_str(&dotted, name);
    for (size_t i = 0; i < dotted.len; i++)
        dotted.p[i] = dotted.p[i] == '/' ? '.' : dotted.p[i];
    return regex_matches(re, str_of(buf_cstr(&dotted)), NULL);
}

int flame_search(const struct flame *f, uint32_t at, struct str search, int64_t *ret, struct err *err)
{
    cleanup_regex struct regex *re = NULL;
    const int code = search_compile(search, &re, err);
    if (code < 0)
        return err_set(err, -EINVAL, "%s", err->text);
    cleanup_free bool *hits = xcalloc(f->name_count + 1, sizeof *hits);
    for (size_t i = 0; i < f->name_count; i++)
        hits[i] = search_matches(re, f->names[i]);
    /* Of each node: it is beneath `at` (or that itself), and no match is above it. */
    cleanup_free bool *open = xcalloc(f->node_count, sizeof *open);
    *ret = 0;
    for (size_t i = at; i < f->node_count; i++) {
        const struct flame_node *n = &f->nodes[i];
        if (i != at && !open[n->parent])
            continue;
        open[i] = !hits[n->name];
        if (!open[i])
            *ret = flame_sum(*ret, n->total);
    }
    return 0;
}
