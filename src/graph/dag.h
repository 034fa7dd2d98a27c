/* Edges between numbered nodes, the order they demand, and what is wrong with them. Time and memory are linear; no
 * recursion.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Nodes another node points at. */
struct dag_links {
    size_t *items;
    size_t len, cap;
};

struct dag {
    size_t len;
    struct dag_links *needs;     /* by node: what it depends on, in the order of dag_need() */
    struct dag_links *needed_by; /* by node: what depends on it */
};

void dag_init(struct dag *d, size_t len);
void dag_done(struct dag *d);
/* `from` depends on `on`. Asked for twice in a row of calls with the same `from`, it counts once. */
void dag_need(struct dag *d, size_t from, size_t on);
/* Dependencies first, otherwise by number; `order` has room for all. False when there is a cycle. */
bool dag_order(const struct dag *d, size_t *order);
/* Every set of nodes that need each other, members ascending, and every node that needs itself (n == 1). */
void dag_cycles(const struct dag *d, void (*visit)(void *arg, const size_t *members, size_t n), void *arg);
