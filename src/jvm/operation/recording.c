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

enum { PAGE = 4096, SCAN_STEP = 16 << 10 };
/* How many zero bytes that are no hole may precede the first unconsumed chunk: the rest of one huge page of tmpfs at
 * most. */
enum { ZEROS_MAX = 4 << 20 };

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

static enum jfr_framing framing_at(const struct recording *r, uint64_t at, struct jfr_header *ret)
{
    uint8_t bytes[JFR_HEADER_SIZE];
    return recording_read_all(r->fd, bytes, sizeof bytes, at) ? jfr_header_framing(bytes, ret) : JFR_NO_CHUNK;
}

static enum recording_result recording_take(struct recording *r, const struct jfr_header *h, struct jfr_chunk **ret)
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
    jfr_header_put_duration(bytes, h->duration_ns);
    struct jfr_chunk *c = jfr_chunk_new(TAKE_PTR(bytes), h->size);
    jfr_header_span(h, &c->start_ns, &c->end_ns);
    *ret = c;
    return RECORDING_CHUNK;
}

/* The header is believed once it stays as it is from one poll to the next. */
static bool recording_stays(struct recording *r, const uint8_t *header)
{
    bool same = r->looked && memcmp(r->seen, header, JFR_HEADER_SIZE) == 0;
    memcpy(r->seen, header, JFR_HEADER_SIZE);
    r->looked = true;
    return same;
}

enum recording_result recording_next(struct recording *r, bool ended, struct jfr_chunk **ret)
{
    const enum recording_result not_yet = ended ? RECORDING_END : RECORDING_WAITING;
    uint8_t bytes[JFR_HEADER_SIZE];
    struct jfr_header h, next;
    uint64_t end;
    r->unfinished = false;
    if (r->fd < 0 || !file_size(r->fd, &end))
        return RECORDING_BROKEN;
    if (end < r->at)
        return RECORDING_BROKEN;
    if (end - r->at < sizeof bytes || !recording_read_all(r->fd, bytes, sizeof bytes, r->at)) {
        r->unfinished = true;
        return not_yet;
    }

    bool settled = recording_stays(r, bytes) || ended;
    const enum jfr_framing framing = jfr_header_framing(bytes, &h);
    if (framing == JFR_CHUNK_OPEN) {
        r->unfinished = true;
        return not_yet;
    }
    if (framing != JFR_CHUNK_CLOSED || h.size > end - r->at)
        return settled ? RECORDING_BROKEN : RECORDING_WAITING;
    const enum jfr_framing following = framing_at(r, r->at + h.size, &next);
    if (!settled && following == JFR_NO_CHUNK)
        return RECORDING_WAITING;
    if (following != JFR_NO_CHUNK)
        jfr_header_mend_duration(&h, &next);
    const enum recording_result result = recording_take(r, &h, ret);
    r->unfinished = result == RECORDING_CHUNK && !ended && following == JFR_CHUNK_OPEN;
    return result;
}

bool recording_has_tail(const struct recording *r)
{
    uint64_t end;
    return r->fd >= 0 && file_size(r->fd, &end) && end > r->at && end - r->at >= JFR_HEADER_SIZE;
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
    struct jfr_header first;
    if (at < end && framing_at(r, at, &first) == JFR_NO_CHUNK)
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
