#include "jfr/chunk.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/cursor.h"

/* Version 1 (JDK 9 and 10) differs in the names of types alone; 0.9 (Oracle's JDK 7 and 8) in everything. */
enum { MAGIC = 0x464c5200 /* "FLR\0" */, MAJOR_LEAST = 1, MAJOR_MOST = 2, FLAG_COMPRESSED = 1 };

/* Generations: in between the JDK counts how often it flushed the chunk. */
enum { FINISHED = 0, BEING_WRITTEN = 0xff };

/* What async-profiler writes as the size of a chunk it still works on. */
static const uint64_t SIZE_IN_PROGRESS = UINT64_C(1) << 30;
/* Between two clocks over a chunk, when neither was set. */
static const int64_t DRIFT_NS = NS_PER_SEC;
/* Sums and differences of a few of these do not overflow. */
static const int64_t TIME_MAX = INT64_MAX / 4;
enum { AT_DURATION = 40 };

struct raw_header {
    struct jfr_header h;
    uint32_t magic;
    uint16_t major, minor; /* minor: 0 and 1 read the same */
    uint8_t generation;    /* async-profiler: always FINISHED */
    uint16_t flags;
};

static struct raw_header header_decode(const uint8_t *bytes)
{
    struct cursor c = cursor_of(bytes, JFR_HEADER_SIZE);
    struct raw_header r = {.magic = cursor_be32(&c), .major = cursor_be16(&c)};
    r.minor = cursor_be16(&c);
    r.h.major = r.major;
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
static const char *header_defect(const struct raw_header *r)
{
    if (r->magic != MAGIC)
        return "no JFR magic";
    if (!(r->flags & FLAG_COMPRESSED))
        return "uncompressed integers";
    return NULL;
}

static bool header_known_version(const struct raw_header *r)
{
    return r->major >= MAJOR_LEAST && r->major <= MAJOR_MOST;
}

bool jfr_version_of(const void *bytes, size_t len, struct jfr_version *ret)
{
    enum { AS_FAR_AS_THAT = 8 };
    uint8_t header[JFR_HEADER_SIZE] = {0};
    if (len < AS_FAR_AS_THAT)
        return false;
    memcpy(header, bytes, AS_FAR_AS_THAT);
    const struct raw_header r = header_decode(header);
    *ret = (struct jfr_version){r.major, r.minor, header_known_version(&r)};
    return r.magic == MAGIC;
}

static bool header_in_progress(const struct raw_header *r)
{
    return r->generation != FINISHED || r->h.checkpoint == 0 || r->h.size == SIZE_IN_PROGRESS;
}

/* Is there a part of it that was whole once? */
static bool header_was_flushed(const struct raw_header *r)
{
    return r->generation != FINISHED && r->generation != BEING_WRITTEN && r->h.checkpoint != 0;
}

/* Why these offsets cannot be, or NULL. */
static const char *header_bad_offsets(const struct jfr_header *h)
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

int jfr_header_read(const void *chunk, size_t len, struct jfr_header *ret, struct err *err)
{
    if (len < JFR_HEADER_SIZE)
        return err_set(err, -EBADMSG, "chunk header: %zu of %d bytes", len, JFR_HEADER_SIZE);
    struct raw_header r = header_decode(chunk);
    if (r.magic == MAGIC && !header_known_version(&r))
        return err_set(err, -EBADMSG, "chunk header: version %u.%u is not supported", r.major, r.minor);
    const char *why = header_defect(&r);
    if (!why && header_in_progress(&r) && !header_was_flushed(&r))
        why = "the chunk was never finished";
    if (!why)
        why = header_bad_offsets(&r.h);
    if (why)
        return err_set(err, -EBADMSG, "chunk header: %s", why);
    if (r.h.size > len)
        return err_set(err, -EBADMSG, "chunk of %llu bytes is cut at %zu", (unsigned long long)r.h.size, len);
    *ret = r.h;
    return 0;
}

enum jfr_framing jfr_header_framing(const uint8_t *header, struct jfr_header *ret)
{
    const struct raw_header r = header_decode(header);
    if (r.magic != MAGIC)
        return JFR_NO_CHUNK;
    *ret = r.h;
    if (r.h.checkpoint == 0 || r.h.size == SIZE_IN_PROGRESS)
        return JFR_CHUNK_OPEN;
    const bool sane = r.h.size > JFR_HEADER_SIZE && r.h.checkpoint >= JFR_HEADER_SIZE && r.h.checkpoint < r.h.size;
    return sane ? JFR_CHUNK_CLOSED : JFR_CHUNK_IMPOSSIBLE;
}

void jfr_header_mend_duration(struct jfr_header *h, const struct jfr_header *next)
{
    if (!h->ticks_per_second || next->start_ticks <= h->start_ticks)
        return;
    const double ns = (double)(next->start_ticks - h->start_ticks) * 1e9 / (double)h->ticks_per_second,
                 off = ns - (double)h->duration_ns;
    if (ns < (double)TIME_MAX && (off > (double)DRIFT_NS || off < -(double)DRIFT_NS))
        h->duration_ns = (int64_t)ns;
}

void jfr_header_put_duration(uint8_t *chunk, int64_t duration_ns)
{
    uint64_t v = (uint64_t)duration_ns;
    for (size_t i = sizeof v; i-- > 0; v >>= 8)
        chunk[AT_DURATION + i] = (uint8_t)v;
}

void jfr_header_span(const struct jfr_header *h, int64_t *start_ns, int64_t *end_ns)
{
    const int64_t start = h->start_ns >= 0 && h->start_ns <= TIME_MAX ? h->start_ns : 0;
    *end_ns = start + (h->duration_ns >= 0 && h->duration_ns <= TIME_MAX ? h->duration_ns : 0);
    *start_ns = start;
}

int64_t jfr_ticks_to_ns(const struct jfr_header *h, int64_t ticks)
{
    if (h->ticks_per_second == (uint64_t)NS_PER_SEC)
        return ticks;
    __int128 ns = (__int128)ticks * NS_PER_SEC / (int64_t)h->ticks_per_second;
    if (ns > INT64_MAX)
        return INT64_MAX;
    return ns < INT64_MIN ? INT64_MIN : (int64_t)ns;
}
