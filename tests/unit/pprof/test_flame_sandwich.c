#include "pprof/flame_sandwich.h"

#include "pprof/flame_functions.h"
#include "random_stacks.h"

static void expected_callees(const struct random_stacks *s, char name, struct flame *ret)
{
    flame_init(ret, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    for (size_t i = 0; i < s->len; i++) {
        const char *at = strchr(s->items[i].frames, name);
        if (at)
            letters_add(ret, at + 1, s->items[i].value);
    }
}

static void expected_callers(const struct random_stacks *s, char name, struct flame *ret)
{
    flame_init(ret, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    for (size_t i = 0; i < s->len; i++) {
        const char *frames = s->items[i].frames, *at = strchr(frames, name);
        char callers[STACK_FRAMES_MAX + 1] = "";
        for (size_t k = 0; at && k < (size_t)(at - frames); k++)
            callers[k] = at[-1 - (ptrdiff_t)k];
        if (at)
            letters_add(ret, callers, s->items[i].value);
    }
}

typedef void sandwich_half(struct flame *to, const struct flame *from, uint32_t name);
typedef void expected_half(const struct random_stacks *s, char name, struct flame *ret);

static void check_half(const struct random_stacks *s, const struct flame *f, uint32_t name, sandwich_half *half,
                       expected_half *expected)
{
    cleanup_flame struct flame got, want;
    struct function_sum sums[STACK_NAMES + 1] = {0};
    flame_init(&got, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    half(&got, f, name);
    expected(s, f->names[name].p[0], &want);
    CHECK_LETTERS(&got, &want);
    flame_finish(&got);
    flame_functions(f, 0, NULL, NULL, sums);
    CHECK_INT(got.nodes[0].total, sums[name].total);
    CHECK(str_eq(got.names[got.nodes[0].name], f->names[name]));
}

static void both_halves_are_what_the_stacks_say(void)
{
    uint64_t state = 88172645463325252;
    for (int i = 0; i < 300; i++) {
        struct random_stacks s;
        cleanup_flame struct flame f;
        random_stacks_make(&s, &state);
        random_stacks_flame(&s, &f);
        for (uint32_t name = 1; name < f.name_count; name++) {
            check_half(&s, &f, name, flame_callees, expected_callees);
            check_half(&s, &f, name, flame_callers, expected_callers);
        }
    }
}

static void a_full_graph_loses_no_value(void)
{
    cleanup_flame struct flame f, callers;
    flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    letters_add(&f, "abcde", 3);
    letters_add(&f, "bade", 4);
    flame_finish(&f);
    flame_init(&callers, 3, FLAME_NAME_BYTES_MAX);
    flame_callers(&callers, &f, (uint32_t)flame_name(&f, STR("e")));
    flame_finish(&callers);
    CHECK(callers.truncated);
    CHECK_INT(callers.nodes[0].total, 7);
}

int main(void)
{
    RUN(both_halves_are_what_the_stacks_say);
    RUN(a_full_graph_loses_no_value);
    return REPORT();
}
