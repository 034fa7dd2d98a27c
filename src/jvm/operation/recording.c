#include "jvm/operation/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cursor.h"

/* Header offsets: spec jfr-asprof §1.1. */
enum { AT_SIZE = 8, AT_DURATION = 40, MAGIC_LEN = 4, PAGE = 4096, SCAN_STEP = 16 << 10 };
/* How many zero bytes that are no hole may precede the first unconsumed chunk: the rest of one huge page of tmpfs at most. */
enum { ZEROS_MAX = 4 << 20 };
static const uint64_t SIZE_UNFINISHED = 1 << 30;
static const char MAGIC[MAGIC_LEN] = "FLR";
/* Between two clocks over a chunk, when neither was set. */
static const int64_t DRIFT_NS = 1000000000;

struct header {
    uint64_t size, checkpoint;
    int64_t start_ns, duration_ns;
    uint64_t start_ticks, ticks_per_second;
};

static bool recording_read_all(int fd, void *p, size_t n, uint64_t at)
{
    uint8_t *to = p;
    while (n > 0) {
        ssize_t got = pread(fd, to, n, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        to += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return true;
}

static struct header recording_parse(const uint8_t *bytes)
{
    struct cursor c = cursor_of(bytes + AT_SIZE, RECORDING_HEADER - AT_SIZE);
    struct header h = {.size = cursor_be64(&c), .checkpoint = cursor_be64(&c)};
    (void)cursor_be64(&c); /* metadata offset */
    h.start_ns = (int64_t)cursor_be64(&c);
    h.duration_ns = (int64_t)cursor_be64(&c);
    h.start_ticks = cursor_be64(&c);
    h.ticks_per_second = cursor_be64(&c);
    return h;
}

static bool file_size(int fd, uint64_t *ret)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return false;
    *ret = (uint64_t)st.st_size;
    return true;
}

static void recording_consume(struct recording *r, uint64_t len)
{
    r->at += len;
    r->looked = false;
}

void recording_punch(struct recording *r)
{
    const uint64_t from = r->punched & ~(uint64_t)(PAGE - 1);
    if (r->at <= r->punched)
        return;
    (void)fallocate(r->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)(r->at - from));
    r->punched = r->at;
}

static bool header_at(const struct recording *r, uint64_t at, struct header *ret)
{
    uint8_t bytes[RECORDING_HEADER];
    if (!recording_read_all(r->fd, bytes, sizeof bytes, at) || memcmp(bytes, MAGIC, MAGIC_LEN) != 0)
        return false;
    *ret = recording_parse(bytes);
    return true;
}

static bool recording_finished(const struct header *h)
{
    return h->checkpoint != 0 && h->size != SIZE_UNFINISHED;
}

/* Clamped, so that nobody who adds or subtracts them needs to fear an overflow. */
static void claimed_times(const struct header *h, struct recording_chunk *c)
{
    const int64_t most = INT64_MAX / 4;
    c->start_ns = h->start_ns >= 0 && h->start_ns <= most ? h->start_ns : 0;
    c->end_ns = c->start_ns + (h->duration_ns >= 0 && h->duration_ns <= most ? h->duration_ns : 0);
}

/* A chunk ends where the next one begins, also by the ticks, which nobody sets. Where the wall clock was set meanwhile its header says something
 * else, and what they say is put there. */
static void mend_duration(struct header *h, const struct header *next)
{
    if (!h->ticks_per_second || next->start_ticks <= h->start_ticks)
        return;
    const double ns = (double)(next->start_ticks - h->start_ticks) * 1e9 / (double)h->ticks_per_second,
                 off = ns - (double)h->duration_ns;
    if (ns < (double)(INT64_MAX / 4) && (off > (double)DRIFT_NS || off < -(double)DRIFT_NS))
        h->duration_ns = (int64_t)ns;
}

static void put_duration(uint8_t *bytes, int64_t ns)
{
    for (int i = 7; i >= 0; i--, ns = (int64_t)((uint64_t)ns >> 8))
        bytes[AT_DURATION + i] = (uint8_t)ns;
}

static enum recording_result recording_take(struct recording *r, const struct header *h, struct recording_chunk *ret)
{
    if (h->size > RECORDING_CHUNK_MAX) {
        recording_consume(r, h->size);
        return RECORDING_DROPPED;
    }
    cleanup_free uint8_t *bytes = malloc(h->size);
    bool whole = bytes && recording_read_all(r->fd, bytes, h->size, r->at);
    recording_consume(r, h->size);
    if (!whole)
        return RECORDING_DROPPED;
    put_duration(bytes, h->duration_ns);
    struct recording_chunk c = {.len = h->size};
    claimed_times(h, &c);
    c.bytes = TAKE_PTR(bytes);
    *ret = c;
    return RECORDING_CHUNK;
}

/* The header is believed once it stays as it is from one poll to the next. */
static bool recording_stays(struct recording *r, const uint8_t *header)
{
    bool same = r->looked && memcmp(r->seen, header, RECORDING_HEADER) == 0;
    memcpy(r->seen, header, RECORDING_HEADER);
    r->looked = true;
    return same;
}

enum recording_result recording_next(struct recording *r, bool ended, struct recording_chunk *ret)
{
    const enum recording_result not_yet = ended ? RECORDING_END : RECORDING_WAITING;
    uint8_t bytes[RECORDING_HEADER];
    uint64_t end;
    r->unfinished = false;
    if (r->fd < 0 || !file_size(r->fd, &end))
        return RECORDING_BROKEN;
    if (end < r->at)
        return RECORDING_BROKEN;
    if (end - r->at < RECORDING_HEADER || !recording_read_all(r->fd, bytes, sizeof bytes, r->at)) {
        r->unfinished = true;
        return not_yet;
    }

    bool settled = recording_stays(r, bytes) || ended;
    if (memcmp(bytes, MAGIC, MAGIC_LEN) != 0)
        return settled ? RECORDING_BROKEN : RECORDING_WAITING;
    struct header h = recording_parse(bytes);
    if (!recording_finished(&h)) {
        r->unfinished = true;
        return not_yet;
    }
    bool sane = h.size > RECORDING_HEADER && h.checkpoint >= RECORDING_HEADER && h.checkpoint < h.size;
    if (!sane || h.size > end - r->at)
        return settled ? RECORDING_BROKEN : RECORDING_WAITING;
    struct header next;
    const bool followed = header_at(r, r->at + h.size, &next);
    if (!settled && !followed)
        return RECORDING_WAITING;
    if (followed)
        mend_duration(&h, &next);
    const enum recording_result result = recording_take(r, &h, ret);
    if (result == RECORDING_CHUNK)
        ret->last = !ended && followed && !recording_finished(&next);
    return result;
}

bool recording_has_tail(const struct recording *r)
{
    uint64_t end;
    return r->fd >= 0 && file_size(r->fd, &end) && end > r->at && end - r->at >= RECORDING_HEADER;
}

int recording_find_first(struct recording *r, struct err *err)
{
    uint64_t end, at;
    if (!file_size(r->fd, &end))
        return err_errno(err, "stat the earlier recording");
    const off_t data = lseek(r->fd, 0, SEEK_DATA);
    if (data < 0) { /* nothing but a hole: all was consumed */
        r->at = r->punched = end;
        return 0;
    }
    const uint64_t stop = (uint64_t)data + ZEROS_MAX < end ? (uint64_t)data + ZEROS_MAX : end;
    for (at = (uint64_t)data; at < stop;) {
        uint8_t step[SCAN_STEP];
        size_t n = stop - at < sizeof step ? (size_t)(stop - at) : sizeof step, zeros = 0;
        if (!recording_read_all(r->fd, step, n, at))
            return err_set(err, -EIO, "read the earlier recording at byte %llu", (unsigned long long)at);
        while (zeros < n && step[zeros] == 0)
            zeros++;
        at += zeros;
        if (zeros < n)
            break;
    }
    struct header first;
    if (at < end && !header_at(r, at, &first))
        return err_set(err, -EBADMSG, "the earlier recording has no chunk at byte %llu", (unsigned long long)at);
    r->at = r->punched = at;
    return 0;
}

bool recording_claim(int fd)
{
    return flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

void recording_release(const struct recording *r)
{
    (void)flock(r->fd, LOCK_UN);
}

bool recording_is(const struct recording *r, int fd)
{
    struct stat a, b;
    return r->fd >= 0 && fd >= 0 && fstat(r->fd, &a) == 0 && fstat(fd, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

void recording_done(struct recording *r)
{
    if (r->fd >= 0)
        close(r->fd);
    *r = RECORDING_INIT;
}
