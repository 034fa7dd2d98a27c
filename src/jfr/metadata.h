/* What a chunk says about its own layout: every type by id, every field by name, in the order of its bytes.
 *
 * Nothing about ids, field order or presence is known in advance; producers differ and forks insert fields. Reading
 * also compiles a type into a plan, a short row of steps, so that values are later read without looking at metadata
 * again. Borrows the chunk's bytes; the arena given at reading holds the rest.
 * Sources: jdk.jfr.internal.MetadataReader; spec jfr-asprof §1.4.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"

/* Nesting of metadata elements and of struct values; real files have 5 and 2. */
enum { JFR_DEPTH_MAX = 8 };

struct jfr_field {
    struct str name;
    uint64_t type; /* id */
    bool pooled;   /* an id of that type's constant pool, not the value */
    bool array;
    struct jfr_field *next;
};

struct jfr_type {
    uint64_t id;
    struct str name;
    struct jfr_field *fields;
};

struct jfr_metadata {
    struct jfr_type *types;
    size_t count;
    struct u64map by_id; /* -> index into types */
};
#define JFR_METADATA_INIT ((struct jfr_metadata){0})

/* Reads the metadata event at `offset` of the chunk. -EBADMSG when it is damaged, -E2BIG beyond the arena's cap. */
must_check int jfr_metadata_read(const uint8_t *chunk, size_t len, uint64_t offset, struct arena *arena,
                                 struct jfr_metadata *ret, struct err *err);
void jfr_metadata_done(struct jfr_metadata *m);
#define cleanup_jfr_metadata __attribute__((cleanup(jfr_metadata_done)))

/* NULL when there is none. */
const struct jfr_type *jfr_type_by_id(const struct jfr_metadata *m, uint64_t id);
const struct jfr_type *jfr_type_by_name(const struct jfr_metadata *m, const char *name);
const struct jfr_field *jfr_field_by_name(const struct jfr_type *t, const char *name);
