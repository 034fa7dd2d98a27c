#include "graph/module_list.h"

#include <stdlib.h>

#include "base/mem.h"

void module_list_add(struct module_list *l, struct module *m, const char *id)
{
    xgrow(&l->items, &l->cap, l->len + 1, sizeof(struct module *));
    l->items[l->len++] = m;
    strmap_put(&l->by_id, str_of(id), m);
}

void module_list_done(struct module_list *l)
{
    free(l->items);
    strmap_done(&l->by_id);
    *l = (struct module_list){0};
}
