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
static const char *const words[WORDS] = {"", "class", "field", "name", "id", "constantPool", "dimension"};

static enum word word_of(struct str s)
{
    enum word w = WORDS - 1;
    while (w > WORD_OTHER && !str_is(s, words[w]))
        w--;
    return w;
}

/* The attributes we care about; the rest of an element's are stepped over. */
struct attributes {
    struct str name, id, type, pooled, dimension;
};

static uint64_t next(struct reader *r)
{
    uint64_t v = 0;
    r->p = jfr_varint(r->p, r->end, &v);
    return v;
}

static void *allot(struct reader *r, size_t n, size_t size)
{
    void *p = arena_calloc(r->arena, n, size);
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
        struct jfr_string raw = {0};
        r->p = jfr_string_read(r->p, r->end, &raw);
        if (r->p)
            r->strings[i] = decoded(r, &raw);
        if (r->p)
            r->words[i] = (uint8_t)word_of(r->strings[i]);
    }
    r->string_count = count;
}

static struct str string_at(struct reader *r, uint64_t i)
{
    if (r->p && i < r->string_count)
        return r->strings[i];
    r->p = NULL;
    return STR("");
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
    struct attributes a = {0};
    uint64_t count = next(r);
    for (; r->p && count > 0; count--) {
        const enum word key = word_at(r, next(r));
        const struct str value = string_at(r, next(r));
        if (key == WORD_NAME)
            a.name = value;
        else if (key == WORD_ID)
            a.id = value;
        else if (key == WORD_CLASS)
            a.type = value;
        else if (key == WORD_POOLED)
            a.pooled = value;
        else if (key == WORD_DIMENSION)
            a.dimension = value;
    }
    return a;
}

static void add_type(struct reader *r, const struct attributes *a)
{
    struct jfr_type t = {.name = a->name};
    if (!str_to_u64(a->id, &t.id) || r->type_count == TYPES_MAX) {
        r->p = NULL;
        return;
    }
    xgrow(&r->types, &r->type_cap, r->type_count + 1, sizeof *r->types);
    r->types[r->type_count++] = t;
}

/* Returns the link to hang the next field on. */
static struct jfr_field **add_field(struct reader *r, struct jfr_field **link, const struct attributes *a)
{
    uint64_t type = 0, dimension = 0;
    bool fine = str_to_u64(a->type, &type) && (a->dimension.n == 0 || str_to_u64(a->dimension, &dimension));
    struct jfr_field *f = fine ? allot(r, 1, sizeof *f) : NULL;
    if (!f) {
        r->p = NULL;
        return link;
    }
    *f =
        (struct jfr_field){.name = a->name, .type = type, .pooled = str_is(a->pooled, "true"), .array = dimension != 0};
    *link = f;
    return &f->next;
}

/* One element and all below it. `fields` is where the fields of the class around it go, NULL outside of one. */
static void read_element(struct reader *r, unsigned depth, struct jfr_field ***fields)
{
    const enum word name = word_at(r, next(r));
    struct attributes a = read_attributes(r);
    uint64_t children = next(r);
    if (!r->p || (children > 0 && depth == JFR_DEPTH_MAX)) {
        r->p = NULL;
        return;
    }
    struct jfr_field *own = NULL, **link = &own, ***inner = NULL;
    bool is_class = !fields && name == WORD_CLASS;
    size_t index = r->type_count;
    if (is_class) {
        add_type(r, &a);
        inner = &link;
    } else if (fields && name == WORD_FIELD) {
        *fields = add_field(r, *fields, &a);
    }
    for (; r->p && children > 0; children--)
        read_element(r, depth + 1, inner);
    if (is_class && r->p)
        r->types[index].fields = own;
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
    for (size_t i = 0; i < m->count; i++) {
        if (str_is(m->types[i].name, name))
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
