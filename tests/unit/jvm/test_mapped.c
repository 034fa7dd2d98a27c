/* Which path beneath a target's root is the file that the maps name, with made-up roots and mounts. */
#include "jvm/probe/mapped.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "test.h"

static char root[] = "/tmp/smolder-test-mapped-XXXXXX";

static ino_t put(const char *path)
{
    char all[256];
    struct stat st = {0};
    snprintf(all, sizeof all, "%s%s", root, path);
    for (char *slash = all + strlen(root); (slash = strchr(slash + 1, '/')); *slash = '/') {
        *slash = '\0';
        (void)!mkdir(all, 0755);
    }
    cleanup_close int fd = open(all, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    CHECK(fd >= 0 && fstat(fd, &st) == 0);
    return st.st_ino;
}

static struct jvm_view view_with(const char *mountinfo)
{
    struct jvm_view v = JVM_VIEW_INIT;
    v.root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    v.mountinfo = memfd_create("mountinfo", MFD_CLOEXEC);
    CHECK(v.root >= 0 && write(v.mountinfo, mountinfo, strlen(mountinfo)) == (ssize_t)strlen(mountinfo));
    return v;
}

static void check_path(const char *mountinfo, const char *mapped, ino_t inode, const char *want)
{
    cleanup_view struct jvm_view v = view_with(mountinfo);
    char got[PATH_MAX] = "";
    const bool found = jvm_mapped_path(&v, mapped, inode, got, sizeof got);
    CHECK_INT(found, want != NULL);
    if (want)
        CHECK_STR(got, want);
}

#define MOUNT(point) "36 35 98:0 / " point " rw,noatime master:1 - ext4 /dev/root rw\n"

static void a_path_that_is_right_is_taken(void)
{
    const ino_t inode = put("/opt/jdk/lib/libjvm.so");
    check_path("", "/opt/jdk/lib/libjvm.so", inode, "/opt/jdk/lib/libjvm.so");
    check_path(MOUNT("/"), "/opt/jdk/lib/libjvm.so", inode, "/opt/jdk/lib/libjvm.so");
}

static void a_mount_of_the_targets_own_goes_in_front(void)
{
    const ino_t inode = put("/data/lib/x.so");
    check_path(MOUNT("/") MOUNT("/proc") MOUNT("/data"), "/lib/x.so", inode, "/data/lib/x.so");
    check_path(MOUNT("/") MOUNT("/other"), "/lib/x.so", inode, NULL);
}

static void a_file_of_that_name_with_another_inode_is_another(void)
{
    const ino_t other = put("/lib/y.so"), inode = put("/data/lib/y.so");
    CHECK(other != inode);
    check_path(MOUNT("/data"), "/lib/y.so", inode, "/data/lib/y.so");
    check_path(MOUNT("/data"), "/lib/y.so", other, "/lib/y.so");
    check_path(MOUNT("/data"), "/lib/y.so", inode + other + 1000000, NULL);
}

static void the_way_to_a_chroot_is_taken_off(void)
{
    const ino_t inode = put("/jdk/lib/z.so");
    check_path("", "/srv/chroot/jdk/lib/z.so", inode, "/jdk/lib/z.so");
    check_path("", "/srv/chroot/jdk/lib/z.so", 0, NULL); /* without an inode any suffix would do */
}

static void only_regular_files_count(void)
{
    cleanup_view struct jvm_view v = view_with("");
    const ino_t inode = put("/real/file.so");
    char path[128];
    snprintf(path, sizeof path, "%s/real/link.so", root);
    (void)!symlink("file.so", path);
    CHECK(jvm_mapped_is(v.root, "/real/file.so", inode));
    CHECK(jvm_mapped_is(v.root, "/real/file.so", 0));
    CHECK(!jvm_mapped_is(v.root, "/real/link.so", 0)); /* whoever may swap it decides what is loaded */
    CHECK(!jvm_mapped_is(v.root, "/real", 0));
    CHECK(!jvm_mapped_is(v.root, "/nothing", 0));
    CHECK(!jvm_mapped_is(v.root, "", 0));
}

static void broken_mounts_are_passed_over(void)
{
    const ino_t inode = put("/vol/lib/w.so");
    check_path("\n36 35\nx\n36 35 98:0 / relative rw - ext4 x rw\n36 35 98:0 / / rw - ext4 x rw\n" MOUNT("/a\\040b")
                   MOUNT("/vol"),
               "/lib/w.so", inode, "/vol/lib/w.so");
    check_path(MOUNT("/vol/../vol"), "/lib/w.so", inode, "/vol/../vol/lib/w.so"); /* beneath the root all the same */
    check_path(MOUNT("/../../../../../../../vol"), "/lib/w.so", inode, "/../../../../../../../vol/lib/w.so");
}

static void a_path_that_does_not_fit_is_none(void)
{
    const ino_t inode = put("/data/lib/v.so");
    cleanup_view struct jvm_view v = view_with(MOUNT("/data"));
    char small[10] = "";
    CHECK(!jvm_mapped_path(&v, "/lib/v.so", inode, small, sizeof small));
    CHECK(strlen(small) < sizeof small);
    char endless[2 * PATH_MAX];
    memset(endless, 'x', sizeof endless - 1);
    endless[0] = '/';
    endless[sizeof endless - 1] = '\0';
    char got[PATH_MAX];
    CHECK(!jvm_mapped_path(&v, endless, inode, got, sizeof got));
}

int main(void)
{
    if (!mkdtemp(root))
        return 1;
    RUN(a_path_that_is_right_is_taken);
    RUN(a_mount_of_the_targets_own_goes_in_front);
    RUN(a_file_of_that_name_with_another_inode_is_another);
    RUN(the_way_to_a_chroot_is_taken_off);
    RUN(only_regular_files_count);
    RUN(broken_mounts_are_passed_over);
    RUN(a_path_that_does_not_fit_is_none);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    (void)!system(command);
    return REPORT();
}
