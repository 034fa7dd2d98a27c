#include "store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "test.h"

static char top[] = "/tmp/smolder-test-XXXXXX";

static unsigned mode_of(const char *name)
{
    struct stat st;
    cleanup_free char *path = xasprintf("%s/%s", top, name);
    return lstat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

static void make(const char *name, mode_t mode)
{
    cleanup_free char *path = xasprintf("%s/%s", top, name);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    CHECK(fd >= 0 && fchmod(fd, mode) == 0);
    close(fd);
}

static void make_dir(const char *name, mode_t mode)
{
    cleanup_free char *path = xasprintf("%s/%s", top, name);
    CHECK(mkdir(path, 0700) == 0 && chmod(path, mode) == 0);
}

static void prepare(const char *dir)
{
    struct err err = {0};
    cleanup_free char *path = xasprintf("%s/%s", top, dir);
    if (store_files_prepare(path, "store.db", &err) < 0)
        FAIL_("%s", err.text);
}

static void makes_private_ones(void)
{
    prepare("a/b");
    CHECK_INT(mode_of("a"), 0700);
    CHECK_INT(mode_of("a/b"), 0700);
    CHECK_INT(mode_of("a/b/store.db"), 0600);
}

static void tightens_those_that_are_there(void)
{
    make_dir("old", 0755);
    make("old/store.db", 0644);
    make("old/store.db-wal", 0664);
    make("old/store.db-shm", 0666);
    make("old/store.db.damaged-1", 0640);
    prepare("old");
    CHECK_INT(mode_of("old"), 0700);
    CHECK_INT(mode_of("old/store.db"), 0600);
    CHECK_INT(mode_of("old/store.db-wal"), 0600);
    CHECK_INT(mode_of("old/store.db-shm"), 0600);
    CHECK_INT(mode_of("old/store.db.damaged-1"), 0600);
}

static void leaves_alone_what_is_not_its_own(void)
{
    make_dir("shared", 01777);
    make("shared/other", 0644);
    make("shared/store.db", 0644);
    prepare("shared");
    CHECK_INT(mode_of("shared"), 01777);
    CHECK_INT(mode_of("shared/other"), 0644);
    CHECK_INT(mode_of("shared/store.db"), 0600);
}

static void follows_no_link(void)
{
    make_dir("links", 0755);
    make("target", 0644);
    cleanup_free char *to = xasprintf("%s/target", top), *link = xasprintf("%s/links/store.db-wal", top);
    CHECK_INT(symlink(to, link), 0);
    prepare("links");
    CHECK_INT(mode_of("target"), 0644);
}

static void forgets_what_was_moved_aside_long_ago(void)
{
    const struct timespec long_ago[2] = {{1000, 0}, {1000, 0}};
    make_dir("aside", 0700);
    make("aside/store.db", 0600);
    make("aside/store.db.damaged-1", 0600);
    make("aside/store.db.damaged-1-wal", 0600);
    make("aside/store.db.damaged-2", 0600);
    static const char *const old[] = {"store.db", "store.db.damaged-1", "store.db.damaged-1-wal"};
    for (size_t i = 0; i < ARRAY_LEN(old); i++) {
        cleanup_free char *path = xasprintf("%s/aside/%s", top, old[i]);
        CHECK_INT(utimensat(AT_FDCWD, path, long_ago, 0), 0);
    }
    cleanup_free char *dir = xasprintf("%s/aside", top);
    CHECK_INT(store_files_forget(dir, "store.db.damaged-", 2000), 2);
    CHECK_INT(mode_of("aside/store.db"), 0600);
    CHECK_INT(mode_of("aside/store.db.damaged-1"), 0);
    CHECK_INT(mode_of("aside/store.db.damaged-1-wal"), 0);
    CHECK_INT(mode_of("aside/store.db.damaged-2"), 0600);
    CHECK_INT(store_files_forget("/nowhere", "store.db.damaged-", 2000), 0);
}

static void a_directory_belongs_to_one_store(void)
{
    struct err err = {0};
    int first = -1, second = -1;
    CHECK_INT(store_files_lock(top, &first, &err), 0);
    CHECK(first >= 0);
    CHECK_INT(store_files_lock(top, &second, &err), -EBUSY);
    CHECK_HAS(err.text, top);
    CHECK_INT(second, -1);
    close(first);
    CHECK_INT(store_files_lock(top, &second, &err), 0);
    close(second);
    CHECK_INT(store_files_lock("/nowhere/data", &second, &err), -ENOENT);
}

int main(void)
{
    umask(022);
    CHECK(mkdtemp(top));
    RUN(makes_private_ones);
    RUN(tightens_those_that_are_there);
    RUN(leaves_alone_what_is_not_its_own);
    RUN(follows_no_link);
    RUN(a_directory_belongs_to_one_store);
    RUN(forgets_what_was_moved_aside_long_ago);
    cleanup_free char *command = xasprintf("rm -rf %s", top);
    CHECK_INT(system(command), 0);
    return REPORT();
}
