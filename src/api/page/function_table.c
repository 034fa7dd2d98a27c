#include "api/page/function_table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/mem.h"
#include "pprof/flame_functions.h"

struct table_row {
    struct str name;
    struct function_sum sums[FLAME_SIDES];
    double key; /* the largest first */
};

enum table_order { BY_SELF, BY_TOTAL, BY_NAME, BY_CHANGE, BY_CHANGE_TOTAL };

static size_t function_table_sides(const struct function_table *t)
{
    return t->total[0] ? FLAME_SIDES : 1;
}

static int function_table_order(const struct function_table *t, enum table_order *ret, struct err *err)
{
    static const char *const names[] = {[BY_SELF] = "self",
                                        [BY_TOTAL] = "total",
                                        [BY_NAME] = "name",
                                        [BY_CHANGE] = "change",
                                        [BY_CHANGE_TOTAL] = "change_total"};
    const bool pair = function_table_sides(t) == FLAME_SIDES;
    *ret = pair ? BY_CHANGE : BY_SELF;
    if (t->sort.n == 0)
        return 0;
    for (size_t i = 0; i < (pair ? ARRAY_LEN(names) : BY_CHANGE); i++) {
        if (str_is(t->sort, names[i])) {
            *ret = (enum table_order)i;
            return 0;
        }
    }
    return err_set(err, -EINVAL, "sort must be %s",
                   pair ? "change, change_total, self, total or name" : "self, total or name");
}

static double function_table_share(const struct function_table *t, size_t side, int64_t value)
{
    const int64_t whole = t->total[side] ? t->total[side][0] : t->flame->nodes[0].total;
    return whole ? (double)value / (double)whole : 0;
}

static double function_table_key(const struct function_table *t, enum table_order order, const struct table_row *row)
{
    const bool total = order == BY_TOTAL || order == BY_CHANGE_TOTAL;
    double shares[FLAME_SIDES] = {0};
    for (size_t s = 0; s < function_table_sides(t); s++)
        shares[s] = function_table_share(t, s, total ? row->sums[s].total : row->sums[s].self);
    if (order == BY_NAME)
        return 0;
    return order == BY_CHANGE || order == BY_CHANGE_TOTAL ? fabs(shares[1] - shares[0]) : shares[0] + shares[1];
}

static int function_table_largest_first(const void *a, const void *b)
{
    const struct table_row *x = a, *y = b;
    return x->key != y->key ? (x->key < y->key) - (x->key > y->key) : str_cmp(x->name, y->name);
}

/* Adds a row for each function with a value that is searched for; *count: with a value. */
static size_t function_table_fill(const struct function_table *t, enum table_order order, struct table_row *rows,
                                  size_t *count)
{
    const size_t names = t->flame->name_count, sides = function_table_sides(t);
    cleanup_free struct function_sum *sums = xcalloc(names * sides + 1, sizeof *sums);
    cleanup_free bool *wanted = name_matches_of(t->search, t->flame);
    size_t n = 0;
    for (size_t s = 0; s < sides; s++)
        flame_functions(t->flame, t->at, t->self[s], t->total[s], &sums[s * names]);
    for (size_t i = 0; i < names; i++) {
        struct table_row row = {.name = t->flame->names[i]};
        bool some = false;
        for (size_t s = 0; s < sides; s++) {
            row.sums[s] = sums[s * names + i];
            some = some || row.sums[s].total;
        }
        *count += some;
        if (!some || (wanted && !wanted[i]))
            continue;
        row.key = function_table_key(t, order, &row);
        rows[n++] = row;
    }
    return n;
}

static void function_table_put_row(const struct function_table *t, const struct table_row *row, struct buf *out)
{
    buf_byte(out, '[');
    json_string(out, row->name);
    for (size_t s = 0; s < function_table_sides(t); s++)
        buf_printf(out, ",%lld,%lld", (long long)row->sums[s].self, (long long)row->sums[s].total);
    buf_byte(out, ']');
}

int function_table_put(const struct function_table *t, struct buf *out, struct err *err)
{
    cleanup_free struct table_row *rows = xcalloc(t->flame->name_count + 1, sizeof *rows);
    enum table_order order;
    size_t count = 0;
    if (function_table_order(t, &order, err) < 0)
        return err->code;
    const size_t n = function_table_fill(t, order, rows, &count);
    const size_t limit = t->limit ? t->limit : FUNCTION_TABLE_ROWS;
    qsort(rows, n, sizeof *rows, function_table_largest_first);
    buf_printf(out, "\"count\":%zu,\"found\":%zu,\"functions\":[", count, n);
    for (size_t i = 0; i < n && i < limit; i++) {
        buf_puts(out, i ? "," : "");
        function_table_put_row(t, &rows[i], out);
    }
    buf_byte(out, ']');
    return 0;
}
