/* Style of diagnostics on standard error: coloured only on a capable terminal and without NO_COLOR (no-color.org). */
#pragma once

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lang/diag.h"
#include "lang/diag_text.h"

static inline enum diag_look look_of_stderr(void)
{
    const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
    if (!isatty(STDERR_FILENO))
        return DIAG_AS_IS;
    return (term && strcmp(term, "dumb") == 0) || (no && *no) ? DIAG_TERMINAL : DIAG_COLOUR;
}
