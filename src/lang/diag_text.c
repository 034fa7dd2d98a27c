#include "lang/diag_text.h"

#include <errno.h>

#include "base/terminal.h"
#include "lang/secrets.h"
#include "lang/source.h"
#include "lang/unicode.h"

enum {
    EXCERPTS_MAX = 1 << 20, /* beyond it only the messages: a hostile file is one long line of errors */
    LINE_MAX_BYTES = 256 * 1024,
    WINDOW_MAX = 8 * 1024, /* bytes of a line that are looked at for it, much more than SHOWN_MAX */
    SHOWN_MAX = 400,       /* bytes of a line in an excerpt; what follows and what is far before the mark is cut */
};

static void print_position(struct pos p, struct buf *out)
{
    const char *name = p.source ? p.source->name : "";
    if (p.source && p.line)
        buf_printf(out, "%s%s%u:%u", name, *name ? ":" : "", p.line, p.column);
    else
        buf_puts(out, *name ? name : "-");
}

/* Position and message; `s` = the secrets of its source. Returns where the message begins. */
static size_t print_line(const struct diag *d, const struct secrets *s, struct buf *out)
{
    print_position(d->range.first, out);
    buf_puts(out, ": ");
    const size_t at = out->len;
    secrets_print_message(s, d->range.first.offset, d->message, out);
    return at;
}

/* Those of another source take the place of the last one's: most diagnostics are of one file. */
static void look_at(struct secrets *s, const struct diag *d)
{
    const struct source *source = d->range.first.source;
    if (source == s->source)
        return;
    secrets_done(s);
    if (source)
        secrets_find(s, source);
}

void diag_line(const struct diag *d, struct buf *out)
{
    cleanup_secrets struct secrets s = {0};
    look_at(&s, d);
    print_line(d, &s, out);
}

void diags_lines(const struct diags *ds, size_t most, diag_visit *visit, void *arg)
{
    cleanup_secrets struct secrets s = {0};
    for (size_t i = 0; i < ds->len && i < most; i++) {
        cleanup_buf struct buf line = BUF_INIT(LINE_MAX_BYTES);
        look_at(&s, &ds->items[i]);
        const size_t message = print_line(&ds->items[i], &s, &line);
        const char *text = buf_cstr(&line);
        visit(arg, &ds->items[i], text, text + message);
    }
}

void diags_summary(const struct diags *ds, struct buf *out)
{
    if (ds->len == 0)
        return;
    diag_line(&ds->items[0], out);
    if (ds->len > 1)
        buf_printf(out, " (and %zu more diagnostics)", ds->len - 1);
}

int diags_err(const struct diags *ds, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(ERR_MAX);
    diags_summary(ds, &text);
    return err_set(err, -EINVAL, "%s", buf_cstr(&text));
}

static void diag_fill(struct buf *out, char c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_byte(out, (uint8_t)c);
}

static size_t diag_cells(uint32_t rune)
{
    return rune == '\t' || rune == '\v' ? 4 : rune == '\r' ? 0 : 1;
}

/* The first character's bytes in *n, and how many cells print_text() makes of it. */
static size_t next_cells(struct str rest, enum diag_look look, uint32_t *rune, size_t *n)
{
    *n = utf8_decode(rest, rune);
    bool fit = true;
    if (look != DIAG_AS_IS)
        (void)terminal_character(rest, &fit);
    return !fit && diag_cells(*rune) == 1 ? *n * TERMINAL_ESCAPE : diag_cells(*rune);
}

static void print_text(struct str line, enum diag_look look, struct buf *out)
{
    size_t n;
    for (size_t i = 0; i < line.n; i += n) {
        uint32_t rune;
        n = utf8_decode((struct str){line.p + i, line.n - i}, &rune);
        if (rune == '\t' || rune == '\v')
            buf_puts(out, "    ");
        else if (rune != '\r' && look == DIAG_AS_IS)
            buf_append(out, line.p + i, n);
        else if (rune != '\r')
            terminal_escape((struct str){line.p + i, n}, out);
    }
}

/* One cell per character: `before` up to the first column, '^' within [first, last], nothing after. */
static void print_marks(struct str line, enum diag_look look, char before, unsigned first, unsigned last,
                        struct buf *out)
{
    for (size_t at = 0; at < line.n && at + 1 <= last;) {
        uint32_t rune;
        size_t n, width = next_cells((struct str){line.p + at, line.n - at}, look, &rune, &n);
        /* A tab stays a gap even below a multi-line range, so that the marks keep clear of the indentation. */
        bool marked = at + 1 >= first && !(before == '_' && (rune == '\t' || rune == '\v'));
        diag_fill(out, marked ? '^' : before, width);
        at += n;
    }
    buf_byte(out, '\n');
}

static bool diag_continues(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* The part of a long line around a column, whole characters; *cut is what is missing before it. */
static struct str shown_part(struct str line, unsigned column, size_t *cut)
{
    size_t from = line.n > SHOWN_MAX && column > SHOWN_MAX / 2 ? column - SHOWN_MAX / 2 : 0;
    while (from > 0 && from < line.n && diag_continues(line.p[from]))
        from--;
    size_t to = line.n - from > SHOWN_MAX ? from + SHOWN_MAX : line.n;
    while (to > from && to < line.n && diag_continues(line.p[to]))
        to--;
    *cut = from;
    return (struct str){line.p + from, to - from};
}

/* A line of an excerpt with the marks below it from `first` to `last`, if there are any (last > 0). */
struct excerpt_line {
    struct str whole;
    enum diag_look look;
    char before; /* what fills the row of marks up to the first one */
    unsigned first, last;
};

static void print_part(const struct excerpt_line *l, struct buf *out)
{
    size_t cut;
    const struct str part = shown_part(l->whole, l->last ? l->first : 1, &cut);
    buf_puts(out, cut ? "…" : "");
    print_text(part, l->look, out);
    buf_puts(out, cut + part.n < l->whole.n ? "…" : "");
    buf_byte(out, '\n');
}

static void print_part_marks(const struct excerpt_line *l, struct buf *out)
{
    size_t cut;
    const struct str part = shown_part(l->whole, l->first, &cut);
    if (cut)
        buf_byte(out, (uint8_t)l->before);
    const unsigned first = l->first > cut ? l->first - (unsigned)cut : 1;
    print_marks(part, l->look, l->before, first, l->last > cut ? l->last - (unsigned)cut : 0, out);
}

/* The part of a line around a column that is worth looking at, and its offset in the source; moves the columns
 * along. */
static struct str near_column(const struct source *s, unsigned n, struct excerpt_line *l, uint32_t *ret_offset)
{
    struct str line = source_line(s, n);
    size_t from = 0;
    if (line.n > WINDOW_MAX) {
        const unsigned column = l->last ? l->first : 1;
        from = column > WINDOW_MAX / 2 ? column - WINDOW_MAX / 2 : 0;
        while (from > 0 && from < line.n && diag_continues(line.p[from]))
            from--;
        const size_t n_left = line.n - from;
        line = (struct str){line.p + from, n_left < WINDOW_MAX ? n_left : WINDOW_MAX};
    }
    l->first = l->first > from ? l->first - (unsigned)from : 1;
    l->last = l->last > from ? l->last - (unsigned)from : 0;
    if (l->last > line.n + 1)
        l->last = (unsigned)line.n;
    *ret_offset = s->lines[n - 1] + (uint32_t)from;
    return line;
}

static void print_excerpt(const struct secrets *secrets, struct pos first, struct pos last, enum diag_look look,
                          struct buf *out)
{
    const struct source *s = secrets->source;
    unsigned from = first.line > 1 ? first.line - 1 : 1;
    unsigned to = last.line < s->line_count ? last.line + 1 : (unsigned)s->line_count;
    int width = snprintf(NULL, 0, "%u", to);
    bool multi = last.line != first.line;
    for (unsigned n = from; n <= to; n++) {
        struct excerpt_line l = {.look = look, .before = multi ? '_' : ' ', .first = 1};
        if (n == first.line)
            l.first = first.column;
        if (n == first.line || n == last.line)
            l.last = n == last.line ? last.column : (unsigned)source_line(s, n).n;
        cleanup_buf struct buf shown = BUF_INIT(16 * WINDOW_MAX);
        uint32_t begin;
        const struct str part = near_column(s, n, &l, &begin);
        secrets_print(secrets, begin, begin + (uint32_t)part.n, &l.first, &l.last, &shown);
        l.whole = buf_slice(&shown);
        buf_printf(out, "%*u | ", width, n);
        if (multi)
            buf_puts(out, n > first.line && n <= last.line ? "| " : "  ");
        print_part(&l, out);
        if (n != first.line && n != last.line)
            continue;
        buf_printf(out, "%*s %s", width, "", !multi ? "| " : n == first.line ? "|  _" : "| |_");
        print_part_marks(&l, out);
    }
}

static void print_header(const struct diag *d, const struct secrets *s, enum diag_look look, struct buf *out)
{
    cleanup_buf struct buf line = BUF_INIT(out->max);
    print_line(d, s, look == DIAG_AS_IS ? out : &line);
    terminal_escape(buf_slice(&line), out);
}

static void print_pretty(const struct diag *d, const struct secrets *s, enum diag_look look, struct buf *out)
{
    bool error = d->severity == SEVERITY_ERROR, colour = look == DIAG_COLOUR;
    const char *reset = colour ? "\033[0m" : "";
    buf_printf(out, "%s%s%s%s",
               !colour ? ""
               : error ? "\033[31;1m"
                       : "\033[33;1m",
               error ? "Error: " : "Warning: ", reset, colour ? "\033[1m" : "");
    print_header(d, s, look, out);
    buf_printf(out, "\n%s", reset);
    struct pos first = d->range.first, last = d->range.last.source ? d->range.last : first;
    if (!first.source || !first.line || first.source != last.source || out->len > EXCERPTS_MAX)
        return;
    buf_byte(out, '\n');
    print_excerpt(s, first, last, look, out);
}

void diags_pretty(const struct diags *ds, enum diag_look look, struct buf *out)
{
    cleanup_secrets struct secrets s = {0};
    for (size_t i = 0; i < ds->len; i++) {
        look_at(&s, &ds->items[i]);
        if (i)
            buf_byte(out, '\n');
        print_pretty(&ds->items[i], &s, look, out);
    }
}
