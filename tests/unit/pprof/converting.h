/* Finished chunks into a conversion, which takes or refuses them; the chunk is done. */
#pragma once

#include <errno.h>

#include "jfr/chunk_builder.h"
#include "pprof/from_jfr.h"
#include "test.h"

static inline void convert(struct conversion *c, struct chunk_builder *chunk)
{
    struct err err = {0};
    CHECK_INT(conversion_add(c, chunk->b.p, chunk->b.len, &err), 0);
    CHECK_STR(err.text, "");
    chunk_done(chunk);
}

static inline void convert_bad(struct conversion *c, struct chunk_builder *chunk, const char *why)
{
    struct err err = {0};
    CHECK_INT(conversion_add(c, chunk->b.p, chunk->b.len, &err), -EBADMSG);
    CHECK_HAS(err.text, why);
    chunk_done(chunk);
}
