#include "pprof/flame_pair.h"

#include "base/cleanup.h"
#include "random_stacks.h"

static void both_sides_keep_their_values(void)
{
    uint64_t state = 88172645463325252;
    for (int i = 0; i < 300; i++) {
        struct random_stacks s[FLAME_SIDES];
        cleanup_flame struct flame left, right, both;
        int64_t *self[FLAME_SIDES];
        random_stacks_make(&s[0], &state);
        random_stacks_make(&s[1], &state);
        random_stacks_flame(&s[0], &left);
        random_stacks_flame(&s[1], &right);
        const struct flame *const sides[FLAME_SIDES] = {&left, &right};
        flame_init(&both, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
        flame_pair(&both, sides, self);
        for (size_t k = 0; k < FLAME_SIDES; k++) {
            cleanup_free int64_t *totals = flame_totals(&both, self[k]);
            for (size_t n = 0; n < both.node_count; n++)
                both.nodes[n].self = self[k][n];
            CHECK_LETTERS(&both, sides[k]);
            CHECK_INT(totals[0], sides[k]->nodes[0].total);
            flame_finish(&both);
            for (size_t n = 0; n < both.node_count; n++)
                CHECK_INT(totals[n], both.nodes[n].total);
            free(self[k]);
        }
    }
}

static void a_graph_is_put_beneath_a_node(void)
{
    uint64_t state = 88172645463325252;
    for (int i = 0; i < 100; i++) {
        struct random_stacks s;
        cleanup_flame struct flame part, whole, want;
        random_stacks_make(&s, &state);
        random_stacks_flame(&s, &part);
        flame_init(&whole, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
        flame_init(&want, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
        letters_add(&whole, "ab", 1);
        letters_add(&want, "ab", 1);
        cleanup_free uint32_t *places = flame_join(&whole, 1, &part);
        flame_join_values(&whole, places, &part);
        for (size_t k = 0; k < s.len; k++) {
            char frames[STACK_FRAMES_MAX + 2];
            snprintf(frames, sizeof frames, "a%s", s.items[k].frames);
            letters_add(&want, frames, s.items[k].value);
        }
        CHECK_LETTERS(&whole, &want);
    }
}

int main(void)
{
    RUN(both_sides_keep_their_values);
    RUN(a_graph_is_put_beneath_a_node);
    return REPORT();
}
