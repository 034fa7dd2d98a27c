#include "store/page_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"

enum {
    PAGE_SIZE_MIN = 512,
    PAGE_SIZE_DEFAULT = 4096,
    HEADER = 100,
    HEADER_PAGE_SIZE = 16,
    HEADER_RESERVED = 20,
    HEADER_CHANGES = 24,
    HEADER_COUNT = 28,
    HEADER_LARGEST_ROOT = 52,
    HEADER_COUNTED = 92,
    COUNT_FACTOR = 16,
    USABLE_MIN = 480,
    WAL_HEADER = 32,
    FRAME_HEADER = 24,
    MAP_ENTRY = 5,
    LOCK_BYTE = 1 << 30, /* the page with it is not used */
};
static const char magic[16] = "SQLite format 3";

static bool page_read_at(int fd, uint8_t *p, size_t n, off_t at)
{
    while (n) {
        const ssize_t got = pread(fd, p, n, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        p += got;
        n -= (size_t)got;
        at += got;
    }
    return true;
}

static bool page_size_is_valid(uint32_t n)
{
    return n >= PAGE_SIZE_MIN && n <= PAGE_SIZE_MAX && (n & (n - 1)) == 0;
}

/* ---- the write-ahead log ---- */

struct wal_sum {
    bool big; /* order of the bytes of a number */
    uint32_t a, b;
};

static uint32_t wal_word(const struct wal_sum *s, const uint8_t *p)
{
    return s->big ? page_u32(p) : (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static void wal_sum_add(struct wal_sum *s, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i + 8 <= n; i += 8) {
        s->a += wal_word(s, p + i) + s->b;
        s->b += wal_word(s, p + i + 4) + s->a;
    }
}

static bool wal_sum_is(const struct wal_sum *s, const uint8_t *p)
{
    return page_u32(p) == s->a && page_u32(p + 4) == s->b;
}

/* Pages of a transaction count once its last frame is there. */
struct wal_transaction {
    struct {
        uint32_t page;
        off_t at;
    } * pages; /* owned */
    size_t len, cap;
};

static void wal_commit(struct page_file *f, struct wal_transaction *t, uint32_t count)
{
    for (size_t i = 0; i < t->len; i++)
        u64map_put(&f->frames, t->pages[i].page, (uint64_t)t->pages[i].at);
    t->len = 0;
    f->count = count;
}

/* Up to the first frame that is not the log's any more: what was written before the last checkpoint, or is damaged. */
static void wal_read_frames(struct page_file *f, const uint8_t *header, struct wal_sum sum)
{
    struct wal_transaction t = {0};
    cleanup_free uint8_t *frame = xmalloc(FRAME_HEADER + (size_t)f->size);
    off_t at = WAL_HEADER;
    for (; page_read_at(f->wal, frame, FRAME_HEADER + (size_t)f->size, at); at += FRAME_HEADER + (off_t)f->size) {
        wal_sum_add(&sum, frame, 8);
        wal_sum_add(&sum, frame + FRAME_HEADER, f->size);
        if (page_u32(frame) == 0 || memcmp(frame + 8, header + 16, 8) != 0 || !wal_sum_is(&sum, frame + 16))
            break;
        xgrow(&t.pages, &t.cap, t.len + 1, sizeof *t.pages);
        t.pages[t.len].page = page_u32(frame);
        t.pages[t.len++].at = at + FRAME_HEADER;
        if (page_u32(frame + 4))
            wal_commit(f, &t, page_u32(frame + 4));
    }
    free(t.pages);
}

static void page_file_open_wal(struct page_file *f, const char *path)
{
    cleanup_free char *name = xasprintf("%s-wal", path);
    uint8_t header[WAL_HEADER];
    struct wal_sum sum = {0};
    f->wal = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (f->wal < 0 || !page_read_at(f->wal, header, sizeof header, 0) || page_u32(header) >> 1 != 0x377f0682u >> 1)
        return;
    sum.big = page_u32(header) & 1;
    wal_sum_add(&sum, header, WAL_HEADER - 8);
    if (!wal_sum_is(&sum, header + WAL_HEADER - 8) || !page_size_is_valid(page_u32(header + 8)))
        return;
    f->size = page_u32(header + 8);
    wal_read_frames(f, header, sum);
}

/* ---- pages ---- */

static void page_file_read_header(struct page_file *f, off_t bytes)
{
    uint8_t header[HEADER], frame[PAGE_SIZE_MAX];
    uint64_t at;
    f->size = f->size ? f->size : PAGE_SIZE_DEFAULT;
    bool good;
    if (u64map_get(&f->frames, 1, &at)) {
        good = page_file_read(f, 1, frame);
        memcpy(header, frame, sizeof header);
    } else {
        good = page_read_at(f->fd, header, sizeof header, 0);
    }
    good = good && memcmp(header, magic, sizeof magic) == 0;
    uint32_t size = good ? page_u16(header + HEADER_PAGE_SIZE) : 0;
    size = size == 1 ? PAGE_SIZE_MAX : size;
    good = good && page_size_is_valid(size);
    if (good && f->frames.len == 0)
        f->size = size;
    const uint32_t reserved = good ? header[HEADER_RESERVED] : 0;
    f->usable = f->size - reserved >= USABLE_MIN ? f->size - reserved : f->size;
    f->mapped = !good || page_u32(header + HEADER_LARGEST_ROOT);
    /* A file that was cut off had more; but its header may be damaged, too. */
    const uint64_t there = (uint64_t)bytes / f->size + ((uint64_t)bytes % f->size != 0);
    const bool counted = good && memcmp(header + HEADER_CHANGES, header + HEADER_COUNTED, 4) == 0;
    uint64_t count = f->frames.len ? f->count : counted ? page_u32(header + HEADER_COUNT) : 0;
    count = count > there || f->frames.len ? count : there;
    const uint64_t most = (there + f->frames.len) * COUNT_FACTOR;
    f->count = (uint32_t)(count < most ? count : most < UINT32_MAX ? most : UINT32_MAX);
}

int page_file_open(const char *path, struct page_file *ret, struct err *err)
{
    struct stat st;
    struct page_file f = {.wal = -1};
    f.fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (f.fd < 0 || fstat(f.fd, &st) < 0) {
        const int code = err_errno(err, "open %s", path);
        page_file_done(&f);
        return code;
    }
    page_file_open_wal(&f, path);
    page_file_read_header(&f, st.st_size);
    f.map = xmalloc(f.size);
    *ret = f;
    return 0;
}

void page_file_done(struct page_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    if (f->wal >= 0)
        close(f->wal);
    u64map_done(&f->frames);
    free(f->map);
    *f = (struct page_file){.fd = -1, .wal = -1};
}

bool page_file_read(const struct page_file *f, uint32_t page, uint8_t *out)
{
    uint64_t at;
    if (page == 0)
        return false;
    if (u64map_get(&f->frames, page, &at))
        return page_read_at(f->wal, out, f->size, (off_t)at);
    return page_read_at(f->fd, out, f->size, (off_t)(page - 1) * f->size);
}

/* The page of the map that has the entry of this one. */
static uint32_t page_file_map_of(const struct page_file *f, uint32_t page)
{
    const uint32_t entries = f->usable / MAP_ENTRY + 1, map = (page - 2) / entries * entries + 2;
    return map == LOCK_BYTE / f->size + 1 ? map + 1 : map;
}

enum page_use page_file_use(struct page_file *f, uint32_t page, uint32_t *parent)
{
    if (!f->mapped || page < 3 || page > f->count)
        return PAGE_UNKNOWN;
    const uint32_t map = page_file_map_of(f, page);
    if (page <= map)
        return PAGE_UNKNOWN;
    if (f->map_page != map) {
        f->map_page = 0;
        if (!page_file_read(f, map, f->map))
            return PAGE_UNKNOWN;
        f->map_page = map;
    }
    const uint8_t *entry = f->map + (size_t)MAP_ENTRY * (page - map - 1);
    if (entry + MAP_ENTRY > f->map + f->usable || entry[0] > PAGE_CHILD || page_u32(entry + 1) > f->count)
        return PAGE_UNKNOWN;
    *parent = page_u32(entry + 1);
    return (enum page_use)entry[0];
}
