/* The place in a target, in made-up roots: which directory is taken, what others may do there, and what is swept
 * away. */
#include "jvm/attach/target_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "test.h"

enum { SOME_BYTES = 4096, STICKY = 01777, OPEN = 0777, CLOSED = 0755 };

static char top[] = "/tmp/smolder-test-target-XXXXXX";
static char root[64]; /* of the target at hand */

static const char *at(const char *path)
{
    static char all[4][256];
    static unsigned turn;
    turn = (turn + 1) % 4;
    snprintf(all[turn], sizeof all[turn], "%s%s", root, path);
    return all[turn];
}

static void folder(const char *path, mode_t mode)
{
    CHECK(mkdir(at(path), mode) == 0 || errno == EEXIST);
    CHECK_INT(chmod(at(path), mode), 0);
}

static struct jvm_view new_target(void)
{
    static unsigned count;
    struct jvm_view v = JVM_VIEW_INIT;
    snprintf(root, sizeof root, "%s/%u", top, ++count);
    CHECK_INT(mkdir(root, 0755), 0);
    v.root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    v.rights.uid = geteuid();
    CHECK(v.root >= 0);
    return v;
}

static void check_opens(const struct jvm_view *v, const char *in)
{
    cleanup_target_dir struct jvm_target_dir d = TARGET_DIR_INIT;
    struct err err = {0};
    CHECK_INT(jvm_target_dir_open(&d, v, SOME_BYTES, &err), 0);
    if (strncmp(d.path, in, strlen(in)) != 0 || strncmp(d.path + strlen(in), "/.smolder-", 10) != 0)
        FAIL_("%s is not in %s", d.path, in);
}

static void check_fails(const struct jvm_view *v, uint64_t bytes, int code, const char *why)
{
    struct jvm_target_dir d = TARGET_DIR_INIT;
    struct err err = {0};
    CHECK_INT(jvm_target_dir_open(&d, v, bytes, &err), code);
    CHECK_HAS(err.text, why);
    CHECK(d.parent == -1 && d.dir == -1);
}

static void it_is_for_its_user_alone_and_goes_without_a_trace(void)
{
    cleanup_view struct jvm_view v = new_target();
    struct jvm_target_dir d = TARGET_DIR_INIT;
    struct err err = {0};
    struct stat st = {0};
    folder("/tmp", STICKY);
    CHECK_INT(jvm_target_dir_open(&d, &v, SOME_BYTES, &err), 0);
    CHECK_INT(strlen(d.name), strlen(".smolder-") + 32);
    CHECK(stat(at(d.path), &st) == 0 && (st.st_mode & 07777) == 0700);
    cleanup_close int fd = jvm_target_dir_file(&d, TARGET_DIR_RECORDING, &err);
    CHECK(fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0600);
    CHECK_INT(jvm_target_dir_file(&d, TARGET_DIR_RECORDING, &err), -EEXIST);
    CHECK_HAS(err.text, d.path);
    jvm_target_dir_remove(&d);
    CHECK(stat(at(d.path), &st) < 0 && errno == ENOENT);
    jvm_target_dir_remove(&d);
    jvm_target_dir_done(&d);
    jvm_target_dir_done(&d);
    CHECK_INT(rmdir(at("/tmp")), 0); /* empty */
}

static void no_two_have_one_name(void)
{
    cleanup_view struct jvm_view v = new_target();
    cleanup_target_dir struct jvm_target_dir a = TARGET_DIR_INIT, b = TARGET_DIR_INIT;
    struct err err = {0};
    folder("/tmp", STICKY);
    CHECK_INT(jvm_target_dir_open(&a, &v, SOME_BYTES, &err), 0);
    CHECK_INT(jvm_target_dir_open(&b, &v, SOME_BYTES, &err), 0);
    CHECK(strcmp(a.name, b.name) != 0);
}

static void places_that_others_cannot_change_come_first(void)
{
    cleanup_view struct jvm_view v = new_target();
    folder("/tmp", OPEN);
    folder("/dev", CLOSED);
    folder("/dev/shm", STICKY);
    check_opens(&v, "/dev/shm");
    folder("/tmp", STICKY);
    check_opens(&v, "/tmp");
    folder("/tmp", CLOSED);
    check_opens(&v, "/tmp");
}

static void an_open_place_will_do_in_a_container_only(void)
{
    cleanup_view struct jvm_view v = new_target();
    folder("/tmp", OPEN);
    check_opens(&v, "/tmp");
    v.host = true;
    check_fails(&v, SOME_BYTES, -EPERM, "no directory in which others could not");
}

static void without_a_tmp_the_others_are_tried(void)
{
    cleanup_view struct jvm_view v = new_target();
    check_fails(&v, SOME_BYTES, -ENOENT, "/tmp");
    folder("/run", CLOSED);
    check_opens(&v, "/run");
    folder("/var", CLOSED);
    folder("/var/tmp", STICKY);
    check_opens(&v, "/var/tmp");
}

static void too_little_space_is_told_of_the_first_place(void)
{
    cleanup_view struct jvm_view v = new_target();
    folder("/tmp", STICKY);
    folder("/run", CLOSED);
    check_fails(&v, UINT64_MAX, -ENOSPC, "/tmp in the target has less than 17592186044415 MiB free");
}

static void a_link_leads_nowhere_outside_of_the_root(void)
{
    cleanup_view struct jvm_view v = new_target();
    CHECK_INT(symlink("/", at("/tmp")), 0);
    CHECK_INT(symlink("../../../../../../tmp", at("/run")), 0);
    folder("/", CLOSED);
    struct jvm_target_dir d = TARGET_DIR_INIT;
    struct err err = {0};
    if (jvm_target_dir_open(&d, &v, SOME_BYTES, &err) == 0) { /* in the target's own root, as it sees it */
        struct stat st;
        CHECK(stat(at(d.path + strlen("/tmp")), &st) == 0);
        jvm_target_dir_done(&d);
    }
    unlink(at("/tmp"));
    CHECK_INT(symlink("/nowhere", at("/tmp")), 0);
    unlink(at("/run"));
    check_fails(&v, SOME_BYTES, -ENOENT, "/tmp");
}

static void touch_old(const char *path)
{
    const struct timespec hour[] = {{.tv_sec = time(NULL) - 3600}, {.tv_sec = time(NULL) - 3600}};
    CHECK_INT(utimensat(AT_FDCWD, at(path), hour, AT_SYMLINK_NOFOLLOW), 0);
}

static bool exists(const char *path)
{
    struct stat st;
    return lstat(at(path), &st) == 0;
}

static void file(const char *path)
{
    cleanup_close int fd = open(at(path), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
}

#define HEX "0123456789abcdef0123456789abcde"

static void what_crashed_operations_left_is_swept_away_and_nothing_else(void)
{
    cleanup_view struct jvm_view v = new_target();
    folder("/tmp", STICKY);
    folder("/tmp/.smolder-" HEX "0", 0700);
    file("/tmp/.smolder-" HEX "0/session.jfr");
    file("/tmp/.smolder-" HEX "0/log");
    touch_old("/tmp/.smolder-" HEX "0");
    folder("/tmp/.smolder-" HEX "1", 0700); /* young: somebody is at work */
    folder("/tmp/.smolder-" HEX "2", 0700);
    file("/tmp/.smolder-" HEX "2/theirs");
    touch_old("/tmp/.smolder-" HEX "2");
    folder("/tmp/smolder-other", 0700);
    touch_old("/tmp/smolder-other");
    folder("/elsewhere", 0700);
    file("/elsewhere/log");
    touch_old("/elsewhere");
    CHECK_INT(symlink("/elsewhere", at("/tmp/.smolder-" HEX "3")), 0);
    file("/tmp/.smolder-" HEX "4");
    touch_old("/tmp/.smolder-" HEX "4");
    jvm_target_dir_sweep(&v);
    CHECK(!exists("/tmp/.smolder-" HEX "0"));
    CHECK(exists("/tmp/.smolder-" HEX "1"));
    CHECK(exists("/tmp/.smolder-" HEX "2/theirs"));
    CHECK(exists("/tmp/smolder-other"));
    CHECK(exists("/elsewhere/log"));
    CHECK(exists("/tmp/.smolder-" HEX "4"));
}

static void what_belongs_to_another_user_is_left(void)
{
    cleanup_view struct jvm_view v = new_target();
    folder("/tmp", STICKY);
    folder("/tmp/.smolder-" HEX "0", 0700);
    touch_old("/tmp/.smolder-" HEX "0");
    v.rights.uid = geteuid() + 1;
    jvm_target_dir_sweep(&v);
    CHECK(exists("/tmp/.smolder-" HEX "0"));
    v.rights.uid = geteuid();
    jvm_target_dir_sweep(&v);
    CHECK(!exists("/tmp/.smolder-" HEX "0"));
}

int main(void)
{
    if (!mkdtemp(top))
        return 1;
    umask(022);
    RUN(it_is_for_its_user_alone_and_goes_without_a_trace);
    RUN(no_two_have_one_name);
    RUN(places_that_others_cannot_change_come_first);
    RUN(an_open_place_will_do_in_a_container_only);
    RUN(without_a_tmp_the_others_are_tried);
    RUN(too_little_space_is_told_of_the_first_place);
    RUN(a_link_leads_nowhere_outside_of_the_root);
    RUN(what_crashed_operations_left_is_swept_away_and_nothing_else);
    RUN(what_belongs_to_another_user_is_left);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", top);
    (void)!system(command);
    return REPORT();
}
