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

static int64_t dump_total_of(const struct profile *p, size_t column)
{
    int64_t sum = 0;
    for (size_t i = 0; i < p->sample_count; i++)
        sum = dump_added(sum, profile_values(p, i)[column]);
    return sum;
}

static void dump_put_head(const struct profile *p, const char *name, struct buf *out)
{
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
    for (size_t k = 0; k < p->type_count; k++) {
        dump_put_amount(out, dump_total_of(p, k), dump_text_of(p, p->types[k].unit));
        buf_printf(out, "  %.*s/%.*s\n", STR_ARG(dump_text_of(p, p->types[k].type)),
                   STR_ARG(dump_text_of(p, p->types[k].unit)));
    }
}

/* What one function has by itself, and on stacks it is part of. */
struct function_row {
    uint32_t name; /* string */
    int64_t self, total;
    size_t seen; /* sample + 1 that counted last: a recursive function counts once a stack */
};

static int64_t dump_magnitude(int64_t v)
{
    return v < 0 ? v == INT64_MIN ? INT64_MAX : -v : v;
}

static int dump_larger_self_first(const void *a, const void *b)
{
    const struct function_row *x = a, *y = b;
    if (dump_magnitude(x->self) != dump_magnitude(y->self))
        return dump_magnitude(x->self) < dump_magnitude(y->self) ? 1 : -1;
    if (dump_magnitude(x->total) != dump_magnitude(y->total))
        return dump_magnitude(x->total) < dump_magnitude(y->total) ? 1 : -1;
    return x->name < y->name ? -1 : x->name > y->name;
}

static void dump_sum_rows(const struct profile *p, size_t column, struct function_row *rows)
{
    const struct symbols *s = p->symbols;
    for (size_t i = 0; i < s->string_count; i++)
        rows[i] = (struct function_row){.name = (uint32_t)i};
    for (size_t i = 0; i < p->sample_count; i++) {
        const struct pprof_stack *stack = &s->stacks[p->samples[i].stack];
        int64_t value = profile_values(p, i)[column];
        for (uint32_t k = 0; k < stack->count; k++) {
            struct function_row *r = &rows[s->functions[s->locations[stack->locations[k]].function].name];
            if (k == 0)
                r->self = dump_added(r->self, value);
            if (r->seen != i + 1)
                r->total = dump_added(r->total, value);
            r->seen = i + 1;
        }
    }
}

static double dump_share(int64_t part, int64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void dump_put_top(const struct profile *p, size_t column, struct buf *out)
{
    size_t n = p->symbols->string_count;
    cleanup_free struct function_row *rows = xcalloc(n, sizeof *rows);
    dump_sum_rows(p, column, rows);
    qsort(rows, n, sizeof *rows, dump_larger_self_first);
    struct str unit = dump_text_of(p, p->types[column].unit);
    int64_t whole = dump_total_of(p, column);
    buf_printf(out, "\n%*s  share %*s  share  function by %.*s\n", AMOUNT_WIDTH, "self", AMOUNT_WIDTH, "total",
               STR_ARG(dump_text_of(p, p->types[column].type)));
    for (size_t i = 0; i < n && i < TOP_MAX && (rows[i].self || rows[i].total); i++) {
        dump_put_amount(out, rows[i].self, unit);
        buf_printf(out, " %5.1f%% ", dump_share(rows[i].self, whole));
        dump_put_amount(out, rows[i].total, unit);
        buf_printf(out, " %5.1f%%  %.*s\n", dump_share(rows[i].total, whole), STR_ARG(dump_text_of(p, rows[i].name)));
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

static void dump_put_sample(const struct profile *p, size_t i, struct buf *out)
{
    for (size_t k = 0; k < p->type_count; k++)
        dump_put_amount(out, profile_values(p, i)[k], dump_text_of(p, p->types[k].unit));
    dump_put_labels(p, p->samples[i].labels, out);
    buf_byte(out, '\n');
    const struct pprof_stack *stack = &p->symbols->stacks[p->samples[i].stack];
    for (uint32_t k = 0; k < stack->count; k++) {
        struct pprof_location l = p->symbols->locations[stack->locations[k]];
        buf_printf(out, "%*s%.*s", AMOUNT_WIDTH + 2, "", STR_ARG(symbols_name(p->symbols, stack->locations[k])));
        buf_printf(out, l.line > 0 ? ":%" PRId32 "\n" : "\n", l.line);
    }
}

void pprof_dump(const struct profile *p, const char *name, struct buf *out)
{
    dump_put_head(p, name, out);
    for (size_t k = 0; k < p->type_count; k++)
        dump_put_top(p, k, out);
    cleanup_free struct ranked_sample *order = xcalloc(p->sample_count + 1, sizeof *order);
    size_t n = 0;
    for (size_t i = 0; i < p->sample_count; i++) {
        int64_t size = 0;
        for (size_t k = 0; k < p->type_count; k++)
            size = size ? size : dump_magnitude(profile_values(p, i)[k]);
        if (size)
            order[n++] = (struct ranked_sample){size, i};
    }
    qsort(order, n, sizeof *order, dump_larger_first);
    buf_printf(out, "\nsamples: %zu\n", n);
    for (size_t i = 0; i < n; i++) {
        buf_byte(out, '\n');
        dump_put_sample(p, order[i].sample, out);
    }
}
