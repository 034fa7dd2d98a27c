/* Builds JFR chunks by hand, as a producer would write them, for tests that need one of a certain shape.
 *
 *     struct chunk_builder c = chunk_begin("9 byte\n11 long\n20 java.lang.String\n"
 *                                          "101 jdk.Sample startTime:11 stack:26* kinds:9[]");
 *     chunk_event(&c, 101);
 *     chunk_varint(&c, 7); …
 *     chunk_event_end(&c);
 *     chunk_end(&c);        c.b now is the chunk
 *     chunk_done(&c);
 *
 * A type is a line: its id, its name, and its fields as name:type, followed by '*' where it is a pool's key, by "[]"
 * where it is an array. Format: spec jfr-asprof §1.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "jfr/chunk.h"

struct chunk_builder {
    struct buf b;
    size_t event;                  /* where the one at hand starts */
    uint64_t metadata, checkpoint; /* offsets; the latest checkpoint is the one the header names */
    int64_t start_ns, duration_ns; /* may be changed before the end, as may the next two */
    uint64_t start_ticks, ticks_per_second;
    struct buf strings; /* of metadata, as written */
    size_t string_count;
};

enum { CHUNK_MAX = 1 << 24, CHUNK_SIZE_BYTES = 5 };

static inline void chunk_put_varint(struct buf *b, uint64_t v)
{
    for (int i = 0; i < 8 && v >= 0x80; i++, v >>= 7)
        buf_byte(b, (uint8_t)(v | 0x80));
    buf_byte(b, (uint8_t)v); /* the ninth byte holds eight bits */
}

static inline void chunk_put_text(struct buf *b, struct str s)
{
    buf_byte(b, 3);
    chunk_put_varint(b, s.n);
    buf_str(b, s);
}

static inline void chunk_varint(struct chunk_builder *c, uint64_t v)
{
    chunk_put_varint(&c->b, v);
}

static inline void chunk_varints(struct chunk_builder *c, const uint64_t *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        chunk_put_varint(&c->b, v[i]);
}
#define CHUNK_VARINTS(c, ...)                                                                                          \
    chunk_varints((c), (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static inline void chunk_byte(struct chunk_builder *c, uint8_t v)
{
    buf_byte(&c->b, v);
}

static inline void chunk_text(struct chunk_builder *c, const char *s)
{
    chunk_put_text(&c->b, str_of(s));
}

/* An event with a padded size, as async-profiler writes them. */
static inline void chunk_event(struct chunk_builder *c, uint64_t type)
{
    c->event = c->b.len;
    buf_append(&c->b, (const uint8_t[CHUNK_SIZE_BYTES]){0}, CHUNK_SIZE_BYTES);
    chunk_varint(c, type);
}

static inline void chunk_event_end(struct chunk_builder *c)
{
    uint64_t size = c->b.len - c->event;
    for (int i = 0; i < CHUNK_SIZE_BYTES; i++, size >>= 7)
        c->b.p[c->event + (size_t)i] = (uint8_t)((size & 0x7f) | (i < CHUNK_SIZE_BYTES - 1 ? 0x80 : 0));
}

/* A checkpoint of `pools` pools; `delta` leads to the next one, 0 = the last. Ends as an event does. */
static inline void chunk_checkpoint(struct chunk_builder *c, int64_t delta, uint64_t pools)
{
    chunk_event(c, 1);
    c->checkpoint = c->event;
    CHUNK_VARINTS(c, 0, 0, (uint64_t)delta, 1, pools);
}

/* Index of a new string in the metadata's table; twice is fine. */
static inline uint64_t chunk_meta_string(struct chunk_builder *c, struct str s)
{
    chunk_put_text(&c->strings, s);
    return c->string_count++;
}

static inline void chunk_meta_attribute(struct chunk_builder *c, struct buf *tree, const char *key, struct str value)
{
    chunk_put_varint(tree, chunk_meta_string(c, str_of(key)));
    chunk_put_varint(tree, chunk_meta_string(c, value));
}

static inline void chunk_meta_element(struct chunk_builder *c, struct buf *tree, const char *name, uint64_t attributes)
{
    chunk_put_varint(tree, chunk_meta_string(c, str_of(name)));
    chunk_put_varint(tree, attributes);
}

/* name:type, name:type*, name:type[], name:type*[] */
static inline void chunk_meta_field(struct chunk_builder *c, struct buf *tree, struct str field)
{
    struct str name = {0}, type = field;
    bool array = str_has_suffix(type, STR("[]"));
    type.n -= array ? 2 : 0;
    bool pooled = str_has_suffix(type, STR("*"));
    type.n -= pooled;
    (void)str_split(&type, ':', &name);
    chunk_meta_element(c, tree, "field", 2 + (uint64_t)pooled + (uint64_t)array);
    chunk_meta_attribute(c, tree, "name", name);
    chunk_meta_attribute(c, tree, "class", type);
    if (pooled)
        chunk_meta_attribute(c, tree, "constantPool", STR("true"));
    if (array)
        chunk_meta_attribute(c, tree, "dimension", STR("1"));
    chunk_put_varint(tree, 0); /* children */
}

static inline void chunk_meta_class(struct chunk_builder *c, struct buf *tree, struct str line)
{
    struct str id = {0}, name = {0}, field;
    struct buf fields = BUF_INIT(CHUNK_MAX);
    uint64_t count = 0;
    (void)str_split(&line, ' ', &id);
    (void)str_split(&line, ' ', &name);
    for (; str_split(&line, ' ', &field); count++)
        chunk_meta_field(c, &fields, field);
    chunk_meta_element(c, tree, "class", 2);
    chunk_meta_attribute(c, tree, "name", name);
    chunk_meta_attribute(c, tree, "id", id);
    chunk_put_varint(tree, count);
    buf_str(tree, buf_slice(&fields));
    buf_done(&fields);
}

static inline void chunk_metadata(struct chunk_builder *c, const char *types)
{
    struct buf tree = BUF_INIT(CHUNK_MAX), classes = BUF_INIT(CHUNK_MAX);
    struct str rest = str_of(types), line;
    uint64_t count = 0;
    for (; str_split(&rest, '\n', &line); count++)
        chunk_meta_class(c, &classes, line);
    chunk_meta_element(c, &tree, "root", 0);
    chunk_put_varint(&tree, 2);
    chunk_meta_element(c, &tree, "metadata", 0);
    chunk_put_varint(&tree, count);
    buf_str(&tree, buf_slice(&classes));
    chunk_meta_element(c, &tree, "region", 1);
    chunk_meta_attribute(c, &tree, "locale", STR("en_US"));
    chunk_put_varint(&tree, 0);
    chunk_event(c, 0);
    c->metadata = c->event;
    CHUNK_VARINTS(c, 0, 0, 0x7fffffff, c->string_count);
    buf_str(&c->b, buf_slice(&c->strings));
    buf_str(&c->b, buf_slice(&tree));
    chunk_event_end(c);
    buf_done(&tree);
    buf_done(&classes);
}

/* Header and metadata. The clock is 1 GHz until told otherwise. */
static inline struct chunk_builder chunk_begin(const char *types)
{
    struct chunk_builder c = {.b = BUF_INIT(CHUNK_MAX),
                              .strings = BUF_INIT(CHUNK_MAX),
                              .start_ns = 1700000000000000000,
                              .duration_ns = 5000000000,
                              .ticks_per_second = 1000000000};
    buf_append(&c.b, (const uint8_t[JFR_HEADER_SIZE]){0}, JFR_HEADER_SIZE);
    chunk_metadata(&c, types);
    return c;
}

static inline void chunk_be(struct chunk_builder *c, size_t at, uint64_t v, unsigned bytes)
{
    while (bytes-- > 0) {
        c->b.p[at + bytes] = (uint8_t)v;
        v >>= 8;
    }
}

/* Writes the header; what was appended later is covered when called again. */
static inline void chunk_end(struct chunk_builder *c)
{
    memcpy(c->b.p, "FLR\0\0\2\0\0", 8);
    chunk_be(c, 8, c->b.len, 8);
    chunk_be(c, 16, c->checkpoint, 8);
    chunk_be(c, 24, c->metadata, 8);
    chunk_be(c, 32, (uint64_t)c->start_ns, 8);
    chunk_be(c, 40, (uint64_t)c->duration_ns, 8);
    chunk_be(c, 48, c->start_ticks, 8);
    chunk_be(c, 56, c->ticks_per_second, 8);
    chunk_be(c, 64, 1, 4);
}

static inline void chunk_done(struct chunk_builder *c)
{
    buf_done(&c->b);
    buf_done(&c->strings);
}
#define cleanup_chunk __attribute__((cleanup(chunk_done)))
