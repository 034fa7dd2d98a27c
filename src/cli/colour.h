/* Whether what goes to standard error is to be coloured: only on a terminal that can, and never against NO_COLOR (no-color.org). */
#pragma once

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline bool colour_wanted(void)
{
    const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
    return isatty(STDERR_FILENO) && !(term && strcmp(term, "dumb") == 0) && !(no && *no);
}
