/* The metadata of a chunk: every type by ID and by name, and its fields in the order of their bytes.
 *
 * IDs, order and presence of fields are not known in advance: producers differ, and forks insert fields. Reading finds
 * the types only; fields and their annotations are parsed for a type when they are requested, which most never are.
 * Borrows the chunk's bytes; strings are in the arena passed to the reader.
 *
 *     struct jfr_fields it = jfr_fields_of(m, type);
 *     struct jfr_field field;
 *     while ((more = jfr_fields_next(&it, &field)) > 0)
 *
 * Sources: jdk.jfr.internal.MetadataReader; spec jfr-asprof §1.4.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"

struct jfr_field {
    struct str name;
    uint64_t type; /* id */
    bool pooled;   /* an id of that type's constant pool, not the value */
    bool array;
};

struct jfr_type {
    uint64_t id;
    struct str name;
    size_t bytes; /* of the chunk, that its fields are described in */
    /* Private from here: these, and the next type whose name hashes alike. */
    const uint8_t *elements;
    uint64_t element_count;
    uint32_t next; /* + 1; 0 = none */
};

enum { JFR_NAME_BUCKETS = 64 };
struct jfr_metadata {
    struct jfr_type *types; /* owned */
    size_t count;
    bool renamed; /* types were named as by JDK 9 and 10, which is what version 1 is */
    /* Private from here. */
    size_t cap;
    struct u64map by_id;                /* -> index into types */
    uint32_t by_name[JFR_NAME_BUCKETS]; /* the first type of each, + 1 */
    const uint8_t *end;
    struct str *strings; /* one more than the chunk has, which is empty */
    uint8_t *words;      /* of the same: which of metadata's own words they are */
    size_t string_count;
};
#define JFR_METADATA_INIT ((struct jfr_metadata){0})

/* Reads the metadata event at `offset` of the chunk. -EBADMSG when it is damaged, -E2BIG beyond the arena's cap. */
must_check int jfr_metadata_read(const uint8_t *chunk, size_t len, uint64_t offset, struct arena *arena,
                                 struct jfr_metadata *ret, struct err *err);
void jfr_metadata_done(struct jfr_metadata *m);
#define cleanup_jfr_metadata __attribute__((cleanup(jfr_metadata_done)))

/* NULL when there is none; of several the first by name, the last by id. */
const struct jfr_type *jfr_type_by_id(const struct jfr_metadata *m, uint64_t id);
const struct jfr_type *jfr_type_by_name(const struct jfr_metadata *m, const char *name);

/* A way through metadata's elements; private. */
struct jfr_elements {
    const struct jfr_metadata *m;
    const uint8_t *p;     /* the next one; NULL where the last was damaged */
    const uint8_t *block; /* some bytes looked at together */
    uint64_t ends;        /* which of them, from p on, end a number; 0 where that is not known */
};
struct jfr_fields {
    struct jfr_elements at;
    uint64_t left;
};
static inline struct jfr_fields jfr_fields_of(const struct jfr_metadata *m, const struct jfr_type *t)
{
    return (struct jfr_fields){{.m = m, .p = t->elements}, t->element_count};
}
/* 1 and the next field, 0 behind the last, -EBADMSG where something cannot be a field. */
must_check int jfr_fields_next(struct jfr_fields *it, struct jfr_field *ret);
/* False when there is none. */
bool jfr_field_by_name(const struct jfr_metadata *m, const struct jfr_type *t, const char *name, struct jfr_field *ret);
