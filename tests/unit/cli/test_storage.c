/* Whose the data directory is after root was here: directories of this test, below /tmp. */
#include "cli/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "test.h"

#define FLAG "--storage.path"

static char folder[] = "/tmp/smolder-test-storage-XXXXXX";
static const struct host_user user = {.uid = 54321, .gid = 54322};
static struct err err;

/* `name` in the folder; static. */
static const char *at(const char *name)
{
    static char path[4][128];
    static unsigned next;
    char *p = path[next++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", folder, name);
    return p;
}

static void make_file(const char *name, mode_t mode)
{
    cleanup_close int fd = open(at(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    CHECK(fd >= 0);
}

static uid_t owner_of(const char *name)
{
    struct stat st = {.st_uid = (uid_t)-1};
    CHECK_INT(lstat(at(name), &st), 0);
    return st.st_uid;
}

static void it_is_made_for_the_user(void)
{
    struct stat st = {0};
    CHECK_INT(storage_prepare(FLAG, at("new/below/data"), &user, &err), 0);
    CHECK_INT(owner_of("new"), user.uid);
    CHECK_INT(owner_of("new/below"), user.uid);
    CHECK_INT(stat(at("new/below/data"), &st), 0);
    CHECK_INT(st.st_uid, user.uid);
    CHECK_INT(st.st_gid, user.gid);
    CHECK_INT(st.st_mode & 07777, 0700);
    CHECK_INT(storage_prepare(FLAG, at("new/below/data"), &user, &err), 0);
    CHECK_INT(storage_prepare(FLAG, "", &user, &err), 0);
}

static void what_an_older_version_left_is_handed_over(void)
{
    CHECK_INT(mkdir(at("old"), 0700), 0);
    static const char *const ours[] = {"old/store.db", "old/store.db-wal", "old/quarantine", "old/quarantine.lock"};
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        make_file(ours[i], 0600);
    make_file("old/notes", 0600);
    CHECK_INT(storage_prepare(FLAG, at("old"), &user, &err), 0);
    CHECK_INT(owner_of("old"), user.uid);
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        CHECK_INT(owner_of(ours[i]), user.uid);
    CHECK_INT(owner_of("old/notes"), 0);
}

/* What an agent that stayed root leaves: a data directory of which only the spool may be there. */
static void the_spool_is_handed_over_with_its_directories(void)
{
    static const char *const made[] = {"root", "root/spool", "root/spool/0123456789abcdef"};
    static const char *const files[] = {"root/spool/0123456789abcdef/1", "root/spool/0123456789abcdef/2"};
    for (size_t i = 0; i < ARRAY_LEN(made); i++)
        CHECK_INT(mkdir(at(made[i]), 0700), 0);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        make_file(files[i], 0600);
    make_file("elsewhere", 0600);
    CHECK_INT(symlink(at("elsewhere"), at("root/spool/0123456789abcdef/link")), 0);
    CHECK_INT(link(at("elsewhere"), at("root/spool/0123456789abcdef/hard")), 0);
    CHECK_INT(mkdir(at("root/spool/0123456789abcdef/deeper"), 0700), 0);
    CHECK_INT(mkdir(at("others"), 0700), 0);
    CHECK_INT(symlink(at("others"), at("root/spool/fedcba9876543210")), 0);
    CHECK_INT(storage_prepare(FLAG, at("root"), &user, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(made); i++)
        CHECK_INT(owner_of(made[i]), user.uid);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        CHECK_INT(owner_of(files[i]), user.uid);
    CHECK_INT(owner_of("elsewhere"), 0);
    CHECK_INT(owner_of("others"), 0);
    CHECK_INT(owner_of("root/spool/0123456789abcdef/deeper"), 0);
}

/* /var is one that has a spool of others. */
static void a_spool_of_others_is_left_alone(void)
{
    static const char *const made[] = {"var", "var/spool", "var/spool/0123456789abcdef", "var/spool/mail"};
    for (size_t i = 0; i < ARRAY_LEN(made); i++)
        CHECK_INT(mkdir(at(made[i]), 0755), 0);
    CHECK_INT(storage_prepare(FLAG, at("var"), &user, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(made); i++)
        CHECK_INT(owner_of(made[i]), 0);
    CHECK_INT(rmdir(at("var/spool/mail")), 0);
    CHECK_INT(chmod(at("var/spool"), 0777), 0);
    CHECK_INT(storage_prepare(FLAG, at("var"), &user, &err), 0);
    CHECK_INT(owner_of("var/spool/0123456789abcdef"), 0);
    CHECK_INT(owner_of("var"), 0);
}

/* Each would make root give away what is not smolder's. */
static void nothing_else_is_handed_over(void)
{
    make_file("secret", 0600);
    CHECK_INT(mkdir(at("etc"), 0755), 0);
    make_file("etc/passwd", 0644);
    CHECK_INT(storage_prepare(FLAG, at("etc"), &user, &err), 0);
    CHECK_INT(owner_of("etc"), 0);
    CHECK_INT(owner_of("etc/passwd"), 0);

    CHECK_INT(mkdir(at("tricked"), 0700), 0);
    make_file("tricked/store.db", 0600);
    CHECK_INT(symlink(at("secret"), at("tricked/store.db-wal")), 0);
    CHECK_INT(link(at("secret"), at("tricked/quarantine")), 0);
    CHECK_INT(mkfifo(at("tricked/quarantine.lock"), 0600), 0);
    CHECK_INT(mkdir(at("tricked/store.db-dir"), 0700), 0);
    CHECK_INT(storage_prepare(FLAG, at("tricked"), &user, &err), 0);
    CHECK_INT(owner_of("secret"), 0);
    CHECK_INT(owner_of("tricked/quarantine.lock"), 0);
    CHECK_INT(owner_of("tricked/store.db-dir"), 0);
    CHECK_INT(owner_of("tricked/store.db"), user.uid);

    CHECK_INT(symlink(at("etc"), at("link")), 0);
    CHECK_INT(storage_prepare(FLAG, at("link"), &user, &err), 0);
    CHECK_INT(owner_of("link"), 0);
    CHECK_INT(owner_of("etc"), 0);

    CHECK_INT(mkdir(at("open"), 0700), 0);
    CHECK_INT(chmod(at("open"), 01777), 0);
    CHECK_INT(storage_prepare(FLAG, at("open"), &user, &err), 0);
    CHECK_INT(owner_of("open"), 0);
}

/* Its owner decides what its names mean. */
static void a_directory_of_another_user_is_left_alone(void)
{
    CHECK_INT(mkdir(at("theirs"), 0700), 0);
    make_file("theirs/store.db", 0600);
    CHECK_INT(chown(at("theirs"), 1234, 1234), 0);
    CHECK_INT(storage_prepare(FLAG, at("theirs"), &user, &err), 0);
    CHECK_INT(owner_of("theirs"), 1234);
    CHECK_INT(owner_of("theirs/store.db"), 0);
}

static void what_cannot_be_made_is_an_error(void)
{
    make_file("file", 0600);
    CHECK(storage_prepare(FLAG, at("file/data"), &user, &err) < 0);
    CHECK_HAS(err.text, "--storage.path=");
}

static void one_that_cannot_be_used_is_an_error_with_a_remedy(void)
{
    CHECK_INT(storage_check(FLAG, at("old"), &err), 0); /* root may */
    CHECK_INT(storage_check(FLAG, at("not-yet"), &err), 0);
    CHECK_INT(mkdir(at("roots"), 0700), 0);
    CHECK_INT(seteuid(54321), 0);
    CHECK_INT(storage_check(FLAG, at("roots"), &err), -EACCES);
    CHECK_HAS(err.text, "give the directory to user 54321 (chown)");
    CHECK_INT(seteuid(0), 0);
}

static void the_default_of_root_is_below_var(void)
{
    CHECK_INT(chdir(folder), 0);
    CHECK_STR(storage_default(), "/var/lib/smolder");
    CHECK_INT(mkdir("data-smolder", 0700), 0);
    CHECK_STR(storage_default(), "data-smolder");
    CHECK_INT(rmdir("data-smolder"), 0);
    CHECK_INT(seteuid(54321), 0);
    CHECK_STR(storage_default(), "data-smolder");
    CHECK_INT(seteuid(0), 0);
}

int main(void)
{
    if (geteuid() != 0) {
        SKIP(everything, "only root gives files away");
        return 0;
    }
    if (!mkdtemp(folder) || chmod(folder, 0755) < 0)
        return 1;
    RUN(it_is_made_for_the_user);
    RUN(what_an_older_version_left_is_handed_over);
    RUN(the_spool_is_handed_over_with_its_directories);
    RUN(a_spool_of_others_is_left_alone);
    RUN(nothing_else_is_handed_over);
    RUN(a_directory_of_another_user_is_left_alone);
    RUN(what_cannot_be_made_is_an_error);
    RUN(one_that_cannot_be_used_is_an_error_with_a_remedy);
    RUN(the_default_of_root_is_below_var);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    (void)!system(command);
    return REPORT();
}
