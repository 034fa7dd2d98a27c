/* import.string: a module from a string expression. */
#include <stdlib.h>

#include "base/mem.h"
#include "components/import_source.h"
#include "graph/component.h"

struct import_string_args {
    char *content;
};

static const struct option options[] = {
    {"content", OPT_SECRET, offsetof(struct import_string_args, content), .required = true,
     .help = "Content of the module; re-evaluated when a dependency changes."},
    {0},
};
static const struct schema schema = {.size = sizeof(struct import_string_args), .options = options};

struct string_import {
    struct component *self;
};

static void import_string_publish(struct component *self, const struct import_string_args *a)
{
    import_source_export_text(self, component_id(self), str_of(a->content), NULL);
}

static int import_string_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    (void)err;
    struct string_import *i = xcalloc(1, sizeof *i);
    i->self = self;
    import_string_publish(self, args);
    *ret_state = i;
    return 0;
}

static int import_string_update(void *state, const void *args, struct err *err)
{
    (void)err;
    import_string_publish(((struct string_import *)state)->self, args);
    return 0;
}

const struct component_def import_string = {
    .name = "import.string",
    .help = "Imports custom components from a string.",
    .stability = STABILITY_GA,
    .args = &schema,
    .exports = import_source_exports,
    .imports = true,
    .build = import_string_build,
    .update = import_string_update,
    .free = free,
};
