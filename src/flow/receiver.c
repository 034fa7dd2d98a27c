#include "flow/receiver.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "lang/coerce.h"

static void encoded_profile_make_id(char id[PROFILE_ID_MAX])
{
    uint8_t b[16];
    /* Never less than asked for, up to 256 bytes, once the kernel's generator is ready. */
    if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
        abort();
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof b; i++) {
        static const char digits[] = "0123456789abcdef";
        *id++ = digits[b[i] >> 4];
        *id++ = digits[b[i] & 15];
        if (i == 3 || i == 5 || i == 7 || i == 9)
            *id++ = '-';
    }
    *id = '\0';
}

struct encoded_profile *encoded_profile_new(uint8_t *pprof, size_t len, uint64_t samples, int64_t time_nanos,
                                            int64_t duration_nanos)
{
    struct encoded_profile *p = xmalloc(sizeof *p);
    *p = (struct encoded_profile){.refs = 1,
                                  .pprof = pprof,
                                  .len = len,
                                  .samples = samples,
                                  .time_nanos = time_nanos,
                                  .duration_nanos = duration_nanos};
    encoded_profile_make_id(p->id);
    return p;
}

struct encoded_profile *encoded_profile_ref(struct encoded_profile *p)
{
    p->refs++;
    return p;
}

void encoded_profile_unref(struct encoded_profile *p)
{
    if (!p || --p->refs > 0)
        return;
    if (p->body)
        ingest_body_unref(p->body);
    else
        free(p->pprof);
    profile_origin_unref(p->origin);
    free(p);
}

struct ingest_body *ingest_body_new(uint8_t *bytes, size_t len, char *content_type, char *query)
{
    struct ingest_body *b = xmalloc(sizeof *b);
    *b = (struct ingest_body){.refs = 1, .bytes = bytes, .len = len, .content_type = content_type, .query = query};
    return b;
}

struct ingest_body *ingest_body_ref(struct ingest_body *b)
{
    b->refs++;
    return b;
}

struct encoded_profile *encoded_profile_of_body(struct ingest_body *b)
{
    struct encoded_profile *p = encoded_profile_new(b->bytes, b->len, 0, 0, 0);
    p->body = ingest_body_ref(b);
    return p;
}

void ingest_body_unref(struct ingest_body *b)
{
    if (!b || --b->refs > 0)
        return;
    free(b->bytes);
    free(b->content_type);
    free(b->query);
    free(b);
}

struct receiver *receiver_new(const char *id, void *ctx,
                              void (*append)(void *ctx, const struct labels *labels, struct encoded_profile *p))
{
    struct receiver *r = xmalloc(sizeof *r);
    *r = (struct receiver){.refs = 1, .id = xstrdup(id), .ctx = ctx, .append = append};
    return r;
}

struct receiver *receiver_ref(struct receiver *r)
{
    r->refs++;
    return r;
}

void receiver_unref(struct receiver *r)
{
    if (!r || --r->refs > 0)
        return;
    free((char *)r->id);
    free(r);
}

static void receiver_capsule_free(void *data)
{
    receiver_unref(data);
}

/* The name configurations see in messages of the reference. */
static const struct capsule_type receiver_capsule = {.name = "pyroscope.Appendable", .free = receiver_capsule_free};

struct value *receiver_value(struct receiver *r)
{
    return value_capsule(&receiver_capsule, receiver_ref(r));
}

/* --- the option type --- */

static void receiver_list_done(void *field)
{
    struct receivers *rs = field;
    for (size_t i = 0; i < rs->len; i++)
        receiver_unref(rs->items[i]);
    free(rs->items);
    *rs = (struct receivers){0};
}

static int receiver_list_decode(struct value *v, void *field, struct err *err)
{
    if (value_kind(v) == VALUE_NULL)
        return 0;
    if (value_kind(v) != VALUE_ARRAY)
        return coerce_refuse(v, VALUE_ARRAY, err);
    __attribute__((cleanup(receiver_list_done))) struct receivers rs = {0};
    rs.items = xcalloc(value_len(v) + 1, sizeof *rs.items);
    for (size_t i = 0; i < value_len(v); i++) {
        const struct value *item = value_item(v, i);
        if (value_kind(item) == VALUE_NULL)
            continue;
        struct receiver *r = value_capsule_data(item, &receiver_capsule);
        if (!r) {
            struct err why = {0};
            const int code = coerce_refuse_capsule(item, receiver_capsule.name, &why);
            return err_set(err, code, "[%zu] %s", i, why.text);
        }
        rs.items[rs.len++] = receiver_ref(r);
    }
    *(struct receivers *)field = rs;
    rs = (struct receivers){0};
    return 0;
}

static bool receiver_list_equal(const void *a, const void *b)
{
    const struct receivers *x = a, *y = b;
    return x->len == y->len && (x->len == 0 || memcmp(x->items, y->items, x->len * sizeof *x->items) == 0);
}

static struct value *receiver_list_to_value(const void *field)
{
    const struct receivers *rs = field;
    cleanup_free struct value **items = xcalloc(rs->len + 1, sizeof *items);
    for (size_t i = 0; i < rs->len; i++)
        items[i] = receiver_value(rs->items[i]);
    return value_array(items, rs->len);
}

const struct option_type receivers_option = {
    .name = "list(ProfilesReceiver)",
    .decode = receiver_list_decode,
    .done = receiver_list_done,
    .equal = receiver_list_equal,
    .to_value = receiver_list_to_value,
};

bool receivers_discard(const struct receivers *rs)
{
    for (size_t i = 0; i < rs->len; i++) {
        const struct receiver *r = rs->items[i];
        if (r->ctx && (!r->discards || !r->discards(r->ctx)))
            return false;
    }
    return true;
}

void fanout_append(const struct receivers *rs, const struct labels *labels, struct encoded_profile *p)
{
    for (size_t i = 0; i < rs->len; i++) {
        if (rs->items[i]->ctx)
            rs->items[i]->append(rs->items[i]->ctx, labels, p);
    }
}

void fanout_recording(const struct receivers *rs, const struct labels *labels, struct jfr_chunk *chunk)
{
    for (size_t i = 0; i < rs->len; i++) {
        if (rs->items[i]->ctx && rs->items[i]->recording)
            rs->items[i]->recording(rs->items[i]->ctx, labels, chunk);
    }
}

void fanout_ingest(const struct receivers *rs, const struct labels *labels, struct ingest_body *body)
{
    for (size_t i = 0; i < rs->len; i++) {
        if (rs->items[i]->ctx && rs->items[i]->ingest)
            rs->items[i]->ingest(rs->items[i]->ctx, labels, body);
    }
}

bool receivers_take_recordings(const struct receivers *rs)
{
    for (size_t i = 0; i < rs->len; i++) {
        if (rs->items[i]->ctx && rs->items[i]->recording)
            return true;
    }
    return false;
}
