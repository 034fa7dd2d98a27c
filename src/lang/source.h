/* A source file of the configuration language: name, text, and offsets of its lines.
 *
 * Reference counted: an AST holds one reference, and so does each diagnostic. Immutable after source_new() but for the
 * count. One thread.
 * Source: spec alloy-language §1.1 (offsets, lines and columns count bytes; a line starts after each LF).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* Larger files are refused: no configuration is, and the syntax tree takes many times the space of its text. */
enum { SOURCE_MAX = 4 << 20 };

struct source {
    char *name;      /* as diagnostics show it; "" prints positions without a file */
    struct str text; /* a NUL follows it */
    uint32_t *lines; /* offset of the first byte of each line */
    size_t line_count;
    unsigned refs;
};

/* Offsets, lines and columns count bytes; line and column start at 1, 0 = unknown. Borrows its source; one in a list of
 * diagnostics is safe. */
struct pos {
    const struct source *source; /* NULL: nowhere */
    unsigned offset, line, column;
};
/* From the first to the last byte, both included; last.source == NULL means a single character. */
struct range {
    struct pos first, last;
};

/* Copies both. -EFBIG beyond SOURCE_MAX. No check of the encoding. */
must_check int source_new(const char *name, struct str text, struct source **ret, struct err *err);
/* The position-less check of a whole file: -EILSEQ for a UTF-16/32 byte order mark or invalid UTF-8. */
must_check int source_check_encoding(struct str text, struct err *err);

struct source *source_ref(struct source *s);
void source_unref(struct source *s); /* NULL is fine */
static inline void source_unrefp(struct source **s)
{
    source_unref(*s);
}
#define cleanup_source __attribute__((cleanup(source_unrefp)))

/* The position of a byte; offset may be text.n (end of file). */
struct pos source_pos(const struct source *s, size_t offset);
/* From byte `first` to byte `last`, both included. */
struct range source_range(const struct source *s, size_t first, size_t last);
/* The text of a line (1 …) without its LF; empty beyond the end. */
struct str source_line(const struct source *s, unsigned line);
