/* Made-up trees of cgroups, in the layouts of both versions. */
#include "jvm/probe/headroom.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jvm/attach/fit.h"
#include "test.h"

enum { MB = 1 << 20 };

static char top[] = "/tmp/smolder-headroom-XXXXXX";
static char mountinfo[8192];

static void put(const char *group, const char *file, const char *fmt, ...) printf_like(3, 4);
static void put(const char *group, const char *file, const char *fmt, ...)
{
    char path[1024], *slash;
    snprintf(path, sizeof path, "%s%s/%s", top, group, file);
    for (slash = path + strlen(top); (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        (void)!mkdir(path, 0755);
        *slash = '/';
    }
    FILE *f = fopen(path, "w");
    if (!f) {
        FAIL_("cannot write %s", path);
        return;
    }
    va_list ap;
    va_start(ap, fmt);
    vfprintf(f, fmt, ap);
    va_end(ap);
    fclose(f);
}

/* "/v2" is a mount of version 2's root, "/v1" one of version 1's memory controller. */
static void mounts(const char *v1_root, const char *v2_root)
{
    snprintf(mountinfo, sizeof mountinfo,
             "22 28 0:20 / /proc rw,nosuid - proc proc rw\n"
             "33 25 0:28 / %s/v1cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
             "%s34 25 0:29 %s %s/v1 rw shared:9 - cgroup cgroup rw,memory\n"
             "%s35 25 0:30 %s %s/v2 rw,nosuid shared:4 master:3 - cgroup2 cgroup2 rw,nsdelegate\n",
             top, v1_root ? "" : "#", v1_root ? v1_root : "/", top, v2_root ? "" : "#", v2_root ? v2_root : "/", top);
    /* A line that is none ends after its first word. */
    for (char *c = mountinfo; (c = strchr(c, '#'));)
        for (; *c && *c != '\n'; c++)
            *c = ' ';
}

static struct headroom left;
static struct err err;

static int find(const char *cgroups)
{
    struct cgroup c;
    err = (struct err){0};
    left = (struct headroom){0};
    int code = cgroup_find(str_of(cgroups), str_of(mountinfo), &c, &err);
    if (code == 0)
        headroom_read(&c, &left);
    return code;
}

static void group_v2(const char *group, const char *limit, long used, long inactive, long dirty)
{
    char name[256];
    snprintf(name, sizeof name, "/v2%s", group);
    put(name, "memory.max", "%s\n", limit);
    put(name, "memory.current", "%ld\n", used);
    put(name, "memory.stat", "anon 1\nfile 2\nfile_dirty %ld\nfile_writeback 0\nactive_file %d\ninactive_file %ld\n",
        dirty, 5 * MB, inactive);
}

static void a_limit_less_what_is_used_and_does_not_go_at_once(void)
{
    mounts(NULL, "/");
    group_v2("/app", "104857600", 90L * MB, 10L * MB, 0);
    CHECK_INT(find("0::/app\n"), 0);
    CHECK(left.limited);
    CHECK_INT(left.left, 20 * MB);
    CHECK_INT(left.limit, 100 * MB);
    /* Dirty pages have to be written first. */
    group_v2("/app", "104857600", 90L * MB, 10L * MB, 4L * MB);
    CHECK_INT(find("0::/app\n"), 0);
    CHECK_INT(left.left, 16 * MB);
    group_v2("/app", "104857600", 130L * MB, 1, 4L * MB);
    CHECK_INT(find("0::/app\n"), 0);
    CHECK_INT(left.left, 0);
}

static void the_least_of_all_groups_above_counts(void)
{
    mounts(NULL, "/");
    group_v2("/pods", "max", 900L * MB, 0, 0);
    group_v2("/pods/pod7", "209715200", 193L * MB, 0, 0);
    group_v2("/pods/pod7/java", "524288000", 100L * MB, 0, 0);
    CHECK_INT(find("0::/pods/pod7/java\n"), 0);
    CHECK_INT(left.left, 7 * MB);
    CHECK_INT(left.limit, 200 * MB);
    CHECK_INT(headroom_check(&left, 7 * MB, &err), 0);
    CHECK_INT(headroom_check(&left, 24 * MB, &err), -ENOMEM);
    CHECK_HAS(err.text, "memory limit of the container: 7 MiB of 200 MiB left, the profiler needs up to 24 MiB");
    CHECK_INT(headroom_check(&left, 0, &err), 0);
}

static void without_a_limit_there_is_room(void)
{
    mounts(NULL, "/");
    group_v2("/free", "max", 900L * MB, 0, 0);
    CHECK_INT(find("0::/free\n"), 0);
    CHECK(!left.limited);
    CHECK_INT(headroom_check(&left, 1ull << 40, &err), 0);
    CHECK_INT(find("0::/\n"), 0); /* the root has no files at all */
    CHECK(!left.limited);
    CHECK_INT(find("0::/gone/meanwhile\n"), 0);
    CHECK(!left.limited);
}

static void group_v1(const char *group, const char *limit, long used, const char *memsw_limit, long memsw_used)
{
    char name[256];
    snprintf(name, sizeof name, "/v1%s", group);
    put(name, "memory.limit_in_bytes", "%s\n", limit);
    put(name, "memory.usage_in_bytes", "%ld\n", used);
    put(name, "memory.use_hierarchy", "1\n");
    put(name, "memory.stat", "cache 7\ninactive_file 9999999999\ntotal_inactive_file %d\ntotal_dirty %d\n", 3 * MB, MB);
    put(name, "memory.memsw.limit_in_bytes", "%s\n", memsw_limit);
    put(name, "memory.memsw.usage_in_bytes", "%ld\n", memsw_used);
}

static void version_1_has_files_of_its_own(void)
{
    static const char cgroups[] = "9:name=systemd:/x\n4:cpu,memory:/docker/7\n0::/\n";
    mounts("/", NULL);
    group_v1("/docker", "9223372036854771712", 500L * MB, "9223372036854771712", 500L * MB);
    group_v1("/docker/7", "104857600", 90L * MB, "9223372036854771712", 90L * MB);
    CHECK_INT(find(cgroups), 0);
    CHECK_INT(left.left, 12 * MB);
    /* With swap counted, too. */
    group_v1("/docker/7", "104857600", 90L * MB, "104857600", 98L * MB);
    CHECK_INT(find(cgroups), 0);
    CHECK_INT(left.left, 4 * MB);
}

static void a_group_above_without_hierarchy_does_not_count(void)
{
    mounts("/", NULL);
    group_v1("/flat", "104857600", 100L * MB, "104857600", 100L * MB);
    put("/v1/flat", "memory.use_hierarchy", "0\n");
    group_v1("/flat/app", "209715200", 100L * MB, "209715200", 100L * MB);
    CHECK_INT(find("3:memory:/flat/app\n"), 0);
    CHECK_INT(left.limit, 200 * MB);
}

static void on_a_hybrid_host_version_1_has_the_memory(void)
{
    mounts("/", "/");
    group_v1("/svc", "104857600", 50L * MB, "104857600", 50L * MB);
    CHECK_INT(find("3:memory:/svc\n0::/elsewhere\n"), 0);
    CHECK_INT(left.limit, 100 * MB);
}

static void a_mounted_part_is_cut_off(void)
{
    mounts(NULL, "/kubepods");
    group_v2("/pod1", "104857600", 1L * MB, 0, 0);
    CHECK_INT(find("0::/kubepods/pod1\n"), 0);
    CHECK_INT(left.limit, 100 * MB);
    CHECK_INT(find("0::/kubepodsx/pod1\n"), -EXDEV);
    /* The host's tree bound into a container of its own cgroup namespace. */
    mounts(NULL, "/../..");
    CHECK_INT(find("0::/../../pod1\n"), 0);
    CHECK_INT(left.limit, 100 * MB);
}

static void what_is_outside_of_our_namespace_is_not_known(void)
{
    mounts(NULL, "/");
    CHECK_INT(find("0::/../pod1\n"), -EXDEV);
    CHECK_HAS(err.text, "outside the agent's view");
    CHECK_INT(find("0::/pod1/../../x\n"), -EXDEV);
    CHECK_INT(find("2:cpu:/x\n"), -ENOENT);
    CHECK_INT(find(""), -ENOENT);
    mounts(NULL, NULL);
    CHECK_INT(find("0::/pod1\n"), -ENOENT);
}

static void strange_files_are_no_limits(void)
{
    mounts(NULL, "/");
    group_v2("/odd", "lots", 1L * MB, 0, 0);
    CHECK_INT(find("0::/odd\n"), 0);
    CHECK(!left.limited);
    put("/v2/odd", "memory.max", "%s", "");
    CHECK_INT(find("0::/odd\n"), 0);
    CHECK(!left.limited);
}

static void this_process_has_a_group_or_none(void)
{
    struct pidref p;
    struct cgroup c;
    CHECK_INT(pidref_open(getpid(), 0, &p, NULL), 0);
    int code = cgroup_of(&p, &c, &err);
    CHECK(code == 0 || code == -ENOENT || code == -EXDEV);
    CHECK_INT(cgroup_of(&p, &c, &err), code);
    pidref_done(&p);
}

static void few_stacks_are_kept_where_little_is_left(void)
{
    struct jvm_fit f = {0};
    CHECK_INT(fit_storage(&f, 64), 64);
    f.room = (struct headroom){.limited = true, .left = 24ull * MB, .limit = 200ull * MB};
    CHECK_INT(fit_storage(&f, 64), 11);
    f.room.left = 2ull * MB;
    CHECK_INT(fit_storage(&f, 64), 10);
    f.room.left = 50ull * MB;
    CHECK_INT(fit_storage(&f, 64), 37);
    f.room.left = 100ull * MB;
    CHECK_INT(fit_storage(&f, 64), 64);
}

static void remove_tree(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", top);
    (void)!system(command);
}

int main(void)
{
    if (!mkdtemp(top))
        return 1;
    RUN(a_limit_less_what_is_used_and_does_not_go_at_once);
    RUN(the_least_of_all_groups_above_counts);
    RUN(without_a_limit_there_is_room);
    RUN(version_1_has_files_of_its_own);
    RUN(a_group_above_without_hierarchy_does_not_count);
    RUN(on_a_hybrid_host_version_1_has_the_memory);
    RUN(a_mounted_part_is_cut_off);
    RUN(what_is_outside_of_our_namespace_is_not_known);
    RUN(strange_files_are_no_limits);
    RUN(this_process_has_a_group_or_none);
    RUN(few_stacks_are_kept_where_little_is_left);
    remove_tree();
    return REPORT();
}
