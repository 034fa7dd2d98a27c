#include "graph/args.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/mem.h"

struct counted {
    const struct schema *schema;
    unsigned refs;
    _Alignas(max_align_t) char record[];
};

static struct counted *counted_of(const void *args)
{
    return (struct counted *)((char *)args - offsetof(struct counted, record));
}

void *args_new(const struct schema *schema)
{
    struct counted *c = xcalloc(1, sizeof *c + schema->size);
    *c = (struct counted){.schema = schema, .refs = 1};
    return c->record;
}

const void *args_decode(const struct schema *schema, const struct ast_stmt *block, const struct scope *scope,
                        struct diags *ds)
{
    void *record = args_new(schema);
    if (schema_decode(schema, &block->body, block->range, scope, record, ds) == 0)
        return record;
    free(counted_of(record)); /* it is empty */
    return NULL;
}

const void *args_ref(const void *args)
{
    counted_of(args)->refs++;
    return args;
}

void args_unref(const void *args)
{
    struct counted *c = args ? counted_of(args) : NULL;
    if (!c || --c->refs)
        return;
    schema_done(c->schema, c->record);
    free(c);
}
