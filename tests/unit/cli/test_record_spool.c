#include "cli/record_spool.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

static struct err err;

static size_t entries(const char *dir)
{
    size_t n = 0;
    DIR *d = opendir(dir);
    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n;
}

static void chunks_are_appended_and_leave_no_file(void)
{
    char dir[] = "/tmp/smolder-spool-XXXXXX", path[64], got[8] = "";
    struct spool s = SPOOL_INIT;
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/out.html", dir);
    CHECK_INT(spool_open(&s, path, &err), 0);
    CHECK_INT(entries(dir), 2); /* . and .. */
    CHECK_INT(spool_chunk(&s, STR("one"), 10, 20, &err), 0);
    CHECK_INT(spool_chunk(&s, STR("two"), 20, 35, &err), 0);
    CHECK_INT(s.bytes, 6);
    CHECK_INT(s.chunks, 2);
    CHECK_INT(s.start_ns, 10);
    CHECK_INT(s.end_ns, 35);
    CHECK_INT(pread(s.fd, got, sizeof got - 1, 0), 6);
    CHECK_STR(got, "onetwo");
    spool_done(&s);
    CHECK_INT(s.fd, -1);
    CHECK_INT(rmdir(dir), 0);
}

static void a_directory_that_is_not_there_is_named(void)
{
    struct spool s = SPOOL_INIT;
    CHECK_INT(spool_open(&s, "/no/such/dir/out.html", &err), -ENOENT);
    CHECK_HAS(err.text, "/no/such/dir");
    spool_done(&s);
}

static void a_full_disk_is_an_error(void)
{
    struct spool s = {.fd = dup(STDIN_FILENO)};
    close(s.fd); /* as good as any failure of write(2) */
    CHECK(spool_chunk(&s, STR("x"), 0, 1, &err) < 0);
    CHECK_HAS(err.text, "temporary file");
    CHECK_INT(s.chunks, 0);
}

int main(void)
{
    RUN(chunks_are_appended_and_leave_no_file);
    RUN(a_directory_that_is_not_there_is_named);
    RUN(a_full_disk_is_an_error);
    return REPORT();
}
