#include "jfr/metadata.h"

#include <errno.h>

#include "jfr/chunk_builder.h"
#include "test.h"

enum { ARENA_MAX = 1 << 20 };

static void types_and_fields_are_found_in_order(void)
{
    cleanup_chunk struct chunk_builder c =
        chunk_begin("11 long\n20 java.lang.String\n26 jdk.types.StackTrace frames:27[]\n"
                    "101 jdk.Sample startTime:11 stack:26* tags:20*[]");
    cleanup_arena struct arena arena = ARENA_INIT(ARENA_MAX);
    cleanup_jfr_metadata struct jfr_metadata m = JFR_METADATA_INIT;
    struct err err = {0};
    CHECK_INT(jfr_metadata_read(c.b.p, c.b.len, c.metadata, &arena, &m, &err), 0);
    CHECK_INT(m.count, 4);
    const struct jfr_type *t = jfr_type_by_name(&m, "jdk.Sample");
    CHECK(t && t == jfr_type_by_id(&m, 101));
    CHECK(!jfr_type_by_id(&m, 102));
    CHECK(!jfr_type_by_name(&m, "jdk.Sampl"));
    const struct jfr_field *f = t->fields;
    CHECK(f && str_is(f->name, "startTime") && !f->pooled && !f->array);
    CHECK(f->next && str_is(f->next->name, "stack") && f->next->pooled && !f->next->array);
    f = jfr_field_by_name(t, "tags");
    CHECK(f && f->type == 20 && f->pooled && f->array && !f->next);
    CHECK(!jfr_field_by_name(t, "nothing"));
}

/* Every cut of a metadata event is refused, and none is read beyond. */
static void damaged_metadata_is_refused(void)
{
    cleanup_chunk struct chunk_builder c = chunk_begin("11 long\n101 jdk.Sample startTime:11");
    struct err err = {0};
    for (size_t len = c.metadata; len < c.b.len; len++) {
        cleanup_arena struct arena arena = ARENA_INIT(ARENA_MAX);
        struct jfr_metadata m;
        uint8_t *exact = malloc(len); /* a sanitizer sees the end */
        memcpy(exact, c.b.p, len);
        CHECK_INT(jfr_metadata_read(exact, len, c.metadata, &arena, &m, &err), -EBADMSG);
        free(exact);
    }
}

static void metadata_must_be_where_the_header_says(void)
{
    cleanup_chunk struct chunk_builder c = chunk_begin("11 long");
    chunk_checkpoint(&c, 0, 0);
    chunk_event_end(&c);
    cleanup_arena struct arena arena = ARENA_INIT(ARENA_MAX);
    struct jfr_metadata m;
    struct err err = {0};
    CHECK_INT(jfr_metadata_read(c.b.p, c.b.len, c.checkpoint, &arena, &m, &err), -EBADMSG);
    CHECK_HAS(err.text, "type 1");
    CHECK_INT(jfr_metadata_read(c.b.p, c.b.len, c.b.len, &arena, &m, &err), -EBADMSG);
    CHECK_HAS(err.text, "outside");
}

static void bottomless_nesting_is_refused(void)
{
    cleanup_chunk struct chunk_builder c = {.b = BUF_INIT(CHUNK_MAX), .strings = BUF_INIT(CHUNK_MAX)};
    chunk_event(&c, 0);
    CHUNK_VARINTS(&c, 0, 0, 1, 1);
    chunk_text(&c, "root");
    for (int i = 0; i < 100000; i++)
        CHUNK_VARINTS(&c, 0, 0, 1); /* name, no attributes, one child */
    CHUNK_VARINTS(&c, 0, 0, 0);
    chunk_event_end(&c);
    cleanup_arena struct arena arena = ARENA_INIT(ARENA_MAX);
    struct jfr_metadata m;
    struct err err = {0};
    CHECK_INT(jfr_metadata_read(c.b.p, c.b.len, 0, &arena, &m, &err), -EBADMSG);
}

static void memory_is_capped(void)
{
    cleanup_chunk struct chunk_builder c = chunk_begin("11 long\n101 jdk.Sample startTime:11");
    cleanup_arena struct arena arena = ARENA_INIT(64);
    struct jfr_metadata m;
    struct err err = {0};
    CHECK_INT(jfr_metadata_read(c.b.p, c.b.len, c.metadata, &arena, &m, &err), -E2BIG);
}

int main(void)
{
    RUN(types_and_fields_are_found_in_order);
    RUN(damaged_metadata_is_refused);
    RUN(metadata_must_be_where_the_header_says);
    RUN(bottomless_nesting_is_refused);
    RUN(memory_is_capped);
    return REPORT();
}
