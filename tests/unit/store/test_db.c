#include "store/db.h"
#include "store/sqlite_library.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "test.h"

static char path[64];

static void new_path(void)
{
    static int number;
    snprintf(path, sizeof path, "/tmp/smolder-test-db-%d-%d", (int)getpid(), number++);
}

static void remove_files(void)
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char name[80];
        snprintf(name, sizeof name, "%s%s", path, parts[i]);
        unlink(name);
    }
}

static void a_database_is_created_and_opened_again(void)
{
    struct err err = {0};
    struct db db = DB_INIT;
    new_path();
    CHECK_INT(db_open(path, &db, &err), 0);
    CHECK_INT(db_exec(&db, "INSERT INTO body(hash, time_ns, pprof) VALUES(x'01', 5, x'02')", &err), 0);
    db_close(&db);
    int64_t time_ns = 0;
    CHECK_INT(db_open(path, &db, &err), 0);
    CHECK_INT(db_number(&db, "SELECT time_ns FROM body", &time_ns, &err), 0);
    CHECK_INT(time_ns, 5);
    db_close(&db);
    remove_files();
}

static void another_version_is_not_ours(void)
{
    struct err err = {0};
    struct db db = DB_INIT;
    new_path();
    CHECK_INT(db_open(path, &db, &err), 0);
    CHECK_INT(db_exec(&db, "PRAGMA user_version = 7", &err), 0);
    db_close(&db);
    CHECK_INT(db_open(path, &db, &err), -EBADMSG);
    CHECK_STR(err.text, "schema version 7 instead of 2");
    remove_files();
}

/* As the program that knew nothing of blocks made it. */
static const char *const schema_1 =
    "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
    "CREATE TABLE series(id INTEGER PRIMARY KEY, labels BLOB NOT NULL UNIQUE, service TEXT NOT NULL,"
    " type TEXT NOT NULL);"
    "CREATE INDEX series_service ON series(service, type);"
    "CREATE TABLE body(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, time_ns INTEGER NOT NULL,"
    " pprof BLOB NOT NULL);"
    "CREATE INDEX body_time ON body(time_ns);"
    "CREATE TABLE profile(series INTEGER NOT NULL, time_ns INTEGER NOT NULL, body INTEGER NOT NULL,"
    " type_index INTEGER NOT NULL, split INTEGER NOT NULL, duration_ns INTEGER NOT NULL, total INTEGER NOT NULL,"
    " PRIMARY KEY(series, time_ns, body, type_index, split)) WITHOUT ROWID;"
    "CREATE INDEX profile_body ON profile(body);"
    "PRAGMA user_version = 1;"
    "INSERT INTO series VALUES(3, x'00', 'shop', 'cpu');"
    "INSERT INTO body VALUES(7, x'01', 5, x'02');"
    "INSERT INTO profile VALUES(3, 5, 7, 0, 0, 1, 10);";

static void the_schema_before_gets_what_it_lacks(void)
{
    struct err err = {0};
    struct db db = DB_INIT;
    int64_t n = 0;
    new_path();
    CHECK_INT(sqlite_library_open(&err), 0);
    CHECK_INT(sqlite3_open_v2(path, &db.handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_exec(db.handle, schema_1, NULL, NULL, NULL), SQLITE_OK);
    db_close(&db);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(db_open(path, &db, &err), 0);
        CHECK_INT(db_number(&db, "SELECT p.total FROM profile p JOIN body b ON b.id = p.body", &n, &err), 0);
        CHECK_INT(n, 10);
        CHECK_INT(db_number(&db,
                            "SELECT (SELECT count(*) FROM block) + (SELECT count(*) FROM slice) +"
                            " (SELECT count(*) FROM setting)",
                            &n, &err),
                  0);
        CHECK_INT(n, 0);
        CHECK_INT(db_number(&db, "PRAGMA user_version", &n, &err), 0);
        CHECK_INT(n, 2);
        for (int q = 0; q < DB_QUERIES; q++)
            CHECK(db_statement(&db, (enum db_query)q, &err));
        db_close(&db);
    }
    remove_files();
}

static void what_is_no_database_is_damaged(void)
{
    struct err err = {0};
    struct db db = DB_INIT;
    new_path();
    FILE *f = fopen(path, "we");
    for (int i = 0; f && i < 4096; i++)
        fputc('x', f);
    CHECK(f && fclose(f) == 0);
    CHECK_INT(db_open(path, &db, &err), -EBADMSG);
    remove_files();
}

static void statements_are_ready_again_after_the_last_row(void)
{
    struct err err = {0};
    struct db db = DB_INIT;
    CHECK_INT(db_open(":memory:", &db, &err), 0);
    for (int i = 0; i < 3; i++) {
        sqlite3_stmt *add = db_statement(&db, DB_BODY_ADD, &err);
        const char key[] = {(char)i};
        db_bind_blob(add, 1, (struct str){key, sizeof key});
        db_bind(add, 2, i);
        db_bind_blob(add, 3, STR("body"));
        CHECK_INT(db_step(&db, add, &err), 0);
    }
    for (int round = 0; round < 2; round++) {
        sqlite3_stmt *find = db_statement(&db, DB_BODY_FIND, &err);
        db_bind_blob(find, 1, STR("\x02"));
        CHECK_INT(db_step(&db, find, &err), 1);
        CHECK_INT(sqlite3_column_int64(find, 1), 2);
        CHECK_INT(db_step(&db, find, &err), 0);
    }
    db_close(&db);
}

static void a_failed_statement_says_what_sqlite_says(void)
{
    struct err err = {0};
    struct db db = DB_INIT;
    int64_t n;
    CHECK_INT(db_open(":memory:", &db, &err), 0);
    CHECK_INT(db_exec(&db, "INSERT INTO nowhere VALUES(1)", &err), -EIO);
    CHECK_HAS(err.text, "no such table: nowhere");
    CHECK_INT(db_number(&db, "SELECT 1 WHERE 0", &n, &err), -EIO);
    CHECK_INT(db_exec(&db, "PRAGMA max_page_count = 1", &err), 0);
    CHECK_INT(db_exec(&db, "CREATE TABLE big AS SELECT zeroblob(1000000) AS a", &err), -ENOSPC);
    db_close(&db);
}

int main(void)
{
    RUN(a_database_is_created_and_opened_again);
    RUN(another_version_is_not_ours);
    RUN(the_schema_before_gets_what_it_lacks);
    RUN(what_is_no_database_is_damaged);
    RUN(statements_are_ready_again_after_the_last_row);
    RUN(a_failed_statement_says_what_sqlite_says);
    return REPORT();
}
