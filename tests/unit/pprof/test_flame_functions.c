#include "pprof/flame_functions.h"

#include "base/cleanup.h"
#include "random_stacks.h"

/* By letter, from the list of stacks; beneath a first frame, or all where that is NUL. */
static void expected_sums(const struct random_stacks *s, char first, struct function_sum *sums)
{
    memset(sums, 0, STACK_NAMES * sizeof *sums);
    for (size_t i = 0; i < s->len; i++) {
        const char *frames = s->items[i].frames;
        const size_t n = strlen(frames);
        if (n == 0 || (first && frames[0] != first))
            continue;
        sums[frames[n - 1] - 'a'].self += s->items[i].value;
        for (int name = 0; name < STACK_NAMES; name++)
            if (strchr(frames, 'a' + name))
                sums[name].total += s->items[i].value;
    }
}

static void check_sums(const struct random_stacks *s, const struct flame *f, uint32_t at, char first)
{
    cleanup_free struct function_sum *got = xcalloc(f->name_count, sizeof *got);
    struct function_sum want[STACK_NAMES];
    flame_functions(f, at, NULL, NULL, got);
    expected_sums(s, first, want);
    CHECK_INT(got[0].self, 0);
    CHECK_INT(got[0].total, 0);
    for (size_t i = 1; i < f->name_count; i++) {
        const int name = f->names[i].p[0] - 'a';
        CHECK_INT(got[i].self, want[name].self);
        CHECK_INT(got[i].total, want[name].total);
    }
}

static void functions_have_what_a_plain_sum_of_the_stacks_says(void)
{
    uint64_t state = 88172645463325252;
    for (int i = 0; i < 300; i++) {
        struct random_stacks s;
        cleanup_flame struct flame f;
        random_stacks_make(&s, &state);
        random_stacks_flame(&s, &f);
        check_sums(&s, &f, 0, '\0');
        for (uint32_t c = f.nodes[0].first_child; c; c = f.nodes[c].next_sibling)
            check_sums(&s, &f, c, f.names[f.nodes[c].name].p[0]);
    }
}

static void values_of_another_side_count_instead(void)
{
    cleanup_flame struct flame f;
    flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    letters_add(&f, "aba", 1);
    flame_finish(&f);
    struct function_sum sums[3] = {0};
    flame_functions(&f, 0, (int64_t[]){0, 0, 3, 4}, (int64_t[]){7, 7, 7, 4}, sums);
    CHECK_INT(sums[1].self, 4);
    CHECK_INT(sums[1].total, 7);
    CHECK_INT(sums[2].self, 3);
    CHECK_INT(sums[2].total, 7);
}

static void a_function_called_total_is_one(void)
{
    cleanup_flame struct flame f;
    flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    flame_add(&f, flame_step(&f, 0, flame_name(&f, STR("total"))), 5);
    flame_add(&f, 0, 2);
    flame_finish(&f);
    struct function_sum sums[1] = {0};
    flame_functions(&f, 0, NULL, NULL, sums);
    CHECK_INT(sums[0].self, 5);
    CHECK_INT(sums[0].total, 5);
}

int main(void)
{
    RUN(functions_have_what_a_plain_sum_of_the_stacks_says);
    RUN(values_of_another_side_count_instead);
    RUN(a_function_called_total_is_one);
    return REPORT();
}
