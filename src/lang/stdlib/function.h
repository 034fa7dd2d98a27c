/* One function or constant of the standard library: a row of the tables in this folder. */
#pragma once

#include <stdbool.h>

#include "lang/stability.h"
#include "lang/value.h"

enum { STDLIB_EXAMPLES_MAX = 3 };

struct stdlib_function {
    struct function_def def;
    bool constant;            /* not a function but what `call` returns without arguments */
    const char *alias;        /* the deprecated name, or NULL */
    enum stability stability; /* below the level asked for, a reference to it is refused */
    const char *parameters;   /* "list list(string), separator string"; NULL: none */
    const char *result;       /* "string" */
    const char *help;
    struct {
        const char *expression, *value;
    } examples[STDLIB_EXAMPLES_MAX];
};
