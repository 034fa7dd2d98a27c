#include "graph/block.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "graph/block_options.h"
#include "graph/block_text.h"
#include "lang/schema.h"
#include "settings/settings.h"

struct block *block_new(enum block_type type, const struct ast_stmt *stmt, char *id)
{
    struct block *b = xcalloc(1, sizeof *b);
    *b = (struct block){.type = type, .stmt = stmt, .id = id};
    return b;
}

void block_free(struct block *b)
{
    /* Whoever still holds the definitions finds in them what it brought, and no block. */
    if (b->import)
        b->import->block = NULL;
    free(b->id);
    free(b->references_to);
    free(b->referenced_by);
    free(b);
}

static const struct schema *schema_of(const struct block *b)
{
    switch (b->type) {
    case BLOCK_COMPONENT:
    case BLOCK_IMPORT:
        return b->def ? b->def->args : NULL;
    case BLOCK_ARGUMENT:
        return &argument_schema;
    case BLOCK_EXPORT:
        return &export_schema;
    case BLOCK_FOREACH:
        return &foreach_schema;
    case BLOCK_SETTING:
        return settings_schema(b->stmt->name);
    default:
        return NULL;
    }
}

void block_check_options(const struct block *b, struct diags *ds)
{
    const struct schema *s = schema_of(b);
    if (!s)
        return;
    cleanup_free struct ast_stmt *stmts = NULL;
    struct ast_body body = b->stmt->body;
    if (b->type == BLOCK_FOREACH)
        body = block_text_without_template(b->stmt, &stmts);
    schema_check(s, &body, b->stmt->range, ds);
}

bool block_is_shown(const struct block *b)
{
    return b->type == BLOCK_COMPONENT || b->type == BLOCK_CUSTOM || b->type == BLOCK_FOREACH;
}

bool block_has_value(const struct block *b)
{
    switch (b->type) {
    case BLOCK_COMPONENT:
    case BLOCK_CUSTOM:
    case BLOCK_ARGUMENT:
    case BLOCK_INPUT:
    case BLOCK_SKIPPED:
        return true;
    default:
        return false;
    }
}
