#include "graph/missing.h"

#include "base/buf.h"
#include "base/cleanup.h"

static void append_path(struct buf *out, const struct str *path, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_byte(out, '.');
        buf_str(out, path[i]);
    }
}

void missing_try(struct missing *m, size_t parts, const char *id)
{
    if (parts > m->traversal->len)
        return;
    cleanup_buf struct buf start = BUF_INIT(MISSING_ID_MAX);
    append_path(&start, m->traversal->path, parts);
    struct suggest s = suggest_for(buf_slice(&start));
    s.least = m->close.least;
    suggest_try(&s, str_of(id));
    if (!s.best.n)
        return;
    m->close = (struct suggest){.best = s.best, .least = s.least};
    m->parts = parts;
}

void missing_report(const struct missing *m, struct diags *ds)
{
    const struct ast_traversal *t = m->traversal;
    cleanup_buf struct buf name = BUF_INIT(MISSING_ID_MAX), meant = BUF_INIT(MISSING_ID_MAX);
    append_path(&name, t->path, t->len);
    struct suggest close = m->close;
    if (close.best.n) {
        buf_str(&meant, close.best);
        if (t->len > m->parts)
            buf_byte(&meant, '.');
        append_path(&meant, t->path + m->parts, t->len - m->parts);
    }
    close.best = buf_ok(&meant) ? buf_slice(&meant) : (struct str){0};
    diag_error(ds, t->range, "component \"%s\" does not exist or is out of scope" SUGGEST_FMT, buf_cstr(&name),
               SUGGEST_ARG(close));
}
