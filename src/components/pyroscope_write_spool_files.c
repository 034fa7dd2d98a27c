#include "components/pyroscope_write_spool_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gzip.h"
#include "base/mem.h"

enum { BOOT_ID_MAX = 40, NAME_MAX_ = 24, PART_MAX = 64 << 20 };

static const char segment_magic[8] = "smspool1";
static const uint32_t record_magic = 0x43455253; /* "SREC" */

struct spool_segment_head {
    char magic[8], boot[BOOT_ID_MAX];
};

/* Little endian, as both of our machines are. */
struct spool_record_head {
    uint32_t magic, checksum; /* of the rest of the header, from `labels`, and of what follows it */
    uint8_t done, zero[7];
    uint32_t labels, profile; /* bytes */
    int64_t wall_ns, boot_ns, time_nanos, duration_nanos;
    uint64_t samples;
    char id[SPOOL_ID_MAX];
};

enum spool_record_state { RECORD_WAITING, RECORD_TAKEN, RECORD_DONE };

struct spool_record {
    uint32_t offset;
    enum spool_record_state state;
};

struct spool_segment {
    uint64_t number;
    int fd;
    bool same_boot;
    size_t size;
    struct spool_record *records;
    size_t len, cap, live; /* live: not done */
};

struct spool_files {
    char *path;
    int dir, lock;
    char boot[BOOT_ID_MAX];
    struct spool_segment *segments; /* by number */
    size_t len, cap;
    uint64_t next_number; /* never used again: places may outlive their segment */
    bool is_writing;      /* the last segment was begun by us */
    struct spool_counts counts;
};

/* --- segments --- */

static void spool_segment_name(uint64_t number, char name[NAME_MAX_])
{
    snprintf(name, NAME_MAX_, "%016" PRIx64, number);
}

static struct spool_segment *spool_segment(struct spool_files *f, uint64_t number)
{
    for (size_t i = 0; i < f->len; i++) {
        if (f->segments[i].number == number)
            return &f->segments[i];
    }
    return NULL;
}

static void spool_segment_remove(struct spool_files *f, struct spool_segment *s)
{
    char name[NAME_MAX_];
    spool_segment_name(s->number, name);
    (void)unlinkat(f->dir, name, 0);
    close(s->fd);
    f->counts.bytes -= s->size;
    free(s->records);
    const size_t at = (size_t)(s - f->segments);
    if (at + 1 == f->len)
        f->is_writing = false;
    memmove(s, s + 1, (f->len - at - 1) * sizeof *s);
    f->len--;
}

static void spool_set_state(struct spool_files *f, struct spool_segment *s, struct spool_record *r,
                            enum spool_record_state state)
{
    f->counts.waiting += (size_t)(state == RECORD_WAITING) - (size_t)(r->state == RECORD_WAITING);
    if (state == RECORD_DONE && r->state != RECORD_DONE) {
        const uint8_t done = 1;
        /* A failure would deliver it again after a restart, with the same ID. */
        (void)!pwrite(s->fd, &done, 1, (off_t)(r->offset + offsetof(struct spool_record_head, done)));
        s->live--;
    }
    r->state = state;
}

static struct spool_segment *spool_add_segment(struct spool_files *f, uint64_t number, int fd)
{
    xgrow(&f->segments, &f->cap, f->len + 1, sizeof *f->segments);
    size_t at = f->len++;
    for (; at > 0 && f->segments[at - 1].number > number; at--)
        f->segments[at] = f->segments[at - 1];
    f->segments[at] = (struct spool_segment){.number = number, .fd = fd};
    if (number >= f->next_number)
        f->next_number = number + 1;
    return &f->segments[at];
}

/* --- what an earlier agent left --- */

static uint32_t spool_checksum(const struct spool_record_head *h, struct str labels, struct str profile)
{
    const struct str head = {(const char *)&h->labels, sizeof *h - offsetof(struct spool_record_head, labels)};
    return gzip_crc(gzip_crc(gzip_crc(0, head), labels), profile);
}

static bool spool_read_at(int fd, void *to, size_t n, size_t offset)
{
    return pread(fd, to, n, (off_t)offset) == (ssize_t)n;
}

/* Records up to the first that is not whole; their checksums are compared when they are taken. */
static void spool_scan_records(struct spool_files *f, struct spool_segment *s)
{
    struct spool_record_head h;
    for (size_t at = sizeof(struct spool_segment_head); at + sizeof h <= s->size;) {
        const bool good = spool_read_at(s->fd, &h, sizeof h, at) && h.magic == record_magic && h.labels <= PART_MAX &&
                          h.profile <= PART_MAX && at + sizeof h + h.labels + h.profile <= s->size;
        if (!good)
            break;
        xgrow(&s->records, &s->cap, s->len + 1, sizeof *s->records);
        s->records[s->len++] = (struct spool_record){(uint32_t)at, h.done ? RECORD_DONE : RECORD_WAITING};
        s->live += !h.done;
        f->counts.waiting += !h.done;
        at += sizeof h + h.labels + h.profile;
    }
}

static void spool_scan_segment(struct spool_files *f, const char *name)
{
    char *end;
    const uint64_t number = strtoull(name, &end, 16);
    struct spool_segment_head head;
    struct stat st;
    if (strlen(name) != 16 || *end)
        return;
    const int fd = openat(f->dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !spool_read_at(fd, &head, sizeof head, 0) ||
        memcmp(head.magic, segment_magic, sizeof head.magic) != 0) {
        close(fd);
        return;
    }
    struct spool_segment *s = spool_add_segment(f, number, fd);
    s->size = (size_t)st.st_size;
    s->same_boot = strncmp(head.boot, f->boot, sizeof head.boot) == 0;
    f->counts.bytes += s->size;
    spool_scan_records(f, s);
    if (!s->live)
        spool_segment_remove(f, s);
}

static int spool_scan(struct spool_files *f, struct err *err)
{
    const int fd = fcntl(f->dir, F_DUPFD_CLOEXEC, 0);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d)
        return err_errno(err, "read %s", f->path);
    for (struct dirent *e; (e = readdir(d));)
        spool_scan_segment(f, e->d_name);
    closedir(d);
    return 0;
}

static void spool_read_boot(char boot[BOOT_ID_MAX])
{
    cleanup_close int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    memset(boot, 0, BOOT_ID_MAX);
    if (fd < 0 || read(fd, boot, 36) != 36)
        boot[0] = '?'; /* the age is then by the time of day */
}

static void spool_make_parents(const char *path)
{
    cleanup_free char *parent = xstrdup(path);
    for (char *slash = strchr(parent + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(parent, 0700); /* what cannot be made or is there shows below */
        *slash = '/';
    }
}

static int spool_open_directory(struct spool_files *f, bool create, struct err *err)
{
    if (create) {
        spool_make_parents(f->path);
        if (mkdir(f->path, 0700) < 0 && errno != EEXIST)
            return err_errno(err, "create %s", f->path);
    }
    f->dir = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (f->dir < 0)
        return err_errno(err, "open %s", f->path);
    f->lock = openat(f->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (f->lock < 0)
        return err_errno(err, "open %s/lock", f->path);
    if (flock(f->lock, LOCK_EX | LOCK_NB) < 0)
        return err_set(err, -EBUSY, "%s is in use by another agent or endpoint", f->path);
    return 0;
}

int spool_files_open(const char *path, bool create, struct spool_files **ret, struct err *err)
{
    struct spool_files *f = xcalloc(1, sizeof *f);
    f->path = xstrdup(path);
    f->dir = f->lock = -1;
    f->next_number = 1;
    spool_read_boot(f->boot);
    int code = spool_open_directory(f, create, err);
    if (code == 0)
        code = spool_scan(f, err);
    if (code < 0) {
        spool_files_close(f);
        return code;
    }
    *ret = f;
    return 0;
}

void spool_files_close(struct spool_files *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->len; i++) {
        close(f->segments[i].fd);
        free(f->segments[i].records);
    }
    if (f->len == 0 && f->lock >= 0) {
        (void)unlinkat(f->dir, "lock", 0);
        (void)rmdir(f->path);
    }
    if (f->lock >= 0)
        close(f->lock);
    if (f->dir >= 0)
        close(f->dir);
    free(f->segments);
    free(f->path);
    free(f);
}

/* --- writing --- */

static int spool_begin_segment(struct spool_files *f, struct err *err)
{
    char name[NAME_MAX_];
    const uint64_t number = f->next_number;
    struct spool_segment_head head;
    memcpy(head.magic, segment_magic, sizeof head.magic);
    memcpy(head.boot, f->boot, sizeof head.boot);
    spool_segment_name(number, name);
    const int fd = openat(f->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(err, "create %s/%s", f->path, name);
    if (pwrite(fd, &head, sizeof head, 0) != (ssize_t)sizeof head) {
        const int code = err_errno(err, "write %s/%s", f->path, name);
        (void)unlinkat(f->dir, name, 0);
        close(fd);
        return code;
    }
    struct spool_segment *s = spool_add_segment(f, number, fd);
    s->same_boot = true;
    s->size = sizeof head;
    f->counts.bytes += s->size;
    f->is_writing = true;
    return 0;
}

/* What the oldest segments hold and nobody has taken is lost; what was taken may still arrive. */
static void spool_make_room(struct spool_files *f, const struct spool_limits *limits, size_t more, size_t keep)
{
    while (f->len > keep && f->counts.bytes + more > limits->bytes) {
        struct spool_segment *s = &f->segments[0];
        for (size_t i = 0; i < s->len; i++) {
            f->counts.too_many += s->records[i].state == RECORD_WAITING;
            spool_set_state(f, s, &s->records[i], RECORD_DONE);
        }
        spool_segment_remove(f, s);
    }
}

static int spool_write(struct spool_files *f, struct spool_segment *s, struct spool_record_head *h,
                       const struct spool_entry *e, struct err *err)
{
    const size_t size = sizeof *h + e->labels.n + e->profile.n;
    const struct iovec parts[] = {
        {h, sizeof *h}, {(void *)e->labels.p, e->labels.n}, {(void *)e->profile.p, e->profile.n}};
    const ssize_t n = pwritev(s->fd, parts, 3, (off_t)s->size);
    if (n == (ssize_t)size)
        return 0;
    const int code = n < 0 ? err_errno(err, "write to %s", f->path)
                           : err_set(err, -ENOSPC, "write to %s: no space left on the device", f->path);
    (void)!ftruncate(s->fd, (off_t)s->size);
    return code;
}

int spool_files_append(struct spool_files *f, const struct spool_limits *limits, const struct spool_entry *e,
                       struct spool_now now, struct spool_place *ret, struct err *err)
{
    const size_t size = sizeof(struct spool_record_head) + e->labels.n + e->profile.n;
    if (e->labels.n > PART_MAX || e->profile.n > PART_MAX || size + sizeof(struct spool_segment_head) > limits->bytes)
        return err_set(err, -EFBIG, "profile larger than the spool");
    /* A part of the limit, so that room can be made without giving up everything. */
    const size_t most = limits->bytes / 8 < SPOOL_SEGMENT ? limits->bytes / 8 : SPOOL_SEGMENT;
    if (!f->is_writing || f->segments[f->len - 1].size + size > most) {
        spool_make_room(f, limits, size + sizeof(struct spool_segment_head), 0);
        const int code = spool_begin_segment(f, err);
        if (code < 0)
            return code;
    }
    struct spool_record_head h = {.magic = record_magic,
                                  .labels = (uint32_t)e->labels.n,
                                  .profile = (uint32_t)e->profile.n,
                                  .wall_ns = now.wall_ns,
                                  .boot_ns = now.boot_ns,
                                  .time_nanos = e->time_nanos,
                                  .duration_nanos = e->duration_nanos,
                                  .samples = e->samples};
    memcpy(h.id, e->id, sizeof h.id);
    h.checksum = spool_checksum(&h, e->labels, e->profile);
    struct spool_segment *s = &f->segments[f->len - 1];
    const int code = spool_write(f, s, &h, e, err);
    if (code < 0)
        return code;
    xgrow(&s->records, &s->cap, s->len + 1, sizeof *s->records);
    s->records[s->len] = (struct spool_record){(uint32_t)s->size, RECORD_TAKEN};
    *ret = (struct spool_place){s->number, (uint32_t)s->len++};
    s->live++;
    s->size += size;
    f->counts.bytes += size;
    spool_make_room(f, limits, 0, 1);
    return 0;
}

/* --- reading --- */

static int64_t spool_age_ns(const struct spool_segment *s, const struct spool_record_head *h, struct spool_now now)
{
    const int64_t age = s->same_boot ? now.boot_ns - h->boot_ns : now.wall_ns - h->wall_ns;
    return age > 0 ? age : 0;
}

/* False: it is damaged. */
static bool spool_read_record(const struct spool_segment *s, const struct spool_record *r, struct spool_record_head *h,
                              struct buf *room, struct spool_entry *e)
{
    if (!spool_read_at(s->fd, h, sizeof *h, r->offset) || h->labels > PART_MAX || h->profile > PART_MAX)
        return false;
    const size_t n = (size_t)h->labels + h->profile;
    buf_reset(room);
    uint8_t *p = buf_reserve(room, n);
    if (!p || !spool_read_at(s->fd, p, n, r->offset + sizeof *h))
        return false;
    room->len = n;
    e->labels = (struct str){(const char *)p, h->labels};
    e->profile = (struct str){(const char *)p + h->labels, h->profile};
    memcpy(e->id, h->id, sizeof e->id);
    e->id[sizeof e->id - 1] = '\0';
    e->samples = h->samples;
    e->time_nanos = h->time_nanos;
    e->duration_nanos = h->duration_nanos;
    return spool_checksum(h, e->labels, e->profile) == h->checksum;
}

static struct spool_segment *spool_next(struct spool_files *f, size_t *record)
{
    for (size_t i = 0; i < f->len && f->counts.waiting; i++) {
        for (size_t k = 0; k < f->segments[i].len; k++) {
            if (f->segments[i].records[k].state == RECORD_WAITING) {
                *record = k;
                return &f->segments[i];
            }
        }
    }
    return NULL;
}

int spool_files_take(struct spool_files *f, const struct spool_limits *limits, struct spool_now now, struct buf *room,
                     struct spool_entry *e)
{
    size_t k;
    for (struct spool_segment *s; (s = spool_next(f, &k));) {
        const struct spool_place place = {s->number, (uint32_t)k};
        struct spool_record_head h;
        const bool good = spool_read_record(s, &s->records[k], &h, room, e);
        e->age_ns = good ? spool_age_ns(s, &h, now) : 0;
        if (good && e->age_ns <= limits->age_ns) {
            spool_set_state(f, s, &s->records[k], RECORD_TAKEN);
            e->place = place;
            return 0;
        }
        f->counts.too_old += good;
        spool_files_finish(f, place);
    }
    return -ENOENT;
}

void spool_files_give_back(struct spool_files *f, struct spool_place place)
{
    struct spool_segment *s = spool_segment(f, place.segment);
    if (s && place.record < s->len && s->records[place.record].state == RECORD_TAKEN)
        spool_set_state(f, s, &s->records[place.record], RECORD_WAITING);
}

void spool_files_finish(struct spool_files *f, struct spool_place place)
{
    struct spool_segment *s = spool_segment(f, place.segment);
    if (!s || place.record >= s->len)
        return;
    spool_set_state(f, s, &s->records[place.record], RECORD_DONE);
    if (!s->live)
        spool_segment_remove(f, s);
}

struct spool_counts spool_files_counts(const struct spool_files *f)
{
    return f->counts;
}

/* --- what endpoints of the past left --- */

static void spool_sweep_one(const char *path, int64_t older_than_s, int64_t now_s)
{
    struct stat st;
    struct spool_files *f = NULL;
    if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) || now_s - st.st_mtime < older_than_s ||
        spool_files_open(path, false, &f, NULL) < 0)
        return;
    while (f->len)
        spool_segment_remove(f, &f->segments[0]);
    spool_files_close(f);
}

void spool_files_sweep(const char *parent, int64_t older_than_s, int64_t now_s)
{
    DIR *d = opendir(parent);
    if (!d)
        return;
    for (struct dirent *e; (e = readdir(d));) {
        cleanup_free char *path = xasprintf("%s/%s", parent, e->d_name);
        if (e->d_name[0] != '.')
            spool_sweep_one(path, older_than_s, now_s);
    }
    closedir(d);
}
