/* Two profiles of any bytes, merged, compared and shown: nothing breaks, and what is added and taken away again is
 * nothing. The first byte says where the second begins. */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "pprof/decode.h"
#include "pprof/diff.h"
#include "pprof/dump.h"
#include "pprof/flamebearer.h"
#include "pprof/group.h"
#include "pprof/merge.h"
#include "pprof/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 20, OUTPUT_MAX = 64 << 20 };

static void show(const struct profile *p)
{
    cleanup_buf struct buf out = BUF_INIT(OUTPUT_MAX);
    cleanup_flame_table struct flame_table table;
    pprof_dump(p, "fuzz", &out);
    flame_table_init(&table, p);
    for (size_t k = 0; k < p->type_count; k++)
        flamebearer_put(&(struct flamebearer){"fuzz", p, &table, k, false}, &out);
    if (p->type_count % 2 == 0)
        flamebearer_put(&(struct flamebearer){"fuzz", p, &table, 0, true}, &out);
}

static void check_nothing(const struct profile *p)
{
    for (size_t i = 0; i < p->sample_count * p->type_count; i++) {
        if (p->values[i] != 0)
            abort();
    }
}

static void put_together(const struct profile *a, const struct profile *b, struct symbols *s)
{
    cleanup_profile struct profile sum, sides, grouped;
    profile_init(&sum, s);
    profile_init(&sides, s);
    profile_init(&grouped, s);
    if (profile_diff(&sides, a, b, PROFILE_DIFF_SIDES, NULL) == 0)
        show(&sides);
    if (profile_merge(&sum, a, 1, NULL) < 0 || profile_merge(&sum, b, 1, NULL) < 0)
        return;
    show(&sum);
    if (profile_group(&grouped, &sum, STR("thread"), NULL) == 0)
        show(&grouped);
    if (profile_merge(&sum, a, -1, NULL) == 0 && profile_merge(&sum, b, -1, NULL) == 0)
        check_nothing(&sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_symbols struct symbols a_symbols, b_symbols, symbols;
    cleanup_profile struct profile a, b;
    symbols_init(&a_symbols, OUTPUT_MAX);
    symbols_init(&b_symbols, OUTPUT_MAX);
    symbols_init(&symbols, OUTPUT_MAX);
    profile_init(&a, &a_symbols);
    profile_init(&b, &b_symbols);
    if (size < 2)
        return 0;
    size_t first = (size - 1) * data[0] / 255;
    if (pprof_decode(data + 1, first, INPUT_MAX, &a_symbols, &a, NULL) == 0 &&
        pprof_decode(data + 1 + first, size - 1 - first, INPUT_MAX, &b_symbols, &b, NULL) == 0)
        put_together(&a, &b, &symbols);
    return 0;
}
