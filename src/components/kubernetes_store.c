#include "components/kubernetes_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "kubernetes/kube_role.h"

/* Those who looked an object up, whether it exists or not. */
struct kube_store_referrers {
    char *key; /* "<kind>/<key of the object>" */
    struct kube_store_entry **items;
    size_t len, cap;
};

struct kube_store_entry {
    char *key;        /* "namespace/name" or "name" */
    uint64_t version; /* hash of UID and resource version; 0 = unknown */
    uint64_t text;    /* hash of its text; 0 = unknown */
    unsigned source, generation;
    char *kept;              /* JSON to make targets from, or to be looked up; NULL = none is needed */
    struct labels *attached; /* of a node or namespace */
    struct labels **targets;
    size_t len;
    bool is_hidden; /* its node is unknown */
    struct kube_store_referrers **looked_up;
    size_t looked_up_len, looked_up_cap;
    struct list dirty;
};

/* The objects of a kind, sorted by key. */
struct kube_store_set {
    struct kube_store_entry **items;
    size_t len, cap;
};

struct kubernetes_store {
    enum kube_kind role;
    bool attach_node, attach_namespace;
    struct kube_store_set sets[KUBE_KINDS];
    unsigned *generations; /* lists begun, by source */
    size_t sources, sources_cap;
    struct strmap referrers; /* key -> struct kube_store_referrers */
    struct strmap by_text;   /* 8 bytes of a hash -> struct kube_store_entry */
    struct list dirty;
    bool is_changed;
};

static bool kube_store_is_joined(const struct kubernetes_store *s)
{
    return s->role == KUBE_ENDPOINTS || s->role == KUBE_ENDPOINTSLICE;
}

static unsigned *kube_store_generation(struct kubernetes_store *s, unsigned source)
{
    xgrow(&s->generations, &s->sources_cap, source + 1, sizeof *s->generations);
    while (s->sources <= source)
        s->generations[s->sources++] = 0;
    return &s->generations[source];
}

/* --- sets --- */

static size_t kube_store_place(const struct kube_store_set *set, const char *key, bool *ret_found)
{
    size_t lo = 0, hi = set->len;
    *ret_found = false;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        const int order = strcmp(set->items[mid]->key, key);
        if (order == 0) {
            *ret_found = true;
            return mid;
        }
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static struct kube_store_entry *kube_store_find(const struct kubernetes_store *s, enum kube_kind kind, const char *key)
{
    bool found;
    const size_t at = kube_store_place(&s->sets[kind], key, &found);
    return found ? s->sets[kind].items[at] : NULL;
}

static struct kube_store_entry *kube_store_insert(struct kube_store_set *set, const char *key)
{
    bool found;
    const size_t at = kube_store_place(set, key, &found);
    struct kube_store_entry *e = xcalloc(1, sizeof *e);
    e->key = xstrdup(key);
    list_init(&e->dirty);
    xgrow(&set->items, &set->cap, set->len + 1, sizeof *set->items);
    memmove(&set->items[at + 1], &set->items[at], (set->len++ - at) * sizeof *set->items);
    set->items[at] = e;
    return e;
}

/* --- who looked up what --- */

static void kube_store_mark(struct kubernetes_store *s, struct kube_store_entry *e)
{
    if (list_empty(&e->dirty))
        list_push(&s->dirty, &e->dirty);
}

static void kube_store_mark_referrers(struct kubernetes_store *s, enum kube_kind kind, const char *key)
{
    cleanup_free char *full = xasprintf("%d/%s", (int)kind, key);
    const struct kube_store_referrers *r = strmap_get(&s->referrers, str_of(full));
    for (size_t i = 0; r && i < r->len; i++)
        kube_store_mark(s, r->items[i]);
}

static void kube_store_refer(struct kubernetes_store *s, struct kube_store_entry *e, enum kube_kind kind,
                             const char *key)
{
    cleanup_free char *full = xasprintf("%d/%s", (int)kind, key);
    struct kube_store_referrers *r = strmap_get(&s->referrers, str_of(full));
    for (size_t i = 0; r && i < e->looked_up_len; i++) {
        if (e->looked_up[i] == r)
            return;
    }
    if (!r) {
        r = xcalloc(1, sizeof *r);
        r->key = TAKE_PTR(full);
        strmap_put(&s->referrers, str_of(r->key), r);
    }
    xgrow(&r->items, &r->cap, r->len + 1, sizeof(struct kube_store_entry *));
    r->items[r->len++] = e;
    xgrow(&e->looked_up, &e->looked_up_cap, e->looked_up_len + 1, sizeof(struct kube_store_referrers *));
    e->looked_up[e->looked_up_len++] = r;
}

static void kube_store_unrefer(struct kubernetes_store *s, struct kube_store_entry *e)
{
    for (size_t i = 0; i < e->looked_up_len; i++) {
        struct kube_store_referrers *r = e->looked_up[i];
        size_t at = 0;
        while (r->items[at] != e)
            at++;
        r->items[at] = r->items[--r->len];
        if (r->len)
            continue;
        strmap_del(&s->referrers, str_of(r->key));
        free(r->items);
        free(r->key);
        free(r);
    }
    e->looked_up_len = 0;
}

/* --- targets --- */

static void kube_store_free_targets(struct labels **targets, size_t len)
{
    for (size_t i = 0; i < len; i++)
        labels_unref(targets[i]);
    free(targets);
}

/* Takes the targets. */
static void kube_store_set_targets(struct kubernetes_store *s, struct kube_store_entry *e, struct labels **targets,
                                   size_t len, bool is_hidden)
{
    bool same = len == e->len && is_hidden == e->is_hidden;
    for (size_t i = 0; same && i < len; i++)
        same = labels_equal(targets[i], e->targets[i]);
    if (!same)
        s->is_changed = true;
    kube_store_free_targets(e->targets, e->len);
    e->targets = targets;
    e->len = len;
    e->is_hidden = is_hidden;
}

/* The node that a target is on; empty if it is on none. */
static struct str kube_store_node_of(const struct kubernetes_store *s, const struct labels *target)
{
    switch (s->role) {
    case KUBE_POD:
        return labels_get(target, STR("__meta_kubernetes_pod_node_name"));
    case KUBE_ENDPOINTS: {
        const struct str node = labels_get(target, STR("__meta_kubernetes_endpoint_node_name"));
        if (node.n || !str_is(labels_get(target, STR("__meta_kubernetes_endpoint_address_target_kind")), "Node"))
            return node;
        return labels_get(target, STR("__meta_kubernetes_endpoint_address_target_name"));
    }
    case KUBE_ENDPOINTSLICE:
        if (str_is(labels_get(target, STR("__meta_kubernetes_endpointslice_address_target_kind")), "Node"))
            return labels_get(target, STR("__meta_kubernetes_endpointslice_address_target_name"));
        return labels_get(target, STR("__meta_kubernetes_endpointslice_endpoint_node_name"));
    default:
        return STR("");
    }
}

/* False: that object is not known. */
static bool kube_store_attach_one(struct kubernetes_store *s, struct kube_store_entry *e, enum kube_kind kind,
                                  struct str name, struct labels_builder *b)
{
    cleanup_free char *key = str_dup(name);
    kube_store_refer(s, e, kind, key);
    const struct kube_store_entry *from = kube_store_find(s, kind, key);
    for (size_t i = 0; from && i < labels_len(from->attached); i++)
        labels_set(b, labels_at(from->attached, i)->name, labels_at(from->attached, i)->value);
    return from != NULL;
}

/* What was attached before goes. */
static void kube_store_detach(struct labels_builder *b, const struct labels *target)
{
    for (size_t i = 0; i < labels_len(target); i++) {
        const struct str name = labels_at(target, i)->name;
        if (kube_role_is_attached(KUBE_NODE, name) || kube_role_is_attached(KUBE_NAMESPACE, name))
            labels_del(b, name);
    }
}

/* The targets with metadata of their nodes and namespace, as new ones. */
static void kube_store_attach(struct kubernetes_store *s, struct kube_store_entry *e, struct labels *const *targets,
                              size_t len)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    struct labels **attached = xcalloc(len + 1, sizeof *attached);
    bool is_hidden = false;
    for (size_t i = 0; i < len; i++) {
        const struct str node = kube_store_node_of(s, targets[i]);
        labels_builder_from(&b, targets[i]);
        kube_store_detach(&b, targets[i]);
        if (s->attach_node && (node.n || s->role == KUBE_POD) && !kube_store_attach_one(s, e, KUBE_NODE, node, &b))
            is_hidden = s->role == KUBE_POD;
        if (s->attach_namespace)
            (void)kube_store_attach_one(s, e, KUBE_NAMESPACE,
                                        labels_get(targets[i], STR("__meta_kubernetes_namespace")), &b);
        attached[i] = labels_build(&b, false);
    }
    kube_store_set_targets(s, e, attached, len, is_hidden);
}

struct kube_store_lookup {
    struct kubernetes_store *store;
    struct kube_store_entry *entry;
};

static json_t *kube_store_look_up(void *arg, enum kube_kind kind, struct str space, struct str name)
{
    const struct kube_store_lookup *l = arg;
    cleanup_free char *key = xasprintf("%.*s/%.*s", STR_ARG(space), STR_ARG(name));
    kube_store_refer(l->store, l->entry, kind, key);
    const struct kube_store_entry *e = kube_store_find(l->store, kind, key);
    return e && e->kept ? json_loads(e->kept, 0, NULL) : NULL;
}

/* Makes the targets of an object from its JSON. */
static void kube_store_make(struct kubernetes_store *s, struct kube_store_entry *e, const json_t *object)
{
    cleanup_kube_targets struct kube_targets made = {0};
    struct kube_store_lookup l = {s, e};
    kube_store_unrefer(s, e);
    kube_role_targets(s->role, object, kube_store_look_up, &l, &made);
    if (s->attach_node || s->attach_namespace) {
        kube_store_attach(s, e, made.items, made.len);
        return;
    }
    kube_store_set_targets(s, e, made.items, made.len, false);
    made = (struct kube_targets){0};
}

static void kube_store_renew(struct kubernetes_store *s, struct kube_store_entry *e)
{
    json_t *object = e->kept ? json_loads(e->kept, 0, NULL) : NULL;
    if (object) {
        kube_store_make(s, e, object);
    } else {
        kube_store_unrefer(s, e);
        kube_store_attach(s, e, e->targets, e->len);
    }
    json_decref(object);
}

/* --- changes --- */

static void kube_store_drop_entry(struct kubernetes_store *s, struct kube_store_entry *e)
{
    if (e->text)
        strmap_del(&s->by_text, (struct str){(const char *)&e->text, sizeof e->text});
    kube_store_unrefer(s, e);
    list_del(&e->dirty);
    kube_store_free_targets(e->targets, e->len);
    labels_unref(e->attached);
    free(e->looked_up);
    free(e->kept);
    free(e->key);
    free(e);
}

/* It is out of its set already. */
static void kube_store_remove(struct kubernetes_store *s, enum kube_kind kind, struct kube_store_entry *e)
{
    if (kind == s->role)
        s->is_changed |= e->len > 0 && !e->is_hidden;
    else
        kube_store_mark_referrers(s, kind, e->key);
    kube_store_drop_entry(s, e);
}

static char *kube_store_key_of(const json_t *object)
{
    const json_t *metadata = kube_get(object, "metadata");
    const struct str space = kube_str(metadata, "namespace"), name = kube_str(metadata, "name");
    return space.n ? xasprintf("%.*s/%.*s", STR_ARG(space), STR_ARG(name)) : str_dup(name);
}

static uint64_t kube_store_version_of(const json_t *object)
{
    const json_t *metadata = kube_get(object, "metadata");
    const struct str uid = kube_str(metadata, "uid"), version = kube_str(metadata, "resourceVersion");
    cleanup_free char *both = xasprintf("%.*s %.*s", STR_ARG(uid), STR_ARG(version));
    return uid.n && version.n ? hash_bytes(both, strlen(both)) | 1 : 0;
}

static char *kube_store_keep(enum kube_kind kind, json_t *object)
{
    kube_role_prune(kind, object);
    return json_dumps(object, JSON_COMPACT);
}

/* An object that is only looked up: whoever did is renewed if what they read has changed. */
static void kube_store_set_secondary(struct kubernetes_store *s, enum kube_kind kind, struct kube_store_entry *e,
                                     json_t *object)
{
    bool same;
    if (kind == KUBE_NODE || kind == KUBE_NAMESPACE) {
        struct labels *attached = kube_role_attached(kind, object);
        same = e->attached && labels_equal(e->attached, attached);
        labels_unref(e->attached);
        e->attached = attached;
    } else {
        char *kept = kube_store_keep(kind, object);
        same = e->kept && kept && strcmp(e->kept, kept) == 0;
        free(e->kept);
        e->kept = kept;
    }
    if (!same)
        kube_store_mark_referrers(s, kind, e->key);
}

static void kube_store_set(struct kubernetes_store *s, enum kube_kind kind, struct kube_store_entry *e, json_t *object)
{
    if (kind != s->role) {
        kube_store_set_secondary(s, kind, e, object);
    } else if (kube_store_is_joined(s)) {
        free(e->kept);
        e->kept = kube_store_keep(kind, object);
        kube_store_mark(s, e); /* with what it refers to, which may come right after it */
    } else {
        kube_store_make(s, e, object);
    }
}

static enum kubernetes_change kube_store_put(struct kubernetes_store *s, enum kube_kind kind, unsigned source,
                                             json_t *object, uint64_t version, uint64_t text)
{
    cleanup_free char *key = kube_store_key_of(object);
    struct kube_store_entry *e = kube_store_find(s, kind, key);
    const bool is_new = !e, same = e && version && e->version == version;
    if (is_new)
        e = kube_store_insert(&s->sets[kind], key);
    if (e->text)
        strmap_del(&s->by_text, (struct str){(const char *)&e->text, sizeof e->text});
    e->version = version;
    e->source = source;
    e->generation = *kube_store_generation(s, source);
    e->text = text;
    const struct str text_key = {(const char *)&e->text, sizeof e->text};
    if (strmap_has(&s->by_text, text_key))
        e->text = 0; /* of another one: then this one is read each time */
    if (e->text)
        strmap_put(&s->by_text, text_key, e);
    if (same)
        return KUBERNETES_SAME;
    kube_store_set(s, kind, e, object);
    return is_new ? KUBERNETES_ADDED : KUBERNETES_UPDATED;
}

enum kubernetes_change kubernetes_store_put(struct kubernetes_store *s, enum kube_kind kind, unsigned source,
                                            json_t *object)
{
    return kube_store_put(s, kind, source, object, kube_store_version_of(object), 0);
}

enum kubernetes_change kubernetes_store_put_text(struct kubernetes_store *s, enum kube_kind kind, unsigned source,
                                                 json_t *object, struct str text)
{
    return kube_store_put(s, kind, source, object, 0, hash_bytes(text.p, text.n) | 1);
}

bool kubernetes_store_known(struct kubernetes_store *s, unsigned source, struct str text)
{
    const uint64_t hash = hash_bytes(text.p, text.n) | 1;
    struct kube_store_entry *e = strmap_get(&s->by_text, (struct str){(const char *)&hash, sizeof hash});
    if (!e)
        return false;
    e->source = source;
    e->generation = *kube_store_generation(s, source);
    return true;
}

enum kubernetes_change kubernetes_store_delete(struct kubernetes_store *s, enum kube_kind kind, const json_t *object)
{
    cleanup_free char *key = kube_store_key_of(object);
    struct kube_store_set *set = &s->sets[kind];
    bool found;
    const size_t at = kube_store_place(set, key, &found);
    if (!found)
        return KUBERNETES_SAME;
    struct kube_store_entry *e = set->items[at];
    memmove(&set->items[at], &set->items[at + 1], (--set->len - at) * sizeof *set->items);
    kube_store_remove(s, kind, e);
    return KUBERNETES_DELETED;
}

void kubernetes_store_begin(struct kubernetes_store *s, unsigned source)
{
    ++*kube_store_generation(s, source);
}

void kubernetes_store_end(struct kubernetes_store *s, enum kube_kind kind, unsigned source)
{
    struct kube_store_set *set = &s->sets[kind];
    size_t kept = 0;
    const size_t len = set->len;
    for (size_t i = 0; i < len; i++) {
        struct kube_store_entry *e = set->items[i];
        if (e->source == source && e->generation != *kube_store_generation(s, source))
            kube_store_remove(s, kind, e);
        else
            set->items[kept++] = e;
    }
    set->len = kept;
}

bool kubernetes_store_settle(struct kubernetes_store *s)
{
    while (!list_empty(&s->dirty)) {
        struct kube_store_entry *e = list_entry(s->dirty.next, struct kube_store_entry, dirty);
        list_del(&e->dirty);
        kube_store_renew(s, e);
    }
    const bool is_changed = s->is_changed;
    s->is_changed = false;
    return is_changed;
}

struct labels **kubernetes_store_targets(const struct kubernetes_store *s, size_t *ret_len)
{
    const struct kube_store_set *set = &s->sets[s->role];
    size_t n = 0;
    for (size_t i = 0; i < set->len; i++)
        n += set->items[i]->is_hidden ? 0 : set->items[i]->len;
    struct labels **all = xcalloc(n + 1, sizeof *all);
    n = 0;
    for (size_t i = 0; i < set->len; i++) {
        const struct kube_store_entry *e = set->items[i];
        for (size_t k = 0; !e->is_hidden && k < e->len; k++)
            all[n++] = e->targets[k];
    }
    *ret_len = n;
    return all;
}

size_t kubernetes_store_len(const struct kubernetes_store *s)
{
    return s->sets[s->role].len;
}

struct kubernetes_store *kubernetes_store_new(enum kube_kind role, bool attach_node, bool attach_namespace)
{
    struct kubernetes_store *s = xcalloc(1, sizeof *s);
    *s = (struct kubernetes_store){.role = role, .attach_node = attach_node, .attach_namespace = attach_namespace};
    list_init(&s->dirty);
    return s;
}

void kubernetes_store_free(struct kubernetes_store *s)
{
    if (!s)
        return;
    for (unsigned kind = 0; kind < KUBE_KINDS; kind++) {
        for (size_t i = 0; i < s->sets[kind].len; i++)
            kube_store_drop_entry(s, s->sets[kind].items[i]);
        free(s->sets[kind].items);
    }
    strmap_done(&s->referrers);
    strmap_done(&s->by_text);
    free(s->generations);
    free(s);
}
