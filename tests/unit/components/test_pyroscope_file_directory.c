/* What root makes for another user, and what it does not; needs root. */
#include "components/pyroscope_file_directory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "test.h"

static const struct host_user user = {.uid = 65532, .gid = 65533};
static char dir[64];

static void begin(mode_t mode)
{
    snprintf(dir, sizeof dir, "/tmp/smolder-test-XXXXXX");
    if (!mkdtemp(dir))
        abort();
    CHECK_INT(chmod(dir, mode), 0);
}

/* Makes dir/name; whose it is then, -1: there is none. */
static long make(const char *name)
{
    struct stat st;
    struct err err = {0};
    cleanup_free char *path = xasprintf("%s/%s", dir, name);
    CHECK_INT(file_directory_make(path, &user, &err), 0);
    if (lstat(path, &st) < 0)
        return -1;
    CHECK(!S_ISDIR(st.st_mode) || st.st_uid == 0 || st.st_gid == user.gid);
    return (long)st.st_uid;
}

static void end(void)
{
    static const char *const names[] = {"link", "kept/inner", "kept", "new"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        cleanup_free char *path = xasprintf("%s/%s", dir, names[i]);
        if (unlink(path) < 0)
            (void)rmdir(path);
    }
    CHECK_INT(rmdir(dir), 0);
}

static void a_missing_directory_is_made_for_the_user(void)
{
    begin(0755);
    CHECK_INT(make("new/"), user.uid);
    CHECK_INT(make("kept/missing"), -1); /* its parent is missing, too */
    end();
    begin(01777);
    CHECK_INT(make("new"), user.uid);
    end();
}

static void what_exists_stays_as_it_is(void)
{
    begin(0755);
    cleanup_free char *kept = xasprintf("%s/kept", dir), *inner = xasprintf("%s/kept/inner", dir);
    CHECK_INT(mkdir(kept, 0700) | mkdir(inner, 0700), 0);
    CHECK_INT(make("kept"), 0);
    CHECK_INT(make("kept/inner"), 0);
    end();
}

static void root_makes_nothing_where_others_could_interfere(void)
{
    begin(0777);
    CHECK_INT(make("new"), -1);
    CHECK_INT(chmod(dir, 0755) | chown(dir, 1000, 1000), 0);
    CHECK_INT(make("new"), -1);
    CHECK_INT(chown(dir, 0, 0), 0);
    cleanup_free char *link = xasprintf("%s/link", dir), *kept = xasprintf("%s/kept", dir);
    CHECK_INT(mkdir(kept, 0755) | symlink(kept, link), 0);
    CHECK_INT(make("link"), 0);
    CHECK_INT(make("link/inner"), -1);
    CHECK_INT(make("kept/inner"), user.uid);
    end();
}

static void an_error_says_what_to_do(void)
{
    struct err err = {0};
    CHECK_INT(file_directory_error("/tmp", -EACCES, &err), -EACCES);
    cleanup_free char *give =
        xasprintf("/tmp: Permission denied: give it to the agent's user (chown %u:%u)", geteuid(), getegid());
    CHECK_HAS(err.text, give);
    CHECK_INT(file_directory_error("/nonexistent/x", -EACCES, &err), -EACCES);
    CHECK_HAS(err.text, "create it for the agent's user (install -d -o ");
    CHECK_INT(file_directory_error("/nonexistent/x", -ENOENT, &err), -ENOENT);
    CHECK_HAS(err.text, "the directory above it has to exist");
    CHECK_INT(file_directory_error("/x", -EROFS, &err), -EROFS);
    CHECK_HAS(err.text, "ReadWritePaths=");
    CHECK_INT(file_directory_error("/x", -ENOTDIR, &err), -ENOTDIR);
    CHECK_STR(err.text, "/x: Not a directory");
}

int main(void)
{
    RUN(an_error_says_what_to_do);
    if (geteuid() != 0) {
        SKIP(a_missing_directory_is_made_for_the_user, "only root can give something to another user");
        return REPORT();
    }
    RUN(a_missing_directory_is_made_for_the_user);
    RUN(what_exists_stays_as_it_is);
    RUN(root_makes_nothing_where_others_could_interfere);
    return REPORT();
}
