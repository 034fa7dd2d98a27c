#include "graph/view.h"

#include <string.h>

#include "base/mem.h"
#include "graph/block_options.h"
#include "graph/module.h"
#include "graph/readers.h"

typedef bool view_visit(void *arg, const struct component_view *v);

/* What an import brought is nobody's business but that of those who use it. */
static bool shows_modules(const struct node *n)
{
    return n->instance && n->block->type != BLOCK_IMPORT;
}

static const char *const *module_ids_of(const struct node *n)
{
    struct instance *i = n->instance;
    const size_t len = i->modules.len;
    if (len == 0 || !shows_modules(n) || i->module_ids)
        return i->module_ids;
    i->module_ids = xcalloc(len + 1, sizeof *i->module_ids);
    for (size_t k = 0; k < len; k++)
        i->module_ids[k] = i->modules.items[k]->id;
    return i->module_ids;
}

static struct component_view view_of(const struct module *m, const struct node *n)
{
    struct instance *i = n->instance;
    const struct health *h = instance_health(i);
    const char *id = i->handle.id;
    return (struct component_view){
        .id = id,
        .local_id = id + i->module_id_len + (i->module_id_len > 0),
        .module_id = m->id,
        .name = i->name,
        .label = i->label,
        .health = h->state,
        .message = h->message ? h->message : "",
        .updated_ns = h->updated_ns,
        .is_queued = n->is_dirty,
        .is_measured = module_is_measured(m),
        .sent = i->sent,
        .arguments = instance_arguments(i),
        .exports = i->exports,
        .schema = n->block->type == BLOCK_FOREACH ? &foreach_schema
                  : i->def                        ? i->def->args
                                                  : NULL,
        .references_to = n->block->references_to,
        .referenced_by = n->block->referenced_by,
        .created_modules = module_ids_of(n),
    };
}

/* False: visit wants no more. */
static bool view_each(const struct module *m, bool is_deep, view_visit *visit, void *arg)
{
    const struct graph *g = m->running;
    for (size_t i = 0; g && i < g->plan->by_id_len; i++) {
        const struct node *n = &g->nodes[g->plan->by_id[i]->place];
        if (!n->instance)
            continue; /* left out */
        const struct component_view view = view_of(m, n);
        if (!visit(arg, &view))
            return false;
        for (size_t k = 0; is_deep && k < n->instance->modules.len; k++) {
            if (!view_each(n->instance->modules.items[k], true, visit, arg))
                return false;
        }
    }
    return true;
}

static bool view_each_import(const struct module *m, view_visit *visit, void *arg)
{
    const struct graph *g = m->running;
    for (size_t i = 0; g && i < g->plan->len; i++) {
        const struct node *n = &g->nodes[i];
        if (!n->instance)
            continue;
        if (n->block->type == BLOCK_IMPORT) {
            const struct component_view view = view_of(m, n);
            if (!visit(arg, &view))
                return false;
        }
        for (size_t k = 0; shows_modules(n) && k < n->instance->modules.len; k++) {
            if (!view_each_import(n->instance->modules.items[k], visit, arg))
                return false;
        }
    }
    return true;
}

void controller_each(struct controller *c, view_visit *visit, void *arg)
{
    view_each(controller_root(c), false, visit, arg);
}

void controller_each_deep(struct controller *c, view_visit *visit, void *arg)
{
    view_each(controller_root(c), true, visit, arg);
}

void controller_each_import(struct controller *c, view_visit *visit, void *arg)
{
    view_each_import(controller_root(c), visit, arg);
}

/* The module of a node whose id the id begins with: the node's own, or one that the next part of the id names, too;
 * moves *rest on. */
static const struct module *view_module_inside(const struct node *n, const char *id, struct str *rest)
{
    const struct module_list *l = &n->instance->modules;
    struct str part;
    const struct module *m = module_list_find(l, (struct str){id, strlen(n->instance->handle.id)});
    if (m || !shows_modules(n))
        return shows_modules(n) ? m : NULL;
    str_split(rest, '/', &part);
    return module_list_find(l, (struct str){id, (size_t)(part.p + part.n - id)});
}

/* The module that holds what the id names; *rest: the local id, empty when the id is the module's own. NULL: none. */
static const struct module *view_find_module(const struct controller *c, const char *id, struct str *rest)
{
    const struct module *m = controller_root(c);
    *rest = str_of(id);
    while (m && m->running) {
        struct str part;
        struct str after = *rest;
        str_split(&after, '/', &part);
        const struct node *n = graph_node(m->running, part);
        if (after.n == 0 || !n || !n->instance)
            return m;
        m = view_module_inside(n, id, &after);
        *rest = after;
    }
    return m;
}

static const struct node *view_find_node(const struct controller *c, const char *id, const struct module **ret)
{
    struct str local;
    const struct module *m = view_find_module(c, id, &local);
    const struct node *n = m && m->running ? graph_node(m->running, local) : NULL;
    *ret = m;
    return n && n->instance && n->block->type != BLOCK_IMPORT ? n : NULL;
}

static const struct module *view_module_by_id(const struct controller *c, const char *id)
{
    if (!*id)
        return controller_root(c);
    const struct module *m;
    const struct node *n = view_find_node(c, id, &m);
    if (n)
        return module_list_find(&n->instance->modules, str_of(id));
    struct str rest;
    m = view_find_module(c, id, &rest);
    return m && rest.n == 0 && strcmp(m->id, id) == 0 ? m : NULL;
}

bool controller_each_in(struct controller *c, const char *module_id, view_visit *visit, void *arg)
{
    const struct module *m = view_module_by_id(c, module_id);
    if (m)
        view_each(m, false, visit, arg);
    return m != NULL;
}

bool controller_view(struct controller *c, const char *id, struct component_view *ret)
{
    const struct module *m;
    const struct node *n = view_find_node(c, id, &m);
    if (!n)
        return false;
    readers_look(n);
    *ret = view_of(m, n);
    return true;
}

struct value *controller_debug_info(struct controller *c, const char *id)
{
    const struct module *m;
    const struct node *n = view_find_node(c, id, &m);
    const struct instance *i = n ? n->instance : NULL;
    return i && i->state && i->def->debug_info ? i->def->debug_info(i->state) : NULL;
}

bool controller_jvms(struct controller *c, const char *id, jvm_status_visit *visit, void *arg)
{
    const struct module *m;
    const struct node *n = view_find_node(c, id, &m);
    const struct instance *i = n ? n->instance : NULL;
    if (!i || !i->state || !i->def->jvms)
        return false;
    i->def->jvms(i->state, visit, arg);
    return true;
}

void controller_jvms_ended(struct controller *c, const char *id, jvm_status_visit *visit, void *arg)
{
    const struct module *m;
    const struct node *n = view_find_node(c, id, &m);
    const struct instance *i = n ? n->instance : NULL;
    if (i && i->state && i->def->jvms_ended)
        i->def->jvms_ended(i->state, visit, arg);
}

int controller_record(struct controller *c, const char *id, pid_t pid, uint64_t start_time, struct jvm_recorder *r,
                      struct err *err)
{
    const struct module *m;
    const struct node *n = view_find_node(c, id, &m);
    const struct instance *i = n ? n->instance : NULL;
    return i && i->state && i->def->record ? i->def->record(i->state, pid, start_time, r, err) : -ENOENT;
}
