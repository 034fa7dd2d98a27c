#include "jfr/chunks.h"

#include <errno.h>
#include <string.h>

#include "jfr/chunk.h"

static const uint8_t MAGIC[] = {'F', 'L', 'R', 0, 0, 2}; /* and the major version */

struct jfr_chunks jfr_chunks_of(const void *bytes, size_t len)
{
    const uint8_t *p = len ? bytes : (const uint8_t *)"";
    return (struct jfr_chunks){.start = p, .end = p + len, .at = p, .last = p, .spare = len};
}

/* The next place that looks like a header, or the end. */
static const uint8_t *find_header(const uint8_t *from, const uint8_t *end)
{
    const uint8_t *at = from < end ? memmem(from, (size_t)(end - from), MAGIC, sizeof MAGIC) : NULL;
    return at ? at : end;
}

int jfr_chunks_next(struct jfr_chunks *it, struct str *ret, struct err *err)
{
    if (it->at == it->end)
        return 0;
    struct jfr_header header;
    struct err why = {0};
    const size_t left = (size_t)(it->end - it->at);
    const uint64_t offset = it->skipped + (size_t)(it->at - it->start);
    if (jfr_header_read(it->at, left, &header, &why) < 0) {
        it->at = find_header(it->at + 1, it->end);
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
    /* Also where a header begins inside and ends behind the chunk. */
    const uint8_t *end = (size_t)(it->end - it->at) < sizeof MAGIC ? it->end : it->at + sizeof MAGIC - 1;
    const uint8_t *at = find_header(it->last + 1, end);
    if (at < it->at)
        it->at = at;
}
