/* What others may see of a controller. */
#include "base/cleanup.h"
#include "base/mem.h"
#include "graph/internal.h"

typedef bool view_visit(void *arg, const struct component_view *v);

/* Ids of the modules a component made, NULL-terminated; NULL: none. */
static const char *const *created_by(struct component *c)
{
    const bool has_one = c->kind == NODE_CUSTOM && c->module;
    const size_t n = has_one ? 1 : c->children.len;
    if (n == 0 || c->created)
        return c->created;
    c->created = xcalloc(n + 1, sizeof *c->created);
    for (size_t i = 0; i < n; i++)
        c->created[i] = has_one ? c->module->id : c->children.items[i]->id;
    return c->created;
}

static struct component_view view_of(const struct module *m, const struct plan_node *n)
{
    struct component *c = n->component;
    const struct health *h = node_health(c);
    return (struct component_view){
        .id = c->id,
        .local_id = c->id + c->module_id_len + (c->module_id_len > 0),
        .module_id = m->id,
        .name = c->name,
        .label = c->label,
        .health = h->state,
        .message = h->message ? h->message : "",
        .updated_ns = h->updated_ns,
        .is_queued = n->stale,
        .is_measured = module_is_measured(m),
        .sent = c->sent,
        .arguments = node_arguments(c),
        .exports = c->exports,
        .schema = c->kind == NODE_FOREACH ? &foreach_schema
                  : c->def                ? c->def->args
                                          : NULL,
        .references_to = n->references_to,
        .referenced_by = n->referenced_by,
        .created_modules = created_by(c),
    };
}

/* False: visit wants no more. */
static bool each(const struct module *m, bool deep, view_visit *visit, void *arg)
{
    for (size_t i = 0; m->plan && i < m->plan->by_id_len; i++) {
        const struct plan_node *n = m->plan->by_id[i];
        const struct component *c = n->component;
        if (!c)
            continue; /* left out */
        const struct component_view view = view_of(m, n);
        if (!visit(arg, &view))
            return false;
        if (deep && c->module && !each(c->module, deep, visit, arg))
            return false;
        for (size_t k = 0; deep && k < c->children.len; k++) {
            if (!each(c->children.items[k], deep, visit, arg))
                return false;
        }
    }
    return true;
}

static bool each_import(const struct module *m, view_visit *visit, void *arg)
{
    for (size_t i = 0; m->plan && i < m->plan->len; i++) {
        const struct plan_node *n = m->plan->nodes[i];
        const struct component *c = n->component;
        const struct component_view view = n->kind == NODE_IMPORT && c ? view_of(m, n) : (struct component_view){0};
        if (view.id && !visit(arg, &view))
            return false;
        if (n->kind == NODE_CUSTOM && c && c->module && !each_import(c->module, visit, arg))
            return false;
        for (size_t k = 0; c && k < c->children.len; k++) {
            if (!each_import(c->children.items[k], visit, arg))
                return false;
        }
    }
    return true;
}

void controller_each(struct controller *c, view_visit *visit, void *arg)
{
    each(&c->root, false, visit, arg);
}

void controller_each_deep(struct controller *c, view_visit *visit, void *arg)
{
    each(&c->root, true, visit, arg);
}

void controller_each_import(struct controller *c, view_visit *visit, void *arg)
{
    each_import(&c->root, visit, arg);
}

/* The module that holds what the id names; *rest: the local id, empty when the id is the module's own. NULL: none. */
static const struct module *find_module(const struct controller *c, const char *id, struct str *rest)
{
    const struct module *m = &c->root;
    *rest = str_of(id);
    while (m && m->plan) {
        struct str part;
        struct str after = *rest;
        str_split(&after, '/', &part);
        const struct plan_node *n = strmap_get(&m->plan->ids, part);
        const struct component *inner = n ? n->component : NULL;
        if (after.n == 0 || !inner)
            return m;
        if (inner->kind == NODE_FOREACH) {
            str_split(&after, '/', &part);
            const struct str child = {id, (size_t)(part.p + part.n - id)};
            m = strmap_get(&inner->children.by_id, child);
        } else {
            m = inner->kind == NODE_CUSTOM ? inner->module : NULL;
        }
        *rest = after;
    }
    return m;
}

static const struct plan_node *find_node(const struct controller *c, const char *id, const struct module **ret)
{
    struct str local;
    const struct module *m = find_module(c, id, &local);
    const struct plan_node *n = m && m->plan ? strmap_get(&m->plan->ids, local) : NULL;
    *ret = m;
    return n && n->component && n->kind != NODE_IMPORT ? n : NULL;
}

static const struct module *module_by_id(const struct controller *c, const char *id)
{
    if (!*id)
        return &c->root;
    const struct module *m;
    const struct plan_node *n = find_node(c, id, &m);
    if (n)
        return n->kind == NODE_CUSTOM ? n->component->module : NULL;
    struct str rest;
    m = find_module(c, id, &rest);
    return m && rest.n == 0 && strcmp(m->id, id) == 0 ? m : NULL;
}

bool controller_each_in(struct controller *c, const char *module_id, view_visit *visit, void *arg)
{
    const struct module *m = module_by_id(c, module_id);
    if (m)
        each(m, false, visit, arg);
    return m != NULL;
}

bool controller_view(struct controller *c, const char *id, struct component_view *ret)
{
    const struct module *m;
    const struct plan_node *n = find_node(c, id, &m);
    if (n)
        *ret = view_of(m, n);
    return n != NULL;
}

struct value *controller_debug_info(struct controller *c, const char *id)
{
    const struct module *m;
    const struct plan_node *n = find_node(c, id, &m);
    return n && n->component->state && n->def && n->def->debug_info ? n->def->debug_info(n->component->state) : NULL;
}

bool controller_jvms(struct controller *c, const char *id, jvm_status_visit *visit, void *arg)
{
    const struct module *m;
    const struct plan_node *n = find_node(c, id, &m);
    if (!n || !n->component->state || !n->def || !n->def->jvms)
        return false;
    n->def->jvms(n->component->state, visit, arg);
    return true;
}

bool controller_ready(const struct controller *c)
{
    return c->root.plan != NULL;
}
