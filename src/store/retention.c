#include "store/retention.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"

enum {
    SWEEP_BODIES = 256, /* deleted in one transaction */
    SWEEP_STEPS = 40,   /* transactions in one sweep */
    VACUUM_PAGES = 4096,
};
static const int64_t unused_max = 64 << 20; /* bytes of pages that the next pushes and blocks will use */

const char *const retention_reason_names[RETENTION_REASONS] = {
    [RETENTION_AGE] = "age", [RETENTION_SIZE] = "size", [RETENTION_DISK] = "disk"};

/* Bytes in use, and of pages that are free to be used. */
static int retention_bytes(struct db *db, int64_t *used, int64_t *unused, struct err *err)
{
    int64_t pages, free_pages, size;
    int code = db_number(db, "PRAGMA page_count", &pages, err);
    if (code == 0)
        code = db_number(db, "PRAGMA freelist_count", &free_pages, err);
    if (code == 0)
        code = db_number(db, "PRAGMA page_size", &size, err);
    if (code < 0)
        return code;
    *used = (pages - free_pages) * size;
    *unused = free_pages * size;
    return 0;
}

/* How many of the oldest have so many bytes, at most a transaction's worth. */
static int retention_count_for(struct db *db, int64_t before_ns, int64_t bytes, int64_t *ret, struct err *err)
{
    sqlite3_stmt *st = db_statement(db, DB_OLDEST_SIZES, err);
    if (!st)
        return err->code;
    db_bind(st, 1, SWEEP_BODIES);
    db_bind(st, 2, before_ns);
    int code;
    while ((code = db_step(db, st, err)) == 1 && bytes > 0) {
        bytes -= sqlite3_column_int64(st, 0);
        ++*ret;
    }
    sqlite3_reset(st);
    return code < 0 ? code : 0;
}

static int retention_delete_from(struct db *db, enum db_query q, int64_t before_ns, int64_t count, struct err *err)
{
    sqlite3_stmt *st = db_statement(db, q, err);
    if (!st)
        return err->code;
    db_bind(st, 1, before_ns);
    db_bind(st, 2, count);
    return db_step(db, st, err);
}

/* At most `count` that began before. Returns how many went. */
static int retention_delete(struct db *db, int64_t before_ns, int64_t count, struct err *err)
{
    int gone = 0, code = db_exec(db, "BEGIN IMMEDIATE", err);
    if (code < 0)
        return code;
    code = retention_delete_from(db, DB_OLD_PROFILES_DELETE, before_ns, count, err);
    if (code == 0)
        code = retention_delete_from(db, DB_OLD_BODIES_DELETE, before_ns, count, err);
    if (code == 0)
        gone = sqlite3_changes(db->handle);
    if (code == 0)
        code = db_exec(db, "COMMIT", err);
    if (code < 0)
        db_undo(db, "ROLLBACK");
    return code < 0 ? code : gone;
}

struct old_block {
    int64_t id, profiles, first_ns;
};

/* Which ends before. 0: there is none. */
static int retention_oldest_block(struct db *db, int64_t before_ns, struct old_block *ret, struct err *err)
{
    sqlite3_stmt *st = db_statement(db, DB_BLOCK_OLDEST, err);
    if (!st)
        return err->code;
    db_bind(st, 1, before_ns);
    const int code = db_step(db, st, err);
    if (code == 1) {
        *ret =
            (struct old_block){sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), sqlite3_column_int64(st, 2)};
        sqlite3_reset(st);
    }
    return code;
}

/* Returns how many profiles went. */
static int retention_delete_block(struct db *db, const struct old_block *b, struct err *err)
{
    static const enum db_query queries[] = {DB_BLOCK_SLICES_DELETE, DB_BLOCK_DELETE};
    int code = db_exec(db, "BEGIN IMMEDIATE", err);
    if (code < 0)
        return code;
    for (size_t i = 0; code == 0 && i < ARRAY_LEN(queries); i++) {
        sqlite3_stmt *st = db_statement(db, queries[i], err);
        if (st)
            db_bind(st, 1, b->id);
        code = st ? db_step(db, st, err) : err->code;
    }
    if (code == 0)
        code = db_exec(db, "COMMIT", err);
    if (code < 0)
        db_undo(db, "ROLLBACK");
    return code < 0 ? code : b->profiles > 0 && b->profiles < INT32_MAX ? (int)b->profiles : 1;
}

/* Returns how many went. */
static int retention_delete_old(struct db *db, int64_t before_ns, struct err *err)
{
    struct old_block b;
    int code = retention_delete(db, before_ns, SWEEP_BODIES, err);
    if (code != 0)
        return code;
    code = retention_oldest_block(db, before_ns, &b, err);
    return code == 1 ? retention_delete_block(db, &b, err) : code;
}

/* The oldest block, or profiles that are older and not packed yet. Returns how many went. */
static int retention_delete_bytes(struct db *db, int64_t bytes, struct err *err)
{
    int64_t count = 0;
    struct old_block b = {.first_ns = INT64_MAX};
    const int found = retention_oldest_block(db, INT64_MAX, &b, err);
    int code = found < 0 ? found : retention_count_for(db, b.first_ns, bytes, &count, err);
    if (code == 0 && count)
        return retention_delete(db, b.first_ns, count, err);
    return code == 0 && found == 1 ? retention_delete_block(db, &b, err) : code;
}

/* What a full disk asks for. */
static int64_t retention_wanted(int64_t used, int64_t unused)
{
    const int64_t part = (used + unused) / RETENTION_DISK_PART;
    return (part < RETENTION_DISK_BYTES ? part : RETENTION_DISK_BYTES) - unused;
}

/* One transaction for the first reason there is; 0 = there is none. */
static int retention_step(struct db *db, const struct retention *r, int64_t now_ns, bool disk_full,
                          struct retention_result *ret, struct err *err)
{
    enum retention_reason why = RETENTION_AGE;
    int64_t unused = 0;
    int gone = retention_delete_old(db, now_ns - r->keep_seconds * NS_PER_SEC, err);
    const int code = gone < 0 ? gone : retention_bytes(db, &ret->bytes, &unused, err);
    if (code < 0)
        return code;
    if (gone == 0 && ret->bytes > r->keep_bytes) {
        why = RETENTION_SIZE;
        gone = retention_delete_bytes(db, ret->bytes - r->keep_bytes, err);
    } else if (gone == 0 && disk_full && retention_wanted(ret->bytes, unused) > 0) {
        why = RETENTION_DISK;
        gone = retention_delete_bytes(db, retention_wanted(ret->bytes, unused), err);
    }
    ret->deleted[why] += gone > 0 ? (uint64_t)gone : 0;
    return gone;
}

static int retention_finish(struct db *db, const struct retention *r, bool disk_full, bool deleted, struct err *err)
{
    int64_t used, unused = 0;
    int code = 0;
    if (deleted && !r->keep_series) {
        sqlite3_stmt *st = db_statement(db, DB_SERIES_DELETE, err);
        code = st ? db_step(db, st, err) : err->code;
    }
    if (code == 0)
        code = retention_bytes(db, &used, &unused, err);
    if (code == 0 && !disk_full && (deleted || unused > unused_max)) {
        cleanup_free char *vacuum = xasprintf("PRAGMA incremental_vacuum(%d)", VACUUM_PAGES);
        code = db_exec(db, vacuum, err);
    }
    return code < 0 ? code : 0;
}

static int retention_look(struct db *db, struct retention_result *ret, struct err *err)
{
    int64_t unused;
    int code = retention_bytes(db, &ret->bytes, &unused, err);
    if (code == 0)
        code = db_number(db, "SELECT count(*) FROM block", &ret->blocks, err);
    sqlite3_stmt *st = code == 0 ? db_statement(db, DB_BOUNDS, err) : NULL;
    if (!st || db_step(db, st, err) < 0)
        return err->code;
    ret->oldest_ns = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    return 0;
}

int retention_sweep(struct db *db, const struct retention *r, int64_t now_ns, bool disk_full,
                    struct retention_result *ret, struct err *err)
{
    int code = 1;
    bool deleted = false;
    *ret = (struct retention_result){0};
    for (int step = 0; code > 0 && step < SWEEP_STEPS; step++) {
        code = retention_step(db, r, now_ns, disk_full, ret, err);
        deleted |= code > 0;
    }
    if (code >= 0)
        code = retention_finish(db, r, disk_full, deleted, err);
    if (code >= 0)
        code = retention_look(db, ret, err);
    return code < 0 ? code : 0;
}
