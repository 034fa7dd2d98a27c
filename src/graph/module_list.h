/* Modules in order and by ID. Does not own them.
 */
#pragma once

#include <stddef.h>

#include "base/map.h"

struct module;

struct module_list {
    struct module **items;
    size_t len, cap;
    struct strmap by_id; /* id -> module */
};

/* `id` is borrowed, and not in the list yet. */
void module_list_add(struct module_list *l, struct module *m, const char *id);
/* NULL: none of that id. */
static inline struct module *module_list_find(const struct module_list *l, struct str id)
{
    return strmap_get(&l->by_id, id);
}
void module_list_done(struct module_list *l);
