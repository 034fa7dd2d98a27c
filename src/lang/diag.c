#include "lang/diag.h"

#include <errno.h>
#include <stdarg.h>

#include "base/mem.h"

enum {
    MESSAGE_MAX = 16 * 1024, /* longer texts are cut; they quote the configuration */
    DIAGS_MAX = 1000,        /* more are counted, not kept: nobody reads them and a hostile file has one per line */
};

int diag_add(struct diags *ds, enum severity severity, struct range range, const char *fmt, ...)
{
    ds->errors += severity == SEVERITY_ERROR;
    if (ds->len >= DIAGS_MAX)
        return -EINVAL;
    xgrow(&ds->items, &ds->cap, ds->len + 1, sizeof *ds->items);
    va_list ap;
    va_start(ap, fmt);
    char *message;
    int n = vasprintf(&message, fmt, ap);
    va_end(ap);
    if (n < 0)
        message = xstrdup("out of memory");
    else if (n > MESSAGE_MAX)
        message[MESSAGE_MAX] = '\0';
    if (range.first.source)
        source_ref((struct source *)range.first.source);
    ds->items[ds->len++] = (struct diag){severity, range, message};
    return -EINVAL;
}

void diags_move(struct diags *to, struct diags *from)
{
    for (size_t i = 0; i < from->len; i++)
        diag_add(to, from->items[i].severity, from->items[i].range, "%s", from->items[i].message);
    diags_done(from);
}

void diags_done(struct diags *ds)
{
    for (size_t i = 0; i < ds->len; i++) {
        source_unref((struct source *)ds->items[i].range.first.source);
        free(ds->items[i].message);
    }
    free(ds->items);
    *ds = DIAGS_INIT;
}
