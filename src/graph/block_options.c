#include "graph/block_options.h"

#include <errno.h>
#include <stddef.h>

static const struct option argument_table[] = {
    {"optional", OPT_BOOL, offsetof(struct argument_options, optional), .default_text = "false",
     .help = "Whether the argument may be left out."},
    {"default", OPT_ANY, offsetof(struct argument_options, fallback), .help = "Its value then.",
     .set_offset = offsetof(struct argument_options, has_default)},
    {"comment", OPT_STRING, offsetof(struct argument_options, comment), .help = "What it is for."},
    {0},
};
const struct schema argument_schema = {.size = sizeof(struct argument_options), .options = argument_table};

static const struct option export_table[] = {
    {"value", OPT_ANY, offsetof(struct export_options, value), .required = true, .help = "What is exported."},
    {0},
};
const struct schema export_schema = {.size = sizeof(struct export_options), .options = export_table};

static const struct option foreach_table[] = {
    {"collection", OPT_ANY, offsetof(struct foreach_options, collection), .required = true,
     .help = "Items; each gets a copy of the template."},
    {"var", OPT_STRING, offsetof(struct foreach_options, var), .required = true,
     .help = "What the item is called in the template."},
    {"id", OPT_STRING, offsetof(struct foreach_options, id), .help = "The member that tells items apart."},
    {"hash_string_id", OPT_BOOL, offsetof(struct foreach_options, hash_string_id), .default_text = "false",
     .help = "Whether to hash strings that tell items apart, for names that differ in punctuation only."},
    {"enable_metrics", OPT_BOOL, offsetof(struct foreach_options, enable_metrics), .default_text = "false",
     .help = "Whether there are metrics of the components inside."},
    {0},
};

static int check_collection(const void *record, struct err *err)
{
    const struct foreach_options *o = record;
    const enum value_kind kind = value_kind(o->collection);
    if (kind != VALUE_ARRAY && kind != VALUE_NULL)
        return err_set(err, -EINVAL, "collection should be array, got %s", value_kind_name(kind));
    return 0;
}

const struct schema foreach_schema = {
    .size = sizeof(struct foreach_options), .options = foreach_table, .validate = check_collection};
