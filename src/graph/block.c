#include "graph/block.h"

#include <stdlib.h>

#include "base/mem.h"

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
