/* The attach directory of OpenJ9 JVMs: what is taken for one, what is locked, and what is left alone. */
#include "jvm/attach/openj9_files.h"

#include <errno.h>
#include <sys/file.h>
#include <sys/ipc.h>

#include "openj9_place.h"

static void a_directory_of_the_jvm_is_opened(void)
{
    struct err err = {0};
    struct openj9_files f;
    key_t key = 0;
    place_set_up();
    CHECK_INT(place_open(&f, &err), 0);
    CHECK_INT(openj9_files_semaphore(&f, &key, &err), 0);
    CHECK_INT(key, ftok(place_path(place.common, "_notifier"), 0xa1));
    const int fd = openj9_files_advertisement(&f);
    CHECK(fd >= 0);
    close(fd);
    openj9_files_done(&f);
    place_tear_down();
}

static void refused(int code, const char *why)
{
    struct err err = {0};
    struct openj9_files f;
    CHECK_INT(place_open(&f, &err), code);
    CHECK_HAS(err.text, why);
    openj9_files_done(&f);
}

static void what_is_missing_may_come_later(void)
{
    place_set_up();
    unlink(place_path(place.own, "attachInfo"));
    refused(-ENOEXEC, "OpenJ9 cannot be attached to through");
    place_write(place_path(place.own, "attachInfo"), 0600, "processId=1\n");
    refused(-ENOEXEC, "that of another JVM");
    snprintf(place.options.id, sizeof place.options.id, "99");
    refused(-ENOEXEC, "OpenJ9 cannot be attached to through");
    snprintf(place.options.directory, sizeof place.options.directory, "/");
    refused(-EINVAL, "cannot be an attach directory");
    place_tear_down();
}

static void what_others_could_have_made_is_refused(void)
{
    char elsewhere[64];
    place_set_up();
    CHECK_INT(chmod(place.own, 0777), 0);
    refused(-EPERM, "mode 0777");
    CHECK_INT(chmod(place.own, 0711), 0);
    CHECK_INT(chmod(place_path(place.own, "attachInfo"), 0666), 0);
    refused(-EPERM, "attachInfo has owner");
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", place.top);
    CHECK_INT(rename(place.own, elsewhere), 0);
    CHECK_INT(symlink(elsewhere, place.own), 0);
    refused(-ELOOP, "OpenJ9 cannot be attached to through");
    place.view.rights.uid++;
    CHECK_INT(unlink(place.own), 0);
    CHECK_INT(rename(elsewhere, place.own), 0);
    refused(-EPERM, "has owner");
    CHECK_INT(rename(place.common, elsewhere), 0);
    CHECK_INT(symlink(elsewhere, place.common), 0);
    refused(-ELOOP, "OpenJ9 cannot be attached to through");
    place_tear_down();
}

static void the_lock_is_that_of_jvms_and_of_jattach(void)
{
    struct err err = {0};
    struct openj9_files f;
    struct flock byte = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    place_set_up();
    CHECK_INT(place_open(&f, &err), 0);
    int lock = openj9_files_lock(&f);
    CHECK(lock >= 0);
    const int other = open(place_path(place.common, "_attachlock"), O_RDWR);
    CHECK(other >= 0);
    CHECK(fcntl(other, F_SETLK, &byte) < 0);
    CHECK(flock(other, LOCK_EX | LOCK_NB) < 0);
    CHECK_INT(openj9_files_lock(&f), -EAGAIN);
    close(lock);
    CHECK_INT(fcntl(other, F_SETLK, &byte), 0); /* as a JVM has it */
    CHECK_INT(openj9_files_lock(&f), -EAGAIN);
    close(other);
    lock = openj9_files_lock(&f);
    CHECK(lock >= 0);
    struct stat st;
    CHECK_INT(fstat(lock, &st), 0);
    CHECK_INT(st.st_mode & 0777, 0666);
    close(lock);
    openj9_files_done(&f);
    place_tear_down();
}

static void every_jvm_counts_and_is_locked_if_that_waits_for_nobody(void)
{
    struct err err = {0};
    struct openj9_files f;
    int locks[OPENJ9_JVMS_MAX];
    size_t locked = 0;
    char sync[128], precious[64];
    place_set_up();
    place_make_jvm("11");
    place_make_jvm("12");
    place_make_jvm("13");
    /* One is held by somebody, one is another file of this user. */
    snprintf(sync, sizeof sync, "%s/11/attachNotificationSync", place.common);
    const int held = open(sync, O_RDWR);
    CHECK_INT(flock(held, LOCK_EX), 0);
    snprintf(sync, sizeof sync, "%s/12/attachNotificationSync", place.common);
    snprintf(precious, sizeof precious, "%s/precious", place.top);
    place_write(precious, 0600, "x");
    CHECK_INT(unlink(sync), 0);
    CHECK_INT(link(precious, sync), 0);
    CHECK_INT(place_open(&f, &err), 0);
    CHECK_INT(openj9_files_lock_jvms(&f, locks, &locked), 4);
    CHECK_INT(locked, 2);
    const int free_one = open(precious, O_RDWR);
    CHECK_INT(flock(free_one, LOCK_EX | LOCK_NB), 0);
    close(free_one);
    close(held);
    while (locked)
        close(locks[--locked]);
    openj9_files_done(&f);
    place_tear_down();
}

static void a_reply_takes_the_place_of_whatever_is_there(void)
{
    struct err err = {0};
    struct openj9_files f;
    struct stat st;
    char text[64] = "", precious[64];
    place_set_up();
    snprintf(precious, sizeof precious, "%s/precious", place.top);
    place_write(precious, 0600, "x");
    CHECK_INT(symlink(precious, place_path(place.own, "replyInfo")), 0);
    CHECK_INT(place_open(&f, &err), 0);
    CHECK_INT(openj9_files_put_reply(&f, "0123456789abcdef", 4040, &err), 0);
    const int fd = open(place_path(place.own, "replyInfo"), O_RDONLY | O_NOFOLLOW);
    CHECK(fd >= 0);
    CHECK(read(fd, text, sizeof text - 1) > 0);
    CHECK_STR(text, "0123456789abcdef\n4040\n");
    CHECK_INT(fstat(fd, &st), 0);
    CHECK_INT(st.st_mode & 0777, 0600);
    close(fd);
    CHECK_INT(stat(precious, &st), 0);
    CHECK_INT(st.st_size, 1);
    openj9_files_remove_reply(&f);
    CHECK(access(place_path(place.own, "replyInfo"), F_OK) < 0);
    place_write(place_path(place.own, "replyInfo"), 0600, "of another attacher");
    openj9_files_remove_reply(&f);
    CHECK_INT(access(place_path(place.own, "replyInfo"), F_OK), 0);
    openj9_files_done(&f);
    place_tear_down();
}

int main(void)
{
    RUN(a_directory_of_the_jvm_is_opened);
    RUN(what_is_missing_may_come_later);
    RUN(what_others_could_have_made_is_refused);
    RUN(the_lock_is_that_of_jvms_and_of_jattach);
    RUN(every_jvm_counts_and_is_locked_if_that_waits_for_nobody);
    RUN(a_reply_takes_the_place_of_whatever_is_there);
    return REPORT();
}
