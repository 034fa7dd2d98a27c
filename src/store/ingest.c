#include "store/ingest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "store/digest.h"
#include "store/entries.h"
#include "store/labels_key.h"
#include "store/limits.h"
#include "store/slices.h"

enum { GZIP_LEVEL = 6 };
static const int64_t future_ns = 10 * 60 * NS_PER_SEC; /* as far ahead as a sender's clock may be */

struct ingest {
    struct db *db;
    struct label_list labels; /* of the series at hand */
    struct digest digest;     /* of the profile at hand */
    int64_t body, time_ns;
    bool body_is_new;
    unsigned rows;     /* added of the profile at hand */
    size_t body_bytes; /* of all bodies that are new */
};

/* Finds or adds the body; a profile without time has the time at which its body came first, so that a repeated push
 * finds it. */
static int ingest_put_body(struct ingest *in, struct str pushed, struct err *err)
{
    struct entry_body known;
    int code = entry_find_body(in->db, in->digest.hash, &known, err);
    if (code == 1) {
        in->body = known.id;
        in->time_ns = known.time_ns;
        in->body_is_new = false;
        return 0;
    }
    if (code < 0)
        return code;
    cleanup_buf struct buf packed = BUF_INIT(2 * STORE_PROFILE_MAX);
    if (!gzip_is(pushed)) {
        if (gzip_deflate(pushed, GZIP_LEVEL, &packed) < 0)
            return err_set(err, -ENOMEM, "out of memory");
        pushed = buf_slice(&packed);
    }
    in->time_ns = in->digest.time_nanos > 0 ? in->digest.time_nanos : clock_wall_ns();
    code = entry_add_body(in->db, in->digest.hash, in->time_ns, pushed, &in->body, err);
    in->body_is_new = true;
    in->body_bytes += pushed.n;
    return code;
}

/* All of it is packed already. */
static int ingest_drop_body(struct ingest *in, size_t bytes, struct err *err)
{
    sqlite3_stmt *st = db_statement(in->db, DB_BODY_DELETE, err);
    if (!st)
        return err->code;
    in->body_bytes = bytes;
    db_bind(st, 1, in->body);
    return db_step(in->db, st, err);
}

static int ingest_put_series(struct ingest *in, const struct label_list *labels, struct str type, int64_t *ret,
                             struct err *err)
{
    cleanup_buf struct buf key = BUF_INIT(LABELS_KEY_MAX);
    label_list_key(labels, &key);
    if (!buf_ok(&key))
        return err_set(err, -EINVAL, "the labels of a series are larger than %d bytes", LABELS_KEY_MAX);
    return entry_series(in->db, labels, buf_slice(&key), type, ret, err);
}

static int ingest_put_row(struct ingest *in, int64_t series, size_t t, const struct digest_split *split,
                          struct err *err)
{
    const bool timeless = in->body_is_new && in->digest.time_nanos <= 0;
    const int64_t from = timeless ? in->time_ns - INGEST_TIMELESS_NS : in->time_ns;
    const int packed = slices_have(in->db, series, from, in->time_ns, in->digest.hash, err);
    if (packed != 0)
        return packed < 0 ? packed : 0;
    sqlite3_stmt *st = db_statement(in->db, DB_PROFILE_ADD, err);
    if (!st)
        return err->code;
    db_bind(st, 1, series);
    db_bind(st, 2, in->time_ns);
    db_bind(st, 3, in->body);
    db_bind(st, 4, (int64_t)t);
    db_bind(st, 5, split->number);
    db_bind(st, 6, in->digest.duration_nanos > 0 ? in->digest.duration_nanos : 0);
    db_bind(st, 7, split->totals[t]);
    const int code = db_step(in->db, st, err);
    in->rows += code == 0 && sqlite3_changes(in->db->handle) > 0;
    return code;
}

static int ingest_put_split(struct ingest *in, const struct digest_split *split, struct err *err)
{
    struct label_list labels = in->labels;
    for (size_t i = 0; i < split->label_count; i++) {
        if (labels.len < STORE_LABELS_MAX)
            (void)label_list_add(&labels, split->labels[i].name, split->labels[i].value);
    }
    for (size_t t = 0; t < in->digest.type_count; t++) {
        if (split->totals[t] == 0)
            continue;
        cleanup_buf struct buf type = BUF_INIT(LABELS_KEY_MAX);
        buf_str(&type, label_list_get(&in->labels, STR("__name__")));
        buf_byte(&type, ':');
        buf_str(&type, in->digest.types[t]);
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

static int ingest_wrap(const struct ingest *in, int code, struct err *err)
{
    return err_wrap(err, code, "profile of %.*s", STR_ARG(label_list_get(&in->labels, STR("service_name"))));
}

static int ingest_profile(struct ingest *in, struct str pushed, struct err *err)
{
    const struct digest *d = &in->digest;
    if (d->code < 0) {
        (void)err_set(err, -EINVAL, "%s", d->why);
        return ingest_wrap(in, -EINVAL, err);
    }
    if (d->time_nanos > clock_wall_ns() + future_ns)
        return err_set(err, -EINVAL, "a profile is %lld s ahead of this host's clock",
                       (long long)((d->time_nanos - clock_wall_ns()) / NS_PER_SEC));
    if (d->split_count == 0)
        return 0;
    const size_t bytes = in->body_bytes;
    int code = ingest_put_body(in, pushed, err);
    in->rows = 0;
    for (size_t i = 0; code == 0 && i < d->split_count; i++)
        code = ingest_put_split(in, &d->splits[i], err);
    if (code == 0 && in->body_is_new && in->rows == 0)
        code = ingest_drop_body(in, bytes, err);
    return code;
}

/* ---- profiles on their way through the parser ---- */

/* As many as are sent at once, perhaps of several series. */
struct ingest_window {
    struct parser_item items[PARSER_BATCH_ITEMS];
    size_t series[PARSER_BATCH_ITEMS]; /* of each */
    size_t count;
};

struct ingest_push {
    struct ingest in;
    const struct series *series;
    size_t count;
    size_t at, profile; /* the next to come into the window */
    size_t labels_of;   /* series + 1 whose labels `in` has */
};

static void ingest_fill(struct ingest_push *p, struct ingest_window *w)
{
    w->count = 0;
    while (p->at < p->count && w->count < PARSER_BATCH_ITEMS && p->series[p->at].profile_count) {
        w->series[w->count] = p->at;
        w->items[w->count++] = (struct parser_item){.bytes = p->series[p->at].profiles[p->profile]};
        if (++p->profile == p->series[p->at].profile_count) {
            p->at++;
            p->profile = 0;
        }
    }
}

static int ingest_enter_series(struct ingest_push *p, size_t series, struct err *err)
{
    if (p->labels_of == series + 1)
        return 0;
    p->labels_of = series + 1;
    return label_list_of(&p->in.labels, p->series[series].labels, p->series[series].label_count, err);
}

static int ingest_answer(struct ingest_push *p, const struct ingest_window *w, const struct parser_answer *a,
                         struct err *err)
{
    struct cursor c = cursor_of(a->bytes.p, a->bytes.n);
    int code = 0;
    for (size_t i = a->first; code == 0 && i < a->first + a->n; i++) {
        code = ingest_enter_series(p, w->series[i], err);
        if (code == 0)
            code = digest_read(&c, &p->in.digest, err);
        if (code == 0)
            code = ingest_profile(&p->in, w->items[i].bytes, err);
        digest_done(&p->in.digest);
    }
    return code;
}

/* Nothing was stored of the item at hand. */
static int ingest_unanswered(struct ingest_context *c, struct ingest_push *p, size_t series, int code, struct err *err)
{
    const struct err why = *err;
    if (code == -EAGAIN)
        c->no_parser = true;
    else if (ingest_enter_series(p, series, err) < 0)
        return err->code;
    *err = why;
    return code == -EAGAIN ? code : ingest_wrap(&p->in, code == -ECANCELED ? code : -EINVAL, err);
}

static int ingest_window(struct ingest_context *c, struct ingest_push *p, const struct ingest_window *w,
                         struct err *err)
{
    cleanup_parser_batch struct parser_batch b = {.pool = c->parsers,
                                                  .service = &digest_service,
                                                  .items = w->items,
                                                  .count = w->count,
                                                  .answer_max = DIGEST_MAX,
                                                  .check = digest_check};
    struct parser_answer a;
    int code;
    do {
        code = parser_batch_next(&b, &a, err);
        if (code > 0)
            code = (code = ingest_answer(p, w, &a, err)) < 0 ? code : 1;
        else if (code < 0)
            code = ingest_unanswered(c, p, w->series[a.first], code, err);
    } while (code > 0);
    for (size_t i = 0; i < PARSER_ENDINGS; i++)
        c->endings[i] += b.endings[i];
    c->set_aside += b.set_aside;
    return code;
}

int ingest_push(struct ingest_context *c, const struct series *series, size_t n, struct err *err)
{
    struct ingest_push p = {.in = {.db = c->db}, .series = series, .count = n};
    cleanup_free struct ingest_window *w = xcalloc(1, sizeof *w);
    if (c->no_parser)
        return err_set(err, -EAGAIN, "the parser is restarted");
    int code = 0;
    for (ingest_fill(&p, w); code == 0 && w->count; ingest_fill(&p, w))
        code = ingest_window(c, &p, w, err);
    if (code == 0 && p.at < n && (code = ingest_enter_series(&p, p.at, err)) == 0)
        code = err_set(err, -EINVAL, "no profiles received");
    c->bytes += code == 0 ? p.in.body_bytes : 0;
    return code;
}
