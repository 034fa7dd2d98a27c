/* foreach: one module for each item of a collection, made from the template, told apart by fingerprints of the items. */
#include <errno.h>
#include <inttypes.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "graph/internal.h"
#include "lang/coerce.h"
#include "lang/schema.h"
#include "lang/unicode.h"

enum { FINGERPRINT_MAX = 4096, DUMP_MAX = 16 << 20 };

struct foreach_args {
    struct value *collection;
    char *var, *id;
    bool hash_string_id, enable_metrics;
};
static const struct option foreach_options[] = {
    {"collection", OPT_ANY, offsetof(struct foreach_args, collection), .required = true,
     .help = "Items; each gets a copy of the template."},
    {"var", OPT_STRING, offsetof(struct foreach_args, var), .required = true,
     .help = "What the item is called in the template."},
    {"id", OPT_STRING, offsetof(struct foreach_args, id), .help = "The member that tells items apart."},
    {"hash_string_id", OPT_BOOL, offsetof(struct foreach_args, hash_string_id), .default_text = "false",
     .help = "Whether to hash strings that tell items apart, for names that differ in punctuation only."},
    {"enable_metrics", OPT_BOOL, offsetof(struct foreach_args, enable_metrics), .default_text = "false",
     .help = "Whether there are metrics of the components inside."},
    {0},
};

static int check_args(const void *record, struct err *err)
{
    const struct foreach_args *a = record;
    if (value_kind(a->collection) != VALUE_ARRAY && value_kind(a->collection) != VALUE_NULL)
        return err_set(err, -EINVAL, "collection should be array, got %s", value_kind_name(value_kind(a->collection)));
    return 0;
}

const struct schema foreach_schema = {
    .size = sizeof(struct foreach_args), .options = foreach_options, .validate = check_args};

/* --- fingerprints --- */

static void put_hash(struct buf *out, struct str text)
{
    uint8_t hash[SHA256_SIZE];
    sha256(text, hash);
    for (size_t i = 0; i < sizeof hash; i++)
        buf_printf(out, "%02x", hash[i]);
}

/* One underscore for each character that is neither letter nor digit. */
static void put_plain(struct buf *out, struct str text)
{
    for (size_t i = 0, n; i < text.n; i += n) {
        uint32_t rune;
        n = utf8_decode((struct str){text.p + i, text.n - i}, &rune);
        if (unicode_is_letter(rune) || unicode_is_digit(rune))
            buf_append(out, text.p + i, n);
        else
            buf_byte(out, '_');
    }
}

static void put_number(struct buf *out, const struct value *v)
{
    if (value_number_kind(v) == NUMBER_INT) {
        buf_printf(out, "%" PRId64, value_as_int(v));
        return;
    }
    if (value_number_kind(v) == NUMBER_UINT) {
        buf_printf(out, "%" PRIu64, value_as_uint(v));
        return;
    }
    const size_t from = out->len;
    buf_printf(out, "%f", value_as_float(v));
    for (size_t i = from; i < out->len; i++)
        out->p[i] = out->p[i] == '.' ? '_' : out->p[i];
}

static void put_fingerprint(struct buf *out, const struct value *v, bool hash_strings)
{
    struct str text;
    if (value_kind(v) == VALUE_STRING || (value_secret_text(v, &text) && value_secrecy(v) == VALUE_OPTIONAL_OPEN)) {
        if (value_kind(v) == VALUE_STRING)
            text = value_as_str(v);
        if (hash_strings || text.n > FINGERPRINT_MAX / 2)
            put_hash(out, text);
        else
            put_plain(out, text);
    } else if (value_kind(v) == VALUE_NUMBER) {
        put_number(out, v);
    } else if (value_kind(v) == VALUE_BOOL) {
        buf_puts(out, value_as_bool(v) ? "true" : "false");
    } else {
        cleanup_buf struct buf dump = BUF_INIT(DUMP_MAX);
        value_print(v, &dump);
        put_hash(out, buf_slice(&dump));
    }
}

/* The member `id` of an object or of what looks like one; NULL: none. New reference. */
static struct value *item_member(const struct value *item, const char *id)
{
    struct value *m = NULL;
    if (value_kind(item) == VALUE_OBJECT) {
        m = value_member(item, str_of(id));
        return m ? value_ref(m) : NULL;
    }
    const struct capsule_type *type = value_kind(item) == VALUE_CAPSULE ? value_capsule_type(item) : NULL;
    if (type && type->get)
        return type->get(value_capsule_data(item, type), str_of(id));
    return NULL;
}

/* The id of the item's module, to be freed. Items with equal fingerprints are numbered, in their order. */
static char *module_id_of(const struct component *c, const struct foreach_args *a, const struct value *item,
                          struct module_list *made)
{
    cleanup_buf struct buf id = BUF_INIT(FINGERPRINT_MAX);
    cleanup_value struct value *member = *a->id ? item_member(item, a->id) : NULL;
    buf_puts(&id, c->id);
    buf_puts(&id, "/foreach_");
    put_fingerprint(&id, member ? member : item, a->hash_string_id);
    const size_t stem = id.len;
    bool added;
    uint64_t *count = u64map_add(&made->counts, str_hash(buf_slice(&id)), 0, &added);
    for (;;) {
        buf_printf(&id, "_%" PRIu64, ++*count);
        if (!strmap_has(&made->by_id, buf_slice(&id)))
            return xstrdup(buf_cstr(&id));
        id.len = stem; /* two fingerprints of one hash */
    }
}

/* --- modules --- */

static void add_module(struct module_list *l, struct module *m)
{
    l->items = xrealloc(l->items, (l->len + 1) * sizeof *l->items);
    l->items[l->len++] = m;
    strmap_put(&l->by_id, str_of(m->id), m);
}

static void empty_list(struct module_list *l)
{
    free(l->items);
    strmap_done(&l->by_id);
    u64map_done(&l->counts);
    *l = (struct module_list){0};
}

void foreach_free(struct module_list *l)
{
    for (size_t i = 0; i < l->len; i++)
        module_free(l->items[i]);
    empty_list(l);
}

static int decode(const struct plan_node *n, struct foreach_args *a, struct diags *ds)
{
    const struct scope scope = plan_scope(n->plan);
    const struct ast_body *whole = &n->stmt->body;
    cleanup_free struct ast_stmt *stmts = xcalloc(whole->len + 1, sizeof *stmts);
    struct ast_body body = {.stmts = stmts};
    size_t templates = 0;
    for (size_t i = 0; i < whole->len; i++) {
        if (whole->stmts[i].kind != AST_BLOCK || !str_is(whole->stmts[i].name, "template"))
            stmts[body.len++] = whole->stmts[i];
        else if (++templates > 1)
            return diag_error(ds, whole->stmts[i].range, "block \"template\" may only be specified once");
    }
    const size_t from = ds->len;
    const int code = schema_decode(&foreach_schema, &body, n->stmt->range, &scope, a, ds);
    node_prefix_problems(ds, from, n);
    return code;
}

/* What the module reads of the item and of what is around it. `set`: how a value gets there. */
static void give(struct plan *p, const struct plan *around, const struct foreach_args *a, struct value *item, bool live)
{
    for (size_t i = 0; i < p->len; i++) {
        struct plan_node *input = p->nodes[i];
        if (input->kind != NODE_INPUT)
            continue;
        const struct plan_node *outer = strmap_get(&around->ids, str_of(input->id));
        struct value *v = strcmp(input->id, a->var) == 0 ? item : outer ? plan_node_value(outer) : NULL;
        v = v ? value_ref(v) : value_null();
        if (live) {
            module_set(input, v);
        } else {
            value_unref(input->value);
            input->value = v;
        }
    }
}

static int prepare_item(struct module *outer, const struct plan_node *n, const struct foreach_args *a,
                        struct value *item, struct module *m, struct diags *ds)
{
    const struct ast_body *part = &foreach_template(n->stmt)->body;
    const struct body body = {.kind = BODY_TEMPLATE,
                              .parts = &part,
                              .len = 1,
                              .library = n->plan->library,
                              .around = n->plan,
                              .var = str_of(a->var)};
    struct diags own = DIAGS_INIT;
    struct plan *p;
    const int code = plan_make(&body, &outer->owner->options, &p, &own);
    diags_merge(ds, &own);
    if (code < 0)
        return code;
    give(p, n->plan, a, item, false);
    return module_prepare(m, p, ds);
}

static size_t item_count(const struct foreach_args *a)
{
    return value_kind(a->collection) == VALUE_ARRAY ? value_len(a->collection) : 0;
}

static void warn_of_missing_id(const struct plan_node *n, const struct foreach_args *a, struct diags *ds)
{
    for (size_t i = 0; *a->id && i < item_count(a); i++) {
        cleanup_value struct value *member = item_member(value_item(a->collection, i), a->id);
        if (!member) {
            diag_warn(ds, n->stmt->name_range, "item %zu of the collection has no \"%s\", so that all of it is its id",
                      i, a->id);
            return;
        }
    }
}

/* After the first item that fails the others would only repeat it. */
static int prepare_items(struct module *m, struct plan_node *n, const struct foreach_args *a, struct diags *ds)
{
    struct component *c = n->component;
    struct module_list *next = n->next_children = xcalloc(1, sizeof *next);
    for (size_t i = 0; i < item_count(a); i++) {
        struct value *item = value_item(a->collection, i);
        cleanup_free char *id = module_id_of(c, a, item, next);
        struct module *child = n->is_new ? NULL : strmap_get(&c->children.by_id, str_of(id));
        if (!child)
            child = module_new(m, c, TAKE_PTR(id));
        add_module(next, child);
        const int code = prepare_item(m, n, a, item, child, ds);
        if (code < 0)
            return code;
    }
    return 0;
}

void foreach_prepare(struct module *m, struct plan_node *n, struct diags *ds)
{
    struct foreach_args a;
    module_check_needs(n);
    if (n->waits || n->failed)
        return;
    n->failed = decode(n, &a, ds) < 0;
    if (n->failed)
        return;
    warn_of_missing_id(n, &a, ds);
    n->failed = prepare_items(m, n, &a, ds) < 0;
    if (!n->failed)
        n->given = schema_to_value(&foreach_schema, &a);
    n->measures = a.enable_metrics;
    schema_done(&foreach_schema, &a);
}

void foreach_discard(struct plan_node *n)
{
    struct module_list *next = n->next_children;
    if (!next)
        return;
    for (size_t i = 0; i < next->len; i++) {
        if (strmap_get(&n->component->children.by_id, str_of(next->items[i]->id)) == next->items[i])
            module_discard(next->items[i]);
        else
            module_free(next->items[i]);
    }
    empty_list(next);
    free(next);
    n->next_children = NULL;
}

/* The list is the one that counts from now on; whose items have vanished stop. */
static void take_list(struct component *c, struct module_list *next)
{
    for (size_t i = 0; i < c->children.len; i++) {
        struct module *old = c->children.items[i];
        if (strmap_get(&next->by_id, str_of(old->id)) == old)
            continue;
        struct module **at = &c->updated;
        while (*at && *at != old)
            at = &(*at)->updated;
        if (*at)
            *at = old->updated;
        module_stop(old);
        module_free(old);
    }
    empty_list(&c->children);
    c->children = *next;
    free(c->created);
    c->created = NULL;
}

int foreach_commit(struct plan_node *n, struct diags *ds)
{
    struct component *c = n->component;
    int result = 0;
    if (!n->next_children)
        return 0;
    for (size_t i = 0; i < n->next_children->len; i++) {
        const int code = module_commit(n->next_children->items[i], ds);
        result = code < 0 ? code : result;
    }
    take_list(c, n->next_children);
    free(TAKE_PTR(n->next_children));
    value_unref(c->shown_args);
    c->shown_args = TAKE_PTR(n->given);
    c->measures = n->measures;
    c->is_built = true;
    node_evaluated(c, NULL);
    return result;
}

/* An item that was there keeps its module, which is told what changed; a new one gets a module, or not if that fails. */
static int evaluate_item(struct plan_node *n, const struct foreach_args *a, struct value *item,
                         struct module_list *next, struct diags *ds)
{
    struct component *c = n->component;
    cleanup_free char *id = module_id_of(c, a, item, next);
    struct module *child = strmap_get(&c->children.by_id, str_of(id));
    if (child) {
        add_module(next, child);
        give(child->plan, n->plan, a, item, true);
        if (n->redefined)
            module_redefine(child);
        return 0;
    }
    child = module_new(n->plan->live, c, TAKE_PTR(id));
    int code = prepare_item(n->plan->live, n, a, item, child, ds);
    if (code < 0) {
        module_free(child);
        return code;
    }
    code = module_commit(child, ds);
    add_module(next, child);
    return code;
}

int foreach_evaluate(struct plan_node *n, struct err *err)
{
    struct component *c = n->component;
    cleanup_diags struct diags ds = DIAGS_INIT;
    struct foreach_args a;
    int code = decode(n, &a, &ds);
    if (code == 0) {
        struct module_list next = {0};
        for (size_t i = 0; i < item_count(&a); i++) {
            const int one = evaluate_item(n, &a, value_item(a.collection, i), &next, &ds);
            code = one < 0 ? one : code;
        }
        take_list(c, &next);
        value_unref(c->shown_args);
        c->shown_args = schema_to_value(&foreach_schema, &a);
        c->measures = a.enable_metrics;
        c->is_built = true;
        schema_done(&foreach_schema, &a);
        module_note_unstarted(n->plan->live);
    }
    if (code < 0)
        code = module_problem(&ds, err);
    node_evaluated(c, code < 0 ? err->text : NULL);
    return code;
}
