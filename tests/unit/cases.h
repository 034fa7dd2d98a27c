/* Text cases: "== name" starts a case, "-- kind" what is expected of it; tests/lang/README.md. */
#pragma once

#include <stdio.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"

enum { CASE_FILE_MAX = 1 << 20 };

struct case_section {
    struct str name, text;
};

/* To be freed; NULL when it cannot be read. */
static inline char *case_file(const char *path, size_t *n)
{
    cleanup_fclose FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    char *text = xcalloc(1, CASE_FILE_MAX + 1);
    *n = fread(text, 1, CASE_FILE_MAX, f);
    return text;
}

/* The next heading with what follows it, up to the next one. */
static inline bool case_section(struct str *rest, struct case_section *ret)
{
    struct str line;
    while (str_split(rest, '\n', &line))
        if (str_has_prefix(line, STR("== ")) || str_has_prefix(line, STR("-- ")))
            break;
    if (!rest->p)
        return false;
    ret->name = (struct str){line.p + 3, line.n - 3};
    ret->text = (struct str){rest->p, 0};
    for (struct str after = *rest; str_split(&after, '\n', &line); *rest = after) {
        if (str_has_prefix(line, STR("== ")) || str_has_prefix(line, STR("-- ")))
            break;
        ret->text.n = (size_t)(line.p + line.n - ret->text.p);
    }
    return true;
}
