#include "store/db.h"

#include <errno.h>

#include "store/sqlite_library.h"

enum { SCHEMA_VERSION = 2, BUSY_MS = 5000 };

/* The page cache is kept small: the whole product lives in a few megabytes, and the kernel caches the file anyway. */
static const char *const setup = "PRAGMA auto_vacuum = INCREMENTAL;"
                                 "PRAGMA journal_mode = WAL;"
                                 "PRAGMA synchronous = NORMAL;"
                                 "PRAGMA cache_size = -384;"
                                 "PRAGMA mmap_size = 0;"
                                 "PRAGMA journal_size_limit = 4194304;"
                                 "PRAGMA temp_store = FILE;";

/* What was pushed and is not packed yet: the journal, which is all that schema 1 had.
 * series.labels: name NUL value NUL …, sorted, with __profile_type__. body.hash: XXH3-128 of the inflated pprof.
 * profile.split: which samples of the body are meant, by their labels (ingest.h). A profile's time is its body's. */
static const char *const journal_schema =
    "CREATE TABLE IF NOT EXISTS series(id INTEGER PRIMARY KEY, labels BLOB NOT NULL UNIQUE, service TEXT NOT NULL,"
    " type TEXT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS series_service ON series(service, type);"
    "CREATE TABLE IF NOT EXISTS body(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, time_ns INTEGER NOT NULL,"
    " pprof BLOB NOT NULL);"
    "CREATE INDEX IF NOT EXISTS body_time ON body(time_ns);"
    "CREATE TABLE IF NOT EXISTS profile(series INTEGER NOT NULL, time_ns INTEGER NOT NULL, body INTEGER NOT NULL,"
    " type_index INTEGER NOT NULL, split INTEGER NOT NULL, duration_ns INTEGER NOT NULL, total INTEGER NOT NULL,"
    " PRIMARY KEY(series, time_ns, body, type_index, split)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS profile_body ON profile(body);";

/* Blocks: what one service did in one hour (store/pack.h). block.tree, slice.sum and slice.rows are those of
 * store/block.h, slice.columns and slice.ids those of store/slices.h. Large columns come last, so that the others are
 * read without them; numbers of blocks and slices are used once, because answers are kept by them. */
static const char *const block_schema =
    "CREATE TABLE block(id INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT NOT NULL, hour INTEGER NOT NULL,"
    " sealed INTEGER NOT NULL, full INTEGER NOT NULL, changed_s INTEGER NOT NULL, profiles INTEGER NOT NULL,"
    " first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, nodes INTEGER NOT NULL, tree BLOB NOT NULL);"
    "CREATE INDEX block_hour ON block(hour, service);"
    "CREATE INDEX block_open ON block(hour) WHERE sealed = 0;"
    "CREATE TABLE slice(id INTEGER PRIMARY KEY AUTOINCREMENT, series INTEGER NOT NULL, block INTEGER NOT NULL,"
    " first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, profiles INTEGER NOT NULL, total INTEGER NOT NULL,"
    " columns BLOB NOT NULL, ids BLOB NOT NULL, sum BLOB NOT NULL, rows BLOB NOT NULL);"
    "CREATE INDEX slice_series ON slice(series, first_ns, last_ns, profiles, total, block);"
    "CREATE INDEX slice_block ON slice(block, series, first_ns);"
    "PRAGMA user_version = 2;";

/* Added to databases of this version that have none yet; older programs do not look at it. */
static const char *const additions =
    "CREATE TABLE IF NOT EXISTS setting(name TEXT PRIMARY KEY, value TEXT NOT NULL, modified_ms INTEGER NOT NULL)"
    " WITHOUT ROWID;";

/* A slice is within an hour (STORE_HOUR_NS), so those that overlap a range begin at most that long before it. */
#define SLICE_NEAR     "first_ns BETWEEN ?1 - 3600000000000 AND ?2"
#define SLICE_OVERLAPS SLICE_NEAR " AND last_ns >= ?1"
/* One whose first or last profile is in the range; of others that overlap it, store/slices.h has to look. */
#define SLICE_IS_IN        SLICE_NEAR " AND (first_ns >= ?1 OR last_ns BETWEEN ?1 AND ?2)"
#define SERIES_HAS_JOURNAL "EXISTS (SELECT 1 FROM profile WHERE series = s.id AND time_ns BETWEEN ?1 AND ?2)"
#define SERIES_HAS_ANY                                                                                                 \
    "(" SERIES_HAS_JOURNAL " OR EXISTS (SELECT 1 FROM slice WHERE series = s.id AND " SLICE_OVERLAPS "))"
#define SERIES_IN_RANGE                                                                                                \
    "SELECT id, labels, " SERIES_HAS_JOURNAL " OR EXISTS (SELECT 1 FROM slice WHERE series = s.id AND " SLICE_IS_IN    \
    ") FROM series s WHERE"

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
    [DB_SERIES_OF_SERVICE] = SERIES_IN_RANGE " service = ?3 AND (?4 = '' OR type = ?4) AND " SERIES_HAS_ANY,
    [DB_SERIES_OF_ALL] = SERIES_IN_RANGE " (?4 = '' OR type = ?4) AND " SERIES_HAS_ANY,
    [DB_SELECT_PROFILES] = "SELECT p.body, p.type_index, p.split, p.time_ns, p.duration_ns, b.hash FROM profile p"
                           " JOIN body b ON b.id = p.body WHERE p.series = ?1 AND p.time_ns BETWEEN ?2 AND ?3",
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
    [DB_BOUNDS] =
        "SELECT coalesce(min((SELECT min(time_ns) FROM body), b.oldest), (SELECT min(time_ns) FROM body), b.oldest),"
        " coalesce(max((SELECT max(time_ns) FROM body), b.newest), (SELECT max(time_ns) FROM body), b.newest)"
        " FROM (SELECT (SELECT min(first_ns) FROM block WHERE hour = (SELECT min(hour) FROM block)) oldest,"
        " (SELECT max(last_ns) FROM block WHERE hour = (SELECT max(hour) FROM block)) newest) b",
    [DB_RANGE_BYTES] =
        "SELECT (SELECT coalesce(sum(length(pprof)), 0) FROM body WHERE time_ns BETWEEN ?1 AND ?2) +"
        " (SELECT coalesce(sum(length(b.tree) + (SELECT sum(length(columns) + length(ids) + length(sum) + length(rows))"
        " FROM slice WHERE block = b.id)), 0) FROM block b WHERE hour BETWEEN ?1 / 3600000000000 AND"
        " ?2 / 3600000000000 AND first_ns <= ?2 AND last_ns >= ?1)",
    [DB_OLDEST_SIZES] = "SELECT length(pprof) FROM body WHERE time_ns < ?2 ORDER BY time_ns LIMIT ?1",
    [DB_BLOCK_OLDEST] = "SELECT id, profiles, first_ns FROM block WHERE hour <= ?1 / 3600000000000 AND last_ns < ?1"
                        " ORDER BY hour LIMIT 1",
    [DB_BLOCK_SLICES_DELETE] = "DELETE FROM slice WHERE block = ?1",
    [DB_BLOCK_DELETE] = "DELETE FROM block WHERE id = ?1",
    [DB_SERIES_DELETE] = "DELETE FROM series WHERE NOT EXISTS (SELECT 1 FROM profile WHERE series = series.id)"
                         " AND NOT EXISTS (SELECT 1 FROM slice WHERE series = series.id)",
    [DB_SLICES_OF] = "SELECT id, block, first_ns, last_ns, profiles, total FROM slice"
                     " WHERE series = ?3 AND " SLICE_OVERLAPS " ORDER BY first_ns, id",
    [DB_SLICES_ALL] = "SELECT s.service, s.type, l.id, l.block, l.first_ns, l.last_ns, l.profiles, l.total"
                      " FROM series s JOIN slice l ON l.series = s.id"
                      " WHERE (?3 = '' OR s.service = ?3) AND l." SLICE_OVERLAPS,
    [DB_SLICE_COLUMNS] = "SELECT columns, ids FROM slice WHERE id = ?1",
    [DB_SLICE_STACKS] = "SELECT sum, rows FROM slice WHERE id = ?1",
    [DB_SLICES_OF_BLOCK] = "SELECT id, first_ns, last_ns, profiles, length(sum), length(rows), series FROM slice"
                           " WHERE block = ?1 AND series > ?2 ORDER BY series, first_ns, id",
    [DB_SLICE_ADD] = "INSERT INTO slice(id, series, block, first_ns, last_ns, profiles, total, columns, ids, sum, rows)"
                     " VALUES(nullif(?11, 0), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING",
    [DB_SLICE_DELETE] = "DELETE FROM slice WHERE id = ?1",
    [DB_BLOCK_TREE] = "SELECT tree FROM block WHERE id = ?1",
    [DB_BLOCK_OPEN] = "SELECT id, tree FROM block WHERE hour = ?1 AND service = ?2 AND full = 0 ORDER BY id DESC"
                      " LIMIT 1",
    [DB_BLOCK_ADD] = "INSERT INTO block(service, hour, sealed, full, changed_s, profiles, first_ns, last_ns, nodes,"
                     " tree) VALUES(?1, ?2, 0, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [DB_BLOCK_GROW] = "UPDATE block SET sealed = 0, full = ?2, changed_s = ?3, profiles = profiles + ?4,"
                      " first_ns = min(first_ns, ?5), last_ns = max(last_ns, ?6), nodes = ?7, tree = ?8 WHERE id = ?1",
    [DB_BLOCK_CLOSE] = "UPDATE block SET full = 1 WHERE id = ?1",
    [DB_BLOCK_SEAL] = "UPDATE block SET sealed = 1 WHERE id = ?1",
    [DB_BLOCK_TO_SEAL] = "SELECT id FROM block WHERE sealed = 0 AND hour < ?1 AND id > ?2 AND"
                         " abs(changed_s - ?3) >= ?4 ORDER BY id LIMIT 1",
    [DB_BLOCK_RESTORE] =
        "INSERT INTO block VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING",
    [DB_BLOCK_STAND_IN] =
        "INSERT INTO block SELECT ?1, service, ?3, 1, 1, 0, ?4, ?5, ?6, 0, x'' FROM series WHERE id = ?2 ON CONFLICT DO"
        " UPDATE SET profiles = max(profiles, excluded.profiles), first_ns = min(first_ns, excluded.first_ns),"
        " last_ns = max(last_ns, excluded.last_ns)",
    [DB_SETTING_RESTORE] = "INSERT INTO setting VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING",
    [DB_ROOT_OF] = "SELECT rootpage FROM sqlite_schema WHERE name = ?1",
    [DB_PACK_OLDEST] = "SELECT id, time_ns FROM body ORDER BY time_ns, id LIMIT 1",
    [DB_PACK_SERVICE] = "SELECT s.service FROM profile p JOIN series s ON s.id = p.series WHERE p.body = ?1 LIMIT 1",
    [DB_PACK_BODIES] = "SELECT p.body, min(p.series), p.time_ns FROM series s JOIN profile p ON p.series = s.id"
                       " WHERE s.service = ?1 AND p.time_ns BETWEEN ?2 AND ?3 GROUP BY p.body ORDER BY 2, 3, 1",
    [DB_PACK_ROWS] = "SELECT p.series, p.time_ns, p.type_index, p.split, p.duration_ns, p.total"
                     " FROM profile p JOIN series s ON s.id = p.series WHERE p.body = ?1 AND s.service = ?2"
                     " ORDER BY p.series, p.type_index, p.split",
    [DB_PACK_BODY] = "SELECT hash, pprof FROM body WHERE id = ?1",
    [DB_PROFILE_DELETE] = "DELETE FROM profile WHERE series = ?1 AND time_ns = ?2 AND body = ?3 AND type_index = ?4"
                          " AND split = ?5",
    [DB_BODY_DELETE] = "DELETE FROM body WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM profile WHERE body = ?1)",
};

static int db_closed(struct err *err)
{
    return err_set(err, -EIO, "the profile database is not open");
}

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
    if (!db->handle)
        return db_closed(err);
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : db_error(db, "profile database", err);
}

void db_undo(struct db *db, const char *sql)
{
    if (db->handle)
        sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
}

int db_number(struct db *db, const char *sql, int64_t *ret, struct err *err)
{
    sqlite3_stmt *st;
    if (!db->handle)
        return db_closed(err);
    if (sqlite3_prepare_v2(db->handle, sql, -1, &st, NULL) != SQLITE_OK)
        return db_error(db, "profile database", err);
    int code = sqlite3_step(st) == SQLITE_ROW ? 0 : db_error(db, "profile database", err);
    if (code == 0)
        *ret = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return code;
}

/* The tables of this version, beside what there is of the one before: none of it changes, so a large database takes no
 * longer than an empty one. */
static int db_create(struct db *db, int64_t version, struct err *err)
{
    int code = db_exec(db, "BEGIN IMMEDIATE", err);
    if (code < 0)
        return code;
    if (version == 0)
        code = db_exec(db, journal_schema, err);
    if (code == 0)
        code = db_exec(db, block_schema, err);
    if (code == 0)
        code = db_exec(db, "COMMIT", err);
    if (code < 0)
        db_undo(db, "ROLLBACK");
    return code;
}

static int db_prepare_schema(struct db *db, struct err *err)
{
    int code = db_exec(db, setup, err);
    int64_t version, tables;
    if (code < 0 || (code = db_number(db, "PRAGMA user_version", &version, err)) < 0 ||
        (code = db_number(db, "SELECT count(*) FROM sqlite_schema", &tables, err)) < 0)
        return code;
    if (version > SCHEMA_VERSION || version < 0 || (version == 0 && tables != 0))
        return err_set(err, -EBADMSG, "schema version %lld instead of %d", (long long)version, SCHEMA_VERSION);
    if (version < SCHEMA_VERSION)
        code = db_create(db, version, err);
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
    if (!db->handle) {
        (void)db_closed(err);
        return NULL;
    }
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
