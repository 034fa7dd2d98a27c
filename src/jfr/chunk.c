#include "jfr/chunk.h"

#include <errno.h>

#include "base/cursor.h"

enum { MAGIC = 0x464c5200 /* "FLR\0" */, MAJOR = 2, FLAG_COMPRESSED = 1 };

/* Generations: in between the JDK counts how often it flushed the chunk. */
enum { FINISHED = 0, BEING_WRITTEN = 0xff };

/* What async-profiler writes as the size of a chunk it still works on. */
static const uint64_t SIZE_IN_PROGRESS = UINT64_C(1) << 30;
static const int64_t NS_PER_SECOND = 1000000000;

struct raw_header {
    struct jfr_header h;
    uint32_t magic;
    uint16_t major;
    uint8_t generation; /* async-profiler: always FINISHED */
    uint16_t flags;
};

static struct raw_header decode(const uint8_t *bytes)
{
    struct cursor c = cursor_of(bytes, JFR_HEADER_SIZE);
    struct raw_header r = {.magic = cursor_be32(&c), .major = cursor_be16(&c)};
    (void)cursor_be16(&c); /* minor: 0 and 1 read the same */
    r.h.size = cursor_be64(&c);
    r.h.checkpoint = cursor_be64(&c);
    r.h.metadata = cursor_be64(&c);
    r.h.start_ns = (int64_t)cursor_be64(&c);
    r.h.duration_ns = (int64_t)cursor_be64(&c);
    r.h.start_ticks = cursor_be64(&c);
    r.h.ticks_per_second = cursor_be64(&c);
    r.generation = cursor_u8(&c);
    (void)cursor_u8(&c);
    r.flags = cursor_be16(&c);
    return r;
}

/* Why this header cannot be read, or NULL. */
static const char *defect(const struct raw_header *r)
{
    if (r->magic != MAGIC)
        return "no JFR magic";
    if (r->major != MAJOR)
        return "not version 2";
    if (!(r->flags & FLAG_COMPRESSED))
        return "uncompressed integers";
    return NULL;
}

static bool in_progress(const struct raw_header *r)
{
    return r->generation != FINISHED || r->h.checkpoint == 0 || r->h.size == SIZE_IN_PROGRESS;
}

/* Is there a part of it that was whole once? */
static bool was_flushed(const struct raw_header *r)
{
    return r->generation != FINISHED && r->generation != BEING_WRITTEN && r->h.checkpoint != 0;
}

/* Why these offsets cannot be, or NULL. */
static const char *bad_offsets(const struct jfr_header *h)
{
    if (h->size <= JFR_HEADER_SIZE || h->size > INT64_MAX)
        return "impossible size";
    if (h->checkpoint < JFR_HEADER_SIZE || h->checkpoint >= h->size)
        return "constant pools outside";
    if (h->metadata < JFR_HEADER_SIZE || h->metadata >= h->size)
        return "metadata outside";
    if (h->ticks_per_second == 0 || h->ticks_per_second > INT64_MAX)
        return "no clock frequency";
    return NULL;
}

int64_t jfr_chunk_finished(const uint8_t *header)
{
    struct raw_header r = decode(header);
    if (defect(&r))
        return -EBADMSG;
    if (in_progress(&r))
        return 0;
    return bad_offsets(&r.h) ? -EBADMSG : (int64_t)r.h.size;
}

int jfr_header_read(const void *chunk, size_t len, struct jfr_header *ret, struct err *err)
{
    if (len < JFR_HEADER_SIZE)
        return err_set(err, -EBADMSG, "chunk header: %zu of %d bytes", len, JFR_HEADER_SIZE);
    struct raw_header r = decode(chunk);
    const char *why = defect(&r);
    if (!why && in_progress(&r) && !was_flushed(&r))
        why = "the chunk was never finished";
    if (!why)
        why = bad_offsets(&r.h);
    if (why)
        return err_set(err, -EBADMSG, "chunk header: %s", why);
    if (r.h.size > len)
        return err_set(err, -EBADMSG, "chunk of %llu bytes is cut at %zu", (unsigned long long)r.h.size, len);
    *ret = r.h;
    return 0;
}

int64_t jfr_ticks_to_ns(const struct jfr_header *h, int64_t ticks)
{
    if (h->ticks_per_second == (uint64_t)NS_PER_SECOND)
        return ticks;
    __int128 ns = (__int128)ticks * NS_PER_SECOND / (int64_t)h->ticks_per_second;
    if (ns > INT64_MAX)
        return INT64_MAX;
    return ns < INT64_MIN ? INT64_MIN : (int64_t)ns;
}
