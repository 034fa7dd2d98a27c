/* Values as text. */
#pragma once

#include "base/buf.h"
#include "lang/value.h"

/* As the language writes it: strings quoted, object keys sorted, secrets as (secret). */
void value_print(const struct value *v, struct buf *out);

/* "string", "number", …; of a capsule capsule("name"). For messages. */
void value_print_type(const struct value *v, struct buf *out);
