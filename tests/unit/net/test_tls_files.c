#include "net/tls_files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "test.h"

static void write_file(const char *path, const char *text)
{
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static void a_changed_file_has_another_name_for_the_same_file(void)
{
    char path[] = "/tmp/test-tls-files-XXXXXX", want[64];
    close(mkstemp(path));
    cleanup_free char *first = tls_file_name(path), *again = tls_file_name(path);
    CHECK_STR(first, path);
    CHECK_STR(again, path);
    write_file(path, "content");
    cleanup_free char *changed = tls_file_name(path), *still = tls_file_name(path);
    snprintf(want, sizeof want, "/.%s", path);
    CHECK_STR(changed, want);
    CHECK_STR(still, want);
    struct stat a, b;
    CHECK(stat(path, &a) == 0 && stat(changed, &b) == 0 && a.st_ino == b.st_ino);
    unlink(path);
    cleanup_free char *gone = tls_file_name(path);
    snprintf(want, sizeof want, "/./.%s", path);
    CHECK_STR(gone, want);
}

static void relative_paths_stay_relative(void)
{
    char folder[] = "/tmp/test-tls-files-XXXXXX";
    CHECK(mkdtemp(folder) && chdir(folder) == 0);
    write_file("ca.pem", "a");
    cleanup_free char *first = tls_file_name("ca.pem");
    write_file("ca.pem", "another");
    cleanup_free char *second = tls_file_name("ca.pem");
    CHECK_STR(first, "ca.pem");
    CHECK_STR(second, "./ca.pem");
    unlink("ca.pem");
    CHECK(chdir("/") == 0 && rmdir(folder) == 0);
}

static void any_number_of_files_is_fine(void)
{
    for (int i = 0; i < 1000; i++) {
        char path[64];
        snprintf(path, sizeof path, "/nonexistent/%d", i);
        cleanup_free char *name = tls_file_name(path);
        CHECK_STR(name, path);
    }
}

int main(void)
{
    RUN(a_changed_file_has_another_name_for_the_same_file);
    RUN(relative_paths_stay_relative);
    RUN(any_number_of_files_is_fine);
    return REPORT();
}
