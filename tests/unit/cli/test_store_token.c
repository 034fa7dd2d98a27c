#include "cli/store_token.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "test.h"

static char top[] = "/tmp/smolder-test-XXXXXX";
static char *path;

static void write_file(const char *text, mode_t mode)
{
    FILE *f = fopen(path, "we");
    CHECK(f);
    fputs(text, f);
    fclose(f);
    CHECK_INT(chmod(path, mode), 0);
}

static void one_is_made_and_kept(void)
{
    struct err err = {0};
    struct stat st;
    cleanup_free char *first = NULL, *again = NULL, *other = NULL;
    CHECK_INT(store_token_open(top, &first, &err), 0);
    CHECK_INT(strlen(first), 64);
    CHECK_INT(stat(path, &st), 0);
    CHECK_INT(st.st_mode & 07777, 0600);
    CHECK_INT(store_token_open(top, &again, &err), 0);
    CHECK_STR(again, first);
    unlink(path);
    CHECK_INT(store_token_open(top, &other, &err), 0);
    CHECK(strcmp(other, first) != 0);
    unlink(path);
}

static void one_of_ones_own_is_taken(void)
{
    struct err err = {0};
    cleanup_free char *token = NULL;
    write_file("my-own_token.of~16\n", 0600);
    CHECK_INT(store_token_open(top, &token, &err), 0);
    CHECK_STR(token, "my-own_token.of~16");
    unlink(path);
}

static void a_bad_one_is_refused_with_a_remedy(void)
{
    struct err err = {0};
    cleanup_free char *token = NULL;
    write_file("short\n", 0600);
    CHECK_INT(store_token_open(top, &token, &err), -EINVAL);
    CHECK_HAS(err.text, "delete it");
    write_file("with spaces and \"quotes\"", 0600);
    CHECK_INT(store_token_open(top, &token, &err), -EINVAL);
    write_file("0123456789abcdef", 0644);
    CHECK_INT(store_token_open(top, &token, &err), -EACCES);
    CHECK_HAS(err.text, "can be read by others");
    unlink(path);
    CHECK_INT(symlink("/etc/hostname", path), 0);
    CHECK_INT(store_token_open(top, &token, &err), -ELOOP);
    unlink(path);
    CHECK_INT(store_token_open("/nowhere", &token, &err), -ENOENT);
    CHECK_HAS(err.text, "/nowhere/store.token");
    CHECK(token == NULL);
}

int main(void)
{
    CHECK(mkdtemp(top));
    path = store_token_path(top);
    RUN(one_is_made_and_kept);
    RUN(one_of_ones_own_is_taken);
    RUN(a_bad_one_is_refused_with_a_remedy);
    rmdir(top);
    free(path);
    return REPORT();
}
