#include "os/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "test.h"

static char dir[] = "/tmp/test_replace.XXXXXX";

static char *path_of(const char *name)
{
    return xasprintf("%s/%s", dir, name);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    cleanup_fclose FILE *f = fopen(path, "w");
    if (!f || fputs(text, f) < 0 || fchmod(fileno(f), mode) < 0)
        abort();
}

static void check_content(const char *path, const char *want)
{
    char text[64] = "";
    cleanup_fclose FILE *f = fopen(path, "r");
    CHECK(f && fread(text, 1, sizeof text - 1, f) > 0);
    CHECK_STR(text, want);
}

/* Hidden ones included, but for those every directory has. */
static size_t files_in_dir(void)
{
    cleanup_closedir DIR *d = opendir(dir);
    size_t n = 0;
    while (d && readdir(d))
        n++;
    return n - 2;
}

static void content_changes_and_mode_and_owner_stay(void)
{
    cleanup_free char *path = path_of("plain");
    struct err err = {0};
    struct stat st;
    write_file(path, "old", 0640);
    const bool root = geteuid() == 0;
    CHECK(!root || chown(path, 1234, 4321) == 0);
    CHECK_INT(replace_file(path, STR("new content"), &err), 0);
    check_content(path, "new content");
    CHECK_INT(stat(path, &st), 0);
    CHECK_INT(st.st_mode & 07777, 0640);
    CHECK(!root || (st.st_uid == 1234 && st.st_gid == 4321));
    CHECK_INT(files_in_dir(), 1);
    unlink(path);
}

static void who_has_it_open_keeps_the_old_content(void)
{
    cleanup_free char *path = path_of("open");
    struct err err = {0};
    char text[8] = "";
    write_file(path, "old", 0600);
    cleanup_close int fd = open(path, O_RDONLY);
    CHECK_INT(replace_file(path, STR("new"), &err), 0);
    CHECK_INT(read(fd, text, sizeof text), 3);
    CHECK_STR(text, "old");
    unlink(path);
}

static void a_link_stays_one(void)
{
    cleanup_free char *path = path_of("file"), *link = path_of("link");
    struct err err = {0};
    struct stat st;
    write_file(path, "old", 0600);
    CHECK_INT(symlink("file", link), 0);
    CHECK_INT(replace_file(link, STR("new"), &err), 0);
    CHECK(lstat(link, &st) == 0 && S_ISLNK(st.st_mode));
    check_content(path, "new");
    unlink(link);
    unlink(path);
}

static void what_cannot_be_replaced_is_left_alone(void)
{
    cleanup_free char *missing = path_of("missing"), *fifo = path_of("fifo");
    struct err err = {0};
    CHECK_INT(replace_file(missing, STR("x"), &err), -ENOENT);
    CHECK_HAS(err.text, "missing: No such file");
    CHECK_INT(mkfifo(fifo, 0600), 0);
    CHECK_INT(replace_file(fifo, STR("x"), &err), -EINVAL);
    CHECK_HAS(err.text, "not a regular file");
    CHECK_INT(files_in_dir(), 1);
    unlink(fifo);
}

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    RUN(content_changes_and_mode_and_owner_stay);
    RUN(who_has_it_open_keeps_the_old_content);
    RUN(a_link_stays_one);
    RUN(what_cannot_be_replaced_is_left_alone);
    rmdir(dir);
    return REPORT();
}
