#include "cli/convert_compare.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/terminal.h"

static bool compare_wants(const struct compared_inputs *c, const struct named_profile *n)
{
    int column;
    return !*c->type || named_profile_is(n, str_of(c->type), &column);
}

static bool compare_has(const struct profile_set *set, const struct named_profile *n)
{
    for (size_t i = 0; i < set->len; i++) {
        if (strcmp(set->items[i].metric, n->metric) == 0)
            return true;
    }
    return false;
}

/* How many profiles of `set` the other one has, too. */
static size_t compare_common(const struct compared_inputs *c, const struct profile_set *set,
                             const struct profile_set *other)
{
    size_t n = 0;
    for (size_t i = 0; i < set->len; i++)
        n += compare_wants(c, &set->items[i]) && compare_has(other, &set->items[i]);
    return n;
}

static void compare_tell(const struct compared_inputs *c, const struct profile_set *set,
                         const struct profile_set *other, const char *other_name, const char *consequence)
{
    for (size_t i = 0; i < set->len; i++) {
        const struct named_profile *n = &set->items[i];
        if (!compare_wants(c, n) || compare_has(other, n))
            continue;
        terminal_printf(stderr, "smolder convert: %s has no %s; %s\n", other_name, n->metric, consequence);
    }
}

int compare_check(const struct compared_inputs *c, struct err *err)
{
    if (compare_common(c, c->now, c->before) == 0)
        return err_set(err, -ESRCH, "%s and %s have no profile%s%s in common; nothing to compare", c->now_name,
                       c->before_name, *c->type ? " " : "", c->type);
    if (c->quiet)
        return 0;
    compare_tell(c, c->now, c->before, c->before_name, "all of it counts as added");
    compare_tell(c, c->before, c->now, c->now_name, "all of it counts as removed");
    return 0;
}
