#include "api/page/name_match.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "flow/regex.h"
#include "store/frame_text.h"

static void name_match_quote(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        const unsigned char c = (unsigned char)text.p[i];
        if (c < 0x80 && !isalnum(c))
            buf_byte(out, '\\');
        buf_byte(out, c);
    }
}

static void name_match_quote_whole(struct buf *out, struct str text)
{
    if (str_has_prefix(text, STR("*"))) {
        buf_puts(out, ".*");
        text = (struct str){text.p + 1, text.n - 1};
    }
    const bool open = str_has_suffix(text, STR("*"));
    name_match_quote(out, (struct str){text.p, text.n - open});
    buf_puts(out, open ? ".*" : "");
}

static bool name_match_is_between(struct str text, char mark)
{
    return text.n > 2 && text.p[0] == mark && text.p[text.n - 1] == mark;
}

int name_matches_add(struct name_matches *m, struct str text, struct err *err)
{
    cleanup_buf struct buf pattern = BUF_INIT(4 * REGEX_PATTERN_MAX);
    struct regex *re;
    if (name_match_is_between(text, '"')) {
        name_match_quote_whole(&pattern, (struct str){text.p + 1, text.n - 2});
    } else if (name_match_is_between(text, '/')) {
        buf_puts(&pattern, "(?i).*(?:");
        buf_str(&pattern, (struct str){text.p + 1, text.n - 2});
        buf_puts(&pattern, ").*");
    } else {
        buf_puts(&pattern, "(?i).*");
        name_match_quote(&pattern, text);
        buf_puts(&pattern, ".*");
    }
    if (m->len == NAME_MATCHES_MAX)
        return err_set(err, -EINVAL, "more than %d patterns of functions", NAME_MATCHES_MAX);
    if (!buf_ok(&pattern) || regex_new(buf_slice(&pattern), &re, err) < 0)
        return err_set(err, -EINVAL, "%s", buf_ok(&pattern) ? err->text : "a pattern of functions is too long");
    xgrow(&m->items, &m->cap, m->len + 1, sizeof(struct regex *));
    m->items[m->len++] = re;
    return 0;
}

static bool name_match_any(const struct name_matches *m, struct str name)
{
    for (size_t i = 0; i < m->len; i++)
        if (regex_matches(m->items[i], name, NULL))
            return true;
    return false;
}

bool name_matches(const struct name_matches *m, struct str name)
{
    cleanup_buf struct buf dotted = BUF_INIT(name.n + 1);
    if (name_match_any(m, name))
        return true;
    if (name.n && name.p[0] == '.')
        return name_match_any(m, (struct str){name.p + 1, name.n - 1});
    buf_str(&dotted, name);
    for (size_t i = 0; i < dotted.len; i++)
        dotted.p[i] = dotted.p[i] == '/' ? '.' : dotted.p[i];
    return name_match_any(m, dotted.len ? buf_slice(&dotted) : STR(""));
}

bool *name_matches_of(const struct name_matches *m, const struct flame *f)
{
    if (m->len == 0)
        return NULL;
    bool *marks = xcalloc(f->name_count + 1, sizeof *marks);
    for (size_t i = 0; i < f->name_count; i++)
        marks[i] = name_matches(m, frame_text_name(f->names[i]));
    return marks;
}

void name_matches_done(struct name_matches *m)
{
    for (size_t i = 0; i < m->len; i++)
        regex_unref(m->items[i]);
    free(m->items);
    *m = (struct name_matches){0};
}
