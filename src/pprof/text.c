#include "pprof/text.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"

/* The frame of what nobody knows. */
#define UNKNOWN STR("[unknown]")

/* One stack as text, in `all`, with the sample its values come from. */
struct line {
    size_t at, len;
    const struct buf *all;
    size_t sample;
};

static struct str pprof_text_line_text(const struct line *l)
{
    /* Without any frame at all there are no bytes to point into. */
    return l->len ? (struct str){(const char *)l->all->p + l->at, l->len} : STR("");
}

static int pprof_text_by_text(const void *a, const void *b)
{
    return str_cmp(pprof_text_line_text(a), pprof_text_line_text(b));
}

/* What is known of a name so far, by string. */
enum name_kind { NAME_NEW, NAME_PLAIN, NAME_SPELT };

/* Would this character end a frame or a line, or act on who reads it? */
static bool pprof_text_ends(uint32_t rune)
{
    return rune == ';' || rune_is_control(rune);
}

static enum name_kind pprof_text_name_kind(struct str name)
{
    for (size_t i = 0; i < name.n;) {
        uint32_t rune = 0;
        const size_t n = str_rune((struct str){name.p + i, name.n - i}, &rune);
        if (n && pprof_text_ends(rune))
            return NAME_SPELT;
        i += n ? n : 1;
    }
    return name.n ? NAME_PLAIN : NAME_SPELT;
}

/* Byte by byte, as terminals get it. */
static void pprof_text_spell(struct str name, struct buf *out)
{
    for (size_t i = 0; i < name.n;) {
        uint32_t rune = 0;
        size_t n = str_rune((struct str){name.p + i, name.n - i}, &rune);
        const bool ends = n && pprof_text_ends(rune);
        n = n ? n : 1;
        for (size_t k = 0; k < n; k++) {
            if (ends)
                buf_printf(out, "\\x%02x", (unsigned char)name.p[i + k]);
            else
                buf_byte(out, (uint8_t)name.p[i + k]);
        }
        i += n;
    }
}

/* `kinds`: of names, by string; each is looked at once, as they come again and again. */
static void pprof_text_put_name(const struct symbols *s, uint32_t location, uint8_t *kinds, struct buf *out)
{
    const uint32_t string = s->functions[s->locations[location].function].name;
    const struct str name = s->strings[string];
    if (kinds[string] == NAME_NEW)
        kinds[string] = (uint8_t)pprof_text_name_kind(name);
    if (kinds[string] == NAME_PLAIN)
        buf_str(out, name);
    else if (name.n)
        pprof_text_spell(name, out);
    else
        buf_str(out, UNKNOWN);
}

static void pprof_text_put_stack(const struct profile *p, size_t sample, uint8_t *kinds, struct buf *out)
{
    const struct pprof_stack *stack = &p->symbols->stacks[p->samples[sample].stack];
    for (uint32_t i = stack->count; i-- > 0;) {
        pprof_text_put_name(p->symbols, stack->locations[i], kinds, out);
        if (i > 0)
            buf_byte(out, ';');
    }
    if (stack->count == 0)
        buf_str(out, UNKNOWN);
}

static void pprof_text_put_reference_stack(const struct profile *p, size_t sample, struct buf *out)
{
    const struct pprof_stack *stack = &p->symbols->stacks[p->samples[sample].stack];
    for (uint32_t i = stack->count; i-- > 0;) {
        buf_str(out, symbols_name(p->symbols, stack->locations[i]));
        buf_printf(out, ":%" PRIu32 "%s", (uint32_t)p->symbols->locations[stack->locations[i]].line, i > 0 ? ";" : "");
    }
}

static void pprof_text_put_line(struct str text, const int64_t *values, size_t n, enum pprof_text_style style,
                                struct buf *out)
{
    int64_t any = 0;
    for (size_t i = 0; i < n; i++)
        any |= values[i];
    if (any == 0 || (style == PPROF_TEXT_COLLAPSED && values[0] == 0))
        return;
    if (style == PPROF_TEXT_COLLAPSED) {
        buf_str(out, text);
        buf_printf(out, " %" PRId64 "\n", values[0]);
        return;
    }
    if (style == PPROF_TEXT_COMPARED) {
        buf_str(out, text);
        buf_printf(out, " %" PRId64 " %" PRId64 "\n", values[0], values[1]);
        return;
    }
    if (out->len)
        buf_byte(out, '\n');
    buf_str(out, text);
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s%" PRId64, i ? " " : " [", values[i]);
    buf_byte(out, ']');
}

void pprof_text(const struct profile *p, enum pprof_text_style style, struct buf *out)
{
    cleanup_buf struct buf all = BUF_INIT(out->max);
    cleanup_free struct line *lines = xcalloc(p->sample_count + 1, sizeof *lines);
    cleanup_free uint8_t *kinds = xcalloc(p->symbols->string_count + 1, sizeof *kinds);
    for (size_t i = 0; i < p->sample_count; i++) {
        lines[i] = (struct line){.at = all.len, .all = &all, .sample = i};
        if (style == PPROF_TEXT_REFERENCE)
            pprof_text_put_reference_stack(p, i, &all);
        else
            pprof_text_put_stack(p, i, kinds, &all);
        lines[i].len = all.len - lines[i].at;
    }
    if (!buf_ok(&all)) {
        out->failed = true;
        return;
    }
    qsort(lines, p->sample_count, sizeof *lines, pprof_text_by_text);
    int64_t sum[PROFILE_TYPES_MAX];
    for (size_t i = 0, next; i < p->sample_count; i = next) {
        memset(sum, 0, sizeof sum);
        for (next = i; next < p->sample_count && pprof_text_by_text(&lines[i], &lines[next]) == 0; next++) {
            for (size_t k = 0; k < p->type_count; k++)
                sum[k] = (int64_t)((uint64_t)sum[k] + (uint64_t)profile_values(p, lines[next].sample)[k]);
        }
        pprof_text_put_line(pprof_text_line_text(&lines[i]), sum, p->type_count, style, out);
    }
}
