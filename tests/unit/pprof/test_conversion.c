#include "pprof/conversion.h"

#include "pprof/from_jfr.h"
#include "test.h"

static void a_profile_has_its_types_once_it_is_begun(void)
{
    struct conversion *c = conversion_new(&(struct conversion_options){.event = "cpu", .cpu_ns = 10});
    CHECK_INT(c->profiles[KIND_LOCK].type_count, 0);
    CHECK(conversion_ready(c, KIND_LOCK));
    const struct profile *p = &c->profiles[KIND_LOCK];
    CHECK_INT(p->type_count, 2);
    CHECK(str_is(c->symbols.strings[p->types[0].type], "contentions"));
    CHECK(str_is(c->symbols.strings[p->types[1].unit], "nanoseconds"));
    CHECK(str_is(c->symbols.strings[p->period_type.type], "mutex"));
    CHECK(conversion_ready(c, KIND_LOCK));
    CHECK_INT(p->type_count, 2);
    conversion_free(c);
}

static void full_symbols_begin_none(void)
{
    struct conversion *c = conversion_new(&(struct conversion_options){.event = "cpu", .cpu_ns = 10});
    c->symbols.arena.max = c->symbols.arena.used;
    CHECK(!conversion_ready(c, KIND_LOCK));
    CHECK_INT(c->profiles[KIND_LOCK].type_count, 0);
    conversion_free(c);
}

static void a_range_is_either_end(void)
{
    static const struct {
        int64_t from, until;
        bool want;
    } cases[] = {{0, 0, false}, {5, 0, true}, {0, 5, true}, {5, 9, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct conversion *c = conversion_new(
            &(struct conversion_options){.event = "cpu", .from_ns = cases[i].from, .until_ns = cases[i].until});
        CHECK_INT(conversion_has_range(c), cases[i].want);
        conversion_free(c);
    }
}

int main(void)
{
    RUN(a_profile_has_its_types_once_it_is_begun);
    RUN(full_symbols_begin_none);
    RUN(a_range_is_either_end);
    return REPORT();
}
