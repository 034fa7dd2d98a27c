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

/* Behind the last dot, where what is in front is shared by many names. */
static struct str registry_last_part(struct str name)
{
    size_t n = 0;
    while (n < name.n && name.p[name.n - 1 - n] != '.')
        n++;
    return (struct str){name.p + name.n - n, n};
}

/* Another first letter, and most of the others, too: that is another word. */
static unsigned registry_most_slips(struct str name, struct str known)
{
    const struct str a = registry_last_part(name), b = registry_last_part(known);
    const bool begin_alike = a.n && b.n && a.p[0] == b.p[0];
    return begin_alike || a.n / 2 > SLIPS_MAX ? SLIPS_MAX : (unsigned)(a.n / 2);
}

const char *registry_suggest(const struct component_def *const *defs, struct str name)
{
    const char *best = NULL;
    unsigned least = SLIPS_MAX + 1;
    for (; *defs; defs++) {
        const struct str known = str_of((*defs)->name);
        const unsigned slips = str_distance(name, known, SLIPS_MAX);
        if (slips < least && slips <= registry_most_slips(name, known)) {
            least = slips;
            best = (*defs)->name;
        }
    }
    return best;
}
