#include "jvm/attach/fit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "jvm/probe/mapped.h"
#include "jvm/probe/vm_memory.h"
#include "os/fsutil.h"
#include "os/rootfs.h"

/* What the profiler takes besides stacks: measured 14 MB with few of them. Its `memlimit` counts 9 MB before the first
 * stack and grows by 8 (callTraceStorage.cpp, CALL_TRACE_CHUNK), so that less than 10 keeps none. */
enum { STORAGE_BASE_MIB = 13, STORAGE_LEAST_MIB = 10 };
enum { RELEASE_MAX = 64 << 10, BLOCK = 1 << 20, OVERLAP = 256 };
/* With all its debug information a libjvm can have hundreds of megabytes; its text lies before that. */
static const uint64_t LIBJVM_MAX = (uint64_t)2 << 30, SEARCHED_MAX = 128 << 20;

/* How the program of a process begins. */
static void look_at_program(const struct jvm_view *v, struct elf_kind *ret)
{
    uint8_t head[ELF_HEAD];
    cleanup_close int fd = v->exe < 0 ? -1 : fs_reopen(v->exe, O_RDONLY | O_NONBLOCK);
    if (fd < 0 || pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head || elf_kind_of(head, sizeof head, ret) < 0)
        *ret = (struct elf_kind){0};
}

int fit_vm(const struct jvm_probe *t, bool untested, struct err *err)
{
    if (!t->openj9 || untested || t->ours.path[0])
        return 0;
    return err_set(err, -ENOTSUP,
                   "the JVM is OpenJ9, which was tested against a simulation only and may crash on attach; "
                   "untested_versions = true allows it");
}

int fit_peek(const struct pidref *p, const struct jvm_probe *t, uint64_t need, struct jvm_fit *ret, struct err *err)
{
    struct jvm_fit f = {0};
    struct cgroup c;
    struct err why = {0};
    if (t->ours.path[0])
        need /= JVM_HEADROOM_AGAIN;
    int code = cgroup_of(p, &c, &why);
    if (code == 0)
        headroom_read(&c, &f.room);
    else if (code != -ENOENT && need)
        snprintf(f.note, sizeof f.note, "memory headroom is unknown: %.140s", why.text);
    *ret = f;
    return headroom_check(&f.room, need, err);
}

unsigned fit_storage(const struct jvm_fit *f, unsigned usual)
{
    if (!f->room.limited)
        return usual;
    const uint64_t mega = f->room.left >> 20, spare = mega > STORAGE_BASE_MIB ? mega - STORAGE_BASE_MIB : 0;
    return spare < STORAGE_LEAST_MIB ? STORAGE_LEAST_MIB : spare < usual ? (unsigned)spare : usual;
}

/* libjvm as the JVM has it mapped. */
static int open_libjvm(const struct jvm_view *v, const struct jvm_probe *t, char path[PATH_MAX])
{
    if (t->libjvm.deleted || !jvm_mapped_path(v, t->libjvm.path, t->libjvm.inode, path, PATH_MAX))
        return -ENOENT;
    return rootfs_file(v->root, path, O_RDONLY | O_NONBLOCK, LIBJVM_MAX, NULL, NULL);
}

/* <java.home>/release, of <java.home>/lib/server/libjvm.so; JDK 8 has the JVM in jre/lib/amd64/server. */
static bool read_release(int root, const char *libjvm, struct jvm_build *ret)
{
    char path[PATH_MAX + 16];
    const char *lib = NULL, *at = libjvm;
    while ((at = strstr(at, "/lib/"))) {
        lib = at;
        at += strlen("/lib");
    }
    if (!lib)
        return false;
    struct str home = {libjvm, (size_t)(lib - libjvm)}, jre = STR("/jre");
    for (int i = 0; i < 2; i++) {
        cleanup_buf struct buf text = BUF_INIT(RELEASE_MAX);
        snprintf(path, sizeof path, "%.*s/release", STR_ARG(home));
        if (rootfs_read(root, path, &text, NULL) == 0 && jvm_build_of_release(buf_slice(&text), ret))
            return true;
        if (!str_has_suffix(home, jre))
            return false;
        home.n -= jre.n;
    }
    return false;
}

/* Block by block: 20 MB, of which the text is somewhere. */
static bool search_libjvm(int fd, struct jvm_build *ret)
{
    cleanup_free char *block = xcalloc(1, BLOCK);
    size_t kept = 0;
    for (off_t at = 0; (uint64_t)at < SEARCHED_MAX;) {
        ssize_t n = pread(fd, block + kept, BLOCK - kept, at);
        if (n <= 0)
            return false;
        at += n;
        const size_t have = kept + (size_t)n;
        if (jvm_build_of_libjvm((struct str){block, have}, ret))
            return true;
        kept = have < OVERLAP ? have : OVERLAP;
        memmove(block, block + have - kept, kept);
    }
    return false;
}

/* Of libjvm itself, else of the program it is in: an emulator's program is none of its guest's. */
static int check_machine(const struct jvm_view *v, int libjvm, const struct asprof_file *library, struct err *err)
{
    uint8_t head[ELF_HEAD];
    struct elf_kind theirs, ours;
    look_at_program(v, &theirs);
    if (libjvm >= 0 &&
        (pread(libjvm, head, sizeof head, 0) != (ssize_t)sizeof head || elf_kind_of(head, sizeof head, &theirs) < 0))
        return err_set(err, -ENOTSUP, "the JVM's libjvm is not an ELF file");
    if (theirs.bits == 0)
        return err_set(err, -ENOTSUP, "the JVM's libjvm cannot be read, so its architecture is unknown");
    if (elf_kind_of(library->p, library->n, &ours) < 0)
        return err_set(err, -ENOTSUP, "the profiler library is not an ELF file");
    return elf_check(&theirs, &ours, elf_host_machine(), err);
}

unsigned fit_machine(const struct jvm_view *v, const struct jvm_probe *t)
{
    char path[PATH_MAX];
    uint8_t head[ELF_HEAD];
    struct elf_kind kind;
    cleanup_close int libjvm = open_libjvm(v, t, path);
    if (libjvm < 0 || pread(libjvm, head, sizeof head, 0) != (ssize_t)sizeof head ||
        elf_kind_of(head, sizeof head, &kind) < 0)
        look_at_program(v, &kind);
    /* A file of another machine can be mapped by anybody: there it does not run. */
    struct vm_flags unused = {0};
    if (kind.machine != elf_host_machine() && !vm_memory_flags(v->mem, t->libjvm.start, &unused))
        return elf_host_machine();
    return kind.machine;
}

int fit_check(const struct jvm_view *v, const struct jvm_probe *t, const struct asprof_file *library, bool untested,
              struct jvm_fit *fit, struct err *err)
{
    char path[PATH_MAX];
    if (t->vm_version[0])
        (void)jvm_build_parse(str_of(t->vm_version), &fit->build);
    if (t->vm_vendor[0])
        jvm_printable(str_of(t->vm_vendor), fit->build.vendor, sizeof fit->build.vendor);
    cleanup_close int libjvm = library || fit->build.major == 0 ? open_libjvm(v, t, path) : -1;
    int code = library ? check_machine(v, libjvm, library, err) : 0;
    if (code < 0)
        return code;
    if (fit->build.major == 0 && libjvm >= 0 && !read_release(v->root, path, &fit->build))
        (void)search_libjvm(libjvm, &fit->build);
    if (!library)
        return 0;
    return jvm_build_check(&fit->build, asprof_version_of((struct str){(const char *)library->p, library->n}), untested,
                           err);
}
