/* Command-line flags from a table: parsing, defaults and --help read the same rows.
 *
 * `--name=value` and `--name value`; a boolean may stand alone; short names as in getopt(3), but one flag each. Flags
 * and paths mix; `--` ends the flags. Values are borrowed from argv.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

enum flag_kind {
    FLAG_STRING, /* const char * */
    FLAG_BOOL,   /* bool */
    FLAG_LIST,   /* struct flag_list: may be given several times, an empty value is none */
    FLAG_CHOICE, /* const char *, one of the words in value_name: "none|alloy" */
    /* A flag of the reference that has no effect here. With a value_name it takes a value, else it is a boolean.
     * Whoever sets it to something else than default_text is warned. */
    FLAG_UNUSED,
};

enum { FLAG_LIST_MAX = 32 };
struct flag_list {
    const char *items[FLAG_LIST_MAX];
    size_t len;
};

struct flag {
    const char *name; /* without the dashes; NULL ends the table */
    enum flag_kind kind;
    size_t offset;
    const char *default_text; /* NULL = "" */
    const char *value_name;   /* for the help: "ADDR" */
    const char *help;
    char short_name; /* 'd' of "-d VALUE" and "-dVALUE"; 0 = none */
};

struct flags_rest {
    const char **items; /* what is no flag; owned array of borrowed strings */
    size_t len;
};

/* Sets defaults, then reads argv (without the program's and the sub-command's name). -EINVAL with a remedy in the
 * text. */
must_check int flags_parse(const struct flag *table, int argc, char **argv, void *record, struct flags_rest *rest,
                           struct err *err);
/* What is in force, a line "name=value" each. */
void flags_print(const struct flag *table, const void *record, struct buf *out);
/* Every flag with its default, unused ones by name only at the end; lines of HELP_WIDTH columns. */
void flags_help(const struct flag *table, FILE *out);
enum { HELP_WIDTH = 100 };
