#include "components/pyroscope_file_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/gzip.h"
#include "base/list.h"
#include "base/mem.h"
#include "components/pyroscope_file_directory.h"
#include "components/pyroscope_file_name.h"
#include "jfr/chunk.h"

/* Profiles and recordings say much about a program: not for everybody. */
enum { DIRECTORY_MODE = 0750, FILE_MODE = 0640, BLOCK = 4096, GZIP_LEVEL = 6, NUMBERS_MAX = 10000 };

/* A complete file. */
struct stored_file {
    struct list node; /* oldest first */
    char *name;
    uint64_t charge;
    int64_t time_ns;
};

/* A recording that is being written. */
struct open_recording {
    struct list node;  /* in the order they were begun */
    char *base, *name; /* of the complete file */
    uint64_t bytes;
    int64_t begun_ns;
};

struct file_store {
    char *directory;
    int fd;
    struct file_limits limits;
    struct list files, recordings;
    size_t file_count, recording_count;
    uint64_t charge, removed;
};

static uint64_t file_store_charge(uint64_t bytes)
{
    return bytes ? (bytes + BLOCK - 1) / BLOCK * BLOCK : BLOCK;
}

/* --- files and their number --- */

static void file_store_add(struct file_store *s, const char *name, uint64_t bytes, int64_t time_ns)
{
    struct stored_file *f = xcalloc(1, sizeof *f);
    *f = (struct stored_file){.name = xstrdup(name), .charge = file_store_charge(bytes), .time_ns = time_ns};
    list_push(&s->files, &f->node);
    s->file_count++;
    s->charge += f->charge;
}

static void file_store_forget(struct file_store *s, struct stored_file *f)
{
    list_del(&f->node);
    s->file_count--;
    s->charge -= f->charge;
    free(f->name);
    free(f);
}

static void file_store_remove(struct file_store *s, struct stored_file *f)
{
    s->removed += unlinkat(s->fd, f->name, 0) == 0;
    file_store_forget(s, f);
}

static bool file_store_exists(const struct file_store *s, const char *name)
{
    struct stat st;
    return fstatat(s->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A name that neither a complete file nor one in the making has. */
static int file_store_name(const struct file_store *s, const char *base, int64_t now_ns, enum file_kind kind,
                           struct str type, char ret[FILE_NAME_BYTES], struct err *err)
{
    char part[FILE_NAME_BYTES + sizeof FILE_PART];
    for (unsigned n = 1; n <= NUMBERS_MAX; n++) {
        file_name_put(base, now_ns, kind, type, n, ret);
        snprintf(part, sizeof part, "%s" FILE_PART, ret);
        if (!file_store_exists(s, ret) && !file_store_exists(s, part))
            return 0;
    }
    return err_set(err, -EEXIST, "%s: more than %d files of one second", ret, NUMBERS_MAX);
}

/* --- recordings --- */

static struct open_recording *file_store_find(const struct file_store *s, const char *base)
{
    list_each(&s->recordings, node)
    {
        struct open_recording *r = list_entry(node, struct open_recording, node);
        if (strcmp(r->base, base) == 0)
            return r;
    }
    return NULL;
}

static void open_recording_free(struct file_store *s, struct open_recording *r)
{
    list_del(&r->node);
    s->recording_count--;
    s->charge -= file_store_charge(r->bytes);
    free(r->base);
    free(r->name);
    free(r);
}

static void file_store_complete(struct file_store *s, struct open_recording *r, int64_t now_ns)
{
    char part[FILE_NAME_BYTES + sizeof FILE_PART];
    snprintf(part, sizeof part, "%s" FILE_PART, r->name);
    if (r->bytes && renameat(s->fd, part, s->fd, r->name) == 0)
        file_store_add(s, r->name, r->bytes, now_ns);
    else
        (void)unlinkat(s->fd, part, 0);
    open_recording_free(s, r);
}

static bool file_store_is_due(const struct file_store *s, const struct open_recording *r, int64_t now_ns)
{
    return now_ns < r->begun_ns || now_ns - r->begun_ns >= s->limits.rotate_ns;
}

/* --- room --- */

/* Removes the oldest files until `need` more bytes, and `files` more files, fit. `keep` is not completed. */
static int file_store_make_room(struct file_store *s, uint64_t need, size_t files, const struct open_recording *keep,
                                int64_t now_ns, struct err *err)
{
    if (need > s->limits.max_bytes)
        return err_set(err, -EFBIG, "%llu bytes are more than max_size", (unsigned long long)need);
    while (s->charge + need > s->limits.max_bytes || s->file_count + s->recording_count + files > s->limits.max_files) {
        struct open_recording *oldest = NULL;
        list_each(&s->recordings, node)
        {
            struct open_recording *r = list_entry(node, struct open_recording, node);
            if (!oldest && r != keep)
                oldest = r;
        }
        if (!list_empty(&s->files))
            file_store_remove(s, list_entry(s->files.next, struct stored_file, node));
        else if (oldest)
            file_store_complete(s, oldest, now_ns);
        else
            return err_set(err, -EFBIG, "max_size is too small for the recording that is being written");
    }
    return 0;
}

void file_store_tidy(struct file_store *s, int64_t now_ns)
{
    list_each(&s->recordings, node)
    {
        struct open_recording *r = list_entry(node, struct open_recording, node);
        if (file_store_is_due(s, r, now_ns))
            file_store_complete(s, r, now_ns);
    }
    list_each(&s->files, node)
    {
        struct stored_file *f = list_entry(node, struct stored_file, node);
        if (s->limits.max_age_ns && now_ns - f->time_ns > s->limits.max_age_ns)
            file_store_remove(s, f);
    }
    struct err unused;
    (void)file_store_make_room(s, 0, 0, NULL, now_ns, &unused); /* limits may have become lower */
}

/* --- writing --- */

/* Opens a file in the making; a new one must not exist, an old one is as long as it was left. */
static int file_store_open_part(const struct file_store *s, const char *name, bool is_new, uint64_t bytes)
{
    char part[FILE_NAME_BYTES + sizeof FILE_PART];
    struct stat st;
    snprintf(part, sizeof part, "%s" FILE_PART, name);
    cleanup_close int fd =
        openat(s->fd, part, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (is_new ? O_CREAT | O_EXCL : 0),
               FILE_MODE);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != bytes)
        return -ESTALE;
    return TAKE_FD(fd);
}

/* All of it, or nothing. */
static int file_store_write(const struct file_store *s, const char *name, bool is_new, uint64_t at, struct str data,
                            struct err *err)
{
    cleanup_close int fd = file_store_open_part(s, name, is_new, at);
    if (fd < 0)
        return err_set(err, fd, "%s/%s" FILE_PART ": %s", s->directory, name, strerror(-fd));
    const int code = fd_write_all(fd, data.p, data.n);
    if (code == 0)
        return 0;
    if (ftruncate(fd, (off_t)at) < 0)
        return err_set(err, code, "%s/%s" FILE_PART ": %s, and it cannot be shortened", s->directory, name,
                       strerror(-code));
    return err_set(err, code, "%s/%s" FILE_PART ": %s", s->directory, name, strerror(-code));
}

static int file_store_begin(struct file_store *s, const char *base, int64_t now_ns, struct open_recording **ret,
                            struct err *err)
{
    char name[FILE_NAME_BYTES];
    const int code = file_store_name(s, base, now_ns, FILE_JFR, STR(""), name, err);
    if (code < 0)
        return code;
    struct open_recording *r = xcalloc(1, sizeof *r);
    *r = (struct open_recording){.base = xstrdup(base), .name = xstrdup(name), .begun_ns = now_ns};
    list_push(&s->recordings, &r->node);
    s->recording_count++;
    s->charge += file_store_charge(0);
    *ret = r;
    return 0;
}

int file_store_append(struct file_store *s, const char *base, struct str chunk, int64_t now_ns, struct err *err)
{
    struct open_recording *r = file_store_find(s, base);
    if (r && (file_store_is_due(s, r, now_ns) || r->bytes + chunk.n > s->limits.rotate_bytes)) {
        file_store_complete(s, r, now_ns);
        r = NULL;
    }
    const uint64_t before = r ? file_store_charge(r->bytes) : 0;
    int code =
        file_store_make_room(s, file_store_charge((r ? r->bytes : 0) + chunk.n) - before, r == NULL, r, now_ns, err);
    const bool is_new = r == NULL;
    if (code == 0 && is_new)
        code = file_store_begin(s, base, now_ns, &r, err);
    if (code < 0)
        return code;
    code = file_store_write(s, r->name, is_new, r->bytes, chunk, err);
    if (code < 0) { /* what is there stays; the next chunk begins another file */
        file_store_complete(s, r, now_ns);
        return code;
    }
    s->charge += file_store_charge(r->bytes + chunk.n) - file_store_charge(r->bytes);
    r->bytes += chunk.n;
    return 0;
}

int file_store_put(struct file_store *s, const char *base, struct str type, struct str pprof, int64_t now_ns,
                   struct err *err)
{
    cleanup_buf struct buf packed = BUF_INIT(SIZE_MAX / 4);
    char name[FILE_NAME_BYTES], part[FILE_NAME_BYTES + sizeof FILE_PART];
    const bool is_packed = pprof.n > 2 && memcmp(pprof.p, "\x1f\x8b", 2) == 0;
    if (!is_packed && gzip_deflate(pprof, GZIP_LEVEL, &packed) < 0)
        return err_set(err, -ENOMEM, "cannot compress a profile of %zu bytes", pprof.n);
    const struct str data = is_packed ? pprof : buf_slice(&packed);
    int code = file_store_make_room(s, file_store_charge(data.n), 1, NULL, now_ns, err);
    if (code == 0)
        code = file_store_name(s, base, now_ns, FILE_PPROF, type, name, err);
    if (code < 0)
        return code;
    snprintf(part, sizeof part, "%s" FILE_PART, name);
    code = file_store_write(s, name, true, 0, data, err);
    if (code == 0 && renameat(s->fd, part, s->fd, name) < 0)
        code = err_errno(err, "%s/%s", s->directory, name);
    if (code < 0) {
        (void)unlinkat(s->fd, part, 0);
        return code;
    }
    file_store_add(s, name, data.n, now_ns);
    return 0;
}

/* --- opening --- */

/* How many bytes of an unfinished recording are whole chunks. */
static uint64_t file_store_whole_chunks(int fd, uint64_t size)
{
    uint8_t header[JFR_HEADER_SIZE];
    struct jfr_header h;
    uint64_t at = 0;
    while (size - at >= sizeof header && pread(fd, header, sizeof header, (off_t)at) == (ssize_t)sizeof header &&
           jfr_header_framing(header, &h) == JFR_CHUNK_CLOSED && h.size >= sizeof header && h.size <= size - at)
        at += h.size;
    return at;
}

/* Completes a recording that a program left behind. Returns its size; 0: there is nothing in it. */
static uint64_t file_store_repair(const struct file_store *s, const char *part, const char *name)
{
    struct stat st;
    cleanup_close int fd = openat(s->fd, part, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return 0;
    const uint64_t whole = file_store_whole_chunks(fd, (uint64_t)st.st_size);
    if (whole == 0 || ftruncate(fd, (off_t)whole) < 0 || renameat(s->fd, part, s->fd, name) < 0)
        return 0;
    return whole;
}

static void file_store_take(struct file_store *s, const char *found)
{
    struct stat st;
    bool part;
    const enum file_kind kind = file_name_kind(found, &part);
    if (kind == FILE_OTHER || fstatat(s->fd, found, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return;
    uint64_t size = (uint64_t)st.st_size;
    cleanup_free char *name = xstrndup(found, strlen(found) - (part ? sizeof FILE_PART - 1 : 0));
    if (part) {
        size = kind == FILE_JFR ? file_store_repair(s, found, name) : 0;
        if (size == 0) {
            (void)unlinkat(s->fd, found, 0);
            return;
        }
    }
    file_store_add(s, name, size, (int64_t)st.st_mtim.tv_sec * NS_PER_SEC + st.st_mtim.tv_nsec);
}

static int stored_file_by_time(const void *a, const void *b)
{
    const struct stored_file *x = *(const struct stored_file *const *)a, *y = *(const struct stored_file *const *)b;
    return x->time_ns != y->time_ns ? (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns) : strcmp(x->name, y->name);
}

static void file_store_sort(struct file_store *s)
{
    cleanup_free struct stored_file **all = xcalloc(s->file_count + 1, sizeof *all);
    size_t n = 0;
    list_each(&s->files, node) all[n++] = list_entry(node, struct stored_file, node);
    if (n > 1)
        qsort(all, n, sizeof *all, stored_file_by_time);
    for (size_t i = 0; i < n; i++) {
        list_del(&all[i]->node);
        list_push(&s->files, &all[i]->node);
    }
}

static int file_store_scan(struct file_store *s, struct err *err)
{
    const int own = openat(s->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cleanup_closedir DIR *dir = own < 0 ? NULL : fdopendir(own);
    if (!dir) {
        const int code = err_errno(err, "%s", s->directory);
        if (own >= 0)
            close(own);
        return code;
    }
    for (const struct dirent *e; (e = readdir(dir)) != NULL;)
        file_store_take(s, e->d_name);
    file_store_sort(s);
    return 0;
}

int file_store_open(const char *directory, struct file_store **ret, struct err *err)
{
    cleanup_close int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && mkdir(directory, DIRECTORY_MODE) == 0)
        fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return file_directory_error(directory, -errno, err);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        return err_set(err, -EBUSY, "%s: in use by another pyroscope.file", directory);
    if (faccessat(fd, ".", W_OK, AT_EACCESS) < 0)
        return file_directory_error(directory, -errno, err);
    struct file_store *s = xcalloc(1, sizeof *s);
    *s = (struct file_store){
        .directory = xstrdup(directory), .fd = TAKE_FD(fd), .limits = {.max_bytes = UINT64_MAX, .max_files = SIZE_MAX}};
    list_init(&s->files);
    list_init(&s->recordings);
    const int code = file_store_scan(s, err);
    if (code < 0) {
        file_store_close(s);
        return code;
    }
    *ret = s;
    return 0;
}

void file_store_close(struct file_store *s)
{
    if (!s)
        return;
    list_each(&s->recordings, node) file_store_complete(s, list_entry(node, struct open_recording, node), 0);
    list_each(&s->files, node) file_store_forget(s, list_entry(node, struct stored_file, node));
    close(s->fd);
    free(s->directory);
    free(s);
}

const char *file_store_directory(const struct file_store *s)
{
    return s->directory;
}

void file_store_set_limits(struct file_store *s, const struct file_limits *limits)
{
    s->limits = *limits;
}

void file_store_view(const struct file_store *s, struct file_store_view *ret)
{
    *ret = (struct file_store_view){.files = s->file_count + s->recording_count,
                                    .bytes = s->charge,
                                    .writing = s->recording_count,
                                    .removed = s->removed};
}
