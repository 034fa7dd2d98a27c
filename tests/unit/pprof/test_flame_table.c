#include "pprof/flame_table.h"

#include "pprof/sample_profile.h"
#include "test.h"

static int64_t sum_of(const struct flame_table *t, size_t column)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < t->flame.node_count; i++)
        sum += flame_table_self(t, i)[column];
    return sum;
}

static void every_sample_type_has_its_own_column(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    cleanup_flame_table struct flame_table t;
    symbols_init(&s, 1 << 20);
    sample_profile(&p, &s);
    flame_table_init(&t, &p);
    CHECK_INT(t.columns, 2);
    CHECK_INT(sum_of(&t, 0), 3);   /* labels are ignored */
    CHECK_INT(sum_of(&t, 1), 300); /* negative values count nothing */
}

static void an_empty_profile_has_an_empty_picture(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    cleanup_flame_table struct flame_table t;
    symbols_init(&s, 1 << 20);
    profile_init(&p, &s);
    CHECK(profile_add_type(&p, STR("cpu"), STR("nanoseconds")));
    flame_table_init(&t, &p);
    CHECK_INT(sum_of(&t, 0), 0);
}

int main(void)
{
    RUN(every_sample_type_has_its_own_column);
    RUN(an_empty_profile_has_an_empty_picture);
    return REPORT();
}
