#include "store/ingest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "pprof/decode.h"
#include "store/labels_key.h"
#include "store/limits.h"
#include "store/splits.h"

enum {
    SYMBOLS_MAX = 64 << 20, /* what one profile may unfold to */
    GZIP_LEVEL = 6,
};
static const int64_t future_ns = 10 * 60 * NS_PER_SEC; /* as far ahead as a sender's clock may be */

/* Sums over the samples of one split. */
struct totals {
    int64_t of[PROFILE_TYPES_MAX];
};

struct ingest {
    struct db *db;
    struct label_list labels;
    struct symbols symbols;
    struct profile profile;
    struct splits splits;
    struct totals *totals; /* per split */
    size_t totals_cap;
    int64_t body, time_ns;
};

static void ingest_add_capped(int64_t *sum, int64_t v)
{
    if (__builtin_add_overflow(*sum, v, sum))
        *sum = INT64_MAX;
}

static int ingest_split_samples(struct ingest *in, struct err *err)
{
    const struct profile *p = &in->profile;
    for (size_t i = 0; i < p->sample_count; i++) {
        const int64_t *values = profile_values(p, i);
        if (!splits_counts(values, p->type_count))
            continue;
        size_t at;
        const size_t before = in->splits.len;
        int code = splits_of(&in->splits, p->samples[i].labels, &at);
        if (code == -E2BIG)
            return err_set(err, -EINVAL, "a profile has samples with more than %d different label sets", SPLITS_MAX);
        if (code < 0)
            return err_set(err, code, "out of memory");
        xgrow(&in->totals, &in->totals_cap, in->splits.len, sizeof *in->totals); /* SPLITS_MAX at most */
        if (in->splits.len > before)
            in->totals[at] = (struct totals){0};
        for (size_t t = 0; t < p->type_count; t++)
            ingest_add_capped(&in->totals[at].of[t], values[t]);
    }
    return 0;
}

/* Finds or adds the body; a profile without time has the time at which its body came first, so that a repeated push
 * finds it. */
static int ingest_put_body(struct ingest *in, struct str pushed, struct str plain, struct err *err)
{
    XXH128_canonical_t hash;
    XXH128_canonicalFromHash(&hash, XXH3_128bits(plain.p, plain.n));
    struct str key = {(const char *)&hash, sizeof hash};
    sqlite3_stmt *st = db_statement(in->db, DB_BODY_FIND, err);
    if (!st)
        return err->code;
    db_bind_blob(st, 1, key);
    int code = db_step(in->db, st, err);
    if (code == 1) {
        in->body = sqlite3_column_int64(st, 0);
        in->time_ns = sqlite3_column_int64(st, 1);
        sqlite3_reset(st);
        return 0;
    }
    if (code < 0 || !(st = db_statement(in->db, DB_BODY_ADD, err)))
        return err->code;
    cleanup_buf struct buf packed = BUF_INIT(2 * STORE_PROFILE_MAX);
    if (pushed.p == plain.p) {
        if (gzip_deflate(plain, GZIP_LEVEL, &packed) < 0)
            return err_set(err, -ENOMEM, "out of memory");
        pushed = buf_slice(&packed);
    }
    in->time_ns = in->profile.time_nanos > 0 ? in->profile.time_nanos : clock_wall_ns();
    db_bind_blob(st, 1, key);
    db_bind(st, 2, in->time_ns);
    db_bind_blob(st, 3, pushed);
    code = db_step(in->db, st, err);
    in->body = sqlite3_last_insert_rowid(in->db->handle);
    return code;
}

static int ingest_put_series(struct ingest *in, const struct label_list *labels, struct str type, int64_t *ret,
                             struct err *err)
{
    cleanup_buf struct buf key = BUF_INIT(LABELS_KEY_MAX);
    label_list_key(labels, &key);
    if (!buf_ok(&key))
        return err_set(err, -EINVAL, "the labels of a series are larger than %d bytes", LABELS_KEY_MAX);
    sqlite3_stmt *st = db_statement(in->db, DB_SERIES_FIND, err);
    if (!st)
        return err->code;
    db_bind_blob(st, 1, buf_slice(&key));
    int code = db_step(in->db, st, err);
    if (code == 1) {
        *ret = sqlite3_column_int64(st, 0);
        sqlite3_reset(st);
        return 0;
    }
    if (code < 0 || !(st = db_statement(in->db, DB_SERIES_ADD, err)))
        return err->code;
    db_bind_blob(st, 1, buf_slice(&key));
    db_bind_text(st, 2, label_list_get(labels, STR("service_name")));
    db_bind_text(st, 3, type);
    code = db_step(in->db, st, err);
    if (code == 0)
        *ret = sqlite3_last_insert_rowid(in->db->handle);
    return code;
}

static void ingest_print_type(const struct ingest *in, size_t t, struct buf *out)
{
    const struct profile *p = &in->profile;
    const struct str *text = in->symbols.strings;
    buf_printf(out, "%.*s:%.*s:%.*s:%.*s:%.*s", STR_ARG(label_list_get(&in->labels, STR("__name__"))),
               STR_ARG(text[p->types[t].type]), STR_ARG(text[p->types[t].unit]), STR_ARG(text[p->period_type.type]),
               STR_ARG(text[p->period_type.unit]));
}

static int ingest_put_row(struct ingest *in, int64_t series, size_t t, size_t split, struct err *err)
{
    sqlite3_stmt *st = db_statement(in->db, DB_PROFILE_ADD, err);
    if (!st)
        return err->code;
    db_bind(st, 1, series);
    db_bind(st, 2, in->time_ns);
    db_bind(st, 3, in->body);
    db_bind(st, 4, (int64_t)t);
    db_bind(st, 5, in->splits.items[split].number);
    db_bind(st, 6, in->profile.duration_nanos > 0 ? in->profile.duration_nanos : 0);
    db_bind(st, 7, in->totals[split].of[t]);
    return db_step(in->db, st, err);
}

static int ingest_put_split(struct ingest *in, size_t split, struct err *err)
{
    struct label_list labels = in->labels;
    const struct pprof_labels *set = &in->symbols.label_sets[in->splits.items[split].label_set];
    for (uint32_t i = 0; i < set->count; i++) {
        const struct pprof_label *l = &set->labels[i];
        if (label_splits(&in->symbols, l) && labels.len < STORE_LABELS_MAX)
            (void)label_list_add(&labels, in->symbols.strings[l->key], in->symbols.strings[l->str]);
    }
    for (size_t t = 0; t < in->profile.type_count; t++) {
        if (in->totals[split].of[t] == 0)
            continue;
        cleanup_buf struct buf type = BUF_INIT(LABELS_KEY_MAX);
        ingest_print_type(in, t, &type);
        if (!buf_ok(&type) || !str_is_utf8(buf_slice(&type)))
            return err_set(err, -EINVAL, "a sample type is not valid text, or too long");
        struct label_list full = labels;
        (void)label_list_add(&full, STR("__profile_type__"), buf_slice(&type));
        int64_t series = 0;
        int code = ingest_put_series(in, &full, buf_slice(&type), &series, err);
        if (code == 0)
            code = ingest_put_row(in, series, t, split, err);
        if (code < 0)
            return code;
    }
    return 0;
}

static int ingest_put_profile(struct ingest *in, struct str pushed, struct str plain, struct err *err)
{
    if (in->profile.time_nanos > clock_wall_ns() + future_ns)
        return err_set(err, -EINVAL, "a profile is %lld s ahead of this host's clock",
                       (long long)((in->profile.time_nanos - clock_wall_ns()) / NS_PER_SEC));
    int code = ingest_split_samples(in, err);
    if (code < 0 || in->splits.len == 0)
        return code;
    code = ingest_put_body(in, pushed, plain, err);
    for (size_t i = 0; code == 0 && i < in->splits.len; i++)
        code = ingest_put_split(in, i, err);
    return code;
}

static int ingest_profile(struct ingest *in, struct str pushed, struct err *err)
{
    cleanup_buf struct buf inflated = BUF_INIT(STORE_PROFILE_MAX);
    struct str plain = pushed;
    if (pushed.n >= 2 && (uint8_t)pushed.p[0] == 0x1f && (uint8_t)pushed.p[1] == 0x8b) {
        if (gzip_inflate(pushed, &inflated, err) < 0)
            return err_wrap(err, -EINVAL, "profile of %.*s", STR_ARG(label_list_get(&in->labels, STR("service_name"))));
        plain = buf_slice(&inflated);
    }
    symbols_init(&in->symbols, SYMBOLS_MAX);
    in->splits = SPLITS_INIT(&in->symbols);
    int code = pprof_decode(plain.p, plain.n, STORE_PROFILE_MAX, &in->symbols, &in->profile, err);
    if (code < 0) {
        code = err_wrap(err, -EINVAL, "profile of %.*s", STR_ARG(label_list_get(&in->labels, STR("service_name"))));
    } else {
        code = ingest_put_profile(in, pushed, plain, err);
        profile_done(&in->profile);
    }
    symbols_done(&in->symbols);
    splits_done(&in->splits);
    free(in->totals);
    in->totals = NULL;
    in->totals_cap = 0;
    return code;
}

int ingest_series(struct db *db, const struct series *series, struct err *err)
{
    struct ingest in = {.db = db};
    int code = label_list_of(&in.labels, series->labels, series->label_count, err);
    if (code == 0 && series->profile_count == 0)
        code = err_set(err, -EINVAL, "no profiles received");
    for (size_t i = 0; code == 0 && i < series->profile_count; i++)
        code = ingest_profile(&in, series->profiles[i], err);
    return code;
}
