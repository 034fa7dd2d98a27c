/* Option tables of the engine's own blocks: argument, export, foreach.
 */
#pragma once

#include "lang/schema.h"

/* argument, of a module */
struct argument_options {
    bool optional, has_default;
    struct value *fallback;
    char *comment;
};
extern const struct schema argument_schema;

/* export, of a module */
struct export_options {
    struct value *value;
};
extern const struct schema export_schema;

/* foreach, without its template */
struct foreach_options {
    struct value *collection; /* an array or null */
    char *var, *id;
    bool hash_string_id, enable_metrics;
};
extern const struct schema foreach_schema;
