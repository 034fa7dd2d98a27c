#include "jfr/metadata.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "jfr/text.h"
#include "jfr/varint.h"

/* Recent JDKs describe about 450 types. */
enum { TYPES_MAX = 8192 };

/* The state of one reading. */
struct reader {
    const uint8_t *p, *end; /* p turns NULL at the first thing that does not fit */
    struct arena *arena;
    struct str *strings;
    uint8_t *words; /* of the same strings: which of enum word they are */
    size_t string_count;
    struct jfr_type *types; /* heap while it grows */
    size_t type_count, type_cap;
    bool full; /* the arena's cap was hit */
};

/* What elements and attributes are called: looked at once per string, not once per use. */
enum word { WORD_OTHER, WORD_CLASS, WORD_FIELD, WORD_NAME, WORD_ID, WORD_POOLED, WORD_DIMENSION, WORDS };
#define TEXT(text)                                                                                                     \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }
static const struct str words[WORDS] = {{0},        TEXT("class"),        TEXT("field"),    TEXT("name"),
                                        TEXT("id"), TEXT("constantPool"), TEXT("dimension")};

static enum word word_of(struct str s)
{
    enum word w = s.n > 1 && s.n <= sizeof "constantPool" - 1 ? WORDS - 1 : WORD_OTHER;
    while (w > WORD_OTHER && !str_eq(s, words[w]))
        w--;
    return w;
}

/* The attributes we care about, numbers of strings by word; the rest of an element's are stepped over. */
struct attributes {
    uint32_t of[WORDS];
};

static uint64_t long_next(struct reader *r)
{
    uint64_t v = 0;
    r->p = jfr_varint(r->p, r->end, &v);
    return v;
}

/* Most numbers here are small. */
static inline uint64_t next(struct reader *r)
{
    if (r->p && r->p < r->end && *r->p < 0x80)
        return *r->p++;
    return long_next(r);
}

/* Uninitialised. */
static void *allot(struct reader *r, size_t n, size_t size)
{
    size_t bytes;
    void *p = __builtin_mul_overflow(n, size, &bytes) ? NULL : arena_alloc(r->arena, bytes);
    if (!p) {
        r->full = true;
        r->p = NULL;
    }
    return p;
}

static struct str decoded(struct reader *r, const struct jfr_string *raw)
{
    if (jfr_string_is_plain(raw))
        return raw->text;
    cleanup_buf struct buf b = BUF_INIT(3 * raw->text.n + 1);
    jfr_string_decode(raw, &b);
    struct str s = arena_str(r->arena, buf_slice(&b));
    if (!s.p) {
        r->full = true;
        r->p = NULL;
    }
    return s;
}

/* Nearly all strings are ASCII, in any of the encodings. */
static void read_string(struct reader *r, struct str *ret)
{
    struct jfr_string raw = {0};
    if (jfr_string_ascii(r->p, r->end, ret)) {
        r->p = (const uint8_t *)ret->p + ret->n;
        return;
    }
    r->p = jfr_string_read(r->p, r->end, &raw);
    if (r->p)
        *ret = decoded(r, &raw);
}

/* One more than are read: that one is empty, and stands for attributes that are not there. */
static void read_strings(struct reader *r)
{
    uint64_t count = next(r);
    if (!r->p || count > (uint64_t)(r->end - r->p)) {
        r->p = NULL;
        return;
    }
    r->strings = allot(r, count + 1, sizeof *r->strings);
    r->words = allot(r, count + 1, sizeof *r->words);
    for (uint64_t i = 0; r->p && i < count; i++) {
        read_string(r, &r->strings[i]);
        if (r->p)
            r->words[i] = (uint8_t)word_of(r->strings[i]);
    }
    if (!r->p)
        return;
    r->strings[count] = (struct str){0};
    r->string_count = (size_t)count;
}

static enum word word_at(struct reader *r, uint64_t i)
{
    if (r->p && i < r->string_count)
        return (enum word)r->words[i];
    r->p = NULL;
    return WORD_OTHER;
}

static struct attributes read_attributes(struct reader *r)
{
    struct attributes a;
    for (int i = 0; i < WORDS; i++)
        a.of[i] = (uint32_t)r->string_count;
    uint64_t count = next(r);
    for (; r->p && count > 0; count--) {
        const enum word key = word_at(r, next(r));
        const uint64_t value = next(r);
        if (!r->p || value >= r->string_count)
            r->p = NULL;
        else
            a.of[key] = (uint32_t)value;
    }
    return a;
}

static struct str attribute(const struct reader *r, const struct attributes *a, enum word word)
{
    return r->strings[a->of[word]];
}

static void add_type(struct reader *r, const struct attributes *a)
{
    struct jfr_type t = {.name = attribute(r, a, WORD_NAME)};
    if (!str_to_u64(attribute(r, a, WORD_ID), &t.id) || r->type_count == TYPES_MAX) {
        r->p = NULL;
        return;
    }
    xgrow(&r->types, &r->type_cap, r->type_count + 1, sizeof *r->types);
    r->types[r->type_count++] = t;
}

/* Returns the link to hang the next field on. */
static struct jfr_field **add_field(struct reader *r, struct jfr_field **link, const struct attributes *a)
{
    const struct str type_text = attribute(r, a, WORD_CLASS), dimension_text = attribute(r, a, WORD_DIMENSION);
    uint64_t type = 0, dimension = 0;
    bool fine = str_to_u64(type_text, &type) && (dimension_text.n == 0 || str_to_u64(dimension_text, &dimension));
    struct jfr_field *f = fine ? allot(r, 1, sizeof *f) : NULL;
    if (!f) {
        r->p = NULL;
        return link;
    }
    *f = (struct jfr_field){.name = attribute(r, a, WORD_NAME),
                            .type = type,
                            .pooled = str_is(attribute(r, a, WORD_POOLED), "true"),
                            .array = dimension != 0};
    *link = f;
    return &f->next;
}

static void read_element(struct reader *r, unsigned depth, struct jfr_field ***fields);

static void read_children(struct reader *r, unsigned depth, struct jfr_field ***fields)
{
    uint64_t children = next(r);
    if (children > 0 && depth == JFR_DEPTH_MAX)
        r->p = NULL;
    for (; r->p && children > 0; children--)
        read_element(r, depth + 1, fields);
}

static void read_class(struct reader *r, unsigned depth)
{
    const struct attributes a = read_attributes(r);
    struct jfr_field *own = NULL, **link = &own;
    const size_t index = r->type_count;
    if (r->p)
        add_type(r, &a);
    read_children(r, depth, &link);
    if (r->p)
        r->types[index].fields = own;
}

/* One element and all below it. `fields` is where the fields of the class around it go, NULL outside of one. */
static void read_element(struct reader *r, unsigned depth, struct jfr_field ***fields)
{
    const enum word name = word_at(r, next(r));
    if (!fields && name == WORD_CLASS) {
        read_class(r, depth);
        return;
    }
    if (fields && name == WORD_FIELD) {
        const struct attributes a = read_attributes(r);
        if (r->p)
            *fields = add_field(r, *fields, &a);
    } else { /* annotations and settings, which are most */
        const uint64_t attributes = next(r);
        r->p = r->p && attributes <= (uint64_t)(r->end - r->p) ? jfr_varint_skip(r->p, r->end, 2 * attributes) : NULL;
    }
    read_children(r, depth, NULL);
}

static int read_event(struct reader *r, struct err *err)
{
    (void)next(r); /* size: checked by the caller */
    uint64_t type = next(r);
    if (r->p && type != 0)
        return err_set(err, -EBADMSG, "metadata: an event of type %llu is there", (unsigned long long)type);
    for (int i = 0; i < 3; i++) /* start, duration, metadata id */
        (void)next(r);
    read_strings(r);
    if (r->p)
        read_element(r, 0, NULL);
    if (r->full)
        return err_set(err, -E2BIG, "metadata: larger than %zu bytes", r->arena->max);
    if (!r->p)
        return err_set(err, -EBADMSG, "metadata: damaged");
    if (r->type_count == 0)
        return err_set(err, -EBADMSG, "metadata: no types");
    return 0;
}

int jfr_metadata_read(const uint8_t *chunk, size_t len, uint64_t offset, struct arena *arena, struct jfr_metadata *ret,
                      struct err *err)
{
    struct reader r = {.arena = arena};
    uint64_t size;
    if (offset >= len)
        return err_set(err, -EBADMSG, "metadata: outside of the chunk");
    const uint8_t *start = chunk + offset;
    if (!jfr_varint(start, chunk + len, &size) || size > len - offset)
        return err_set(err, -EBADMSG, "metadata: event of impossible size");
    r.p = start;
    r.end = start + size;
    int code = read_event(&r, err);
    struct jfr_type *types = code == 0 ? arena_alloc(arena, r.type_count * sizeof *types) : NULL;
    if (code == 0 && !types)
        code = err_set(err, -E2BIG, "metadata: larger than %zu bytes", arena->max);
    if (code < 0) {
        free(r.types);
        return code;
    }
    memcpy(types, r.types, r.type_count * sizeof *types);
    free(r.types);
    struct jfr_metadata m = {.types = types, .count = r.type_count};
    for (size_t i = 0; i < m.count; i++)
        u64map_put(&m.by_id, types[i].id, i);
    *ret = m;
    return 0;
}

void jfr_metadata_done(struct jfr_metadata *m)
{
    u64map_done(&m->by_id);
    *m = JFR_METADATA_INIT;
}

const struct jfr_type *jfr_type_by_id(const struct jfr_metadata *m, uint64_t id)
{
    uint64_t i;
    return u64map_get(&m->by_id, id, &i) ? &m->types[i] : NULL;
}

const struct jfr_type *jfr_type_by_name(const struct jfr_metadata *m, const char *name)
{
    const struct str wanted = str_of(name);
    for (size_t i = 0; i < m->count; i++) {
        if (str_eq(m->types[i].name, wanted))
            return &m->types[i];
    }
    return NULL;
}

const struct jfr_field *jfr_field_by_name(const struct jfr_type *t, const char *name)
{
    for (const struct jfr_field *f = t->fields; f; f = f->next) {
        if (str_is(f->name, name))
            return f;
    }
    return NULL;
}
