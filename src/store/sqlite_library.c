#include "store/sqlite_library.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>

#define FUNCTIONS(X)                                                                                                   \
    X(sqlite3_open_v2)                                                                                                 \
    X(sqlite3_close)                                                                                                   \
    X(sqlite3_errmsg)                                                                                                  \
    X(sqlite3_errcode)                                                                                                 \
    X(sqlite3_busy_timeout)                                                                                            \
    X(sqlite3_exec)                                                                                                    \
    X(sqlite3_get_autocommit)                                                                                          \
    X(sqlite3_changes)                                                                                                 \
    X(sqlite3_last_insert_rowid)                                                                                       \
    X(sqlite3_prepare_v2)                                                                                              \
    X(sqlite3_prepare_v3)                                                                                              \
    X(sqlite3_bind_blob64)                                                                                             \
    X(sqlite3_bind_int64)                                                                                              \
    X(sqlite3_bind_text64)                                                                                             \
    X(sqlite3_clear_bindings)                                                                                          \
    X(sqlite3_step)                                                                                                    \
    X(sqlite3_reset)                                                                                                   \
    X(sqlite3_finalize)                                                                                                \
    X(sqlite3_column_blob)                                                                                             \
    X(sqlite3_column_bytes)                                                                                            \
    X(sqlite3_column_double)                                                                                           \
    X(sqlite3_column_int)                                                                                              \
    X(sqlite3_column_int64)

static struct {
#define MEMBER(f) __typeof__(f) *f##_;
    FUNCTIONS(MEMBER)
} lib;

static struct err sqlite_library_failed; /* code 0 = it is there */

static int sqlite_library_load(struct err *err)
{
    void *so = dlopen("libsqlite3.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!so)
        return err_set(err, -ELIBACC, "load SQLite: %s; install the package libsqlite3-0", dlerror());
#define FIND(f)                                                                                                        \
    lib.f##_ = (__typeof__(f) *)dlsym(so, #f);                                                                         \
    if (!lib.f##_)                                                                                                     \
        return err_set(err, -ELIBACC, "SQLite has no function %s", #f);
    FUNCTIONS(FIND)
    return 0;
}

static void sqlite_library_load_once(void)
{
    (void)!sqlite_library_load(&sqlite_library_failed);
}

int sqlite_library_open(struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, sqlite_library_load_once);
    if (sqlite_library_failed.code < 0 && err)
        *err = sqlite_library_failed;
    return sqlite_library_failed.code;
}

int sqlite3_open_v2(const char *path, sqlite3 **db, int flags, const char *vfs)
{
    return lib.sqlite3_open_v2_(path, db, flags, vfs);
}

int sqlite3_close(sqlite3 *db)
{
    return lib.sqlite3_close_(db);
}

const char *sqlite3_errmsg(sqlite3 *db)
{
    return lib.sqlite3_errmsg_(db);
}

int sqlite3_errcode(sqlite3 *db)
{
    return lib.sqlite3_errcode_(db);
}

int sqlite3_busy_timeout(sqlite3 *db, int ms)
{
    return lib.sqlite3_busy_timeout_(db, ms);
}

int sqlite3_exec(sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **), void *arg, char **why)
{
    return lib.sqlite3_exec_(db, sql, row, arg, why);
}

int sqlite3_get_autocommit(sqlite3 *db)
{
    return lib.sqlite3_get_autocommit_(db);
}

int sqlite3_changes(sqlite3 *db)
{
    return lib.sqlite3_changes_(db);
}

sqlite3_int64 sqlite3_last_insert_rowid(sqlite3 *db)
{
    return lib.sqlite3_last_insert_rowid_(db);
}

int sqlite3_prepare_v2(sqlite3 *db, const char *sql, int n, sqlite3_stmt **ret, const char **tail)
{
    return lib.sqlite3_prepare_v2_(db, sql, n, ret, tail);
}

int sqlite3_prepare_v3(sqlite3 *db, const char *sql, int n, unsigned flags, sqlite3_stmt **ret, const char **tail)
{
    return lib.sqlite3_prepare_v3_(db, sql, n, flags, ret, tail);
}

int sqlite3_bind_blob64(sqlite3_stmt *s, int i, const void *p, sqlite3_uint64 n, void (*done)(void *))
{
    return lib.sqlite3_bind_blob64_(s, i, p, n, done);
}

int sqlite3_bind_int64(sqlite3_stmt *s, int i, sqlite3_int64 v)
{
    return lib.sqlite3_bind_int64_(s, i, v);
}

int sqlite3_bind_text64(sqlite3_stmt *s, int i, const char *p, sqlite3_uint64 n, void (*done)(void *),
                        unsigned char encoding)
{
    return lib.sqlite3_bind_text64_(s, i, p, n, done, encoding);
}

int sqlite3_clear_bindings(sqlite3_stmt *s)
{
    return lib.sqlite3_clear_bindings_(s);
}

int sqlite3_step(sqlite3_stmt *s)
{
    return lib.sqlite3_step_(s);
}

int sqlite3_reset(sqlite3_stmt *s)
{
    return lib.sqlite3_reset_(s);
}

int sqlite3_finalize(sqlite3_stmt *s)
{
    return lib.sqlite3_finalize_(s);
}

const void *sqlite3_column_blob(sqlite3_stmt *s, int i)
{
    return lib.sqlite3_column_blob_(s, i);
}

int sqlite3_column_bytes(sqlite3_stmt *s, int i)
{
    return lib.sqlite3_column_bytes_(s, i);
}

double sqlite3_column_double(sqlite3_stmt *s, int i)
{
    return lib.sqlite3_column_double_(s, i);
}

int sqlite3_column_int(sqlite3_stmt *s, int i)
{
    return lib.sqlite3_column_int_(s, i);
}

sqlite3_int64 sqlite3_column_int64(sqlite3_stmt *s, int i)
{
    return lib.sqlite3_column_int64_(s, i);
}
