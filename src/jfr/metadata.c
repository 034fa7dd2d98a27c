#include "jfr/metadata.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "jfr/text.h"
#include "jfr/varint.h"

/* async-profiler describes about 50 types, recent JDKs 450. */
enum { TYPES_USUAL = 64, TYPES_MAX = 8192 };

/* What elements and attributes are called: looked at once per string, not once per use. */
enum word { WORD_OTHER, WORD_CLASS, WORD_FIELD, WORD_NAME, WORD_ID, WORD_POOLED, WORD_DIMENSION, WORDS };
#define TEXT(text)                                                                                                     \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }
static const struct str words[WORDS] = {{0},        TEXT("class"),        TEXT("field"),    TEXT("name"),
                                        TEXT("id"), TEXT("constantPool"), TEXT("dimension")};

/* Most strings are not even as long as one of them. */
static inline enum word metadata_word_of(struct str s)
{
    enum { LENGTHS = 1 << 2 | 1 << 4 | 1 << 5 | 1 << 9 | 1 << 12 };
    if (s.n > sizeof "constantPool" - 1 || !(LENGTHS >> s.n & 1))
        return WORD_OTHER;
    enum word w = WORDS - 1;
    while (w > WORD_OTHER && !str_eq(s, words[w]))
        w--;
    return w;
}

/* The bytes of any string, where they are its text or at least are none of ours; position behind it, or NULL. */
static const uint8_t *metadata_read_string(const uint8_t *p, const uint8_t *end, struct str *ret)
{
    struct jfr_string raw = {0};
    if (jfr_string_bytes(p, end, ret) || jfr_string_ascii(p, end, ret))
        return (const uint8_t *)ret->p + ret->n;
    p = jfr_string_read(p, end, &raw);
    *ret = raw.text;
    return p;
}

/* Position behind the strings, or NULL: then `full` says whether for want of memory. */
static const uint8_t *metadata_read_strings(struct jfr_metadata *m, const uint8_t *p, struct arena *arena, bool *full)
{
    uint64_t count;
    p = jfr_varint(p, m->end, &count);
    if (!p || count > (uint64_t)(m->end - p))
        return NULL;
    struct str *strings = arena_alloc(arena, (count + 1) * sizeof *strings);
    uint8_t *word = arena_alloc(arena, count + 1);
    *full = !strings || !word;
    if (*full)
        return NULL;
    for (uint64_t i = 0; p && i < count; i++) {
        p = metadata_read_string(p, m->end, &strings[i]);
        word[i] = (uint8_t)metadata_word_of(strings[i]);
    }
    strings[count] = (struct str){0};
    m->strings = strings;
    m->words = word;
    m->string_count = (size_t)count;
    return p;
}

/* Elements follow each other as a tree is walked, the children of one right behind it. */
struct element {
    enum word name;
    const uint8_t *attributes;
    uint64_t attribute_count, child_count;
};

/* Any element; position behind it, where its children are, or NULL. */
static __attribute__((noinline)) const uint8_t *metadata_read_long_element(const struct jfr_metadata *m,
                                                                           const uint8_t *p, struct element *ret)
{
    uint64_t name = 0, attributes = 0, children = 0;
    p = jfr_varint(p, m->end, &name);
    p = jfr_varint(p, m->end, &attributes);
    if (!p || name >= m->string_count || attributes > (uint64_t)(m->end - p))
        return NULL;
    const uint8_t *at = p;
    p = jfr_varint_skip(p, m->end, 2 * attributes);
    p = jfr_varint(p, m->end, &children);
    *ret = (struct element){(enum word)m->words[name], at, attributes, children};
    return p && children <= (uint64_t)(m->end - p) ? p : NULL;
}

/* One that lies in the block at hand; false where it does not, and where it is odd. */
static inline bool metadata_read_short_element(struct jfr_elements *it, struct element *ret)
{
    enum { ATTRIBUTES_MAX = 16 };
    uint64_t ends = it->ends;
    if (ends == 0)
        return false;
    const unsigned two_bytes = it->p[0] >> 7;
    const uint32_t name = (it->p[0] & 0x7f) | (two_bytes ? (uint32_t)it->p[1] << 7 : 0);
    const uint8_t *const attributes = it->p + 1 + two_bytes;
    if (*attributes > ATTRIBUTES_MAX || name >= it->m->string_count)
        return false;
    for (unsigned pairs = 1U + *attributes; pairs > 0; pairs--) {
        ends &= ends - 1;
        ends &= ends - 1;
    }
    const uint8_t *const children = it->block + (ends ? __builtin_ctzll(ends) : 0);
    if (ends == 0 || children[-1] >= 0x80)
        return false;
    *ret = (struct element){(enum word)it->m->words[name], attributes + 1, *attributes, *children};
    it->p = children + 1;
    it->ends = ends & (ends - 1);
    return true;
}

/* Only for numbers of one and two bytes, which nearly all are. Where an element's name is the last of a block, the
 * byte behind that is looked at as well. */
static inline void metadata_look_ahead(struct jfr_elements *it)
{
    it->ends = 0;
    if (!it->p || it->m->end - it->p <= JFR_VARINT_LOOK)
        return;
    const uint64_t ends = jfr_varint_ends(it->p), more = ~ends;
    it->block = it->p;
    it->ends = more & more >> 1 ? 0 : ends;
}

/* False where it is damaged. */
static inline bool metadata_read_element(struct jfr_elements *it, struct element *ret)
{
    if (metadata_read_short_element(it, ret))
        return true;
    metadata_look_ahead(it);
    if (metadata_read_short_element(it, ret))
        return true;
    struct element e;
    it->ends = 0;
    it->p = metadata_read_long_element(it->m, it->p, &e);
    if (it->p)
        *ret = e;
    return it->p != NULL;
}

/* Steps over n elements and all below them, annotations and settings mostly. */
static bool metadata_skip_elements(struct jfr_elements *to, uint64_t n)
{
    struct jfr_elements it = *to;
    struct element e;
    bool fine = true;
    for (; fine && n > 0; n--) {
        fine = metadata_read_element(&it, &e);
        n += fine ? e.child_count : 0; /* of each there are fewer than bytes: it cannot wrap */
    }
    *to = it;
    return fine;
}

/* The attributes we care about, numbers of strings by word. */
struct attributes {
    uint32_t of[WORDS];
};

static bool metadata_read_attributes(const struct jfr_metadata *m, const struct element *e, struct attributes *ret)
{
    const uint8_t *p = e->attributes;
    for (int i = 0; i < WORDS; i++)
        ret->of[i] = (uint32_t)m->string_count;
    for (uint64_t count = e->attribute_count; count > 0; count--) {
        uint64_t key, value;
        p = jfr_varint(p, m->end, &key);
        p = jfr_varint(p, m->end, &value);
        if (key >= m->string_count || value >= m->string_count)
            return false;
        ret->of[m->words[key]] = (uint32_t)value;
    }
    return true;
}

static struct str metadata_attribute(const struct jfr_metadata *m, const struct attributes *a, enum word word)
{
    return m->strings[a->of[word]];
}

#define VENDOR STR("com.oracle.")
/* Asked for every type: most names are told by their first letter. */
static inline bool metadata_is_vendors(struct str name)
{
    return name.n && name.p[0] == 'c' && str_has_prefix(name, VENDOR);
}

/* JDK 9 and 10 named types otherwise: "com.oracle.jdk.GarbageCollection", "com.oracle.jfr.types.Method". */
static struct str metadata_today(struct str name)
{
    const struct str vendor = VENDOR, types = STR("jfr.types.");
    static const char *const common[] = {
        "jdk.types.ClassLoader", "jdk.types.FrameType",   "jdk.types.Method", "jdk.types.StackFrame",
        "jdk.types.StackTrace",  "jdk.types.ThreadState", "jdk.types.Symbol",
    };
    if (!metadata_is_vendors(name))
        return name;
    const struct str rest = {name.p + vendor.n, name.n - vendor.n};
    if (str_has_prefix(rest, STR("jdk.")))
        return rest;
    for (size_t i = 0; str_has_prefix(rest, types) && i < ARRAY_LEN(common); i++) {
        if (str_is((struct str){rest.p + types.n, rest.n - types.n}, common[i] + types.n))
            return str_of(common[i]);
    }
    return name;
}

/* What is no ASCII is the name of nothing that is looked for, and empty here. */
static struct str metadata_name_of(const struct jfr_metadata *m, const struct attributes *a)
{
    const struct jfr_string raw = {.kind = JFR_STRING_UTF8, .text = metadata_attribute(m, a, WORD_NAME)};
    return jfr_string_is_plain(&raw) ? metadata_today(raw.text) : STR("");
}

/* Names begin alike: "jdk.types.". */
static size_t metadata_bucket_of(struct str name)
{
    return (name.n * 7 + (name.n ? (unsigned char)name.p[name.n - 1] : 0)) % JFR_NAME_BUCKETS;
}

static bool metadata_add_type(struct jfr_metadata *m, const struct element *e, struct jfr_elements *it)
{
    struct attributes a;
    struct jfr_type t = {.elements = it->p, .element_count = e->child_count};
    if (!metadata_read_attributes(m, e, &a) || !str_to_u64(metadata_attribute(m, &a, WORD_ID), &t.id) ||
        m->count == TYPES_MAX || !metadata_skip_elements(it, e->child_count))
        return false;
    t.name = metadata_name_of(m, &a);
    m->renamed |= metadata_is_vendors(metadata_attribute(m, &a, WORD_NAME));
    t.bytes = (size_t)(it->p - t.elements);
    xgrow(&m->types, &m->cap, m->count ? m->count + 1 : TYPES_USUAL, sizeof *m->types);
    m->types[m->count++] = t;
    return true;
}

/* Types are elements called "class", outside of each other. False where the tree is damaged. */
static bool metadata_read_types(struct jfr_metadata *m, const uint8_t *root)
{
    struct jfr_elements it = {.m = m, .p = root};
    struct element e;
    for (uint64_t left = 1; left > 0; left--) {
        if (!metadata_read_element(&it, &e) || (e.name == WORD_CLASS && !metadata_add_type(m, &e, &it)))
            return false;
        if (e.name != WORD_CLASS)
            left += e.child_count;
    }
    return true;
}

/* In front of others with that name come those described earlier. */
static void metadata_index_types(struct jfr_metadata *m)
{
    u64map_expect(&m->by_id, m->count);
    for (size_t i = 0; i < m->count; i++)
        u64map_put(&m->by_id, m->types[i].id, i);
    for (size_t i = m->count; i-- > 0;) {
        uint32_t *bucket = &m->by_name[metadata_bucket_of(m->types[i].name)];
        m->types[i].next = *bucket;
        *bucket = (uint32_t)i + 1;
    }
}

static int metadata_read_event(struct jfr_metadata *m, const uint8_t *p, struct arena *arena, struct err *err)
{
    uint64_t type = 0, ignored;
    bool full = false;
    p = jfr_varint(p, m->end, &ignored); /* size: checked by the caller */
    p = jfr_varint(p, m->end, &type);
    if (p && type != 0)
        return err_set(err, -EBADMSG, "metadata: unexpected event of type %llu", (unsigned long long)type);
    for (int i = 0; i < 3; i++) /* start, duration, metadata id */
        p = jfr_varint(p, m->end, &ignored);
    p = metadata_read_strings(m, p, arena, &full);
    if (full)
        return err_set(err, -E2BIG, "metadata: larger than %zu bytes", arena->max);
    if (!p || !metadata_read_types(m, p))
        return err_set(err, -EBADMSG, "metadata: damaged");
    if (m->count == 0)
        return err_set(err, -EBADMSG, "metadata: no types");
    return 0;
}

int jfr_metadata_read(const uint8_t *chunk, size_t len, uint64_t offset, struct arena *arena, struct jfr_metadata *ret,
                      struct err *err)
{
    uint64_t size;
    if (offset >= len)
        return err_set(err, -EBADMSG, "metadata: outside the chunk");
    const uint8_t *start = chunk + offset;
    if (!jfr_varint(start, chunk + len, &size) || size > len - offset)
        return err_set(err, -EBADMSG, "metadata: event of invalid size");
    struct jfr_metadata m = {.end = start + size};
    int code = metadata_read_event(&m, start, arena, err);
    if (code < 0) {
        jfr_metadata_done(&m);
        return code;
    }
    metadata_index_types(&m);
    *ret = m;
    return 0;
}

void jfr_metadata_done(struct jfr_metadata *m)
{
    free(m->types);
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
    for (uint32_t i = m->by_name[metadata_bucket_of(wanted)]; i; i = m->types[i - 1].next) {
        if (str_eq(m->types[i - 1].name, wanted))
            return &m->types[i - 1];
    }
    return NULL;
}

static bool metadata_make_field(const struct jfr_metadata *m, const struct element *e, struct jfr_field *ret)
{
    struct attributes a;
    uint64_t dimension = 0;
    if (!metadata_read_attributes(m, e, &a))
        return false;
    const struct str dimension_text = metadata_attribute(m, &a, WORD_DIMENSION);
    ret->name = metadata_name_of(m, &a);
    ret->pooled = str_is(metadata_attribute(m, &a, WORD_POOLED), "true");
    if (dimension_text.n && !str_to_u64(dimension_text, &dimension))
        return false;
    ret->array = dimension != 0;
    return str_to_u64(metadata_attribute(m, &a, WORD_CLASS), &ret->type);
}

int jfr_fields_next(struct jfr_fields *it, struct jfr_field *ret)
{
    struct element e;
    for (; it->left > 0; it->left--) {
        if (!metadata_read_element(&it->at, &e) || !metadata_skip_elements(&it->at, e.child_count))
            return -EBADMSG;
        if (e.name != WORD_FIELD)
            continue;
        it->left--;
        return metadata_make_field(it->at.m, &e, ret) ? 1 : -EBADMSG;
    }
    return 0;
}

bool jfr_field_by_name(const struct jfr_metadata *m, const struct jfr_type *t, const char *name, struct jfr_field *ret)
{
    struct jfr_fields it = jfr_fields_of(m, t);
    while (jfr_fields_next(&it, ret) > 0) {
        if (str_is(ret->name, name))
            return true;
    }
    return false;
}
