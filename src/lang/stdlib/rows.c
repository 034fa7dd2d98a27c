#include "lang/stdlib/rows.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "lang/coerce.h"

int stdlib_text(struct value *const *args, size_t i, struct buf *out, int *bad_arg, struct err *err)
{
    out->max = STDLIB_TEXT_MAX;
    int code = coerce_text(args[i], out, err);
    if (code < 0)
        *bad_arg = (int)i;
    return code;
}

int stdlib_texts(struct value *const *args, size_t n, struct buf *out, int *bad_arg, struct err *err)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < n; i++)
        code = stdlib_text(args, i, &out[i], bad_arg, err);
    return code;
}

int stdlib_kind(struct value *const *args, size_t i, enum value_kind wanted, int *bad_arg, struct err *err)
{
    if (value_kind(args[i]) == wanted)
        return 0;
    *bad_arg = (int)i;
    return coerce_refuse(args[i], wanted, err);
}

int stdlib_string_of(const struct buf *b, struct value **ret, struct err *err)
{
    if (!buf_ok(b))
        return err_set(err, -E2BIG, "makes a string of more than %d bytes", STDLIB_TEXT_MAX);
    *ret = value_string(buf_slice(b));
    return 0;
}

static int rows_too_many(struct err *err)
{
    return err_set(err, -E2BIG, "makes an array of more than %d items", STDLIB_ITEMS_MAX);
}

int stdlib_add(struct stdlib_items *list, struct value *item, struct err *err)
{
    if (list->len == STDLIB_ITEMS_MAX) {
        value_unref(item);
        return rows_too_many(err);
    }
    xgrow(&list->items, &list->cap, list->len + 1, sizeof(struct value *));
    list->items[list->len++] = item;
    return 0;
}

struct value *stdlib_array_of(struct stdlib_items *list)
{
    struct value *v = value_array(list->items, list->len);
    list->len = 0;
    return v;
}

void stdlib_items_done(struct stdlib_items *list)
{
    while (list->len > 0)
        value_unref(list->items[--list->len]);
    free(list->items);
    *list = (struct stdlib_items){0};
}
