#include "store/aside.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "test.h"

static char dir[64];

static char *path_of(const char *name)
{
    return xasprintf("%s/%s", dir, name);
}

static bool is_there(const char *name)
{
    cleanup_free char *path = path_of(name);
    return access(path, F_OK) == 0;
}

static void write_file(const char *name, const char *text)
{
    cleanup_free char *path = path_of(name);
    FILE *f = fopen(path, "we");
    CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void clear(void)
{
    cleanup_free char *command = xasprintf("rm -rf %s/*", dir);
    CHECK_INT(system(command), 0);
}

static void open_and_close(struct buf *notice)
{
    struct db write = DB_INIT, read = DB_INIT;
    struct err err = {0};
    cleanup_free char *path = path_of("store.db");
    CHECK_INT(aside_open(path, &write, &read, notice, &err), 0);
    db_close(&read);
    db_close(&write);
}

static void an_intact_database_stays_where_it_is(void)
{
    cleanup_buf struct buf notice = BUF_INIT(4096);
    clear();
    open_and_close(&notice);
    open_and_close(&notice);
    cleanup_free char *path = path_of("store.db"), *aside = aside_first(path);
    CHECK_STR(buf_cstr(&notice), "");
    CHECK(!aside);
}

static void one_that_is_marked_goes_with_its_log(void)
{
    cleanup_buf struct buf notice = BUF_INIT(4096);
    clear();
    open_and_close(NULL);
    write_file("store.db-wal", "log");
    cleanup_free char *path = path_of("store.db");
    aside_mark(path);
    open_and_close(&notice);
    cleanup_free char *aside = aside_first(path);
    CHECK(aside && strstr(aside, "/store.db.damaged-"));
    CHECK_HAS(buf_cstr(&notice), "store.db is damaged (detected at run time); moved to ");
    cleanup_free char *log = xasprintf("%s-wal", aside);
    CHECK_INT(access(log, F_OK), 0);
    CHECK(!is_there("store.db.damaged"));
    aside_finish(path, aside);
    cleanup_free char *next = aside_first(path);
    CHECK(!next);
    CHECK(!is_there("store.db.salvage"));
    CHECK_INT(access(aside, F_OK), 0);
}

/* The process ended when the log was moved, and the database was not. */
static void a_move_that_was_interrupted_is_finished(void)
{
    clear();
    open_and_close(NULL);
    write_file("store.db.damaged-7-wal", "log");
    write_file("store.db.salvage", "store.db.damaged-7\n");
    cleanup_free char *path = path_of("store.db");
    aside_mark(path);
    open_and_close(NULL);
    cleanup_free char *aside = aside_first(path), *want = path_of("store.db.damaged-7");
    CHECK_STR(aside, want);
    CHECK(is_there("store.db.damaged-7-wal"));
}

/* Or when all was moved, and the mark was still there. */
static void nothing_is_moved_in_place_of_one_that_is_gone(void)
{
    clear();
    write_file("store.db", "");
    write_file("store.db.damaged-7", "x");
    write_file("store.db.salvage", "store.db.damaged-7\n");
    cleanup_free char *path = path_of("store.db");
    aside_mark(path);
    cleanup_buf struct buf notice = BUF_INIT(4096);
    open_and_close(&notice);
    CHECK_STR(buf_cstr(&notice), "");
    CHECK(!is_there("store.db.damaged"));
    cleanup_free char *aside = aside_first(path), *want = path_of("store.db.damaged-7");
    CHECK_STR(aside, want);
}

static void several_are_copied_from_one_after_the_other(void)
{
    clear();
    write_file("store.db.damaged-7", "x");
    write_file("store.db.damaged-9", "x");
    write_file("store.db.salvage",
               "store.db.damaged-7\nstore.db.damaged-8\n../etc/passwd\nother\nstore.db.damaged-9\n");
    cleanup_free char *path = path_of("store.db"), *first = aside_first(path);
    CHECK_HAS(first, "store.db.damaged-7");
    aside_finish(path, first);
    cleanup_free char *second = aside_first(path);
    CHECK_HAS(second, "store.db.damaged-9");
    aside_finish(path, second);
    cleanup_free char *third = aside_first(path);
    CHECK(!third);
}

static void what_cannot_be_moved_is_an_error(void)
{
    struct db write = DB_INIT, read = DB_INIT;
    struct err err = {0};
    clear();
    write_file("store.db", "This is not a database, but it is long enough to be taken for one that is damaged, which is"
                           " why it is to be moved.");
    cleanup_free char *list = path_of("store.db.salvage.new"), *path = path_of("store.db");
    cleanup_free char *command = xasprintf("mkdir %s", list);
    CHECK_INT(system(command), 0);
    CHECK(aside_open(path, &write, &read, NULL, &err) < 0);
    CHECK_HAS(err.text, "store.db is damaged (");
    CHECK(is_there("store.db"));
}

int main(void)
{
    snprintf(dir, sizeof dir, "/tmp/smolder-test-aside-XXXXXX");
    if (!mkdtemp(dir))
        return 1;
    RUN(an_intact_database_stays_where_it_is);
    RUN(one_that_is_marked_goes_with_its_log);
    RUN(a_move_that_was_interrupted_is_finished);
    RUN(nothing_is_moved_in_place_of_one_that_is_gone);
    RUN(several_are_copied_from_one_after_the_other);
    RUN(what_cannot_be_moved_is_an_error);
    clear();
    return rmdir(dir) == 0 ? REPORT() : 1;
}
