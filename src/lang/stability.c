#include "lang/stability.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

static const char *const names[] = {
    [STABILITY_GA] = "generally-available",
    [STABILITY_PREVIEW] = "public-preview",
    [STABILITY_EXPERIMENTAL] = "experimental",
};

const char *stability_name(enum stability s)
{
    return names[s];
}

bool stability_parse(const char *text, enum stability *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret = (enum stability)i;
            return true;
        }
    }
    return false;
}

int stability_check(const char *what, enum stability feature, enum stability least, struct err *err)
{
    if (feature <= least)
        return 0;
    return err_set(err, -EPERM,
                   "%s is at stability level \"%s\", which is below the minimum allowed stability level \"%s\". Use "
                   "--stability.level command-line flag to enable \"%s\" features",
                   what, names[feature], names[least], names[feature]);
}
