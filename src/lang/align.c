#include "lang/align.h"

#include <stdlib.h>

#include "base/mem.h"

struct align_cell {
    size_t first, n; /* in the text */
    size_t width;    /* characters */
    size_t column;   /* in the widths; of cells that have an end */
};

struct align_line {
    size_t first; /* its cells go up to those of the next line; the last one is free text */
    unsigned indent;
    bool apart; /* columns of the line before do not go on here */
    bool begun;
};

void align_init(struct align *a, struct buf *out)
{
    *a = (struct align){.out = out, .text = BUF_INIT(out->max)};
}

static struct align_line *line_now(struct align *a)
{
    return &a->lines[a->line_count - 1];
}

static struct align_cell *cell_now(struct align *a)
{
    return &a->cells[a->cell_count - 1];
}

static void add_cell(struct align *a)
{
    xgrow(&a->cells, &a->cell_cap, a->cell_count + 1, sizeof *a->cells);
    a->cells[a->cell_count++] = (struct align_cell){.first = a->text.len};
}

static void align_add_line(struct align *a, bool apart)
{
    xgrow(&a->lines, &a->line_cap, a->line_count + 1, sizeof *a->lines);
    a->lines[a->line_count++] = (struct align_line){.first = a->cell_count, .apart = apart};
    add_cell(a);
}

/* The line that text goes to; its indentation counts from its first text on. */
static struct align_line *align_begin(struct align *a)
{
    if (a->line_count == 0)
        align_add_line(a, true);
    struct align_line *l = line_now(a);
    if (!l->begun) {
        l->begun = true;
        l->indent = a->indent;
        l->apart |= a->line_count == 1 || l[-1].indent != l->indent;
    }
    return l;
}

static size_t align_characters(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

void align_text(struct align *a, struct str s)
{
    if (!buf_ok(a->out))
        return;
    align_begin(a);
    buf_str(&a->text, s);
    cell_now(a)->n += s.n;
    cell_now(a)->width += align_characters(s);
    a->out->failed |= !buf_ok(&a->text);
}

void align_cell(struct align *a)
{
    if (!buf_ok(a->out))
        return;
    const struct align_line *l = align_begin(a);
    struct align_cell *c = cell_now(a);
    const size_t nth = a->cell_count - 1 - l->first;
    /* The line before has this column if it has a cell beyond it. */
    if (!l->apart && l[-1].first + nth + 1 < l->first) {
        c->column = a->cells[l[-1].first + nth].column;
    } else {
        xgrow(&a->widths, &a->width_cap, a->width_count + 1, sizeof *a->widths);
        c->column = a->width_count;
        a->widths[a->width_count++] = 0;
    }
    if (c->width > a->widths[c->column])
        a->widths[c->column] = c->width;
    add_cell(a);
}

static void put_blanks(struct align *a, char blank, size_t n)
{
    while (n-- > 0 && buf_ok(a->out))
        buf_byte(a->out, (uint8_t)blank);
}

static void align_put_line(struct align *a, const struct align_line *l, size_t end)
{
    if (!l->begun)
        return;
    put_blanks(a, '\t', l->indent);
    for (size_t i = l->first; i < end; i++) {
        const struct align_cell *c = &a->cells[i];
        buf_str(a->out, (struct str){(const char *)a->text.p + c->first, c->n});
        const size_t width = i + 1 < end ? a->widths[c->column] : 0;
        if (width > 0)
            put_blanks(a, ' ', width + 1 - c->width);
    }
}

/* Writes all lines; the last one is not ended. */
static void align_put_lines(struct align *a)
{
    for (size_t i = 0; i < a->line_count && buf_ok(a->out); i++) {
        const bool last = i + 1 == a->line_count;
        align_put_line(a, &a->lines[i], last ? a->cell_count : a->lines[i + 1].first);
        if (!last)
            buf_byte(a->out, '\n');
    }
    a->line_count = a->cell_count = a->width_count = 0;
    buf_reset(&a->text);
}

void align_newline(struct align *a, unsigned n, bool apart)
{
    if (!buf_ok(a->out))
        return;
    if (a->line_count == 0)
        align_add_line(a, true);
    a->line += n;
    const bool no_columns = a->cell_count - line_now(a)->first == 1;
    if (!apart && n == 1 && !no_columns) {
        align_add_line(a, false);
        return;
    }
    align_put_lines(a);
    put_blanks(a, '\n', n);
}

void align_verbatim(struct align *a, struct str s)
{
    struct str line;
    const unsigned indent = a->indent;
    for (bool first = true; str_split(&s, '\n', &line); first = false) {
        if (!first) {
            align_newline(a, 1, true);
            a->indent = 0;
        }
        align_text(a, line);
    }
    a->indent = indent;
}

void align_done(struct align *a)
{
    align_put_lines(a);
    buf_done(&a->text);
    free(a->cells);
    free(a->lines);
    free(a->widths);
    *a = (struct align){0};
}
