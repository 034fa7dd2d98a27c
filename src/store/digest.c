#define XXH_INLINE_ALL
#include "store/digest.h"

#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/cleanup.h"
#include "base/gzip.h"
#include "base/id_map.h"
#include "base/mem.h"
#include "pprof/decode.h"
#include "store/labels_key.h"
#include "store/limits.h"
#include "store/splits.h"

enum { SYMBOLS_MAX = 64 << 20 }; /* what one profile may unfold to */

/* As it is sent: this, `why`, the strings, each a length and its bytes, the types first; labels; splits; totals by
 * split and type. */
struct digest_head {
    int32_t code;
    uint32_t why_size;
    uint8_t hash[DIGEST_HASH];
    int64_t time_nanos, duration_nanos;
    uint32_t type_count, string_count, label_count, split_count;
};
struct sent_label {
    uint32_t name, value; /* strings */
};
struct sent_split {
    int64_t number;
    uint64_t labels;
};

/* ---- the parser process ---- */

struct digester {
    struct symbols symbols;
    struct profile profile;
    struct splits splits;
    int64_t *totals; /* type_count per split */
    size_t totals_cap;
    struct id_map numbers; /* string of the symbols -> string of the digest + 1 */
    struct buf strings;
    uint32_t string_count;
};

static void digester_done(struct digester *d)
{
    symbols_done(&d->symbols);
    splits_done(&d->splits);
    free(d->totals);
    id_map_done(&d->numbers);
    buf_done(&d->strings);
}

static void digest_add_capped(int64_t *sum, int64_t v)
{
    if (__builtin_add_overflow(*sum, v, sum))
        *sum = INT64_MAX;
}

static int digest_split_samples(struct digester *d, struct err *err)
{
    const struct profile *p = &d->profile;
    const size_t types = p->type_count;
    for (size_t i = 0; i < p->sample_count; i++) {
        const int64_t *values = profile_values(p, i);
        if (!splits_counts(values, types))
            continue;
        size_t at;
        const size_t before = d->splits.len;
        int code = splits_of(&d->splits, p->samples[i].labels, &at);
        if (code == -E2BIG)
            return err_set(err, -EINVAL, "a profile has samples with more than %d different label sets", SPLITS_MAX);
        if (code < 0)
            return err_set(err, code, "out of memory");
        xgrow(&d->totals, &d->totals_cap, d->splits.len * types, sizeof *d->totals); /* SPLITS_MAX at most */
        if (d->splits.len > before)
            memset(&d->totals[at * types], 0, types * sizeof *d->totals);
        for (size_t t = 0; t < types; t++)
            digest_add_capped(&d->totals[at * types + t], values[t]);
    }
    return 0;
}

static uint32_t digest_put_text(struct digester *d, struct str s)
{
    const uint32_t size = (uint32_t)s.n;
    buf_append(&d->strings, &size, sizeof size);
    buf_str(&d->strings, s);
    return d->string_count++;
}

static uint32_t digest_put_string(struct digester *d, uint32_t string)
{
    uint32_t *number = id_map_at(&d->numbers, string);
    if (!number)
        return digest_put_text(d, d->symbols.strings[string]);
    if (*number == 0)
        *number = digest_put_text(d, d->symbols.strings[string]) + 1;
    return *number - 1;
}

static void digest_put_types(struct digester *d)
{
    const struct profile *p = &d->profile;
    const struct str *text = d->symbols.strings;
    for (size_t t = 0; t < p->type_count; t++) {
        cleanup_buf struct buf type = BUF_INIT(DIGEST_MAX);
        buf_printf(&type, "%.*s:%.*s:%.*s:%.*s", STR_ARG(text[p->types[t].type]), STR_ARG(text[p->types[t].unit]),
                   STR_ARG(text[p->period_type.type]), STR_ARG(text[p->period_type.unit]));
        digest_put_text(d, buf_slice(&type));
    }
}

/* The labels of a split; how many. */
static uint32_t digest_put_labels(struct digester *d, uint32_t label_set, struct buf *out)
{
    const struct pprof_labels *set = &d->symbols.label_sets[label_set];
    uint32_t n = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        if (!label_splits(&d->symbols, &set->labels[i]))
            continue;
        const struct sent_label l = {digest_put_string(d, set->labels[i].key),
                                     digest_put_string(d, set->labels[i].str)};
        buf_append(out, &l, sizeof l);
        n++;
    }
    return n;
}

static int digest_put(struct digester *d, struct str plain, struct buf *out, struct err *err)
{
    const struct profile *p = &d->profile;
    struct digest_head head = {.time_nanos = p->time_nanos,
                               .duration_nanos = p->duration_nanos,
                               .type_count = (uint32_t)p->type_count,
                               .split_count = (uint32_t)d->splits.len};
    cleanup_buf struct buf labels = BUF_INIT(DIGEST_MAX), splits = BUF_INIT(DIGEST_MAX);
    XXH128_canonical_t hash;
    XXH128_canonicalFromHash(&hash, XXH3_128bits(plain.p, plain.n));
    memcpy(head.hash, hash.digest, sizeof head.hash);
    digest_put_types(d);
    for (size_t i = 0; i < d->splits.len; i++) {
        const uint32_t n = digest_put_labels(d, d->splits.items[i].label_set, &labels);
        const struct sent_split s = {d->splits.items[i].number, n};
        head.label_count += n;
        buf_append(&splits, &s, sizeof s);
    }
    head.string_count = d->string_count;
    if (!buf_ok(&d->strings) || !buf_ok(&labels) || !buf_ok(&splits))
        return err_set(err, -EINVAL, "the labels of a profile are too large");
    buf_append(out, &head, sizeof head);
    buf_str(out, buf_slice(&d->strings));
    buf_str(out, buf_slice(&labels));
    buf_str(out, buf_slice(&splits));
    buf_append(out, d->totals, d->splits.len * p->type_count * sizeof *d->totals);
    return 0;
}

static int digest_decoded(struct digester *d, struct str plain, struct buf *out, struct err *err)
{
    int code = pprof_decode(plain.p, plain.n, STORE_PROFILE_MAX, &d->symbols, &d->profile, err);
    if (code < 0)
        return code;
    code = digest_split_samples(d, err);
    if (code == 0)
        code = digest_put(d, plain, out, err);
    profile_done(&d->profile);
    return code;
}

static int digest_item(struct str pushed, struct buf *out, struct err *err)
{
    cleanup_buf struct buf inflated = BUF_INIT(STORE_PROFILE_MAX);
    struct str plain = pushed;
    if (gzip_is(pushed)) {
        int code = gzip_inflate(pushed, &inflated, err);
        if (code < 0)
            return code;
        plain = buf_slice(&inflated);
    }
    struct digester d = {.strings = BUF_INIT(DIGEST_MAX)};
    symbols_init(&d.symbols, SYMBOLS_MAX);
    d.splits = SPLITS_INIT(&d.symbols);
    int code = digest_decoded(&d, plain, out, err);
    digester_done(&d);
    return code;
}

static int digest_serve(const struct parser_item *items, size_t n, struct buf *out, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        struct err why = {0};
        const int code = digest_item(items[i].bytes, out, &why);
        if (code == -ENOMEM)
            return err_set(err, code, "out of memory");
        if (code == 0)
            continue;
        const struct digest_head head = {.code = code, .why_size = (uint32_t)strlen(why.text)};
        buf_append(out, &head, sizeof head);
        buf_puts(out, why.text);
        break;
    }
    return 0;
}

const struct parser_service digest_service = {"store.digest", digest_serve};

/* ---- where it is stored ---- */

static int digest_bad(struct err *err, const char *what)
{
    return err_set(err, -EBADMSG, "invalid digest of a profile: %s", what);
}

void digest_done(struct digest *d)
{
    free(d->splits);
    free(d->strings);
    free(d->labels);
    free(d->totals);
    *d = (struct digest){0};
}

/* Counts are bounded by the bytes that are there before memory is allocated for them. */
static bool digest_counts_fit(const struct digest_head *h, const struct cursor *c)
{
    const size_t left = cursor_left(c);
    return h->type_count > 0 && h->type_count <= PROFILE_TYPES_MAX && h->split_count <= SPLITS_MAX &&
           h->string_count >= h->type_count && h->string_count <= left / sizeof(uint32_t) &&
           h->label_count <= left / sizeof(struct sent_label) && h->split_count <= left / sizeof(struct sent_split);
}

static int digest_read_strings(struct cursor *c, const struct digest_head *h, struct digest *d, struct err *err)
{
    d->strings = xcalloc(h->string_count, sizeof *d->strings);
    for (uint32_t i = 0; i < h->string_count; i++) {
        uint32_t size = 0;
        const uint8_t *p = cursor_bytes(c, sizeof size);
        if (p)
            memcpy(&size, p, sizeof size);
        d->strings[i] = cursor_str(c, size);
    }
    for (uint32_t t = 0; t < h->type_count; t++)
        d->types[t] = d->strings[t];
    d->type_count = h->type_count;
    return c->bad ? digest_bad(err, "truncated strings") : 0;
}

static int digest_read_labels(struct cursor *c, const struct digest_head *h, struct digest *d, struct err *err)
{
    d->labels = xcalloc(h->label_count + 1, sizeof *d->labels);
    for (uint32_t i = 0; i < h->label_count; i++) {
        struct sent_label l;
        const uint8_t *p = cursor_bytes(c, sizeof l);
        if (!p)
            return digest_bad(err, "truncated labels");
        memcpy(&l, p, sizeof l);
        if (l.name >= h->string_count || l.value >= h->string_count)
            return digest_bad(err, "label without a text");
        d->labels[i] = (struct label){d->strings[l.name], d->strings[l.value]};
        if (!label_may_split(d->labels[i].name, d->labels[i].value))
            return digest_bad(err, "label that splits nothing");
    }
    return 0;
}

static int digest_read_totals(struct cursor *c, const struct digest_head *h, struct digest *d, struct err *err)
{
    const size_t n = (size_t)h->split_count * h->type_count;
    const uint8_t *p = cursor_bytes(c, n * sizeof *d->totals);
    if (!p)
        return digest_bad(err, "truncated totals");
    d->totals = xcalloc(n + 1, sizeof *d->totals);
    memcpy(d->totals, p, n * sizeof *d->totals);
    for (size_t i = 0; i < n; i++) {
        if (d->totals[i] < 0)
            return digest_bad(err, "negative total");
    }
    return 0;
}

static int digest_read_splits(struct cursor *c, const struct digest_head *h, struct digest *d, struct err *err)
{
    const uint8_t *sent = cursor_bytes(c, h->split_count * sizeof(struct sent_split));
    if (!sent)
        return digest_bad(err, "truncated splits");
    int code = digest_read_totals(c, h, d, err);
    if (code < 0)
        return code;
    d->splits = xcalloc(h->split_count + 1, sizeof *d->splits);
    uint64_t labels = 0;
    for (uint32_t i = 0; i < h->split_count; i++) {
        struct sent_split s;
        memcpy(&s, sent + i * sizeof s, sizeof s);
        if (s.labels > h->label_count - labels)
            return digest_bad(err, "split without labels");
        d->splits[i] =
            (struct digest_split){s.number, d->labels + labels, s.labels, d->totals + (size_t)i * h->type_count};
        labels += s.labels;
    }
    d->split_count = h->split_count;
    return 0;
}

static int digest_read_refusal(struct cursor *c, const struct digest_head *h, struct digest *d, struct err *err)
{
    const struct str why = cursor_str(c, h->why_size);
    if (c->bad || h->code > 0 || h->why_size >= sizeof d->why)
        return digest_bad(err, "refusal without a reason");
    memcpy(d->why, why.p, why.n);
    d->code = h->code;
    return 0;
}

int digest_read(struct cursor *c, struct digest *ret, struct err *err)
{
    struct digest_head h;
    const uint8_t *p = cursor_bytes(c, sizeof h);
    if (!p)
        return digest_bad(err, "truncated");
    memcpy(&h, p, sizeof h);
    cleanup_digest struct digest d = {.hash = {(const char *)p + offsetof(struct digest_head, hash), sizeof h.hash},
                                      .time_nanos = h.time_nanos,
                                      .duration_nanos = h.duration_nanos};
    int code = 0;
    if (h.code) {
        code = digest_read_refusal(c, &h, &d, err);
    } else {
        code = digest_counts_fit(&h, c) ? digest_read_strings(c, &h, &d, err) : digest_bad(err, "too many parts");
        if (code == 0)
            code = digest_read_labels(c, &h, &d, err);
        if (code == 0)
            code = digest_read_splits(c, &h, &d, err);
    }
    if (code < 0)
        return code;
    *ret = d;
    d = (struct digest){0};
    return 0;
}

int digest_check(void *arg, size_t n, struct str answer, struct err *err)
{
    struct cursor c = cursor_of(answer.p, answer.n);
    int refused = 0;
    (void)arg;
    for (size_t i = 0; i < n && !refused; i++) {
        cleanup_digest struct digest d = {0};
        const int code = digest_read(&c, &d, err);
        if (code < 0)
            return code;
        refused = d.code;
    }
    return cursor_left(&c) ? digest_bad(err, "more than was asked for") : 0;
}
