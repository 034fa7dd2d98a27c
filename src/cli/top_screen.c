#include "cli/top_screen.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/str.h"
#include "base/terminal.h"

enum {
    COLUMNS_LEAST = 20,
    ROWS_LEAST = 6,
    HEAD_ROWS = 2, /* title, total */
    KEY_ROWS = 1,
    SERVICES_SHARE = 3, /* of the rows; the rest is for methods */
    VALUE_COLUMNS = 11,
    SHARE_COLUMNS = 7,
    TEXT_MAX = 1 << 16,
    TABLE_NAME = 40,
};

#define REVERSE "\033[7m"
#define BOLD    "\033[1m"
#define PLAIN   "\033[0m"
#define ERASE   "\033[K"

/* ---- texts ---- */

static size_t top_columns_of(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

/* Bytes of the first `columns` characters. */
static size_t top_bytes_of(struct str s, size_t columns)
{
    size_t i = 0;
    while (i < s.n && columns) {
        columns--;
        do {
            i++;
        } while (i < s.n && ((unsigned char)s.p[i] & 0xC0) == 0x80);
    }
    return i;
}

/* A name has tabs and line ends only to spoil a table. */
static void top_one_line(struct buf *b)
{
    for (size_t i = 0; i < b->len; i++)
        if (b->p[i] == '\t' || b->p[i] == '\n')
            b->p[i] = ' ';
}

static void top_put_name(const char *name, struct buf *out)
{
    cleanup_buf struct buf line = BUF_INIT(TEXT_MAX);
    buf_puts(&line, name);
    top_one_line(&line);
    buf_str(out, buf_slice(&line));
    buf_byte(out, '\n');
}

/* The text in exactly so many columns; `tail`: a text that is too long loses its beginning. */
static void top_put_text(struct str text, size_t columns, bool tail, bool ascii, struct buf *out)
{
    cleanup_buf struct buf safe = BUF_INIT(TEXT_MAX);
    terminal_escape(text, &safe);
    top_one_line(&safe);
    const struct str s = buf_slice(&safe);
    const size_t n = top_columns_of(s);
    const struct str dots = ascii ? STR("~") : STR("…");
    if (n <= columns) {
        buf_str(out, s);
        buf_printf(out, "%*s", (int)(columns - n), "");
    } else if (columns > 0 && tail) {
        const size_t skipped = top_bytes_of(s, n - columns + 1);
        buf_str(out, dots);
        buf_str(out, (struct str){s.p + skipped, s.n - skipped});
    } else if (columns > 0) {
        buf_str(out, (struct str){s.p, top_bytes_of(s, columns - 1)});
        buf_str(out, dots);
    }
}

/* ---- values ---- */

static struct str top_type_part(const char *type, int number)
{
    struct str rest = str_of(type), part = STR("");
    for (int i = 0; i <= number; i++)
        if (!str_split(&rest, ':', &part))
            return STR("");
    return part;
}

bool top_type_is_gauge(const char *type)
{
    const struct str what = top_type_part(type, 1);
    return str_has_prefix(what, STR("inuse")) || str_has_prefix(what, STR("live")) || str_is(what, "goroutine") ||
           str_is(what, "goroutines");
}

static void top_scaled_print(double v, double step, const char *const *units, struct buf *out)
{
    size_t i = 0;
    for (; fabs(v) >= step && units[i + 1]; i++)
        v /= step;
    buf_printf(out, "%.*f%s%s", v < 10 ? 2 : v < 100 ? 1 : 0, v, *units[i] ? " " : "", units[i]);
}

void top_value_print(const char *type, double value, int64_t range_ms, struct buf *out)
{
    static const char *const bytes[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", NULL};
    static const char *const counts[] = {"", "k", "M", "G", "T", NULL};
    const struct str unit = top_type_part(type, 2);
    const bool gauge = top_type_is_gauge(type);
    const double v = gauge || range_ms <= 0 ? value : value * 1000 / (double)range_ms;
    if (str_is(unit, "nanoseconds") && !gauge) {
        buf_printf(out, "%.3f", v / 1e9);
        return;
    }
    top_scaled_print(v, str_is(unit, "bytes") ? 1024 : 1000, str_is(unit, "bytes") ? bytes : counts, out);
    buf_puts(out, gauge ? "" : "/s");
}

/* What a column of such values is called. */
static const char *top_value_name(const char *type)
{
    const struct str unit = top_type_part(type, 2), what = top_type_part(type, 1);
    if (!str_is(unit, "nanoseconds"))
        return str_is(unit, "bytes") ? "BYTES" : "COUNT";
    return str_is(what, "cpu") ? "CORES" : str_is(what, "wall") ? "THREADS" : "SECONDS/S";
}

static void top_put_value(const struct top_view *v, double value, struct buf *out)
{
    cleanup_buf struct buf text = BUF_INIT(64);
    top_value_print(v->type, value, v->range_ms, &text);
    buf_printf(out, "%*s", VALUE_COLUMNS, buf_cstr(&text));
}

static void top_put_share(double part, double whole, struct buf *out)
{
    buf_printf(out, " %*.1f%%", SHARE_COLUMNS - 2, whole > 0 ? 100 * part / whole : 0);
}

static void top_put_trend(const double trend[TOP_TREND], bool ascii, struct buf *out)
{
    static const char *const steps[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char plain[] = "_.:-=+*#";
    double most = 0;
    for (size_t i = 0; i < TOP_TREND; i++)
        most = trend[i] > most ? trend[i] : most;
    buf_byte(out, ' ');
    for (size_t i = 0; i < TOP_TREND; i++) {
        const size_t n = most > 0 && trend[i] > 0 ? (size_t)(trend[i] / most * 7.0 + 0.5) : 0;
        if (trend[i] <= 0)
            buf_byte(out, ' ');
        else if (ascii)
            buf_byte(out, (uint8_t)plain[n > 7 ? 7 : n]);
        else
            buf_puts(out, steps[n > 7 ? 7 : n]);
    }
}

/* ---- a frame ---- */

struct top_frame {
    const struct top_view *view;
    struct buf *out;
    size_t columns;
    unsigned rows, row; /* all; that are there */
};

static void top_line_end(struct top_frame *f)
{
    buf_puts(f->out, PLAIN ERASE);
    if (++f->row < f->rows)
        buf_puts(f->out, "\r\n");
}

/* A line of one text; `look`: an attribute. */
static void top_put_line(struct top_frame *f, const char *look, struct str text)
{
    if (f->row >= f->rows)
        return;
    buf_puts(f->out, look);
    top_put_text(text, f->columns, false, f->view->ascii, f->out);
    top_line_end(f);
}

static void top_put_time(int64_t ms, struct buf *out)
{
    const time_t seconds = ms / 1000;
    struct tm tm;
    char text[16] = "";
    if (ms > 0 && localtime_r(&seconds, &tm))
        strftime(text, sizeof text, "%H:%M:%S", &tm);
    buf_puts(out, text);
}

static void top_put_head(struct top_frame *f, const struct top_services *services)
{
    const struct top_view *v = f->view;
    cleanup_buf struct buf title = BUF_INIT(TEXT_MAX), total = BUF_INIT(TEXT_MAX);
    const struct str name = top_type_part(v->type, 0), what = top_type_part(v->type, 1);
    buf_printf(&title, "smolder top  %.*s:%.*s  %llds", STR_ARG(name), STR_ARG(what), (long long)v->range_ms / 1000);
    if (v->until_ms) {
        buf_puts(&title, " until ");
        top_put_time(v->until_ms, &title);
    }
    buf_printf(&title, "%s  %s", v->paused ? "  paused" : "", v->server);
    top_put_line(f, REVERSE, buf_slice(&title));
    if (*v->problem) {
        buf_puts(&total, v->problem);
    } else if (!v->until_ms) {
        buf_puts(&total, "waiting for the first answer");
    } else {
        top_value_print(v->type, services->value, v->range_ms, &total);
        buf_printf(&total, " %s in %zu service%s", top_value_name(v->type), services->len,
                   services->len == 1 ? "" : "s");
    }
    top_put_line(f, *v->problem ? BOLD : "", buf_slice(&total));
}

static void top_put_service_row(struct top_frame *f, const char *look, const char *name, double value, double whole,
                                const double *trend)
{
    const size_t fixed = VALUE_COLUMNS + SHARE_COLUMNS + (trend ? 1 + TOP_TREND : 0);
    if (f->row >= f->rows)
        return;
    buf_puts(f->out, look);
    top_put_text(str_of(name), f->columns > fixed ? f->columns - fixed : 0, false, f->view->ascii, f->out);
    top_put_value(f->view, value, f->out);
    top_put_share(value, whole, f->out);
    if (trend)
        top_put_trend(trend, f->view->ascii, f->out);
    top_line_end(f);
}

static size_t top_service_rows(size_t services, unsigned rows)
{
    const size_t most = rows / SERVICES_SHARE;
    return services + 1 < most ? services + 1 : most; /* one more for all of them */
}

static bool top_is_selected(const struct top_view *v, const struct top_service *s)
{
    return v->service && strcmp(v->service, s->name) == 0;
}

/* The rows show the one that is selected. */
static void top_put_services(struct top_frame *f, const struct top_services *services, size_t rows)
{
    const struct top_view *v = f->view;
    const bool narrow = f->columns < 60;
    cleanup_buf struct buf head = BUF_INIT(TEXT_MAX);
    size_t first = 0;
    for (size_t i = 0; i < services->len; i++)
        if (top_is_selected(v, &services->items[i]) && i + 2 > rows)
            first = i + 2 - rows;
    const size_t fixed = VALUE_COLUMNS + SHARE_COLUMNS + (narrow ? 0 : 1 + TOP_TREND);
    top_put_text(STR("SERVICE"), f->columns > fixed ? f->columns - fixed : 0, false, true, &head);
    buf_printf(&head, "%*s%*s", VALUE_COLUMNS, top_value_name(v->type), SHARE_COLUMNS, "SHARE");
    top_put_line(f, BOLD, buf_slice(&head));
    for (size_t i = first; i < first + rows && i < services->len + 1; i++) {
        const struct top_service *s = i ? &services->items[i - 1] : NULL;
        const bool selected = s ? top_is_selected(v, s) : !v->service;
        double all[TOP_TREND] = {0};
        for (size_t k = 0; !s && k < services->len; k++)
            for (size_t t = 0; t < TOP_TREND; t++)
                all[t] += services->items[k].trend[t];
        top_put_service_row(f, selected ? REVERSE : "",
                            !s         ? "(all)"
                            : *s->name ? s->name
                                       : "(no service_name)",
                            s ? s->value : services->value, services->value,
                            narrow ? NULL
                            : s    ? s->trend
                                   : all);
    }
}

static void top_put_method_row(struct top_frame *f, const struct top_method *m, double whole)
{
    const size_t fixed = VALUE_COLUMNS + 2 * SHARE_COLUMNS + 1;
    if (f->row >= f->rows)
        return;
    if (f->view->flame_scale > 0)
        top_put_value(f->view, m->self * f->view->flame_scale, f->out);
    else
        buf_printf(f->out, "%*s", VALUE_COLUMNS, "-");
    top_put_share(m->self, whole, f->out);
    top_put_share(m->total, whole, f->out);
    buf_byte(f->out, ' ');
    top_put_text(str_of(m->name), f->columns > fixed ? f->columns - fixed : 0, true, f->view->ascii, f->out);
    top_line_end(f);
}

static void top_put_methods(struct top_frame *f, const struct top_methods *methods, size_t rows)
{
    const struct top_view *v = f->view;
    cleanup_buf struct buf head = BUF_INIT(TEXT_MAX);
    buf_printf(&head, "%*s%*s%*s METHOD%s%s, by %s", VALUE_COLUMNS, top_value_name(v->type), SHARE_COLUMNS, "SELF",
               SHARE_COLUMNS, "TOTAL", v->service ? " of " : "S of all services", v->service ? v->service : "",
               top_sort_names[v->sort]);
    top_put_line(f, BOLD, buf_slice(&head));
    for (size_t i = 0; i < rows && v->first_method + i < methods->len; i++)
        top_put_method_row(f, &methods->items[v->first_method + i], methods->value);
}

static void top_put_keys(struct top_frame *f)
{
    const bool wide = f->columns >= 76;
    while (f->row + 1 < f->rows)
        top_put_line(f, "", STR(""));
    top_put_line(f, REVERSE,
                 str_of(f->view->ascii || !wide
                            ? "q quit  p pause  s sort  t type  +/- range  up/down  Enter"
                            : "q quit  p pause  s sort  t type  +/- range  ↑↓ service  PgUp/PgDn  Enter methods"));
}

size_t top_screen_method_rows(const struct top_view *v, size_t services, unsigned rows)
{
    rows = rows < ROWS_LEAST ? ROWS_LEAST : rows;
    const size_t above = HEAD_ROWS + KEY_ROWS + 1 + (v->methods_only ? 0 : 1 + top_service_rows(services, rows));
    return rows > above ? rows - above : 0;
}

void top_screen_frame(const struct top_view *v, const struct top_services *services, const struct top_methods *methods,
                      unsigned columns, unsigned rows, struct buf *out)
{
    struct top_frame f = {.view = v,
                          .out = out,
                          .columns = columns < COLUMNS_LEAST ? COLUMNS_LEAST : columns,
                          .rows = rows < ROWS_LEAST ? ROWS_LEAST : rows};
    top_put_head(&f, services);
    if (!v->methods_only)
        top_put_services(&f, services, top_service_rows(services->len, f.rows));
    top_put_methods(&f, methods, top_screen_method_rows(v, services->len, f.rows));
    top_put_keys(&f);
}

/* ---- for scripts ---- */

void top_screen_table(const struct top_view *v, const struct top_services *services, const struct top_methods *methods,
                      size_t most, struct buf *out)
{
    buf_printf(out, "%s, %lld s until ", v->type, (long long)v->range_ms / 1000);
    top_put_time(v->until_ms, out);
    buf_printf(out, "\n\n%*s%*s  SERVICE\n", VALUE_COLUMNS, top_value_name(v->type), SHARE_COLUMNS, "SHARE");
    for (size_t i = 0; i < services->len && i < most; i++) {
        top_put_value(v, services->items[i].value, out);
        top_put_share(services->items[i].value, services->value, out);
        buf_puts(out, "  ");
        top_put_name(services->items[i].name, out);
    }
    buf_printf(out, "\n%*s%*s%*s  METHOD%s%s\n", VALUE_COLUMNS, top_value_name(v->type), SHARE_COLUMNS, "SELF",
               SHARE_COLUMNS, "TOTAL", v->service ? " of " : "", v->service ? v->service : "");
    for (size_t i = 0; i < methods->len && i < most; i++) {
        const struct top_method *m = &methods->items[i];
        if (v->flame_scale > 0)
            top_put_value(v, m->self * v->flame_scale, out);
        else
            buf_printf(out, "%*s", VALUE_COLUMNS, "-");
        top_put_share(m->self, methods->value, out);
        top_put_share(m->total, methods->value, out);
        buf_puts(out, "  ");
        top_put_name(m->name, out);
    }
}

static void top_json_text(struct buf *out, const char *name, const char *text)
{
    json_name(out, name);
    if (text)
        json_string(out, str_of(text));
    else
        buf_puts(out, "null");
    buf_byte(out, ',');
}

static void top_json_number(struct buf *out, const char *name, double d, const char *after)
{
    json_name(out, name);
    json_double(out, d);
    buf_puts(out, after);
}

void top_screen_json(const struct top_view *v, const struct top_services *services, const struct top_methods *methods,
                     size_t most, struct buf *out)
{
    buf_byte(out, '{');
    top_json_text(out, "type", v->type);
    top_json_text(out, "service", v->service);
    buf_printf(out, "\"from_ms\":%lld,\"until_ms\":%lld,", (long long)(v->until_ms - v->range_ms),
               (long long)v->until_ms);
    top_json_number(out, "value", services->value, ",\"services\":[");
    for (size_t i = 0; i < services->len && i < most; i++) {
        buf_puts(out, i ? ",{" : "{");
        top_json_text(out, "name", services->items[i].name);
        top_json_number(out, "value", services->items[i].value, "}");
    }
    buf_puts(out, "],\"methods\":[");
    for (size_t i = 0; i < methods->len && i < most; i++) {
        const struct top_method *m = &methods->items[i];
        buf_puts(out, i ? ",{" : "{");
        top_json_text(out, "name", m->name);
        top_json_number(out, "self", m->self * (v->flame_scale > 0 ? v->flame_scale : 1), ",");
        top_json_number(out, "total", m->total * (v->flame_scale > 0 ? v->flame_scale : 1), "}");
    }
    buf_puts(out, "]}\n");
}
