#include "store/db.h"

#include <errno.h>

#include "store/sqlite_library.h"

enum { SCHEMA_VERSION = 1, BUSY_MS = 5000 };

/* The page cache is kept small: the whole product lives in a few megabytes, and the kernel caches the file anyway. */
static const char *const setup = "PRAGMA auto_vacuum = INCREMENTAL;"
                                 "PRAGMA journal_mode = WAL;"
                                 "PRAGMA synchronous = NORMAL;"
                                 "PRAGMA cache_size = -384;"
                                 "PRAGMA mmap_size = 0;"
                                 "PRAGMA journal_size_limit = 4194304;"
                                 "PRAGMA temp_store = FILE;";

/* series.labels: name NUL value NUL …, sorted, with __profile_type__. body.hash: XXH3-128 of the inflated pprof.
 * profile.split: which samples of the body are meant, by their labels (ingest.h). A profile's time is its body's. */
static const char *const schema =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS series(id INTEGER PRIMARY KEY, labels BLOB NOT NULL UNIQUE, service TEXT NOT NULL,"
    " type TEXT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS series_service ON series(service, type);"
    "CREATE TABLE IF NOT EXISTS body(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, time_ns INTEGER NOT NULL,"
    " pprof BLOB NOT NULL);"
    "CREATE INDEX IF NOT EXISTS body_time ON body(time_ns);"
    "CREATE TABLE IF NOT EXISTS profile(series INTEGER NOT NULL, time_ns INTEGER NOT NULL, body INTEGER NOT NULL,"
    " type_index INTEGER NOT NULL, split INTEGER NOT NULL, duration_ns INTEGER NOT NULL, total INTEGER NOT NULL,"
    " PRIMARY KEY(series, time_ns, body, type_index, split)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS profile_body ON profile(body);"
    "PRAGMA user_version = 1;"
    "COMMIT;";

/* Added to databases of this version that have none yet; older programs do not look at it. */
static const char *const additions =
    "CREATE TABLE IF NOT EXISTS setting(name TEXT PRIMARY KEY, value TEXT NOT NULL, modified_ms INTEGER NOT NULL)"
    " WITHOUT ROWID;";

static const char *const queries[DB_QUERIES] = {
    [DB_SERIES_FIND] = "SELECT id FROM series WHERE labels = ?1",
    [DB_SERIES_ADD] = "INSERT INTO series(labels, service, type) VALUES(?1, ?2, ?3)",
    [DB_BODY_FIND] = "SELECT id, time_ns FROM body WHERE hash = ?1",
    [DB_BODY_ADD] = "INSERT INTO body(hash, time_ns, pprof) VALUES(?1, ?2, ?3)",
    [DB_PROFILE_ADD] = "INSERT OR IGNORE INTO profile VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [DB_SERVICES] = "SELECT s.service, count(*), max(p.time_ns) FROM series s JOIN profile p ON p.series = s.id"
                    " WHERE p.time_ns BETWEEN ?1 AND ?2 GROUP BY s.service ORDER BY s.service",
    [DB_TYPES] = "SELECT s.type, count(*), total(p.total) FROM series s JOIN profile p ON p.series = s.id"
                 " WHERE s.service = ?3 AND p.time_ns BETWEEN ?1 AND ?2 GROUP BY s.type ORDER BY s.type",
    [DB_SERIES_OF_SERVICE] = "SELECT id, labels FROM series s WHERE service = ?3 AND (?4 = '' OR type = ?4) AND EXISTS"
                             " (SELECT 1 FROM profile WHERE series = s.id AND time_ns BETWEEN ?1 AND ?2)",
    [DB_SERIES_OF_ALL] = "SELECT id, labels FROM series s WHERE (?4 = '' OR type = ?4) AND EXISTS"
                         " (SELECT 1 FROM profile WHERE series = s.id AND time_ns BETWEEN ?1 AND ?2)",
    [DB_SELECT_PROFILES] = "SELECT body, type_index, split, time_ns, duration_ns FROM profile"
                           " WHERE series = ?1 AND time_ns BETWEEN ?2 AND ?3",
    [DB_TOTALS] = "SELECT time_ns, total FROM profile WHERE series = ?1 AND time_ns BETWEEN ?2 AND ?3",
    [DB_POINTS] = "SELECT p.time_ns, p.total, b.hash FROM profile p JOIN body b ON b.id = p.body"
                  " WHERE p.series = ?1 AND p.time_ns BETWEEN ?2 AND ?3 ORDER BY p.time_ns",
    [DB_BODY_READ] = "SELECT pprof FROM body WHERE id = ?1",
    [DB_OLD_PROFILES_DELETE] = "DELETE FROM profile WHERE body IN"
                               " (SELECT id FROM body WHERE time_ns < ?1 ORDER BY time_ns LIMIT ?2)",
    [DB_OLD_BODIES_DELETE] = "DELETE FROM body WHERE id IN"
                             " (SELECT id FROM body WHERE time_ns < ?1 ORDER BY time_ns LIMIT ?2)",
    [DB_SETTINGS] = "SELECT name, value, modified_ms FROM setting ORDER BY name",
    [DB_SETTING_PUT] = "INSERT INTO setting VALUES(?1, ?2, ?3) ON CONFLICT(name) DO UPDATE SET value = excluded.value,"
                       " modified_ms = excluded.modified_ms",
    [DB_SETTING_DELETE] = "DELETE FROM setting WHERE name = ?1",
    [DB_BOUNDS] = "SELECT (SELECT min(time_ns) FROM body), (SELECT max(time_ns) FROM body)",
    [DB_BODY_BYTES] = "SELECT coalesce(sum(length(pprof)), 0) FROM body WHERE time_ns BETWEEN ?1 AND ?2",
    [DB_OLDEST_SIZES] = "SELECT length(pprof) FROM body ORDER BY time_ns LIMIT ?1",
    [DB_SERIES_DELETE] = "DELETE FROM series WHERE NOT EXISTS (SELECT 1 FROM profile WHERE series = series.id)",
};

int db_error(struct db *db, const char *doing, struct err *err)
{
    int code;
    switch (sqlite3_errcode(db->handle)) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        code = -EBADMSG;
        break;
    case SQLITE_FULL:
        code = -ENOSPC;
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        code = -EBUSY;
        break;
    default:
        code = -EIO;
    }
    return err_set(err, code, "%s: %s", doing, sqlite3_errmsg(db->handle));
}

int db_exec(struct db *db, const char *sql, struct err *err)
{
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : db_error(db, "profile database", err);
}

void db_undo(struct db *db, const char *sql)
{
    sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
}

int db_number(struct db *db, const char *sql, int64_t *ret, struct err *err)
{
    sqlite3_stmt *st;
    if (sqlite3_prepare_v2(db->handle, sql, -1, &st, NULL) != SQLITE_OK)
        return db_error(db, "profile database", err);
    int code = sqlite3_step(st) == SQLITE_ROW ? 0 : db_error(db, "profile database", err);
    if (code == 0)
        *ret = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return code;
}

static int db_prepare_schema(struct db *db, struct err *err)
{
    int code = db_exec(db, setup, err);
    int64_t version, tables;
    if (code < 0 || (code = db_number(db, "PRAGMA user_version", &version, err)) < 0 ||
        (code = db_number(db, "SELECT count(*) FROM sqlite_schema", &tables, err)) < 0)
        return code;
    if (version == SCHEMA_VERSION)
        return db_exec(db, additions, err);
    if (version != 0 || tables != 0)
        return err_set(err, -EBADMSG, "schema version %lld instead of %d", (long long)version, SCHEMA_VERSION);
    code = db_exec(db, schema, err);
    return code < 0 ? code : db_exec(db, additions, err);
}

int db_open(const char *path, struct db *ret, struct err *err)
{
    struct db db = DB_INIT;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int code = sqlite_library_open(err);
    if (code < 0)
        return code;
    if (sqlite3_open_v2(path, &db.handle, flags, NULL) != SQLITE_OK) {
        code = err_set(err, -EIO, "%s", db.handle ? sqlite3_errmsg(db.handle) : "out of memory");
    } else {
        sqlite3_busy_timeout(db.handle, BUSY_MS);
        code = db_prepare_schema(&db, err);
    }
    if (code < 0) {
        sqlite3_close(db.handle);
        return code;
    }
    *ret = db;
    return 0;
}

void db_close(struct db *db)
{
    if (!db->handle)
        return; /* never opened: the library may not be there */
    for (int i = 0; i < DB_QUERIES; i++)
        sqlite3_finalize(db->statements[i]);
    sqlite3_close(db->handle);
    *db = DB_INIT;
}

sqlite3_stmt *db_statement(struct db *db, enum db_query q, struct err *err)
{
    sqlite3_stmt **st = &db->statements[q];
    if (!*st && sqlite3_prepare_v3(db->handle, queries[q], -1, SQLITE_PREPARE_PERSISTENT, st, NULL) != SQLITE_OK) {
        (void)db_error(db, "profile database", err);
        return NULL;
    }
    sqlite3_reset(*st);
    sqlite3_clear_bindings(*st);
    return *st;
}

int db_step(struct db *db, sqlite3_stmt *st, struct err *err)
{
    int r = sqlite3_step(st);
    if (r == SQLITE_ROW)
        return 1;
    int code = r == SQLITE_DONE ? 0 : db_error(db, "profile database", err);
    sqlite3_reset(st);
    return code;
}
