#include "pprof/change.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"

/* One side while it is counted. */
struct change_counter {
    struct change_table *t;
    const struct profile *p;
    size_t column, side;
    double weight;       /* of a sample; 0 = see counts */
    int counts;          /* column with the number of events; -1 = none */
    uint32_t *functions; /* by function: item + 1; 0 = not asked yet */
    struct id_map seen;  /* by item: the sample that it was met in last, + 1 */
};

static bool change_same_unit(const struct profile *p, uint32_t a, const char *b)
{
    return str_is(p->symbols->strings[a], b);
}

/* How many events there were: by the period, where it is of the same kind; else by a column that counts. */
static void change_find_weight(struct change_counter *c)
{
    const struct profile *p = c->p;
    const uint32_t unit = p->types[c->column].unit;
    c->counts = -1;
    if (p->period > 0 && p->types[c->column].type == p->period_type.type && unit == p->period_type.unit)
        c->weight = (double)p->period;
    else if (change_same_unit(p, unit, "count"))
        c->weight = 1;
    for (size_t i = 0; c->weight <= 0 && c->counts < 0 && i < p->type_count; i++)
        c->counts = change_same_unit(p, p->types[i].unit, "count") ? (int)i : -1;
}

/* At least one event lies behind a value: where nobody knows more, that is the most careful guess. */
static double change_events(const struct change_counter *c, size_t sample, double value)
{
    const int64_t *values = profile_values(c->p, sample);
    const double n = c->weight > 0 ? value / c->weight : c->counts >= 0 ? (double)values[c->counts] : 1;
    return n >= 1 ? n : 1;
}

/* The item of a function by its name; 0 where symbols are full. */
static uint32_t change_item(struct change_counter *c, uint32_t function)
{
    struct change_table *t = c->t;
    const struct symbols *s = c->p->symbols;
    if (c->functions[function])
        return c->functions[function];
    const uint32_t name = symbols_string(&t->names, s->strings[s->functions[function].name]);
    uint32_t *const item = name == SYMBOLS_FULL ? NULL : id_map_at(&t->by_name, name);
    if (!item)
        return 0;
    if (*item == 0) {
        xgrow(&t->items, &t->cap, t->len + 1, sizeof *t->items);
        t->items[t->len] = (struct function_change){.name = name};
        *item = (uint32_t)++t->len;
    }
    return c->functions[function] = *item;
}

static void change_add(struct function_change *f, enum change_measure m, size_t side, double value, double variance)
{
    f->of[m].value[side] += value;
    f->of[m].run += value;
    f->of[m].variance[side] += variance;
}

static bool change_count_sample(struct change_counter *c, size_t sample)
{
    struct change_table *t = c->t;
    const struct symbols *s = c->p->symbols;
    const struct pprof_stack *stack = &s->stacks[c->p->samples[sample].stack];
    const double value = (double)profile_values(c->p, sample)[c->column];
    if (value <= 0)
        return true;
    const double events = change_events(c, sample, value), variance = value * value / events;
    t->whole[c->side] += value;
    t->variance[c->side] += variance;
    t->samples[c->side] += events;
    for (uint32_t i = 0; i < stack->count; i++) {
        const uint32_t item = change_item(c, s->locations[stack->locations[i]].function);
        uint32_t *const seen = item ? id_map_at(&c->seen, item) : NULL;
        if (!seen)
            return false;
        struct function_change *f = &t->items[item - 1];
        if (i == 0)
            change_add(f, CHANGE_SELF, c->side, value, variance);
        if (*seen != sample + 1)
            change_add(f, CHANGE_TOTAL, c->side, value, variance);
        *seen = (uint32_t)sample + 1;
    }
    return true;
}

/* The shares of a run, which is over, beside those of the other runs. */
static void change_end_run(struct change_table *t, size_t side, double whole)
{
    for (size_t i = 0; i < t->len; i++) {
        for (size_t m = 0; m < CHANGE_MEASURES; m++) {
            const double share = whole > 0 ? t->items[i].of[m].run / whole : 0;
            t->items[i].of[m].shares[side] += share;
            t->items[i].of[m].squares[side] += share * share;
            t->items[i].of[m].run = 0;
        }
    }
    t->squares[side] += whole * whole;
    t->runs[side]++;
}

int change_table_add(struct change_table *t, size_t side, const struct profile *p, size_t column, struct err *err)
{
    const double before = t->whole[side];
    if (!p) {
        change_end_run(t, side, 0);
        return 0;
    }
    struct change_counter c = {.t = t, .p = p, .column = column, .side = side};
    c.functions = xcalloc(p->symbols->function_count + 1, sizeof *c.functions);
    change_find_weight(&c);
    bool fits = true;
    for (size_t i = 0; fits && i < p->sample_count; i++)
        fits = change_count_sample(&c, i);
    t->seconds[side] += (double)p->duration_nanos / 1e9;
    free(c.functions);
    id_map_done(&c.seen);
    change_end_run(t, side, t->whole[side] - before);
    return fits ? 0 : err_set(err, -E2BIG, "the profiles have too many names");
}

void change_table_init(struct change_table *t, size_t names_max)
{
    *t = (struct change_table){0};
    symbols_init(&t->names, names_max);
}

void change_table_done(struct change_table *t)
{
    symbols_done(&t->names);
    free(t->items);
    id_map_done(&t->by_name);
    *t = (struct change_table){0};
}

/* Variance of the mean of some runs, by what they differ. */
static double change_runs_variance(double sum, double squares, size_t runs)
{
    const double n = (double)runs;
    if (runs < 2)
        return 0;
    const double spread = squares - sum * sum / n;
    return spread > 0 ? spread / (n - 1) / n : 0;
}

/* Variance of a part's share x / whole, where the part and the rest vary on their own (first-order error
 * propagation). */
static double change_share_variance(double x, double variance, double whole, double whole_variance)
{
    if (whole <= 0)
        return 0;
    const double share = x / whole;
    const double rest = whole_variance > variance ? whole_variance - variance : 0;
    return ((1 - share) * (1 - share) * variance + share * share * rest) / (whole * whole);
}

struct change_value function_change(const struct change_table *t, const struct function_change *f,
                                    enum change_measure m)
{
    double share[CHANGE_SIDES], variance = 0;
    for (size_t i = 0; i < CHANGE_SIDES; i++) {
        share[i] = t->whole[i] > 0 ? f->of[m].value[i] / t->whole[i] : 0;
        variance += fmax(change_share_variance(f->of[m].value[i], f->of[m].variance[i], t->whole[i], t->variance[i]),
                         change_runs_variance(f->of[m].shares[i], f->of[m].squares[i], t->runs[i]));
    }
    return (struct change_value){share[CHANGE_BASE], share[CHANGE_NEW], share[CHANGE_NEW] - share[CHANGE_BASE],
                                 sqrt(variance)};
}

struct change_value whole_change(const struct change_table *t, bool per_second)
{
    const bool rate = per_second && t->seconds[CHANGE_BASE] > 0 && t->seconds[CHANGE_NEW] > 0;
    double value[CHANGE_SIDES], relative = 0;
    for (size_t i = 0; i < CHANGE_SIDES; i++) {
        const double runs = t->runs[i] ? (double)t->runs[i] : 1, mean = t->whole[i] / runs;
        value[i] = rate ? t->whole[i] / t->seconds[i] : mean;
        const double between = change_runs_variance(t->whole[i], t->squares[i], t->runs[i]);
        relative += mean > 0 ? fmax(t->variance[i] / (runs * runs), between) / (mean * mean) : 0;
    }
    struct change_value c = {.before = value[CHANGE_BASE], .after = value[CHANGE_NEW]};
    if (c.before > 0) {
        c.difference = c.after / c.before - 1;
        c.noise = c.after / c.before * sqrt(relative);
    }
    return c;
}
