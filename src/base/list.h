/* Intrusive doubly linked ring: a node lives inside the object it links. An unlinked node points at itself. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *prev, *next;
};

#define LIST_INIT(l)                   ((struct list){&(l), &(l)})
#define list_entry(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))
/* Safe against removal of the current node. */
#define list_each(head, node)                                                                                          \
    for (struct list *node = (head)->next, *after_ = node->next; node != (head); node = after_, after_ = node->next)

static inline void list_init(struct list *l)
{
    l->prev = l->next = l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

static inline void list_push(struct list *head, struct list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

static inline void list_del(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}
