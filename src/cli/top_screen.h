/* What smolder top shows: a frame for a terminal of any size, a table for scripts, or JSON. Makes text and writes none.
 *
 * Names come from JVMs and servers; control characters in them are escaped (base/terminal.h). Lines of a frame are cut
 * to the columns of the terminal, names of methods at their beginning, for their end says more.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "cli/top_answer.h"

struct top_view {
    const char *server;  /* without secrets */
    const char *type;    /* profile type, "" = none yet */
    const char *service; /* NULL = all */
    const char *problem; /* why there is nothing newer; "" = none */
    int64_t until_ms;    /* end of the range shown; 0 = nothing was read yet */
    int64_t range_ms;
    double flame_scale; /* 0 = none: methods are shown by their share only */
    enum top_sort sort;
    bool paused, methods_only, ascii;
    size_t first_method;
};

/* A frame of exactly `rows` lines, each ended by an erase and all but the last by a line end. At least 20 columns and 6
 * rows are drawn; a smaller terminal shows their beginning. */
void top_screen_frame(const struct top_view *v, const struct top_services *services, const struct top_methods *methods,
                      unsigned columns, unsigned rows, struct buf *out);
/* Rows of methods in such a frame. */
size_t top_screen_method_rows(const struct top_view *v, size_t services, unsigned rows);
/* A table with at most `most` rows of each kind. */
void top_screen_table(const struct top_view *v, const struct top_services *services, const struct top_methods *methods,
                      size_t most, struct buf *out);
/* One object on one line. */
void top_screen_json(const struct top_view *v, const struct top_services *services, const struct top_methods *methods,
                     size_t most, struct buf *out);

/* Whether values of that type are levels, such as memory in use, and not amounts that add up. */
bool top_type_is_gauge(const char *type);
/* "1.25" cores, "3.4 MiB/s", "12.0 k/s": a value of `type` that was collected in range_ms. */
void top_value_print(const char *type, double value, int64_t range_ms, struct buf *out);
