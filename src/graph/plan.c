#include "graph/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"

enum { ID_MAX = 4096 };

struct body body_of_template(const struct plan *around, const struct ast_body *const *part, struct str var)
{
    return (struct body){.kind = BODY_TEMPLATE,
                         .parts = part,
                         .len = 1,
                         .definitions = around->definitions,
                         .around = around,
                         .var = var};
}

struct plan *plan_new(const struct body *body)
{
    struct plan *p = xcalloc(1, sizeof *p);
    *p = (struct plan){.definitions = definitions_ref(body->definitions),
                       .has_own_definitions = body->kind == BODY_ROOT || body->kind == BODY_IMPORTED,
                       .is_module = body->kind == BODY_MODULE,
                       .around = body->around};
    if (body->kind == BODY_TEMPLATE && body->var.n > 0)
        p->variable = plan_add(p, BLOCK_INPUT, NULL, str_dup(body->var));
    return p;
}

void plan_free(struct plan *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->len; i++)
        block_free(p->blocks[i]);
    definitions_unref(p->definitions);
    dag_done(&p->dag);
    strmap_done(&p->ids);
    free(p->blocks);
    free(p->order);
    free(p->by_id);
    free(p);
}

static size_t count_parts(const char *id)
{
    size_t parts = 1;
    for (const char *dot = id; (dot = strchr(dot, '.')); dot++)
        parts++;
    return parts;
}

struct block *plan_add(struct plan *p, enum block_type type, const struct ast_stmt *stmt, char *id)
{
    struct block *b = block_new(type, stmt, id);
    b->plan = p;
    b->place = p->len;
    if (!strmap_has(&p->ids, str_of(id)))
        strmap_put(&p->ids, str_of(id), b);
    const size_t parts = count_parts(id);
    if (parts > p->id_parts)
        p->id_parts = parts;
    xgrow(&p->blocks, &p->cap, p->len + 1, sizeof *p->blocks);
    p->blocks[p->len++] = b;
    return b;
}

struct definitions *plan_own_definitions(struct plan *p)
{
    if (!p->has_own_definitions) {
        struct definitions *outer = p->definitions;
        p->definitions = definitions_new(outer, NULL, 0, outer->module_path);
        p->has_own_definitions = true;
        definitions_unref(outer);
    }
    return p->definitions;
}

/* A rejected block has been reported; references to it are no second error. */
static bool can_be_read(const struct block *b)
{
    return block_has_value(b) || (b->is_rejected && b->type != BLOCK_DECLARE);
}

struct block *plan_find(const struct plan *p, const struct str *path, size_t n, bool any, size_t *used)
{
    cleanup_buf struct buf id = BUF_INIT(ID_MAX);
    for (size_t i = 0; i < n && i < p->id_parts; i++) {
        if (i > 0)
            buf_byte(&id, '.');
        buf_str(&id, path[i]);
        struct block *b = buf_ok(&id) ? plan_block(p, buf_slice(&id)) : NULL;
        if (b && (any || can_be_read(b))) {
            *used = i + 1;
            return b;
        }
    }
    return NULL;
}

const struct block *plan_origin(const struct block *b)
{
    while (b->type == BLOCK_INPUT && b != b->plan->variable) {
        const struct block *outer = plan_block(b->plan->around, str_of(b->id));
        if (!outer)
            break;
        b = outer;
    }
    return b;
}
