/* The SQLite layer of the store: opening, schema, statements, error mapping. One connection, one thread at a time. */
#pragma once

#include <sqlite3.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* Statements are prepared once per connection, on first use. */
enum db_query {
    DB_SERIES_FIND,
    DB_SERIES_ADD,
    DB_BODY_FIND,
    DB_BODY_ADD,
    DB_PROFILE_ADD,
    DB_SERVICES,
    DB_TYPES,
    DB_SERIES_OF_SERVICE,
    DB_SERIES_OF_ALL,
    DB_SELECT_PROFILES,
    DB_POINTS,
    DB_BODY_READ,
    DB_OLD_PROFILES_DELETE,
    DB_OLD_BODIES_DELETE,
    DB_OLDEST_SIZES,
    DB_BLOCK_OLDEST,
    DB_BLOCK_SLICES_DELETE,
    DB_BLOCK_DELETE,
    DB_SERIES_DELETE,
    DB_SETTINGS,
    DB_SETTING_PUT,
    DB_SETTING_DELETE,
    DB_BOUNDS,
    DB_RANGE_BYTES,
    DB_SLICES_OF,
    DB_SLICES_ALL,
    DB_SLICE_COLUMNS,
    DB_SLICE_STACKS,
    DB_SLICES_OF_BLOCK,
    DB_SLICE_ADD,
    DB_SLICE_DELETE,
    DB_BLOCK_TREE,
    DB_BLOCK_OPEN,
    DB_BLOCK_ADD,
    DB_BLOCK_GROW,
    DB_BLOCK_CLOSE,
    DB_BLOCK_SEAL,
    DB_BLOCK_TO_SEAL,
    DB_BLOCK_RESTORE,
    DB_BLOCK_STAND_IN,
    DB_SETTING_RESTORE,
    DB_ROOT_OF,
    DB_PACK_OLDEST,
    DB_PACK_SERVICE,
    DB_PACK_BODIES,
    DB_PACK_ROWS,
    DB_PACK_BODY,
    DB_PROFILE_DELETE,
    DB_BODY_DELETE,
    DB_QUERIES
};

struct db {
    sqlite3 *handle;
    sqlite3_stmt *statements[DB_QUERIES];
};
#define DB_INIT ((struct db){0})

/* Opens a database and creates file and schema if missing; `path` may be ":memory:". A database of schema 1 gets what
 * it lacks, in place. -EBADMSG: not a database, damaged, or of a later schema. */
must_check int db_open(const char *path, struct db *ret, struct err *err);
/* What is closed is used without effect: -EIO. */
void db_close(struct db *db);

/* A reset statement, ready for binding. NULL and err if it cannot be prepared. */
sqlite3_stmt *db_statement(struct db *db, enum db_query q, struct err *err);
/* 1: a row, 0: done, negative: failed. Done and failed statements are reset. */
must_check int db_step(struct db *db, sqlite3_stmt *st, struct err *err);
must_check int db_exec(struct db *db, const char *sql, struct err *err);
/* For a rollback, whose failure has no remedy. */
void db_undo(struct db *db, const char *sql);
must_check int db_number(struct db *db, const char *sql, int64_t *ret, struct err *err);
/* The last SQLite error as a negative errno: -EBADMSG damaged, -ENOSPC full, -EBUSY locked, else -EIO. */
int db_error(struct db *db, const char *doing, struct err *err);

static inline void db_bind(sqlite3_stmt *st, int i, int64_t v)
{
    sqlite3_bind_int64(st, i, v);
}
/* Borrowed until the statement is reset. */
static inline void db_bind_text(sqlite3_stmt *st, int i, struct str s)
{
    sqlite3_bind_text64(st, i, s.p ? s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8);
}
static inline void db_bind_blob(sqlite3_stmt *st, int i, struct str s)
{
    sqlite3_bind_blob64(st, i, s.p ? s.p : "", s.n, SQLITE_STATIC);
}
/* Valid until the next step. */
static inline struct str db_column(sqlite3_stmt *st, int i)
{
    const void *p = sqlite3_column_blob(st, i);
    return (struct str){p, (size_t)sqlite3_column_bytes(st, i)};
}
