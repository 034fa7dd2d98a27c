#include "store/entries.h"

int entry_series(struct db *db, const struct label_list *labels, struct str key, struct str type, int64_t *ret,
                 struct err *err)
{
    sqlite3_stmt *st = db_statement(db, DB_SERIES_FIND, err);
    if (!st)
        return err->code;
    db_bind_blob(st, 1, key);
    int code = db_step(db, st, err);
    if (code == 1) {
        *ret = sqlite3_column_int64(st, 0);
        sqlite3_reset(st);
        return 0;
    }
    if (code < 0 || !(st = db_statement(db, DB_SERIES_ADD, err)))
        return err->code;
    db_bind_blob(st, 1, key);
    db_bind_text(st, 2, label_list_get(labels, STR("service_name")));
    db_bind_text(st, 3, type);
    code = db_step(db, st, err);
    if (code == 0)
        *ret = sqlite3_last_insert_rowid(db->handle);
    return code;
}

int entry_find_body(struct db *db, struct str hash, struct entry_body *ret, struct err *err)
{
    sqlite3_stmt *st = db_statement(db, DB_BODY_FIND, err);
    if (!st)
        return err->code;
    db_bind_blob(st, 1, hash);
    const int code = db_step(db, st, err);
    if (code == 1) {
        *ret = (struct entry_body){sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1)};
        sqlite3_reset(st);
    }
    return code;
}

int entry_add_body(struct db *db, struct str hash, int64_t time_ns, struct str pprof, int64_t *ret, struct err *err)
{
    sqlite3_stmt *st = db_statement(db, DB_BODY_ADD, err);
    if (!st)
        return err->code;
    db_bind_blob(st, 1, hash);
    db_bind(st, 2, time_ns);
    db_bind_blob(st, 3, pprof);
    const int code = db_step(db, st, err);
    if (code == 0)
        *ret = sqlite3_last_insert_rowid(db->handle);
    return code;
}
