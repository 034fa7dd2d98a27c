#include "graph/dag.h"

#include "base/cleanup.h"
#include "base/mem.h"

void dag_init(struct dag *d, size_t len)
{
    *d = (struct dag){.len = len};
    d->needs = xcalloc(len + 1, sizeof *d->needs);
    d->needed_by = xcalloc(len + 1, sizeof *d->needed_by);
}

void dag_done(struct dag *d)
{
    for (size_t i = 0; i < d->len; i++) {
        free(d->needs[i].items);
        free(d->needed_by[i].items);
    }
    free(d->needs);
    free(d->needed_by);
    *d = (struct dag){0};
}

static void dag_push(struct dag_links *l, size_t node)
{
    xgrow(&l->items, &l->cap, l->len + 1, sizeof *l->items);
    l->items[l->len++] = node;
}

void dag_need(struct dag *d, size_t from, size_t on)
{
    /* Edges come grouped by `from`, so a repeated one finds itself at the end of the other side's list. */
    const struct dag_links *by = &d->needed_by[on];
    if (by->len > 0 && by->items[by->len - 1] == from)
        return;
    dag_push(&d->needs[from], on);
    dag_push(&d->needed_by[on], from);
}

bool dag_order(const struct dag *d, size_t *order)
{
    cleanup_free size_t *missing = xcalloc(d->len + 1, sizeof *missing);
    size_t ready = 0;
    for (size_t i = 0; i < d->len; i++) {
        missing[i] = d->needs[i].len;
        if (missing[i] == 0)
            order[ready++] = i;
    }
    for (size_t done = 0; done < ready; done++) {
        const struct dag_links *by = &d->needed_by[order[done]];
        for (size_t i = 0; i < by->len; i++) {
            if (--missing[by->items[i]] == 0)
                order[ready++] = by->items[i];
        }
    }
    return ready == d->len;
}

/* --- cycles: Tarjan's strongly connected components, with the call stack as an array --- */

struct visit {
    size_t number; /* 1 …, in order of discovery; 0: not seen */
    size_t low;    /* smallest number reachable */
    size_t next;   /* how many edges are done */
    bool stacked;
};

struct search {
    const struct dag *d;
    struct visit *nodes;
    size_t *calls, call_count;
    size_t *stack, stack_len;
    size_t numbers;
    void (*visit)(void *arg, const size_t *members, size_t n);
    void *arg;
};

static void dag_enter(struct search *s, size_t node)
{
    s->nodes[node] = (struct visit){.number = ++s->numbers, .low = s->numbers, .stacked = true};
    s->calls[s->call_count++] = node;
    s->stack[s->stack_len++] = node;
}

static int ascending(const void *a, const void *b)
{
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

static bool needs_itself(const struct dag *d, size_t node)
{
    for (size_t i = 0; i < d->needs[node].len; i++) {
        if (d->needs[node].items[i] == node)
            return true;
    }
    return false;
}

static void leave(struct search *s, size_t node)
{
    s->call_count--;
    if (s->call_count > 0) {
        struct visit *caller = &s->nodes[s->calls[s->call_count - 1]];
        if (s->nodes[node].low < caller->low)
            caller->low = s->nodes[node].low;
    }
    if (s->nodes[node].low != s->nodes[node].number)
        return;
    size_t first = s->stack_len;
    do
        s->nodes[s->stack[--first]].stacked = false;
    while (s->stack[first] != node);
    const size_t n = s->stack_len - first;
    if (n > 1 || needs_itself(s->d, node)) {
        qsort(s->stack + first, n, sizeof *s->stack, ascending);
        s->visit(s->arg, s->stack + first, n);
    }
    s->stack_len = first;
}

static void search_from(struct search *s, size_t root)
{
    dag_enter(s, root);
    while (s->call_count > 0) {
        const size_t node = s->calls[s->call_count - 1];
        struct visit *v = &s->nodes[node];
        if (v->next == s->d->needs[node].len) {
            leave(s, node);
            continue;
        }
        const size_t on = s->d->needs[node].items[v->next++];
        if (s->nodes[on].number == 0)
            dag_enter(s, on);
        else if (s->nodes[on].stacked && s->nodes[on].number < v->low)
            v->low = s->nodes[on].number;
    }
}

void dag_cycles(const struct dag *d, void (*visit)(void *arg, const size_t *members, size_t n), void *arg)
{
    struct search s = {.d = d, .visit = visit, .arg = arg};
    s.nodes = xcalloc(d->len + 1, sizeof *s.nodes);
    s.calls = xcalloc(d->len + 1, sizeof *s.calls);
    s.stack = xcalloc(d->len + 1, sizeof *s.stack);
    for (size_t i = 0; i < d->len; i++) {
        if (s.nodes[i].number == 0)
            search_from(&s, i);
    }
    free(s.nodes);
    free(s.calls);
    free(s.stack);
}
