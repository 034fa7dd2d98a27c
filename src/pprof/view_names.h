/* How the frames of a view are called (view.h). */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

enum view_number {
    VIEW_NUMBER_NONE,
    VIEW_NUMBER_LINE, /* "HashMap.get:561": the line of a location */
    VIEW_NUMBER_BCI,  /* "HashMap.get@17": what the location has for a line is a bytecode index, and goes away */
};

struct view_naming {
    enum view_number number;
    bool dot;         /* "java.util.HashMap.get" */
    bool simple;      /* "HashMap.get" */
    bool strip_types; /* without the types that names end with, "_[j]" */
};

/* Appends the name; `line` is that of the frame's location, not positive = it has none. */
void view_name_put(const struct view_naming *v, struct str name, int32_t line, struct buf *out);
/* A name without the type that it ends with, "_[j]", and that. */
struct str view_name_split(struct str name, struct str *type);
