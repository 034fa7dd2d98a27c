#include "graph/registry.h"

/* Further off than this is another word, not a slip. */
enum { SLIPS_MAX = 3 };

const struct component_def *registry_find(const struct component_def *const *defs, struct str name)
{
    for (; *defs; defs++) {
        if (str_is(name, (*defs)->name))
            return *defs;
    }
    return NULL;
}

const char *registry_suggest(const struct component_def *const *defs, struct str name)
{
    const char *best = NULL;
    unsigned least = SLIPS_MAX + 1;
    for (; *defs; defs++) {
        const unsigned slips = str_distance(name, str_of((*defs)->name), SLIPS_MAX);
        if (slips < least) {
            least = slips;
            best = (*defs)->name;
        }
    }
    return best;
}
