/* Values of the configuration language as JSON. Loop thread. Source of the tagged form: spec alloy-language §8.2. */
#pragma once

#include "graph/controller.h"

/* Plain: objects are objects, secrets "(secret)". */
void value_json_plain(const struct value *v, struct buf *out);
/* An object as a list of statements: {"name","type":"attr","value":…}, or {"name","type":"block","body":[…]} for what
 * the schema says is a block, one for each of a list. Without a schema all are attributes. "[]" for NULL. */
void value_json_body(const struct value *object, const struct schema *schema, struct buf *out);
/* The same for debug information, without a schema: each object of a list is a block. */
void value_json_debug(const struct value *object, struct buf *out);
