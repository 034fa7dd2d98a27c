/* Random stacks with values, as a list and as a flame graph: what computes on trees is compared with what the list
 * says, line by line. Header only. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pprof/flame.h"
#include "test.h"

enum { STACK_FRAMES_MAX = 12, STACKS_MAX = 60, STACK_NAMES = 5 };

struct random_stack {
    char frames[STACK_FRAMES_MAX + 1]; /* a letter each, the root first */
    int64_t value;
};
struct random_stacks {
    struct random_stack items[STACKS_MAX];
    size_t len;
};

static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static inline void random_stacks_make(struct random_stacks *s, uint64_t *state)
{
    s->len = random_next(state) % STACKS_MAX;
    for (size_t i = 0; i < s->len; i++) {
        const size_t n = random_next(state) % STACK_FRAMES_MAX;
        for (size_t k = 0; k < n; k++)
            s->items[i].frames[k] = (char)('a' + random_next(state) % STACK_NAMES);
        s->items[i].frames[n] = '\0';
        s->items[i].value = (int64_t)(1 + random_next(state) % 100);
    }
}

/* Adds a stack of letters to a graph. */
static inline void letters_add(struct flame *f, const char *frames, int64_t value)
{
    uint32_t node = 0;
    for (const char *c = frames; *c; c++)
        node = flame_step(f, node, flame_name(f, (struct str){c, 1}));
    flame_add(f, node, value);
}

static inline void random_stacks_flame(const struct random_stacks *s, struct flame *f)
{
    flame_init(f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    for (size_t i = 0; i < s->len; i++)
        letters_add(f, s->items[i].frames, s->items[i].value);
    flame_finish(f);
}

static inline int letters_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Every stack with a value of its own as a line, sorted. To be freed. */
static inline char *letters_of(const struct flame *f)
{
    char **lines = xcalloc(f->node_count + 1, sizeof *lines);
    size_t n = 0, bytes = 1;
    for (uint32_t i = 0; i < f->node_count; i++) {
        char path[STACK_FRAMES_MAX + 2] = "";
        if (f->nodes[i].self == 0)
            continue;
        for (uint32_t k = i; k; k = f->nodes[k].parent) {
            memmove(path + 1, path, strlen(path) + 1);
            path[0] = f->names[f->nodes[k].name].p[0];
        }
        lines[n] = xasprintf("%s %lld\n", path, (long long)f->nodes[i].self);
        bytes += strlen(lines[n++]);
    }
    qsort(lines, n, sizeof *lines, letters_order);
    char *all = xcalloc(bytes, 1), *end = all;
    for (size_t i = 0; i < n; i++) {
        end = stpcpy(end, lines[i]);
        free(lines[i]);
    }
    free(lines);
    return all;
}

/* The stacks of a graph against those of the one that is wanted. */
static inline void letters_check(int line, const struct flame *got, const struct flame *want)
{
    char *a = letters_of(got), *b = letters_of(want);
    if (strcmp(a, b) != 0)
        FAIL_("line %d: got\n%swant\n%s", line, a, b);
    free(a);
    free(b);
}
#define CHECK_LETTERS(got, want) letters_check(__LINE__, got, want)
