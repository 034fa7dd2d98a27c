/* What a parser process parses beside recordings: a service of another folder.
 *
 * A service is a function from items to bytes, without state: the function runs in the process, its `struct
 * parser_service` is known at both ends. Items are asked for with parser/parser_batch.h.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { PARSER_SERVICE_NAME = 16 };

/* One untrusted input. */
struct parser_item {
    struct str head;  /* the caller's own: options, a fixed struct; unaligned */
    struct str bytes; /* untrusted */
};

/* Appends the answer to all items to `out`, which has a maximum. Negative: why none can be given. */
typedef int parser_serve(const struct parser_item *items, size_t n, struct buf *out, struct err *err);

struct parser_service {
    char name[PARSER_SERVICE_NAME];
    parser_serve *serve;
};
