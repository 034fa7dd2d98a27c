#include "cli/diff_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/mem.h"
#include "pprof/dump.h"

enum { PERCENT = 100, AMOUNT_MAX = 64 };

static const char *const measure_names[CHANGE_MEASURES] = {[CHANGE_SELF] = "self", [CHANGE_TOTAL] = "total"};

/* ---- what is too much ---- */

static bool diff_is_beyond(const struct change_value *c, double limit)
{
    return limit >= 0 && c->difference > limit;
}

static bool diff_is_noise(const struct change_value *c, double sigma)
{
    return fabs(c->difference) <= sigma * c->noise;
}

static int diff_by_size(const void *a_, const void *b_)
{
    const struct diff_row *a = a_, *b = b_;
    const double x = fabs(a->change.difference), y = fabs(b->change.difference);
    if (a->exceeded != b->exceeded)
        return a->exceeded ? -1 : 1;
    if (x != y)
        return x > y ? -1 : 1;
    if (a->function->name != b->function->name)
        return a->function->name < b->function->name ? -1 : 1;
    return (int)a->measure - (int)b->measure;
}

static void diff_judge_function(struct diff_result *r, const struct function_change *f)
{
    for (int m = 0; m < CHANGE_MEASURES; m++) {
        struct diff_row row = {.function = f, .measure = (enum change_measure)m};
        row.change = function_change(r->table, f, row.measure);
        const bool beyond = diff_is_beyond(&row.change, r->limits.measures[m]);
        row.noisy = beyond && diff_is_noise(&row.change, r->limits.sigma);
        row.exceeded = beyond && !row.noisy;
        r->exceeded += row.exceeded;
        if (row.change.difference != 0)
            r->rows[r->len++] = row;
    }
}

void diff_judge(struct diff_result *r, const struct frame_patterns *ignored)
{
    const struct change_table *t = r->table;
    r->rows = xcalloc(t->len * CHANGE_MEASURES + 1, sizeof *r->rows);
    r->len = r->exceeded = 0;
    for (size_t i = 0; i < t->len; i++) {
        if (!frame_patterns_match(ignored, t->names.strings[t->items[i].name]))
            diff_judge_function(r, &t->items[i]);
    }
    qsort(r->rows, r->len, sizeof *r->rows, diff_by_size);
    r->whole = whole_change(t, r->per_second);
    const bool beyond = diff_is_beyond(&r->whole, r->limits.whole);
    r->whole_noisy = beyond && diff_is_noise(&r->whole, r->limits.sigma);
    r->whole_exceeded = beyond && !r->whole_noisy;
}

void diff_result_done(struct diff_result *r)
{
    free(r->rows);
    r->rows = NULL;
    r->len = 0;
}

/* ---- JSON ---- */

static void diff_json_number(struct buf *out, const char *name, double value)
{
    json_name(out, name);
    json_double(out, value);
}

static void diff_json_side(const struct diff_result *r, size_t side, const char *name, struct buf *out)
{
    json_name(out, name);
    buf_byte(out, '{');
    json_name(out, "input");
    json_string(out, str_of(r->names[side]));
    buf_byte(out, ',');
    diff_json_number(out, "value", r->table->whole[side]);
    buf_byte(out, ',');
    diff_json_number(out, "samples", r->table->samples[side]);
    buf_byte(out, ',');
    diff_json_number(out, "seconds", r->table->seconds[side]);
    buf_printf(out, ",\"recordings\":%zu", r->table->runs[side]);
    buf_puts(out, "},");
}

static void diff_json_change(const struct change_value *c, double limit, bool exceeded, bool noisy, struct buf *out)
{
    diff_json_number(out, "base", c->before);
    buf_byte(out, ',');
    diff_json_number(out, "new", c->after);
    buf_byte(out, ',');
    diff_json_number(out, "change", c->difference);
    buf_byte(out, ',');
    diff_json_number(out, "noise", c->noise);
    buf_byte(out, ',');
    json_name(out, "limit");
    if (limit >= 0)
        json_double(out, limit);
    else
        buf_puts(out, "null");
    buf_printf(out, ",\"exceeded\":%s,\"within_noise\":%s", exceeded ? "true" : "false", noisy ? "true" : "false");
}

static void diff_put_json(const struct diff_result *r, size_t rows, struct buf *out)
{
    buf_puts(out, "{\"version\":1,");
    json_name(out, "profile");
    json_string(out, str_of(r->profile));
    buf_byte(out, ',');
    json_name(out, "type");
    json_string(out, r->type);
    buf_byte(out, ',');
    json_name(out, "unit");
    json_string(out, r->unit);
    buf_byte(out, ',');
    diff_json_side(r, CHANGE_BASE, "base", out);
    diff_json_side(r, CHANGE_NEW, "new", out);
    buf_printf(out, "\"passed\":%s,\"total\":{", r->exceeded || r->whole_exceeded ? "false" : "true");
    buf_printf(out, "\"per_second\":%s,", r->per_second ? "true" : "false");
    diff_json_change(&r->whole, r->limits.whole, r->whole_exceeded, r->whole_noisy, out);
    buf_puts(out, "},\"functions\":[");
    for (size_t i = 0; i < rows; i++) {
        const struct diff_row *row = &r->rows[i];
        buf_puts(out, i ? ",\n{" : "\n{");
        json_name(out, "name");
        json_string(out, r->table->names.strings[row->function->name]);
        buf_printf(out, ",\"measure\":\"%s\",", measure_names[row->measure]);
        diff_json_change(&row->change, r->limits.measures[row->measure], row->exceeded, row->noisy, out);
        buf_byte(out, '}');
    }
    buf_puts(out, "\n]}\n");
}

/* ---- for people ---- */

static void diff_put_verdict(bool exceeded, bool noisy, double limit, struct buf *out)
{
    if (exceeded)
        buf_printf(out, "exceeds %g", limit * PERCENT);
    else if (noisy)
        buf_puts(out, "within noise");
}

/* The sum of a side, per second where that is compared. */
static void diff_put_amount(const struct diff_result *r, double value, struct buf *out)
{
    char text[AMOUNT_MAX];
    dump_format_amount(value < 0x1p62 ? (int64_t)value : INT64_MAX, r->unit, text, sizeof text);
    buf_printf(out, "%s%s", text, r->per_second ? "/s" : "");
}

static void diff_put_side(const struct diff_result *r, size_t side, const char *what, struct buf *out)
{
    char text[AMOUNT_MAX];
    dump_format_amount((int64_t)r->table->whole[side], r->unit, text, sizeof text);
    buf_printf(out, "%s %s: %s, %.0f samples", what, r->names[side], text, r->table->samples[side]);
    if (r->table->seconds[side] > 0)
        buf_printf(out, " in %.1f s", r->table->seconds[side]);
    if (r->table->runs[side] > 1)
        buf_printf(out, ", %zu recordings", r->table->runs[side]);
    buf_byte(out, '\n');
}

static void diff_put_whole(const struct diff_result *r, struct buf *out)
{
    buf_puts(out, "total ");
    diff_put_amount(r, r->whole.before, out);
    buf_puts(out, " -> ");
    diff_put_amount(r, r->whole.after, out);
    buf_printf(out, ", %+.1f %% (noise %.1f %%)", r->whole.difference * PERCENT, r->whole.noise * PERCENT);
    if (r->whole_exceeded || r->whole_noisy)
        buf_puts(out, ": ");
    diff_put_verdict(r->whole_exceeded, r->whole_noisy, r->limits.whole, out);
    buf_byte(out, '\n');
}

static void diff_put_text(const struct diff_result *r, size_t rows, struct buf *out)
{
    buf_printf(out, "%s, %.*s\n", r->profile, STR_ARG(r->type));
    diff_put_side(r, CHANGE_BASE, "base", out);
    diff_put_side(r, CHANGE_NEW, "new ", out);
    diff_put_whole(r, out);
    if (rows)
        buf_puts(out, "\n  base %   new %  change   noise  function\n");
    for (size_t i = 0; i < rows; i++) {
        const struct diff_row *row = &r->rows[i];
        const struct change_value *c = &row->change;
        buf_printf(out, "%8.2f%8.2f%+8.2f%8.2f  %.*s (%s)", c->before * PERCENT, c->after * PERCENT,
                   c->difference * PERCENT, c->noise * PERCENT, STR_ARG(r->table->names.strings[row->function->name]),
                   measure_names[row->measure]);
        if (row->exceeded || row->noisy)
            buf_puts(out, ": ");
        diff_put_verdict(row->exceeded, row->noisy, r->limits.measures[row->measure], out);
        buf_byte(out, '\n');
    }
    buf_printf(out, "\n%s\n", r->exceeded || r->whole_exceeded ? "FAILED: limits are exceeded" : "passed");
}

/* In code, where nothing but a grave accent and what ends a cell or a line means anything. */
static void diff_put_code(struct str text, struct buf *out)
{
    buf_byte(out, '`');
    for (size_t i = 0; i < text.n; i++) {
        const char c = text.p[i];
        if (c == '|')
            buf_puts(out, "\\|");
        else
            buf_byte(out, (uint8_t)(c == '`' || (unsigned char)c < ' ' ? '\'' : c));
    }
    buf_byte(out, '`');
}

static void diff_put_markdown(const struct diff_result *r, size_t rows, struct buf *out)
{
    buf_printf(out, "### %s %s: %.*s\n\n", r->exceeded || r->whole_exceeded ? "❌" : "✅", r->profile, STR_ARG(r->type));
    buf_printf(out, "%zu function%s exceed%s a limit. ", r->exceeded, r->exceeded == 1 ? "" : "s",
               r->exceeded == 1 ? "s" : "");
    diff_put_whole(r, out);
    buf_puts(out, "\n| | base | new | change | noise | |\n|---|---:|---:|---:|---:|---|\n");
    for (size_t i = 0; i < rows; i++) {
        const struct diff_row *row = &r->rows[i];
        const struct change_value *c = &row->change;
        buf_puts(out, "| ");
        diff_put_code(r->table->names.strings[row->function->name], out);
        buf_printf(out, " %s | %.2f %% | %.2f %% | %s%+.2f%s | %.2f | ", measure_names[row->measure],
                   c->before * PERCENT, c->after * PERCENT, row->exceeded ? "**" : "", c->difference * PERCENT,
                   row->exceeded ? "**" : "", c->noise * PERCENT);
        diff_put_verdict(row->exceeded, row->noisy, r->limits.measures[row->measure], out);
        buf_puts(out, " |\n");
    }
}

void diff_put(const struct diff_result *r, enum diff_format format, size_t top, struct buf *out)
{
    const size_t others = r->len - r->exceeded, rows = r->exceeded + (others < top ? others : top);
    if (format == DIFF_JSON)
        diff_put_json(r, rows, out);
    else if (format == DIFF_MARKDOWN)
        diff_put_markdown(r, rows, out);
    else
        diff_put_text(r, rows, out);
}
