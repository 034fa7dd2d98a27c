#include "store/setting_table.h"

#include <errno.h>

#include "store/reader.h"

int store_each_setting(struct store_reader *r, void (*visit)(void *arg, const struct store_setting *s), void *arg,
                       struct err *err)
{
    sqlite3_stmt *st = db_statement(r->db, DB_SETTINGS, err);
    if (!st)
        return reader_noted(r, err->code, err);
    int code;
    while ((code = db_step(r->db, st, err)) == 1)
        visit(arg, &(struct store_setting){db_column(st, 0), db_column(st, 1), sqlite3_column_int64(st, 2)});
    return reader_noted(r, code, err);
}

static int setting_count(struct store_reader *r, struct err *err)
{
    int64_t n = 0;
    const int code = db_number(r->db, "SELECT count(*) FROM setting", &n, err);
    return code < 0           ? code
           : n < SETTINGS_MAX ? 0
                              : err_set(err, -EMSGSIZE, "more than %d settings: delete some", SETTINGS_MAX);
}

int store_put_setting(struct store_reader *r, const struct store_setting *s, struct err *err)
{
    if (s->name.n == 0)
        return err_set(err, -EINVAL, "a setting has no name");
    if (s->name.n > SETTING_NAME_MAX || s->value.n > SETTING_VALUE_MAX)
        return err_set(err, -EINVAL, "a setting has more than %d bytes, or its name more than %d", SETTING_VALUE_MAX,
                       SETTING_NAME_MAX);
    const int code = setting_count(r, err);
    sqlite3_stmt *st = code < 0 ? NULL : db_statement(r->db, DB_SETTING_PUT, err);
    if (!st)
        return reader_noted(r, err->code, err);
    db_bind_text(st, 1, s->name);
    db_bind_text(st, 2, s->value);
    db_bind(st, 3, s->modified_ms);
    return reader_noted(r, db_step(r->db, st, err), err);
}

int store_delete_setting(struct store_reader *r, struct str name, struct err *err)
{
    sqlite3_stmt *st = db_statement(r->db, DB_SETTING_DELETE, err);
    if (!st)
        return reader_noted(r, err->code, err);
    db_bind_text(st, 1, name);
    return reader_noted(r, db_step(r->db, st, err), err);
}
