/* Aligns columns of cells: the tab stops of the formatter.
 *
 * A cell ends at align_cell(). Cells with the same index on adjacent lines form a column, which is as wide as its
 * widest cell plus one space; text after the last cell is free. A column ends at a line without it, at a change of
 * indentation, and at a line ended with `apart`. Lines are indented by tabs. No trailing white space.
 *
 * Time and memory are linear; output is flushed whenever no column is open. When `out` is full everything further is
 * dropped, as by buf.
 * Source: spec alloy-language §7.5 (rules 4, 5 and 9).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct align {
    struct buf *out;
    unsigned indent; /* of lines that start from here on */
    unsigned line;   /* how many have ended */
    /* private */
    struct buf text;
    struct align_cell *cells;
    struct align_line *lines;
    size_t *widths; /* by column */
    size_t cell_count, cell_cap, line_count, line_cap, width_count, width_cap;
};

void align_init(struct align *a, struct buf *out);
/* Appends to the present cell; no LF in it. */
void align_text(struct align *a, struct str s);
/* As it is, LFs included, with neither indentation nor columns from the second line on. */
void align_verbatim(struct align *a, struct str s);
void align_cell(struct align *a);
/* n >= 1: n - 1 empty lines follow, and then columns end, too. */
void align_newline(struct align *a, unsigned n, bool apart);
/* Writes what is left, without a LF after the last line, and frees everything. */
void align_done(struct align *a);
