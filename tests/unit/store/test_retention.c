#include "store/retention.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "test.h"

enum { BODY_BYTES = 20000, HOUR = 3600 };
static const int64_t second = 1000000000;

static struct db db;

/* One profile of that second with so many bytes, as series 1. */
static void add(int64_t at_seconds, size_t bytes)
{
    struct err err = {0};
    cleanup_free char *blob = xcalloc(1, bytes);
    sqlite3_stmt *st = db_statement(&db, DB_BODY_ADD, &err);
    cleanup_free char *hash = xasprintf("%lld", (long long)at_seconds);
    db_bind_blob(st, 1, str_of(hash));
    db_bind(st, 2, at_seconds * second);
    db_bind_blob(st, 3, (struct str){blob, bytes});
    CHECK_INT(db_step(&db, st, &err), 0);
    const int64_t body = sqlite3_last_insert_rowid(db.handle);
    st = db_statement(&db, DB_PROFILE_ADD, &err);
    const int64_t values[] = {1, at_seconds * second, body, 0, 0, second, 5};
    for (int i = 0; i < 7; i++)
        db_bind(st, i + 1, values[i]);
    CHECK_INT(db_step(&db, st, &err), 0);
}

static int64_t number(const char *sql)
{
    struct err err = {0};
    int64_t n = -1;
    CHECK_INT(db_number(&db, sql, &n, &err), 0);
    return n;
}

static void set_up(int profiles, size_t bytes)
{
    struct err err = {0};
    CHECK_INT(db_open(":memory:", &db, &err), 0);
    sqlite3_stmt *st = db_statement(&db, DB_SERIES_ADD, &err);
    db_bind_blob(st, 1, STR("labels"));
    db_bind_text(st, 2, STR("shop"));
    db_bind_text(st, 3, STR("cpu"));
    CHECK_INT(db_step(&db, st, &err), 0);
    for (int i = 1; i <= profiles; i++)
        add(i, bytes);
}

static struct retention_result sweep(int64_t keep_seconds, int64_t keep_bytes, int64_t now_seconds, bool disk_full)
{
    struct err err = {0};
    struct retention_result r;
    const struct retention keep = {keep_seconds, keep_bytes};
    CHECK_INT(retention_sweep(&db, &keep, now_seconds * second, disk_full, &r, &err), 0);
    return r;
}

static void what_is_too_old_goes(void)
{
    set_up(1000, 100);
    struct retention_result r = sweep(HOUR, INT64_MAX, HOUR + 701, false);
    CHECK_INT(r.deleted[RETENTION_AGE], 700);
    CHECK_INT(r.deleted[RETENTION_SIZE] + r.deleted[RETENTION_DISK], 0);
    CHECK_INT(r.oldest_ns, 701 * second);
    CHECK_INT(number("SELECT count(*) FROM profile"), 300);
    r = sweep(HOUR, INT64_MAX, 3 * HOUR, false);
    CHECK_INT(r.deleted[RETENTION_AGE], 300);
    CHECK_INT(r.oldest_ns, 0);
    CHECK_INT(number("SELECT count(*) FROM series"), 0);
    db_close(&db);
}

static void of_large_profiles_no_more_go_than_have_to(void)
{
    set_up(50, 1 << 20);
    const int64_t used = sweep(HOUR, INT64_MAX, 60, false).bytes;
    const struct retention_result r = sweep(HOUR, used - (3 << 20), 60, false);
    CHECK_INT(r.deleted[RETENTION_SIZE], 3);
    CHECK_INT(r.oldest_ns, 4 * second);
    CHECK(r.bytes <= used - (3 << 20));
    CHECK_INT(sweep(HOUR, used - (3 << 20), 60, false).deleted[RETENTION_SIZE], 0);
    db_close(&db);
}

static void many_small_profiles_go_in_several_steps(void)
{
    set_up(2000, BODY_BYTES);
    const int64_t used = sweep(HOUR, INT64_MAX, 60, false).bytes;
    const struct retention_result r = sweep(HOUR, used / 2, 60, false);
    CHECK(r.deleted[RETENTION_SIZE] > 900 && r.deleted[RETENTION_SIZE] < 1100);
    CHECK(r.bytes <= used / 2);
    CHECK_INT(number("SELECT count(*) FROM body"), 2000 - (int64_t)r.deleted[RETENTION_SIZE]);
    CHECK_INT(number("SELECT count(*) FROM profile"), number("SELECT count(*) FROM body"));
    db_close(&db);
}

/* Pages that are free are used again: no page is asked for in vain. */
static void a_full_disk_has_room_again(void)
{
    struct err err = {0};
    set_up(1000, BODY_BYTES);
    cleanup_free char *limit = xasprintf("PRAGMA max_page_count = %lld", (long long)number("PRAGMA page_count"));
    CHECK_INT(db_exec(&db, limit, &err), 0);
    sqlite3_stmt *st = db_statement(&db, DB_BODY_ADD, &err);
    cleanup_free char *blob = xcalloc(1, 1 << 20);
    db_bind_blob(st, 1, STR("new"));
    db_bind(st, 2, 5000 * second);
    db_bind_blob(st, 3, (struct str){blob, 1 << 20});
    CHECK_INT(db_step(&db, st, &err), -ENOSPC);
    const struct retention_result r = sweep(HOUR, INT64_MAX, 60, true);
    CHECK(r.deleted[RETENTION_DISK] >= 1000 / RETENTION_DISK_PART - 30);
    CHECK(r.deleted[RETENTION_DISK] <= 1000 / RETENTION_DISK_PART + 30);
    CHECK(number("PRAGMA freelist_count") > 0);
    CHECK_INT(sweep(HOUR, INT64_MAX, 60, true).deleted[RETENTION_DISK], 0); /* there is room already */
    add(5000, 1 << 20);
    CHECK_INT(number("SELECT count(*) FROM body WHERE time_ns > 4000000000000"), 1);
    db_close(&db);
}

/* A block of an hour with so many profiles in a slice, as series 1. */
static void add_block(int64_t hour, int64_t profiles, int64_t bytes)
{
    struct err err = {0};
    cleanup_free char *sql = xasprintf(
        "INSERT INTO block(service, hour, sealed, full, changed_s, profiles, first_ns, last_ns, nodes, tree)"
        " VALUES('shop', %lld, 1, 0, 0, %lld, %lld, %lld, 1, zeroblob(%lld));"
        "INSERT INTO slice(series, block, first_ns, last_ns, profiles, total, columns, ids, sum, rows)"
        " VALUES(1, last_insert_rowid(), %lld, %lld, %lld, 1, x'', x'', x'', zeroblob(%lld))",
        (long long)hour, (long long)profiles, (long long)(hour * HOUR * second),
        (long long)((hour * HOUR + HOUR - 1) * second), (long long)(bytes / 2), (long long)(hour * HOUR * second),
        (long long)((hour * HOUR + HOUR - 1) * second), (long long)profiles, (long long)(bytes / 2));
    CHECK_INT(db_exec(&db, sql, &err), 0);
}

static void blocks_go_when_all_of_them_is_too_old(void)
{
    set_up(0, 0);
    for (int64_t hour = 1; hour <= 4; hour++)
        add_block(hour, 10, 1000);
    struct retention_result r = sweep(HOUR, INT64_MAX, 4 * HOUR - 1, false);
    CHECK_INT(r.deleted[RETENTION_AGE], 10);
    CHECK_INT(r.blocks, 3);
    CHECK_INT(r.oldest_ns, 2 * HOUR * second);
    r = sweep(HOUR, INT64_MAX, 100 * HOUR, false);
    CHECK_INT(r.deleted[RETENTION_AGE], 30);
    CHECK_INT(r.blocks, 0);
    CHECK_INT(r.oldest_ns, 0);
    CHECK_INT(number("SELECT (SELECT count(*) FROM slice) + (SELECT count(*) FROM series)"), 0);
    db_close(&db);
}

static void the_oldest_blocks_and_profiles_make_room(void)
{
    set_up(5, 100 << 10); /* older than the blocks */
    for (int64_t hour = 1; hour <= 4; hour++)
        add_block(hour, 10, 1 << 20);
    add(10 * HOUR, 100 << 10); /* newer */
    const int64_t used = sweep(100 * HOUR, INT64_MAX, 60, false).bytes;
    struct retention_result r = sweep(100 * HOUR, used - (1 << 19), 60, false);
    CHECK_INT(r.deleted[RETENTION_SIZE], 15); /* the profiles that are older did not suffice */
    CHECK_INT(r.blocks, 3);
    CHECK_INT(r.oldest_ns, 2 * HOUR * second);
    CHECK_INT(number("SELECT count(*) FROM body"), 1);
    r = sweep(100 * HOUR, 1 << 10, 60, false);
    CHECK_INT(r.deleted[RETENTION_SIZE], 31);
    CHECK_INT(r.blocks, 0);
    db_close(&db);
}

static void what_cannot_be_read_is_an_error(void)
{
    struct err err = {0};
    struct retention_result r;
    const struct retention keep = {HOUR, 1};
    set_up(1, 100);
    CHECK_INT(db_exec(&db, "DROP TABLE profile", &err), 0);
    CHECK(retention_sweep(&db, &keep, 0, false, &r, &err) < 0);
    CHECK_HAS(err.text, "no such table");
    db_close(&db);
}

int main(void)
{
    RUN(what_is_too_old_goes);
    RUN(of_large_profiles_no_more_go_than_have_to);
    RUN(many_small_profiles_go_in_several_steps);
    RUN(a_full_disk_has_room_again);
    RUN(blocks_go_when_all_of_them_is_too_old);
    RUN(the_oldest_blocks_and_profiles_make_room);
    RUN(what_cannot_be_read_is_an_error);
    return REPORT();
}
