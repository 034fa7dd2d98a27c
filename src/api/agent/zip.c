#include "api/agent/zip.h"

#include <dlfcn.h>
#include <errno.h>
#include <minizip/zip.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/cleanup.h"
#include "os/fsutil.h"

#define FUNCTIONS(X)                                                                                                   \
    X(zipOpen64)                                                                                                       \
    X(zipOpenNewFileInZip64)                                                                                           \
    X(zipWriteInFileInZip)                                                                                             \
    X(zipCloseFileInZip)                                                                                               \
    X(zipClose)

struct zip_library {
    void *so;
#define MEMBER(f) __typeof__(f) *f##_;
    FUNCTIONS(MEMBER)
};

static void zip_close_library(struct zip_library *lib)
{
    if (lib->so)
        dlclose(lib->so);
}

static int zip_open_library(struct zip_library *lib, struct err *err)
{
    lib->so = dlopen("libminizip.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!lib->so)
        return err_set(err, -ELIBACC, "load minizip: %s; install the package libminizip1", dlerror());
#define FIND(f)                                                                                                        \
    lib->f##_ = (__typeof__(f) *)dlsym(lib->so, #f);                                                                   \
    if (!lib->f##_)                                                                                                    \
        return err_set(err, -ELIBACC, "minizip has no function %s", #f);
    FUNCTIONS(FIND)
    return 0;
}

static int zip_add(const struct zip_library *lib, zipFile zip, const struct zip_entry *e, struct err *err)
{
    zip_fileinfo info = {0};
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    info.tmz_date = (tm_zip){(uInt)tm.tm_sec,  (uInt)tm.tm_min, (uInt)tm.tm_hour,
                             (uInt)tm.tm_mday, (uInt)tm.tm_mon, (uInt)tm.tm_year + 1900};
    if (lib->zipOpenNewFileInZip64_(zip, e->name, &info, NULL, 0, NULL, 0, NULL, Z_DEFLATED, Z_BEST_SPEED, 0) ||
        (e->text.len && lib->zipWriteInFileInZip_(zip, e->text.p, (unsigned)e->text.len)) ||
        lib->zipCloseFileInZip_(zip))
        return err_set(err, -EIO, "write %s into the archive", e->name);
    return 0;
}

int zip_make(const struct zip_entry *entries, size_t n, struct buf *out, struct err *err)
{
    __attribute__((cleanup(zip_close_library))) struct zip_library lib = {0};
    cleanup_close int fd = memfd_create("zip", MFD_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "memfd_create");
    int code = zip_open_library(&lib, err);
    if (code < 0)
        return code;
    /* minizip opens files by name. */
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    zipFile zip = lib.zipOpen64_(path, APPEND_STATUS_CREATE);
    if (!zip)
        return err_set(err, -EIO, "create an archive in memory");
    for (size_t i = 0; i < n && code == 0; i++)
        code = zip_add(&lib, zip, &entries[i], err);
    if (lib.zipClose_(zip, NULL) && code == 0)
        code = err_set(err, -EIO, "finish the archive");
    if (code < 0)
        return code;
    bool whole;
    code = fs_read(fd, out, &whole);
    if (code < 0 || !whole)
        return err_set(err, code < 0 ? code : -EFBIG, "the archive is too large");
    return 0;
}
