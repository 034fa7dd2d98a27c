/* Series of one profile: which samples are one, and the numbers that are stored for them. */
#define XXH_INLINE_ALL
#include "store/splits.h"

#include <errno.h>
#include <time.h>
#include <xxhash.h>

#include "colliding.h"
#include "test.h"

enum { MAX = 64 << 20 };

static double seconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static uint32_t set_of(struct symbols *s, const char *key, struct str value, const char *more)
{
    struct pprof_label labels[2] = {{.key = symbols_string(s, str_of(key)), .str = symbols_string(s, value)}};
    if (more)
        labels[1] =
            (struct pprof_label){.key = symbols_string(s, str_of(more)), .str = symbols_string(s, STR("another"))};
    return symbols_labels(s, labels, more ? 2 : 1);
}

static int64_t number_of(struct splits *s, uint32_t set)
{
    size_t at = 0;
    CHECK_INT(splits_of(s, set, &at), 0);
    return s->items ? s->items[at].number : -1;
}

static void numbers_are_those_that_are_on_disk(void)
{
    cleanup_symbols struct symbols symbols;
    symbols_init(&symbols, MAX);
    cleanup_splits struct splits s = SPLITS_INIT(&symbols);
    const uint64_t expected = XXH3_64bits("thread", 6) * 31 + XXH3_64bits("main", 4) * UINT64_C(0x9e3779b97f4a7c15);
    CHECK_INT(number_of(&s, 0), 0);
    CHECK_INT(number_of(&s, set_of(&symbols, "thread", STR("main"), NULL)), (int64_t)expected);
    CHECK_INT(number_of(&s, set_of(&symbols, "thread", STR("main"), "span_id")), (int64_t)expected);
    CHECK_INT(number_of(&s, set_of(&symbols, "profile_id", STR("0123"), NULL)), 0);
    CHECK_INT(s.len, 2);
}

static void the_order_of_labels_makes_no_difference(void)
{
    cleanup_symbols struct symbols symbols;
    symbols_init(&symbols, MAX);
    cleanup_splits struct splits s = SPLITS_INIT(&symbols);
    struct pprof_label a = {.key = symbols_string(&symbols, STR("a")), .str = symbols_string(&symbols, STR("x"))};
    struct pprof_label b = {.key = symbols_string(&symbols, STR("b")), .str = symbols_string(&symbols, STR("y"))};
    const uint32_t ab = symbols_labels(&symbols, (struct pprof_label[]){a, b}, 2),
                   ba = symbols_labels(&symbols, (struct pprof_label[]){b, a}, 2);
    CHECK(ab != ba);
    CHECK_INT(number_of(&s, ab), number_of(&s, ba));
    CHECK_INT(s.len, 1);
}

static void labels_that_hash_alike_are_series_of_their_own(void)
{
    cleanup_symbols struct symbols symbols;
    symbols_init(&symbols, MAX);
    cleanup_splits struct splits first = SPLITS_INIT(&symbols), again = SPLITS_INIT(&symbols);
    char room[COLLIDING_BYTES];
    uint32_t sets[SPLITS_MAX + 1];
    for (unsigned i = 0; i <= SPLITS_MAX; i++)
        sets[i] = set_of(&symbols, "thread", colliding_text(i, room), NULL);
    const double start = seconds();
    for (unsigned i = 0; i < SPLITS_MAX; i++)
        CHECK_INT(number_of(&first, sets[i]), (int64_t)((uint64_t)first.items[0].number + i));
    CHECK_INT(first.len, SPLITS_MAX);
    for (unsigned i = 0; i < SPLITS_MAX; i++)
        CHECK_INT(number_of(&again, sets[i]), first.items[i].number);
    CHECK(seconds() - start < 1);
    size_t at;
    CHECK_INT(splits_of(&first, sets[SPLITS_MAX], &at), -E2BIG);
}

int main(void)
{
    RUN(numbers_are_those_that_are_on_disk);
    RUN(the_order_of_labels_makes_no_difference);
    RUN(labels_that_hash_alike_are_series_of_their_own);
    return REPORT();
}
