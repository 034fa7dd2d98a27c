#include "store/disk_room.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "test.h"

static char top[] = "/tmp/smolder-test-XXXXXX";
static struct db db;
static struct disk_room room;

static void set_up(void)
{
    struct err err = {0};
    cleanup_free char *path = xasprintf("%s/store.db", top);
    CHECK_INT(db_open(path, &db, &err), 0);
    disk_room_init(&room, path);
}

static void tear_down(void)
{
    cleanup_free char *path = xasprintf("%s/store.db", top);
    db_close(&db);
    unlink(path);
    unlink(room.path);
    disk_room_done(&room);
}

static int64_t reserve_bytes(void)
{
    struct stat st;
    return stat(room.path, &st) == 0 ? (int64_t)st.st_blocks * 512 : -1;
}

static int64_t number(const char *sql)
{
    struct err err = {0};
    int64_t n = -1;
    CHECK_INT(db_number(&db, sql, &n, &err), 0);
    return n;
}

static void a_reserve_is_kept_while_there_is_plenty(void)
{
    set_up();
    disk_room_restore(&room, &db);
    CHECK(room.held);
    CHECK(reserve_bytes() >= DISK_ROOM_BYTES);
    disk_room_restore(&room, &db);
    CHECK(reserve_bytes() >= DISK_ROOM_BYTES);
    tear_down();
}

static void on_a_full_disk_it_goes_and_the_database_stays_as_large_as_it_is(void)
{
    struct err err = {0};
    set_up();
    disk_room_restore(&room, &db);
    CHECK_INT(db_exec(&db, "CREATE TABLE t AS SELECT zeroblob(1000000) AS a", &err), 0);
    CHECK_INT(disk_room_use(&room, &db, &err), 0);
    CHECK_INT(reserve_bytes(), -1);
    CHECK(!room.held && room.capped);
    CHECK_INT(number("PRAGMA max_page_count"), number("PRAGMA page_count"));
    CHECK_INT(db_exec(&db, "INSERT INTO t VALUES(zeroblob(1000000))", &err), -ENOSPC);
    CHECK_INT(db_exec(&db, "DELETE FROM t", &err), 0);
    CHECK_INT(db_exec(&db, "INSERT INTO t VALUES(zeroblob(900000))", &err), 0);
    disk_room_restore(&room, &db);
    CHECK(room.held && !room.capped);
    CHECK_INT(db_exec(&db, "INSERT INTO t VALUES(zeroblob(3000000))", &err), 0);
    tear_down();
}

static void what_is_in_memory_needs_none(void)
{
    struct err err = {0};
    struct disk_room r;
    CHECK_INT(db_open(":memory:", &db, &err), 0);
    disk_room_init(&r, NULL);
    disk_room_restore(&r, &db);
    CHECK_INT(disk_room_use(&r, &db, &err), 0);
    CHECK(!r.held && !r.capped);
    disk_room_done(&r);
    db_close(&db);
}

int main(void)
{
    CHECK(mkdtemp(top));
    RUN(a_reserve_is_kept_while_there_is_plenty);
    RUN(on_a_full_disk_it_goes_and_the_database_stays_as_large_as_it_is);
    RUN(what_is_in_memory_needs_none);
    rmdir(top);
    return REPORT();
}
