/* A frame as one text, where trees are to keep more of it than its name: function, file and line. So whatever merges
 * trees by name (pprof/flame.h) keeps them apart.
 */
#pragma once

#include "base/buf.h"
#include "pprof/symbols.h"

/* Digits of the ids of spans and traces, as labels of samples have them. */
enum { SPAN_ID_HEX = 16, TRACE_ID_HEX = 32 };

struct frame_text {
    struct str name, system_name, filename;
    int32_t start_line, line;
};

/* Appends a frame: name NUL system name NUL file NUL lines. */
void frame_text_put_parts(const struct frame_text *t, struct buf *out);
/* That of a location. */
void frame_text_put(const struct symbols *symbols, uint32_t location, struct buf *out);
/* Of any text, which may be made up: what is missing is "" or 0. Borrows from it. */
struct frame_text frame_text_read(struct str text);
/* The name alone. */
struct str frame_text_name(struct str text);
