#include "conf/files.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "test.h"

static char dir[] = "/tmp/smolder-test-XXXXXX";

static void put(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    if (!f)
        abort();
    fputs(text, f);
    fclose(f);
}

static void remove_all(void)
{
    char command[256];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    if (system(command) != 0)
        puts("cannot remove the test's directory");
}

static void reads_the_alloy_files_of_a_directory_in_order(void)
{
    put("b.alloy", "b = 1\n");
    put("a.alloy", "a = 1\n");
    put("c.txt", "no");
    char name[256];
    snprintf(name, sizeof name, "%s/.#b.alloy", dir); /* how Emacs locks a file */
    CHECK_INT(symlink("nobody@nowhere", name), 0);
    snprintf(name, sizeof name, "%s/folder.alloy", dir);
    CHECK_INT(mkdir(name, 0755), 0);
    cleanup_conf_files struct conf_files files = {0};
    struct err err = {0};
    const char *paths[] = {dir};
    CHECK_INT(conf_files_read(paths, 1, &files, &err), 0);
    CHECK_INT(files.len, 2);
    CHECK(files.len == 2 && strstr(files.items[0].name, "/a.alloy") && strstr(files.items[1].name, "/b.alloy"));
    CHECK_STR(files.len == 2 ? files.items[1].text : "", "b = 1\n");
}

static void follows_a_link_to_a_directory(void)
{
    char link[256];
    snprintf(link, sizeof link, "%s/link", dir);
    CHECK_INT(symlink(dir, link), 0);
    cleanup_conf_files struct conf_files files = {0};
    struct err err = {0};
    const char *paths[] = {link};
    CHECK_INT(conf_files_read(paths, 1, &files, &err), 0);
    CHECK_INT(files.len, 2);
}

static void names_what_is_missing(void)
{
    struct conf_files files = {0};
    struct err err = {0};
    const char *paths[] = {"/nonexistent/config.alloy"};
    CHECK_INT(conf_files_read(paths, 1, &files, &err), -ENOENT);
    CHECK_STR(err.text, "reading config path \"/nonexistent/config.alloy\": No such file or directory");
    CHECK_INT(files.len, 0);
}

static void refuses_what_never_ends(void)
{
    struct conf_files files = {0};
    struct err err = {0};
    const char *paths[] = {"/dev/zero"};
    CHECK_INT(conf_files_read(paths, 1, &files, &err), -EFBIG);
    CHECK_HAS(err.text, "/dev/zero: larger than");
}

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    RUN(reads_the_alloy_files_of_a_directory_in_order);
    RUN(follows_a_link_to_a_directory);
    RUN(names_what_is_missing);
    RUN(refuses_what_never_ends);
    remove_all();
    return REPORT();
}
