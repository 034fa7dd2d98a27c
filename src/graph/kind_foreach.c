#include "graph/kind_foreach.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "graph/analysis.h"
#include "graph/block_options.h"
#include "graph/block_text.h"
#include "graph/module.h"
#include "lang/diag_text.h"
#include "lang/schema.h"
#include "lang/unicode.h"
#include "lang/value_print.h"

enum { FINGERPRINT_MAX = 4096, DUMP_MAX = 16 << 20 };

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

static void foreach_put_number(struct buf *out, const struct value *v)
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
        foreach_put_number(out, v);
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

/* The ids that the modules of one list have so far. */
struct names {
    const struct instance *host;
    const struct foreach_options *options;
    struct u64map counts; /* hash of a fingerprint -> how many items had it */
};

/* The id of the item's module, to be freed. Items with equal fingerprints are numbered, in their order. */
static char *name_module(struct names *names, const struct value *item, const struct module_list *made)
{
    const struct foreach_options *o = names->options;
    cleanup_buf struct buf id = BUF_INIT(FINGERPRINT_MAX);
    cleanup_value struct value *member = *o->id ? item_member(item, o->id) : NULL;
    buf_puts(&id, names->host->handle.id);
    buf_puts(&id, "/foreach_");
    put_fingerprint(&id, member ? member : item, o->hash_string_id);
    const size_t stem = id.len;
    bool added;
    uint64_t *count = u64map_add(&names->counts, str_hash(buf_slice(&id)), 0, &added);
    for (;;) {
        buf_printf(&id, "_%" PRIu64, ++*count);
        if (!module_list_find(made, buf_slice(&id)))
            return xstrdup(buf_cstr(&id));
        id.len = stem; /* two fingerprints of one hash */
    }
}

/* --- options --- */

static int foreach_decode(const struct node *n, struct foreach_options *o, struct diags *ds)
{
    const struct scope scope = graph_scope(n->graph);
    const struct ast_stmt *block = n->block->stmt;
    cleanup_free struct ast_stmt *stmts = NULL;
    const struct ast_body body = block_text_without_template(block, &stmts);
    const size_t from = ds->len;
    const int code = schema_decode(&foreach_schema, &body, block->range, &scope, o, ds);
    instance_prefix_problems(&kind_foreach, block, ds, from);
    return code;
}

static size_t item_count(const struct foreach_options *o)
{
    return value_kind(o->collection) == VALUE_ARRAY ? value_len(o->collection) : 0;
}

static void warn_of_missing_id(const struct node *n, const struct foreach_options *o, struct diags *ds)
{
    for (size_t i = 0; *o->id && i < item_count(o); i++) {
        cleanup_value struct value *member = item_member(value_item(o->collection, i), o->id);
        if (!member) {
            diag_warn(ds, n->block->stmt->name_range,
                      "item %zu of the collection has no \"%s\"; using the whole item as its id", i, o->id);
            return;
        }
    }
}

/* --- modules --- */

/* What the module reads of the item and of what is around it. */
static void give(struct graph *inner, const struct graph *around, const struct foreach_options *o, struct value *item)
{
    for (size_t i = 0; i < inner->plan->len; i++) {
        struct node *input = &inner->nodes[i];
        if (input->block->type != BLOCK_INPUT)
            continue;
        const struct node *outer = graph_node(around, str_of(input->block->id));
        struct value *v = strcmp(input->block->id, o->var) == 0 ? item : outer ? node_value(outer) : NULL;
        node_set_value(input, v ? value_ref(v) : value_null());
    }
}

/* Stages the module of an item. */
static int foreach_stage_item(const struct node *n, const struct foreach_options *o, struct value *item,
                              struct module *m, struct diags *ds)
{
    const struct ast_body *part = &block_text_template(n->block->stmt)->body;
    const struct body body = body_of_template(n->graph->plan, &part, str_of(o->var));
    struct diags own = DIAGS_INIT;
    struct plan *p = NULL;
    const int code = analysis_of_body(&body, &node_engine(n)->plan, &p, &own);
    module_merge_problems(ds, &own);
    if (code < 0)
        return code;
    struct graph *g = graph_new(m, p);
    give(g, n->graph, o, item);
    return module_stage(m, g, ds);
}

/* After the first item that fails the others would only repeat it. */
static int foreach_stage_items(struct node *n, const struct foreach_options *o, struct diags *ds)
{
    struct instance *host = n->instance;
    struct staged *s = node_staged(n);
    struct module_list *next = s->children = xcalloc(1, sizeof *next);
    struct names names = {.host = host, .options = o};
    int code = 0;
    for (size_t i = 0; i < item_count(o) && code == 0; i++) {
        struct value *item = value_item(o->collection, i);
        cleanup_free char *id = name_module(&names, item, next);
        struct module *child = s->is_new ? NULL : module_list_find(&host->modules, str_of(id));
        if (!child)
            child = module_new(n->graph->module, host, TAKE_PTR(id));
        module_list_add(next, child, child->id);
        code = foreach_stage_item(n, o, item, child, ds);
    }
    u64map_done(&names.counts);
    return code;
}

static void foreach_prepare(struct node *n, struct diags *ds)
{
    struct foreach_options o;
    struct staged *s = node_staged(n);
    node_check_needs(n);
    if (n->is_waiting || s->has_failed)
        return;
    s->has_failed = foreach_decode(n, &o, ds) < 0;
    if (s->has_failed)
        return;
    warn_of_missing_id(n, &o, ds);
    s->has_failed = foreach_stage_items(n, &o, ds) < 0;
    if (!s->has_failed)
        s->arguments = schema_to_value(&foreach_schema, &o);
    s->is_unmeasured = !o.enable_metrics;
    schema_done(&foreach_schema, &o);
}

static void foreach_discard(struct node *n)
{
    struct module_list *next = TAKE_PTR(node_staged(n)->children);
    for (size_t i = 0; next && i < next->len; i++) {
        struct module *m = next->items[i];
        if (module_list_find(&n->instance->modules, str_of(m->id)) == m)
            module_discard(m);
        else
            module_free(m);
    }
    if (next)
        module_list_done(next);
    free(next);
}

/* The list is the one that counts from now on; whose items have vanished stop. */
static void foreach_take_list(struct instance *host, struct module_list *next)
{
    for (size_t i = 0; i < host->modules.len; i++) {
        struct module *old = host->modules.items[i];
        if (module_list_find(next, str_of(old->id)) == old)
            continue;
        struct module **at = &host->updated;
        while (*at && *at != old)
            at = &(*at)->updated;
        if (*at)
            *at = old->updated;
        module_stop(old);
        module_free(old);
    }
    module_list_done(&host->modules);
    host->modules = *next;
    free(host->module_ids);
    host->module_ids = NULL;
}

static int foreach_commit(struct node *n, struct diags *ds)
{
    struct instance *host = n->instance;
    struct staged *s = node_staged(n);
    struct module_list *next = TAKE_PTR(s->children);
    int result = 0;
    if (n->is_waiting && s->is_new)
        instance_waits(host, node_waits_for(n));
    if (!next)
        return 0;
    for (size_t i = 0; i < next->len; i++) {
        const int code = module_commit(next->items[i], ds);
        result = code < 0 ? code : result;
    }
    foreach_take_list(host, next);
    free(next);
    instance_show_arguments(host, TAKE_PTR(s->arguments));
    host->is_unmeasured = s->is_unmeasured;
    host->is_built = true;
    instance_evaluated(host, NULL);
    return result;
}

/* An item that was there keeps its module, which is told what changed; a new one gets a module, or not if that
 * fails. */
static int foreach_evaluate_item(const struct node *n, const struct foreach_options *o, struct value *item, char *id,
                                 struct module_list *next, struct diags *ds)
{
    struct instance *host = n->instance;
    struct module *child = module_list_find(&host->modules, str_of(id));
    if (child) {
        free(id);
        module_list_add(next, child, child->id);
        give(child->running, n->graph, o, item);
        if (n->is_redefined)
            module_redefine(child);
        return 0;
    }
    child = module_new(n->graph->module, host, id);
    int code = foreach_stage_item(n, o, item, child, ds);
    if (code < 0) {
        module_free(child);
        return code;
    }
    code = module_commit(child, ds);
    module_list_add(next, child, child->id);
    return code;
}

static int foreach_evaluate_items(const struct node *n, const struct foreach_options *o, struct module_list *next,
                                  struct diags *ds)
{
    struct names names = {.host = n->instance, .options = o};
    int code = 0;
    for (size_t i = 0; i < item_count(o); i++) {
        struct value *item = value_item(o->collection, i);
        const int one = foreach_evaluate_item(n, o, item, name_module(&names, item, next), next, ds);
        code = one < 0 ? one : code;
    }
    u64map_done(&names.counts);
    return code;
}

static int foreach_evaluate(struct node *n, struct err *err)
{
    struct instance *host = n->instance;
    cleanup_diags struct diags ds = DIAGS_INIT;
    struct foreach_options o;
    int code = foreach_decode(n, &o, &ds);
    if (code == 0) {
        struct module_list next = {0};
        code = foreach_evaluate_items(n, &o, &next, &ds);
        foreach_take_list(host, &next);
        instance_show_arguments(host, schema_to_value(&foreach_schema, &o));
        host->is_unmeasured = !o.enable_metrics;
        host->is_built = true;
        schema_done(&foreach_schema, &o);
        module_note_unstarted(n->graph->module);
    }
    if (code < 0)
        code = diags_err(&ds, err);
    instance_evaluated(host, code < 0 ? err->text : NULL);
    return code;
}

const struct block_kind kind_foreach = {
    .words = {.created = "",
              .evaluated = "foreach evaluated",
              .evaluation_failed = "foreach evaluation failed",
              .started = "started foreach",
              .stopped = "foreach node shut down cleanly",
              .failure = "Failed to evaluate node for config block"},
    .has_instance = true,
    .uses_definitions = true,
    .prepare = foreach_prepare,
    .commit = foreach_commit,
    .evaluate = foreach_evaluate,
    .discard = foreach_discard,
    .stop = module_stop_all,
    .free = module_free_all,
};
