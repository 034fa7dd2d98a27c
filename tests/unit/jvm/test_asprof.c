/* The layout, on the host and beneath a root that is a directory of this test. Needs root for owners and a small
 * tmpfs. */
#include "jvm/attach/asprof.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "jvm/probe/elf_kind.h"
#include "os/rights.h"
#include "test.h"

enum { NOBODY = 65534 };

static char dir[] = "/tmp/smolder-asprof-XXXXXX";
static struct asprof_dist dist;
static struct err err;

static const char *in_dir(const char *rest)
{
    static char paths[4][ASPROF_PATH_SIZE];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, ASPROF_PATH_SIZE, "%s%.*s", dir, ASPROF_PATH_SIZE / 2, rest);
    return path;
}

static const char *library(void)
{
    char rest[160];
    snprintf(rest, sizeof rest, "/tmp/grafana-agent-asprof-glibc-%s/lib/libasyncProfiler.so", dist.sha1);
    return in_dir(rest);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st, (void)type, (void)walk;
    return remove(path);
}

static void empty(void)
{
    nftw(in_dir("/tmp"), remove_one, 16, FTW_DEPTH | FTW_PHYS);
    mkdir(in_dir("/tmp"), 0755);
    chmod(in_dir("/tmp"), 01777);
}

static int install(const char *tmp_dir, char ret[ASPROF_PATH_SIZE])
{
    err = (struct err){0};
    return asprof_install(&dist, tmp_dir, JVM_GLIBC, ret, &err);
}

/* Into /tmp of the root that `dir` is, as that user, which the process that does it becomes. */
static int place_if(bool guarded, uid_t uid, char ret[ASPROF_PATH_SIZE])
{
    struct outcome {
        int code;
        struct err err;
        struct asprof_placed placed;
    } *o = mmap(NULL, sizeof *o, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    const pid_t pid = fork();
    if (pid == 0) {
        const struct rights rights = {uid, uid, NULL, 0};
        cleanup_close int root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        umask(077);
        o->code = rights_become(&rights, &o->err);
        if (o->code == 0)
            o->code = asprof_place(&dist, root, "/tmp", JVM_GLIBC, guarded, &o->placed, &o->err);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    const int code = o->code;
    err = o->err;
    if (code == 0)
        memcpy(ret, o->placed.path, ASPROF_PATH_SIZE);
    munmap(o, sizeof *o);
    return code;
}

static int place(uid_t uid, char ret[ASPROF_PATH_SIZE])
{
    return place_if(false, uid, ret);
}

static bool is_the_library_of(const char *path, uid_t uid)
{
    struct stat st;
    char *bytes = malloc(dist.library.n);
    cleanup_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    bool same = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0755 &&
                st.st_uid == uid && (size_t)st.st_size == dist.library.n &&
                read(fd, bytes, dist.library.n) == (ssize_t)dist.library.n &&
                memcmp(bytes, dist.library.p, dist.library.n) == 0;
    free(bytes);
    return same;
}

static bool is_the_library(const char *path)
{
    return is_the_library_of(path, 0);
}

static unsigned entries(const char *path)
{
    unsigned n = 0;
    cleanup_closedir DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));)
        n += e->d_name[0] != '.' || strlen(e->d_name) > 2;
    return n;
}

static void the_layout_is_as_documented_whatever_the_umask(void)
{
    static const mode_t masks[] = {0, 022, 027, 077};
    char path[ASPROF_PATH_SIZE], part[ASPROF_PATH_SIZE + 32];
    struct stat st;
    for (size_t i = 0; i < ARRAY_LEN(masks); i++) {
        empty();
        mode_t old = umask(masks[i]);
        CHECK_INT(install(in_dir("/tmp"), path), 0);
        umask(old);
        CHECK(is_the_library(library()));
        snprintf(part, sizeof part, "%s/bin/asprof", path);
        CHECK_INT(access(part, X_OK), 0);
        CHECK_INT(stat(path, &st), 0);
        CHECK_INT(st.st_mode & 07777, 0755);
        CHECK_INT(entries(path), 2);
    }
    CHECK_INT(install(in_dir("/tmp"), path), 0); /* once more changes nothing */
}

static void bad_files_of_ours_are_replaced(void)
{
    char path[ASPROF_PATH_SIZE];
    struct stat st;
    empty();
    CHECK_INT(place(NOBODY, path), 0);
    CHECK_STR(path + strlen(path) - strlen("/lib/libasyncProfiler.so"), "/lib/libasyncProfiler.so");
    CHECK_INT(strncmp(path, "/tmp/grafana-agent-asprof-glibc-", 32), 0);
    CHECK(stat(in_dir("/tmp"), &st) == 0 && stat(library(), &st) == 0 && st.st_uid == NOBODY);
    CHECK_INT(truncate(library(), 1000), 0);
    CHECK_INT(place(NOBODY, path), 0);
    CHECK(is_the_library_of(library(), NOBODY));
    chmod(library(), 0);
    CHECK_INT(place(NOBODY, path), 0);
    CHECK(is_the_library_of(library(), NOBODY));
    cleanup_close int fd = open(library(), O_WRONLY | O_CLOEXEC);
    CHECK_INT(pwrite(fd, "evil", 4, 5000), 4);
    CHECK_INT(place(NOBODY, path), 0);
    CHECK(is_the_library_of(library(), NOBODY));
    CHECK_INT(entries(in_dir("/tmp")), 1);
}

static void the_folders_of_a_targets_copy_are_its_users_alone(void)
{
    char path[ASPROF_PATH_SIZE];
    struct stat st;
    empty();
    CHECK_INT(place(1234, path), 0);
    char *part = xasprintf("%s", library());
    for (unsigned i = 0; i < 2; i++) {
        *strrchr(part, '/') = '\0';
        CHECK_INT(stat(part, &st), 0);
        CHECK_INT(st.st_uid, 1234);
        CHECK_INT(st.st_mode & 07777, 0700);
    }
    free(part);
}

static void the_hosts_copy_serves_all_who_see_it(void)
{
    char path[ASPROF_PATH_SIZE], host[ASPROF_PATH_SIZE];
    empty();
    CHECK_INT(install(in_dir("/tmp"), host), 0);
    CHECK_INT(place(NOBODY, path), 0);
    CHECK_INT(place(1234, path), 0);
    CHECK_STR(path + 4, library() + strlen(in_dir("/tmp")));
    CHECK_INT(entries(in_dir("/tmp")), 1);
}

/* Each with its own, the second time the same. */
static void users_who_share_a_tmp_do_not_share_a_copy(void)
{
    char first[ASPROF_PATH_SIZE], second[ASPROF_PATH_SIZE], again[ASPROF_PATH_SIZE];
    empty();
    CHECK_INT(place(NOBODY, first), 0);
    CHECK_INT(place(1234, second), 0);
    CHECK_HAS(second, "-1234/lib/libasyncProfiler.so");
    CHECK(jvm_our_library(second) != NULL);
    CHECK_INT(place(1234, again), 0);
    CHECK_STR(again, second);
    CHECK_INT(place(NOBODY, again), 0);
    CHECK_STR(again, first);
    CHECK_INT(entries(in_dir("/tmp")), 2);
}

/* What another user put at both names that can be known beforehand. */
static void squat(unsigned how, const char *path)
{
    char sub[ASPROF_PATH_SIZE + 40];
    switch (how) {
    case 0:
        CHECK_INT(symlink("/etc", path), 0);
        break;
    case 1:
        CHECK_INT(mkfifo(path, 0777), 0);
        break;
    case 2: /* closed to all others */
        CHECK_INT(mkdir(path, 0700), 0);
        break;
    case 3: /* of the right shape, with a file of theirs */
        CHECK_INT(mkdir(path, 0755), 0);
        snprintf(sub, sizeof sub, "%s/lib", path);
        CHECK_INT(mkdir(sub, 0755), 0);
        CHECK_INT(lchown(sub, 4321, 4321), 0);
        snprintf(sub, sizeof sub, "%s/lib/libasyncProfiler.so", path);
        close(open(sub, O_CREAT | O_WRONLY | O_CLOEXEC, 0755));
        CHECK_INT(lchown(sub, 4321, 4321), 0);
        break;
    default:
        close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
        break;
    }
    CHECK_INT(lchown(path, 4321, 4321), 0);
}

static void a_name_that_somebody_took_first_stops_nobody(void)
{
    char path[ASPROF_PATH_SIZE], again[ASPROF_PATH_SIZE], taken[ASPROF_PATH_SIZE];
    for (unsigned how = 0; how < 5; how++) {
        empty();
        snprintf(taken, sizeof taken, "%s/grafana-agent-asprof-glibc-%s", in_dir("/tmp"), dist.sha1);
        squat(how, taken);
        snprintf(taken, sizeof taken, "%s/grafana-agent-asprof-glibc-%s-1234", in_dir("/tmp"), dist.sha1);
        squat(how, taken);
        CHECK_INT(place(1234, path), 0);
        CHECK(is_the_library_of(in_dir(path), 1234));
        CHECK(jvm_our_library(path) != NULL);
        CHECK_INT(place(1234, again), 0);
        CHECK_STR(again, path);
        CHECK_INT(install(in_dir("/tmp"), path), 0);
        CHECK_HAS(path, "-0");
        CHECK_INT(entries(in_dir("/tmp")), 4);
    }
}

/* A directory of root's, brought to where the library goes by one who may mount: nothing of it changes. */
static void what_is_mounted_there_is_left_alone(void)
{
    char path[ASPROF_PATH_SIZE], name[ASPROF_PATH_SIZE], victim[ASPROF_PATH_SIZE];
    struct stat st;
    empty();
    snprintf(name, sizeof name, "%s/grafana-agent-asprof-glibc-%s", in_dir("/tmp"), dist.sha1);
    snprintf(victim, sizeof victim, "%s", in_dir("/victim"));
    CHECK_INT(mkdir(victim, 0700), 0);
    CHECK_INT(mkdir(name, 0755), 0);
    if (mount(victim, name, NULL, MS_BIND, NULL) < 0) {
        SKIP(what_is_mounted_there_is_left_alone, "cannot mount");
        return;
    }
    for (uid_t uid = 0; uid < 2; uid++) {
        CHECK_INT(place(uid, path), 0);
        CHECK_INT(stat(victim, &st), 0);
        CHECK_INT(st.st_mode & 07777, 0700);
        CHECK_INT(entries(victim), 0);
    }
    umount(name);
    rmdir(victim);
}

/* A container's own affair; between local users of one host it would be a way to each other's rights. */
static void a_tmp_for_everybody_to_exchange_is_good_enough_for_a_container_only(void)
{
    char path[ASPROF_PATH_SIZE];
    empty();
    chmod(in_dir("/tmp"), 0777);
    CHECK(place_if(true, NOBODY, path) < 0);
    CHECK_HAS(err.text, "others could replace");
    CHECK_INT(entries(in_dir("/tmp")), 0);
    CHECK_INT(place_if(false, NOBODY, path), 0);
    CHECK(is_the_library_of(library(), NOBODY));
}

static void links_in_the_target_never_lead_out_of_it(void)
{
    char path[ASPROF_PATH_SIZE];
    empty();
    rmdir(in_dir("/tmp"));
    CHECK_INT(mkdir(in_dir("/real"), 0755), 0);
    CHECK_INT(chown(in_dir("/real"), NOBODY, NOBODY), 0);
    CHECK_INT(symlink("/real", in_dir("/tmp")), 0); /* beneath the root: /real is its own */
    CHECK_INT(place(NOBODY, path), 0);
    CHECK_INT(entries(in_dir("/real")), 1);
    unlink(in_dir("/tmp"));
    CHECK_INT(symlink("../../../../etc", in_dir("/tmp")), 0);
    CHECK(place(NOBODY, path) < 0);
    unlink(in_dir("/tmp"));
    nftw(in_dir("/real"), remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void tmp_dir_has_to_be_safe(void)
{
    char path[ASPROF_PATH_SIZE];
    const struct {
        mode_t mode;
        uid_t owner;
        bool fine;
    } cases[] = {{0755, 0, true},  {01777, 0, true},      {0777, 0, false},
                 {0775, 0, false}, {0755, NOBODY, false}, {01777, NOBODY, false}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        empty();
        CHECK_INT(chown(in_dir("/tmp"), cases[i].owner, 0), 0);
        CHECK_INT(chmod(in_dir("/tmp"), cases[i].mode), 0);
        CHECK_INT(install(in_dir("/tmp"), path) == 0, cases[i].fine);
        if (!cases[i].fine)
            CHECK_HAS(err.text, "must belong to user 0 with mode 0755, or to root with the sticky bit");
    }
    CHECK_INT(chown(in_dir("/tmp"), 0, 0), 0);
    CHECK(install("relative", path) < 0);
    CHECK(install(in_dir("/none"), path) < 0);
    CHECK_HAS(err.text, "No such file or directory");
}

static void the_jvms_own_user_may_own_the_targets_tmp(void)
{
    char path[ASPROF_PATH_SIZE];
    empty();
    CHECK_INT(chown(in_dir("/tmp"), 1234, 1234), 0);
    CHECK_INT(chmod(in_dir("/tmp"), 0700), 0);
    CHECK_INT(place(1234, path), 0);
    empty();
    CHECK_INT(chown(in_dir("/tmp"), 1234, 1234), 0);
    CHECK_INT(chmod(in_dir("/tmp"), 0755), 0);
    CHECK(place(NOBODY, path) < 0);
    CHECK_HAS(err.text, "Permission denied");
    CHECK_INT(chown(in_dir("/tmp"), 0, 0), 0);
}

static void full_noexec_and_read_only_mounts_are_told_with_a_remedy(void)
{
    char path[ASPROF_PATH_SIZE], lib[ASPROF_PATH_SIZE];
    const struct {
        unsigned long flags;
        const char *data, *part;
    } cases[] = {
        {0, "mode=1777,size=200k", "No space left on device (free some space there"},
        {MS_NOEXEC, "mode=1777", "noexec"},
        {MS_RDONLY, "mode=1777", "Read-only file system (mount a writable volume there"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        empty();
        if (mount("none", in_dir("/tmp"), "tmpfs", cases[i].flags, cases[i].data) < 0) {
            SKIP(full_noexec_and_read_only_mounts_are_told_with_a_remedy, "cannot mount");
            return;
        }
        CHECK(place(NOBODY, path) < 0);
        if (!strstr(err.text, cases[i].part))
            FAIL_("\"%s\" should contain \"%s\"", err.text, cases[i].part);
        snprintf(lib, sizeof lib, "%s", library());
        *strrchr(lib, '/') = '\0';
        CHECK_INT(entries(lib), 0); /* nothing half written */
        umount(in_dir("/tmp"));
    }
}

static void the_library_is_that_of_the_jvms_machine(void)
{
    const unsigned machines[] = {EM_X86_64, EM_AARCH64};
    struct asprof_dist d = {0}, first = {0};
    struct elf_kind kind;
    CHECK_INT(asprof_dist_open("", &first, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(machines); i++) {
        CHECK_INT(asprof_dist_open("", &d, &err), 0);
        asprof_dist_choose(&d, machines[i]);
        CHECK_INT(elf_kind_of(d.library.p, d.library.n, &kind), 0);
        CHECK_INT(kind.machine, machines[i]);
        CHECK_INT(strcmp(d.sha1, first.sha1) == 0, machines[i] == elf_host_machine());
        CHECK(d.launcher.p == first.launcher.p);
    }
    /* One for which there is none: that of the host, which is then refused with a reason. */
    d = first;
    asprof_dist_choose(&d, EM_RISCV);
    CHECK(d.library.p == first.library.p);
}

static void dist_replaces_what_is_embedded(void)
{
    struct asprof_dist d = {0};
    CHECK(asprof_dist_open("/nowhere", &d, &err) < 0);
    CHECK_HAS(err.text, "dist: open /nowhere/lib/libasyncProfiler.so");
    mkdir(in_dir("/dist"), 0755);
    mkdir(in_dir("/dist/lib"), 0755);
    mkdir(in_dir("/dist/bin"), 0755);
    static const char *const files[] = {"/dist/lib/libasyncProfiler.so", "/dist/bin/asprof"};
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        cleanup_fclose FILE *f = fopen(in_dir(files[i]), "we");
        fputs("abc", f);
    }
    CHECK_INT(asprof_dist_open(in_dir("/dist"), &d, &err), 0);
    CHECK_STR(d.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
    asprof_dist_done(&d);
    CHECK_INT(symlink("dist", in_dir("/dist-link")), 0);
    CHECK_INT(asprof_dist_open(in_dir("/dist-link"), &d, &err), 0);
    asprof_dist_done(&d);
}

/* Its path comes from a process without privileges, its bytes run in the JVMs of others. */
static void dist_that_others_can_change_is_refused(void)
{
    static const char *const parts[] = {"/dist", "/dist/lib", "/dist/lib/libasyncProfiler.so", "/dist/bin/asprof"};
    struct asprof_dist d = {0};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        CHECK_INT(chown(in_dir(parts[i]), NOBODY, NOBODY), 0);
        CHECK_INT(asprof_dist_open(in_dir("/dist"), &d, &err), -EPERM);
        CHECK_HAS(err.text, "belongs to user 65534");
        CHECK_INT(chown(in_dir(parts[i]), 0, 0), 0);
        CHECK_INT(chmod(in_dir(parts[i]), 0777), 0);
        CHECK_INT(asprof_dist_open(in_dir("/dist"), &d, &err), -EPERM);
        CHECK_HAS(err.text, "writable by others");
        CHECK_INT(chmod(in_dir(parts[i]), 0755), 0);
    }
    CHECK_INT(asprof_dist_open(in_dir("/dist"), &d, &err), 0);
    asprof_dist_done(&d);
    CHECK_INT(rename(in_dir("/dist/lib"), in_dir("/dist/real")), 0);
    CHECK_INT(symlink("real", in_dir("/dist/lib")), 0);
    CHECK(asprof_dist_open(in_dir("/dist"), &d, &err) < 0);
}

static void the_build_names_the_embedded_library_rightly(void)
{
    char hex[SHA1_HEX_SIZE];
    sha1_hex(dist.library.p, dist.library.n, hex);
    CHECK_STR(dist.sha1, hex);
}

int main(void)
{
    if (geteuid() != 0 || !mkdtemp(dir)) {
        SKIP(asprof, "needs root");
        return REPORT();
    }
    chmod(dir, 0755);
    if (asprof_dist_open("", &dist, &err) < 0)
        return 1;
    RUN(the_build_names_the_embedded_library_rightly);
    RUN(the_layout_is_as_documented_whatever_the_umask);
    RUN(bad_files_of_ours_are_replaced);
    RUN(the_folders_of_a_targets_copy_are_its_users_alone);
    RUN(the_hosts_copy_serves_all_who_see_it);
    RUN(users_who_share_a_tmp_do_not_share_a_copy);
    RUN(a_name_that_somebody_took_first_stops_nobody);
    RUN(what_is_mounted_there_is_left_alone);
    RUN(a_tmp_for_everybody_to_exchange_is_good_enough_for_a_container_only);
    RUN(links_in_the_target_never_lead_out_of_it);
    RUN(tmp_dir_has_to_be_safe);
    RUN(the_jvms_own_user_may_own_the_targets_tmp);
    RUN(full_noexec_and_read_only_mounts_are_told_with_a_remedy);
    RUN(the_library_is_that_of_the_jvms_machine);
    RUN(dist_replaces_what_is_embedded);
    RUN(dist_that_others_can_change_is_refused);
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return REPORT();
}
