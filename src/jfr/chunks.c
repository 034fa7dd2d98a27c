#include "jfr/chunks.h"

#include <errno.h>
#include <string.h>

#include "base/cursor.h"

static const uint8_t MAGIC[] = {'F', 'L', 'R', 0, 0}; /* and the major version: 1 or 2 */
enum { HEADER_LOOK = sizeof MAGIC + 1 };

/* In a header. */
enum { SIZE_AT = 8, START_AT = 32, CLOCK_AT = 48, START_BYTES = 8, CLOCK_BYTES = 16 };

struct jfr_chunks jfr_chunks_of(const void *bytes, size_t len)
{
    const uint8_t *p = len ? bytes : (const uint8_t *)"";
    return (struct jfr_chunks){.start = p, .end = p + len, .at = p, .last = p, .spare = len};
}

static bool chunks_looks_like_header(const uint8_t *p, const uint8_t *end)
{
    return (size_t)(end - p) >= HEADER_LOOK && memcmp(p, MAGIC, sizeof MAGIC) == 0 &&
           (p[sizeof MAGIC] == 1 || p[sizeof MAGIC] == 2);
}

/* The next place that looks like a header, or the end. */
static const uint8_t *chunks_find_header(const uint8_t *from, const uint8_t *end)
{
    for (const uint8_t *at = from; at < end; at++) {
        at = memmem(at, (size_t)(end - at), MAGIC, sizeof MAGIC);
        if (!at || chunks_looks_like_header(at, end))
            return at ? at : end;
    }
    return end;
}

bool jfr_chunks_any(const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    return len && chunks_find_header(p, p + len) != p + len;
}

static uint64_t chunks_offset_of(const struct jfr_chunks *it, const uint8_t *p)
{
    return it->skipped + (size_t)(p - it->start);
}

static void chunks_remember_bad(struct jfr_chunks *it, const uint8_t *p)
{
    if ((size_t)(it->end - p) < JFR_HEADER_SIZE || !chunks_looks_like_header(p, it->end))
        return;
    it->bad.is = true;
    it->bad.at = chunks_offset_of(it, p);
    memcpy(it->bad.header, p, JFR_HEADER_SIZE);
}

/* Where the chunk of this header began, if it is a copy at the chunk's end of then, which the size in it says. */
static uint64_t chunks_begin_of(const uint8_t *header, uint64_t at)
{
    struct cursor c = cursor_of(header + SIZE_AT, sizeof(uint64_t));
    return at + JFR_HEADER_SIZE - cursor_be64(&c);
}

/* Does a copy of the bad chunk's header follow? What was found bad may be one itself, where the beginning is lost. */
static bool chunks_is_copy(const struct jfr_chunks *it)
{
    const struct jfr_bad_chunk *bad = &it->bad;
    if (!bad->is || (size_t)(it->end - it->at) < JFR_HEADER_SIZE ||
        memcmp(it->at + START_AT, bad->header + START_AT, START_BYTES) != 0 ||
        memcmp(it->at + CLOCK_AT, bad->header + CLOCK_AT, CLOCK_BYTES) != 0)
        return false;
    const uint64_t begin = chunks_begin_of(it->at, chunks_offset_of(it, it->at));
    return begin == bad->at || begin == chunks_begin_of(bad->header, bad->at);
}

bool jfr_chunks_skip_copies(struct jfr_chunks *it)
{
    const uint8_t *before = it->at;
    while (chunks_is_copy(it))
        it->at = chunks_find_header(it->at + 1, it->end);
    return it->at != before;
}

int jfr_chunks_next(struct jfr_chunks *it, struct str *ret, struct err *err)
{
    (void)jfr_chunks_skip_copies(it);
    if (it->at == it->end)
        return 0;
    struct jfr_header header;
    struct err why = {0};
    const size_t left = (size_t)(it->end - it->at);
    const uint64_t offset = chunks_offset_of(it, it->at);
    if (jfr_header_read(it->at, left, &header, &why) < 0) {
        chunks_remember_bad(it, it->at);
        it->at = chunks_find_header(it->at + 1, it->end);
        return err_set(err, -EBADMSG, "byte %llu: %s", (unsigned long long)offset, why.text);
    }
    *ret = (struct str){(const char *)it->at, (size_t)header.size};
    it->last = it->at;
    it->at += header.size;
    return 1;
}

void jfr_chunks_refused(struct jfr_chunks *it)
{
    const size_t size = (size_t)(it->at - it->last);
    if (size == 0 || size > it->spare)
        return;
    it->spare -= size;
    chunks_remember_bad(it, it->last);
    /* Also where a header begins inside and ends behind the chunk. */
    const uint8_t *end = (size_t)(it->end - it->at) < HEADER_LOOK ? it->end : it->at + HEADER_LOOK - 1;
    const uint8_t *at = chunks_find_header(it->last + 1, end);
    if (at < it->at)
        it->at = at;
}
