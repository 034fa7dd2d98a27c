#include "pprof/dump.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"

enum { TOP_MAX = 20, AMOUNT_WIDTH = 12, AMOUNT_MAX = 64 };

static struct str dump_text_of(const struct profile *p, uint32_t string)
{
    return p->symbols->strings[string];
}

void dump_format_amount(int64_t value, struct str unit, char *out, size_t size)
{
    static const struct {
        const char *unit, *steps[6];
        double factors[6];
    } scales[] = {
        {"nanoseconds", {"ns", "us", "ms", "s", "min", "h"}, {1, 1e3, 1e6, 1e9, 6e10, 3.6e12}},
        {"bytes", {"B", "KiB", "MiB", "GiB", "TiB", "PiB"}, {1, 0x1p10, 0x1p20, 0x1p30, 0x1p40, 0x1p50}},
    };
    double v = (double)value, size_of = v < 0 ? -v : v;
    for (size_t i = 0; i < ARRAY_LEN(scales); i++) {
        if (!str_is(unit, scales[i].unit))
            continue;
        size_t k = 0;
        while (k + 1 < ARRAY_LEN(scales[i].steps) && size_of >= scales[i].factors[k + 1])
            k++;
        snprintf(out, size, "%.*f %s", k == 0 ? 0 : 2, v / scales[i].factors[k], scales[i].steps[k]);
        return;
    }
    snprintf(out, size, "%" PRId64, value);
}

static void dump_put_amount(struct buf *out, int64_t value, struct str unit)
{
    char text[AMOUNT_MAX];
    dump_format_amount(value, unit, text, sizeof text);
    buf_printf(out, "%*s", AMOUNT_WIDTH, text);
}

static void dump_put_time(struct buf *out, int64_t ns)
{
    time_t seconds = (time_t)(ns / NS_PER_SEC);
    struct tm tm;
    char text[64];
    if (ns > 0 && gmtime_r(&seconds, &tm) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &tm))
        buf_puts(out, text);
    else
        buf_puts(out, "unknown time");
}

/* Sums as a person sees them: negative values of a comparison count, too. */
static int64_t dump_added(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? (a < 0 ? INT64_MIN : INT64_MAX) : sum;
}

static int64_t dump_magnitude(int64_t v)
{
    return v < 0 ? v == INT64_MIN ? INT64_MAX : -v : v;
}

/* A profile, or two sides of one: then the second half of its values is what was before. */
struct dump {
    const struct profile *p;
    bool compared;
    size_t columns;
};

/* Of a sample now, and before: 0 where nothing is compared. */
static int64_t dump_now(const struct dump *d, size_t sample, size_t column)
{
    return profile_values(d->p, sample)[column];
}

static int64_t dump_before(const struct dump *d, size_t sample, size_t column)
{
    return d->compared ? profile_values(d->p, sample)[d->columns + column] : 0;
}

static int64_t dump_change(int64_t now, int64_t before)
{
    return dump_added(now, before == INT64_MIN ? INT64_MAX : -before);
}

static int64_t dump_value(const struct dump *d, size_t sample, size_t column)
{
    return dump_change(dump_now(d, sample, column), dump_before(d, sample, column));
}

struct dump_totals {
    int64_t now, before;
    int64_t magnitude; /* of what is now, what is negative included */
};

static struct dump_totals dump_totals_of(const struct dump *d, size_t column)
{
    struct dump_totals t = {0};
    for (size_t i = 0; i < d->p->sample_count; i++) {
        t.now = dump_added(t.now, dump_now(d, i, column));
        t.before = dump_added(t.before, dump_before(d, i, column));
        t.magnitude = dump_added(t.magnitude, dump_magnitude(dump_now(d, i, column)));
    }
    return t;
}

static void dump_put_totals(const struct dump *d, size_t column, struct buf *out)
{
    const struct profile *p = d->p;
    const struct str unit = dump_text_of(p, p->types[column].unit);
    const struct dump_totals t = dump_totals_of(d, column);
    dump_put_amount(out, dump_change(t.now, t.before), unit);
    buf_printf(out, "  %.*s/%.*s", STR_ARG(dump_text_of(p, p->types[column].type)), STR_ARG(unit));
    if (d->compared) {
        char now[AMOUNT_MAX], before[AMOUNT_MAX];
        dump_format_amount(t.now, unit, now, sizeof now);
        dump_format_amount(t.before, unit, before, sizeof before);
        buf_printf(out, " (%s, %s before)", now, before);
    }
    buf_byte(out, '\n');
}

static void dump_put_head(const struct dump *d, const char *name, struct buf *out)
{
    const struct profile *p = d->p;
    char duration[AMOUNT_MAX];
    dump_format_amount(p->duration_nanos, STR("nanoseconds"), duration, sizeof duration);
    buf_printf(out, "%s, ", name);
    dump_put_time(out, p->time_nanos);
    buf_printf(out, ", %s", duration);
    if (p->period > 1) {
        char period[AMOUNT_MAX];
        dump_format_amount(p->period, dump_text_of(p, p->period_type.unit), period, sizeof period);
        buf_printf(out, ", one sample each %s of %.*s", period, STR_ARG(dump_text_of(p, p->period_type.type)));
    }
    buf_puts(out, "\n\n");
    for (size_t k = 0; k < d->columns; k++)
        dump_put_totals(d, k, out);
}

/* What one function has by itself, and on stacks it is part of. */
struct function_row {
    uint32_t name;       /* string */
    int64_t self, total; /* what changed, where something is compared */
    int64_t self_before, total_before;
    size_t seen; /* sample + 1 that counted last: a recursive function counts once a stack */
};

static int dump_larger_self_first(const void *a, const void *b)
{
    const struct function_row *x = a, *y = b;
    if (dump_magnitude(x->self) != dump_magnitude(y->self))
        return dump_magnitude(x->self) < dump_magnitude(y->self) ? 1 : -1;
    if (dump_magnitude(x->total) != dump_magnitude(y->total))
        return dump_magnitude(x->total) < dump_magnitude(y->total) ? 1 : -1;
    return x->name < y->name ? -1 : x->name > y->name;
}

static void dump_sum_rows(const struct dump *d, size_t column, struct function_row *rows)
{
    const struct symbols *s = d->p->symbols;
    for (size_t i = 0; i < s->string_count; i++)
        rows[i] = (struct function_row){.name = (uint32_t)i};
    for (size_t i = 0; i < d->p->sample_count; i++) {
        const struct pprof_stack *stack = &s->stacks[d->p->samples[i].stack];
        const int64_t value = dump_value(d, i, column), before = dump_before(d, i, column);
        for (uint32_t k = 0; k < stack->count; k++) {
            struct function_row *r = &rows[s->functions[s->locations[stack->locations[k]].function].name];
            if (k == 0) {
                r->self = dump_added(r->self, value);
                r->self_before = dump_added(r->self_before, before);
            }
            if (r->seen != i + 1) {
                r->total = dump_added(r->total, value);
                r->total_before = dump_added(r->total_before, before);
            }
            r->seen = i + 1;
        }
    }
}

static double dump_share(int64_t part, int64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* The share of what is there; or by how much it changed. */
static void dump_put_share(const struct dump *d, const struct dump_totals *t, int64_t value, int64_t before,
                           struct buf *out)
{
    if (d->compared)
        buf_printf(out, " %+6.1f ", dump_share(dump_added(value, before), t->now) - dump_share(before, t->before));
    else
        buf_printf(out, " %5.1f%% ", dump_share(value, t->magnitude));
}

static void dump_put_top(const struct dump *d, size_t column, struct buf *out)
{
    const struct profile *p = d->p;
    const char *share = d->compared ? "points" : " share";
    size_t n = p->symbols->string_count;
    cleanup_free struct function_row *rows = xcalloc(n, sizeof *rows);
    dump_sum_rows(d, column, rows);
    qsort(rows, n, sizeof *rows, dump_larger_self_first);
    struct str unit = dump_text_of(p, p->types[column].unit);
    const struct dump_totals t = dump_totals_of(d, column);
    buf_printf(out, "\n%*s %s %*s %s  function by %.*s\n", AMOUNT_WIDTH, "self", share, AMOUNT_WIDTH, "total", share,
               STR_ARG(dump_text_of(p, p->types[column].type)));
    for (size_t i = 0; i < n && i < TOP_MAX && (rows[i].self || rows[i].total); i++) {
        dump_put_amount(out, rows[i].self, unit);
        dump_put_share(d, &t, rows[i].self, rows[i].self_before, out);
        dump_put_amount(out, rows[i].total, unit);
        dump_put_share(d, &t, rows[i].total, rows[i].total_before, out);
        buf_printf(out, " %.*s\n", STR_ARG(dump_text_of(p, rows[i].name)));
    }
}

struct ranked_sample {
    int64_t size;
    size_t sample;
};

static int dump_larger_first(const void *a, const void *b)
{
    const struct ranked_sample *x = a, *y = b;
    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    return x->sample < y->sample ? -1 : x->sample > y->sample;
}

static void dump_put_labels(const struct profile *p, uint32_t set, struct buf *out)
{
    const struct pprof_labels *labels = &p->symbols->label_sets[set];
    for (uint32_t i = 0; i < labels->count; i++) {
        const struct pprof_label *l = &labels->labels[i];
        buf_printf(out, "  %.*s=", STR_ARG(dump_text_of(p, l->key)));
        if (l->str)
            buf_str(out, dump_text_of(p, l->str));
        else
            buf_printf(out, "%" PRId64 "%s%.*s", l->num, l->unit ? " " : "", STR_ARG(dump_text_of(p, l->unit)));
    }
}

static void dump_put_sample(const struct dump *d, size_t i, struct buf *out)
{
    const struct profile *p = d->p;
    for (size_t k = 0; k < d->columns; k++)
        dump_put_amount(out, dump_value(d, i, k), dump_text_of(p, p->types[k].unit));
    dump_put_labels(p, p->samples[i].labels, out);
    buf_byte(out, '\n');
    const struct pprof_stack *stack = &p->symbols->stacks[p->samples[i].stack];
    for (uint32_t k = 0; k < stack->count; k++) {
        struct pprof_location l = p->symbols->locations[stack->locations[k]];
        buf_printf(out, "%*s%.*s", AMOUNT_WIDTH + 2, "", STR_ARG(symbols_name(p->symbols, stack->locations[k])));
        buf_printf(out, l.line > 0 ? ":%" PRId32 "\n" : "\n", l.line);
    }
}

static void dump_put(const struct dump *d, const char *name, struct buf *out)
{
    const struct profile *p = d->p;
    dump_put_head(d, name, out);
    for (size_t k = 0; k < d->columns; k++)
        dump_put_top(d, k, out);
    cleanup_free struct ranked_sample *order = xcalloc(p->sample_count + 1, sizeof *order);
    size_t n = 0;
    for (size_t i = 0; i < p->sample_count; i++) {
        int64_t size = 0;
        for (size_t k = 0; k < d->columns; k++)
            size = size ? size : dump_magnitude(dump_value(d, i, k));
        if (size)
            order[n++] = (struct ranked_sample){size, i};
    }
    qsort(order, n, sizeof *order, dump_larger_first);
    buf_printf(out, "\nsamples: %zu\n", n);
    for (size_t i = 0; i < n; i++) {
        buf_byte(out, '\n');
        dump_put_sample(d, order[i].sample, out);
    }
}

void pprof_dump(const struct profile *p, const char *name, struct buf *out)
{
    dump_put(&(struct dump){p, false, p->type_count}, name, out);
}

void pprof_dump_compared(const struct profile *p, const char *name, struct buf *out)
{
    dump_put(&(struct dump){p, true, p->type_count / 2}, name, out);
}
