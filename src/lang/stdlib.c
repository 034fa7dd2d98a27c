#include "lang/stdlib.h"

#include "base/cleanup.h"
#include "lang/stdlib/rows.h"

/* Its rows are in the order of their names, and so are these. */
static const struct stdlib_function *const tables[] = {
    stdlib_array, stdlib_coalesce,  stdlib_constants, stdlib_convert, stdlib_encoding,
    stdlib_file,  stdlib_json_path, stdlib_string,    stdlib_sys,
};

const struct stdlib_function *stdlib_row(size_t i)
{
    for (size_t t = 0; t < ARRAY_LEN(tables); t++)
        for (const struct stdlib_function *row = tables[t]; row->def.name; row++)
            if (i-- == 0)
                return row;
    return NULL;
}

/* "string" of "string.format", "coalesce" of "coalesce". */
static struct str first_name(const char *name)
{
    return (struct str){name, strcspn(name, ".")};
}

static struct value *stdlib_value_of(const struct stdlib_function *row)
{
    struct value *v;
    int nobody;
    if (!row->constant)
        return value_function_of(&row->def);
    return row->def.call(NULL, 0, &v, &nobody, NULL) == 0 ? v : value_null();
}

/* The row that a dotted name means, by its name or, of one name, by the old one; NULL: none, or a namespace. */
static const struct stdlib_function *stdlib_find(const struct str *path, size_t n, size_t *used)
{
    for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
        const struct stdlib_function *row = tables[t];
        for (bool mine = str_eq(first_name(row->def.name), path[0]); row->def.name; row++) {
            const char *dot = strchr(row->def.name, '.');
            if (!(mine && (!dot || (n > 1 && str_is(path[1], dot + 1)))) &&
                !(row->alias && str_is(path[0], row->alias)))
                continue;
            *used = mine && dot ? 2 : 1;
            return row;
        }
    }
    return NULL;
}

static struct value *namespace_of(struct str name)
{
    struct value *o = NULL;
    for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
        if (!str_eq(first_name(tables[t]->def.name), name))
            continue;
        o = value_object();
        for (const struct stdlib_function *row = tables[t]; row->def.name; row++)
            value_object_put(o, str_of(strchr(row->def.name, '.') + 1), stdlib_value_of(row));
    }
    return o;
}

struct value *stdlib_resolve(const struct str *path, size_t n, size_t *used)
{
    const struct stdlib_function *row = stdlib_find(path, n, used);
    if (row)
        return stdlib_value_of(row);
    *used = 1;
    return namespace_of(path[0]);
}

bool stdlib_reference(const struct ast_traversal *t, enum stability least, struct diags *ds)
{
    size_t used;
    struct err err = {0};
    const struct stdlib_function *row = stdlib_find(t->path, t->len, &used);
    if (!row) {
        cleanup_value struct value *space = namespace_of(t->path[0]);
        return space != NULL;
    }
    if (row->alias && str_is(t->path[0], row->alias))
        diag_warn(ds, t->range, "%s is deprecated; use %s", row->alias, row->def.name);
    if (stability_check(row->def.name, row->stability, least, &err) < 0)
        diag_error(ds, t->range, "%s", err.text);
    return true;
}
