#include "graph/block_options.h"

#include <errno.h>
#include <stddef.h>

static const struct option argument_table[] = {
    {"optional", OPT_BOOL, offsetof(struct argument_options, optional), .default_text = "false",
     .help = "Whether the argument is optional."},
    {"default", OPT_ANY, offsetof(struct argument_options, fallback), .help = "Default value.",
     .set_offset = offsetof(struct argument_options, has_default)},
    {"comment", OPT_STRING, offsetof(struct argument_options, comment), .help = "Description."},
    {0},
};
const struct schema argument_schema = {.size = sizeof(struct argument_options), .options = argument_table};

static const struct option export_table[] = {
    {"value", OPT_ANY, offsetof(struct export_options, value), .required = true, .help = "Exported value."},
    {0},
};
const struct schema export_schema = {.size = sizeof(struct export_options), .options = export_table};

static const struct option foreach_table[] = {
    {"collection", OPT_ANY, offsetof(struct foreach_options, collection), .required = true,
     .help = "Items; an instance of the template is created for each."},
    {"var", OPT_STRING, offsetof(struct foreach_options, var), .required = true,
     .help = "Name of the item in the template."},
    {"id", OPT_STRING, offsetof(struct foreach_options, id), .help = "Member that identifies an item."},
    {"hash_string_id", OPT_BOOL, offsetof(struct foreach_options, hash_string_id), .default_text = "false",
     .help = "Hash the IDs of items, for IDs that differ in punctuation only."},
    {"enable_metrics", OPT_BOOL, offsetof(struct foreach_options, enable_metrics), .default_text = "false",
     .help = "Export metrics of the components in the instances."},
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
