#include "pprof/flame_view.h"

#include "base/cleanup.h"
#include "pprof/flame_functions.h"
#include "random_stacks.h"

/* Marks of functions by letter. */
struct letter_view {
    const char *only, *without, *hidden, *folded;
    bool recursion, callers;
};

static bool has_any(const char *frames, const char *letters)
{
    return letters && strpbrk(frames, letters);
}

/* The longest repetition is not looked for: as soon as the end repeats what is before it, it goes. */
static void cut_repetition(char *frames)
{
    const size_t n = strlen(frames);
    for (size_t length = 1; length <= FLAME_CYCLE_MAX && 2 * length <= n; length++) {
        if (memcmp(frames + n - length, frames + n - 2 * length, length) == 0) {
            frames[n - length] = '\0';
            return;
        }
    }
}

static void expected_frames(const char *frames, const struct letter_view *v, char *ret)
{
    size_t n = 0;
    ret[0] = '\0';
    for (const char *c = frames; *c; c++) {
        const char one[2] = {*c, '\0'}, last[2] = {n ? ret[n - 1] : '\0', '\0'};
        if (has_any(one, v->hidden) || (has_any(one, v->folded) && has_any(last, v->folded)))
            continue;
        ret[n] = *c;
        ret[n + 1] = '\0';
        if (v->recursion)
            cut_repetition(ret);
        n = strlen(ret);
    }
    for (size_t i = 0; v->callers && i < n / 2; i++) {
        const char c = ret[i];
        ret[i] = ret[n - 1 - i];
        ret[n - 1 - i] = c;
    }
}

static void expected_view(const struct random_stacks *s, const struct letter_view *v, struct flame *ret)
{
    flame_init(ret, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    for (size_t i = 0; i < s->len; i++) {
        char frames[STACK_FRAMES_MAX + 2];
        if ((v->only && !has_any(s->items[i].frames, v->only)) || has_any(s->items[i].frames, v->without))
            continue;
        expected_frames(s->items[i].frames, v, frames);
        letters_add(ret, frames, s->items[i].value);
    }
}

static const bool *marks_of(const struct flame *f, const char *letters, bool *marks)
{
    for (size_t i = 0; letters && i < f->name_count; i++)
        marks[i] = i && strchr(letters, f->names[i].p[0]);
    return letters ? marks : NULL;
}

static void apply(struct flame *to, const struct flame *from, const struct letter_view *v)
{
    bool marks[4][STACK_NAMES + 1];
    const struct flame_view view = {.only = marks_of(from, v->only, marks[0]),
                                    .without = marks_of(from, v->without, marks[1]),
                                    .hidden = marks_of(from, v->hidden, marks[2]),
                                    .folded = marks_of(from, v->folded, marks[3]),
                                    .recursion = v->recursion,
                                    .callers = v->callers};
    CHECK(flame_view_changes(&view));
    flame_init(to, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    flame_view_apply(to, from, &view);
    flame_finish(to);
}

static void every_view_is_what_the_stacks_say(void)
{
    static const struct letter_view views[] = {
        {.callers = true},
        {.only = "b"},
        {.without = "cd"},
        {.hidden = "ab"},
        {.folded = "abc"},
        {.recursion = true},
        {.recursion = true, .callers = true},
        {.only = "a", .without = "e", .hidden = "d", .folded = "bc", .recursion = true, .callers = true},
    };
    uint64_t state = 88172645463325252;
    for (int i = 0; i < 200; i++) {
        struct random_stacks s;
        cleanup_flame struct flame f;
        random_stacks_make(&s, &state);
        random_stacks_flame(&s, &f);
        for (size_t v = 0; v < ARRAY_LEN(views); v++) {
            cleanup_flame struct flame got, want;
            apply(&got, &f, &views[v]);
            expected_view(&s, &views[v], &want);
            CHECK_LETTERS(&got, &want);
            for (size_t n = 1; n < got.node_count; n++)
                CHECK(got.nodes[n].total > 0);
        }
    }
}

static void functions_keep_what_they_have_without_their_recursion(void)
{
    uint64_t state = 88172645463325252;
    for (int i = 0; i < 200; i++) {
        struct random_stacks s;
        cleanup_flame struct flame f, got;
        struct function_sum before[STACK_NAMES + 1] = {0}, after[STACK_NAMES + 1] = {0};
        random_stacks_make(&s, &state);
        random_stacks_flame(&s, &f);
        apply(&got, &f, &(struct letter_view){.recursion = true});
        flame_functions(&f, 0, NULL, NULL, before);
        flame_functions(&got, 0, NULL, NULL, after);
        for (size_t name = 1; name < f.name_count; name++) {
            const int64_t same = flame_name(&got, f.names[name]);
            CHECK_INT(after[same].self, before[name].self);
            CHECK_INT(after[same].total, before[name].total);
        }
    }
}

static void visitors_are_told_once(void)
{
    cleanup_flame struct flame f, got;
    flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    letters_add(&f, "mvavavavl", 1);
    letters_add(&f, "mvavav", 2);
    letters_add(&f, "mvaaaaal", 4);
    flame_finish(&f);
    apply(&got, &f, &(struct letter_view){.recursion = true});
    char *text = letters_of(&got);
    CHECK_STR(text, "mval 4\nmvav 2\nmvavl 1\n");
    free(text);
}

static void nothing_to_do_is_said(void)
{
    CHECK(!flame_view_changes(&(struct flame_view){0}));
}

int main(void)
{
    RUN(every_view_is_what_the_stacks_say);
    RUN(functions_keep_what_they_have_without_their_recursion);
    RUN(visitors_are_told_once);
    RUN(nothing_to_do_is_said);
    return REPORT();
}
