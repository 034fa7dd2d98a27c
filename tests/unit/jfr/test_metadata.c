#include "jfr/metadata.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
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
    struct jfr_fields it = jfr_fields_of(&m, t);
    struct jfr_field f;
    CHECK(jfr_fields_next(&it, &f) == 1 && str_is(f.name, "startTime") && f.type == 11 && !f.pooled && !f.array);
    CHECK(jfr_fields_next(&it, &f) == 1 && str_is(f.name, "stack") && f.type == 26 && f.pooled && !f.array);
    CHECK(jfr_fields_next(&it, &f) == 1 && str_is(f.name, "tags") && f.type == 20 && f.pooled && f.array);
    CHECK_INT(jfr_fields_next(&it, &f), 0);
    CHECK(jfr_field_by_name(&m, t, "stack", &f) && f.type == 26);
    CHECK(!jfr_field_by_name(&m, t, "nothing", &f));
}

static void put_annotation(struct chunk_builder *c, struct buf *tree, unsigned attributes, uint64_t children)
{
    chunk_meta_element(c, tree, "annotation", attributes);
    for (unsigned i = 0; i < attributes; i++)
        chunk_meta_attribute(c, tree, "class", STR("17"));
    chunk_put_varint(tree, children);
}

/* A type, and below it annotations of many shapes around each field; a class that lies in one of them is none. */
static void put_type(struct chunk_builder *c, struct buf *tree, unsigned id)
{
    enum { FIELDS = 3, NESTED = 3 };
    char text[16];
    (void)snprintf(text, sizeof text, "%u", id);
    chunk_meta_element(c, tree, "class", 2);
    chunk_meta_attribute(c, tree, "id", str_of(text));
    chunk_meta_attribute(c, tree, "name", str_of(text));
    chunk_put_varint(tree, (uint64_t)FIELDS + id);
    for (unsigned i = 0; i < id; i++)
        put_annotation(c, tree, (i + id) % 40, 0);
    for (unsigned i = 0; i < FIELDS; i++) {
        chunk_meta_element(c, tree, "field", 2);
        chunk_meta_attribute(c, tree, "class", str_of(text));
        chunk_meta_attribute(c, tree, "name", STR("abc"));
        chunk_put_varint(tree, NESTED);
        put_annotation(c, tree, 1, 1);
        put_annotation(c, tree, 2, 0);
        put_annotation(c, tree, i, 0);
        chunk_meta_element(c, tree, "class", 0);
        chunk_put_varint(tree, 0);
    }
}

static struct chunk_builder metadata_of_types(unsigned count)
{
    struct chunk_builder c = {.b = BUF_INIT(CHUNK_MAX), .strings = BUF_INIT(CHUNK_MAX)};
    cleanup_buf struct buf tree = BUF_INIT(CHUNK_MAX);
    chunk_meta_element(&c, &tree, "root", 0);
    chunk_put_varint(&tree, count);
    for (unsigned id = 0; id < count; id++)
        put_type(&c, &tree, id);
    chunk_event(&c, 0);
    CHUNK_VARINTS(&c, 0, 0, 0, c.string_count);
    buf_str(&c.b, buf_slice(&c.strings));
    buf_str(&c.b, buf_slice(&tree));
    chunk_event_end(&c);
    return c;
}

/* Few and many attributes and children, and strings whose numbers take one to three bytes. */
static void elements_of_every_shape_are_stepped_over(void)
{
    enum { TYPES = 200 };
    cleanup_chunk struct chunk_builder c = metadata_of_types(TYPES);
    CHECK(c.string_count > 1 << 14);
    cleanup_arena struct arena arena = ARENA_INIT(CHUNK_MAX);
    cleanup_jfr_metadata struct jfr_metadata m = JFR_METADATA_INIT;
    struct err err = {0};
    CHECK_INT(jfr_metadata_read(c.b.p, c.b.len, 0, &arena, &m, &err), 0);
    CHECK_INT(m.count, TYPES);
    for (unsigned id = 0; id < TYPES; id++) {
        const struct jfr_type *t = jfr_type_by_id(&m, id);
        struct jfr_fields it = jfr_fields_of(&m, t);
        struct jfr_field f;
        unsigned fields = 0;
        int more;
        for (; (more = jfr_fields_next(&it, &f)) > 0; fields++)
            CHECK(f.type == id && str_is(f.name, "abc"));
        CHECK_INT(more, 0);
        CHECK_INT(fields, 3);
    }
}

/* An event whose size says that it ends inside of an element. */
static void check_cut(const struct chunk_builder *c, size_t len)
{
    cleanup_arena struct arena arena = ARENA_INIT(CHUNK_MAX);
    struct jfr_metadata m;
    struct err err = {0};
    uint8_t *exact = malloc(len); /* a sanitizer sees the end */
    memcpy(exact, c->b.p, len);
    for (unsigned i = 0; i < CHUNK_SIZE_BYTES; i++)
        exact[i] = (uint8_t)((len >> 7 * i & 0x7f) | (i < CHUNK_SIZE_BYTES - 1 ? 0x80 : 0));
    CHECK_INT(jfr_metadata_read(exact, len, 0, &arena, &m, &err), -EBADMSG);
    free(exact);
}

static void elements_end_where_the_event_does(void)
{
    enum { TYPES = 15, MISSING = 500 };
    for (unsigned types = 3; types < TYPES; types++) {
        cleanup_chunk struct chunk_builder c = metadata_of_types(types);
        CHECK(c.string_count < 1 << 14);
        for (size_t missing = 1; missing < MISSING; missing++)
            check_cut(&c, c.b.len - missing);
    }
}

static void a_name_that_is_no_ascii_is_nobodys(void)
{
    cleanup_chunk struct chunk_builder c = chunk_begin("11 long\n12 \xc3\xa9\n101 jdk.Sample \xff:11 start:11");
    cleanup_arena struct arena arena = ARENA_INIT(ARENA_MAX);
    cleanup_jfr_metadata struct jfr_metadata m = JFR_METADATA_INIT;
    struct err err = {0};
    CHECK_INT(jfr_metadata_read(c.b.p, c.b.len, c.metadata, &arena, &m, &err), 0);
    CHECK(jfr_type_by_id(&m, 12)->name.n == 0);
    struct jfr_fields it = jfr_fields_of(&m, jfr_type_by_id(&m, 101));
    struct jfr_field f;
    CHECK(jfr_fields_next(&it, &f) == 1 && f.name.n == 0 && f.type == 11);
    CHECK(jfr_fields_next(&it, &f) == 1 && str_is(f.name, "start"));
}

static void of_types_with_one_name_the_first_counts(void)
{
    cleanup_chunk struct chunk_builder c =
        chunk_begin("11 long\n101 jdk.Sample a:11\n102 jdk.Sample b:11\n101 jdk.Other");
    cleanup_arena struct arena arena = ARENA_INIT(ARENA_MAX);
    cleanup_jfr_metadata struct jfr_metadata m = JFR_METADATA_INIT;
    struct err err = {0};
    struct jfr_field f;
    CHECK_INT(jfr_metadata_read(c.b.p, c.b.len, c.metadata, &arena, &m, &err), 0);
    CHECK(jfr_field_by_name(&m, jfr_type_by_name(&m, "jdk.Sample"), "a", &f));
    CHECK(str_is(jfr_type_by_id(&m, 101)->name, "jdk.Other"));
}

static void names_of_jdk_9_are_those_of_today(void)
{
    static const struct {
        const char *written, *name;
    } cases[] = {{"com.oracle.jdk.ExecutionSample", "jdk.ExecutionSample"},
                 {"com.oracle.jfr.types.StackTrace", "jdk.types.StackTrace"},
                 {"com.oracle.jfr.types.Symbol", "jdk.types.Symbol"},
                 {"com.oracle.jfr.types.CalleeMethod", "com.oracle.jfr.types.CalleeMethod"},
                 {"com.oracle.wls.Servlet", "com.oracle.wls.Servlet"},
                 {"jdk.ThreadPark", "jdk.ThreadPark"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cleanup_free char *types = xasprintf("11 long\n101 %s a:11", cases[i].written);
        cleanup_chunk struct chunk_builder c = chunk_begin(types);
        cleanup_arena struct arena arena = ARENA_INIT(ARENA_MAX);
        cleanup_jfr_metadata struct jfr_metadata m = JFR_METADATA_INIT;
        CHECK_INT(jfr_metadata_read(c.b.p, c.b.len, c.metadata, &arena, &m, NULL), 0);
        CHECK(jfr_type_by_name(&m, cases[i].name) == jfr_type_by_id(&m, 101));
    }
}

/* Nobody looks at a field before its type is asked for. */
static void a_damaged_field_is_refused(void)
{
    cleanup_chunk struct chunk_builder c = chunk_begin("11 long\n101 jdk.Sample a:11 b:x c:11");
    cleanup_arena struct arena arena = ARENA_INIT(ARENA_MAX);
    cleanup_jfr_metadata struct jfr_metadata m = JFR_METADATA_INIT;
    struct err err = {0};
    struct jfr_field f;
    CHECK_INT(jfr_metadata_read(c.b.p, c.b.len, c.metadata, &arena, &m, &err), 0);
    struct jfr_fields it = jfr_fields_of(&m, jfr_type_by_name(&m, "jdk.Sample"));
    CHECK_INT(jfr_fields_next(&it, &f), 1);
    CHECK_INT(jfr_fields_next(&it, &f), -EBADMSG);
    CHECK(!jfr_field_by_name(&m, jfr_type_by_name(&m, "jdk.Sample"), "c", &f));
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
    RUN(elements_of_every_shape_are_stepped_over);
    RUN(elements_end_where_the_event_does);
    RUN(a_name_that_is_no_ascii_is_nobodys);
    RUN(of_types_with_one_name_the_first_counts);
    RUN(names_of_jdk_9_are_those_of_today);
    RUN(a_damaged_field_is_refused);
    RUN(damaged_metadata_is_refused);
    RUN(metadata_must_be_where_the_header_says);
    RUN(bottomless_nesting_is_refused);
    RUN(memory_is_capped);
    return REPORT();
}
