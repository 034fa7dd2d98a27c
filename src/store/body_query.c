#include "store/body_query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/body_samples.h"
#include "store/entries.h"
#include "store/flame_merge.h"
#include "store/reader.h"

void body_rows_done(struct body_rows *l)
{
    free(l->items);
    *l = (struct body_rows){0};
}

static int body_rows_by_body(const void *a, const void *b)
{
    const struct body_row *x = a, *y = b;
    return x->body < y->body ? -1 : x->body > y->body;
}

int body_rows_find(struct store_reader *r, const uint8_t (*ids)[PROFILE_ID_SIZE], size_t n, struct u64map *out,
                   struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        struct entry_body body;
        const int code = entry_find_body(r->db, (struct str){(const char *)ids[i], PROFILE_ID_SIZE}, &body, err);
        if (code < 0)
            return code;
        if (code == 1)
            u64map_put(out, (uint64_t)body.id, 1);
    }
    return 0;
}

int body_rows_add(struct store_reader *r, int64_t series, struct store_range range, const struct u64map *bodies,
                  struct body_rows *out, struct err *err)
{
    sqlite3_stmt *st = db_statement(r->db, DB_SELECT_PROFILES, err);
    int code;
    if (!st)
        return err->code;
    db_bind(st, 1, series);
    reader_bind_range(st, 2, range.from_ms, range.until_ms);
    while ((code = db_step(r->db, st, err)) == 1) {
        struct body_row row = {.body = sqlite3_column_int64(st, 0),
                               .type = sqlite3_column_int(st, 1),
                               .split = sqlite3_column_int64(st, 2),
                               .time_ns = sqlite3_column_int64(st, 3),
                               .duration_ns = sqlite3_column_int64(st, 4)};
        const struct str id = db_column(st, 5);
        uint64_t ignored;
        row.number = (uint32_t)out->len;
        if (id.n)
            memcpy(row.id, id.p, id.n < sizeof row.id ? id.n : sizeof row.id);
        if (bodies && !u64map_get(bodies, (uint64_t)row.body, &ignored))
            continue;
        if ((code = reader_count_profiles(r, out->len + 1, err)) < 0) {
            sqlite3_reset(st);
            return code;
        }
        xgrow(&out->items, &out->cap, out->len + 1, sizeof *out->items);
        out->items[out->len++] = row;
    }
    return code;
}

/* ---- what is in them ---- */

/* Bodies on their way through the parser, about as many as are sent at once. */
struct body_segment {
    struct parser_item items[PARSER_BATCH_ITEMS];
    size_t count, bytes;
};
enum { SEGMENT_BYTES = 1 << 20, BODY_HEAD_MAX = 4 << 20 };

/* Who is asked, and what becomes of it. */
struct body_question {
    const struct parser_service *service;
    size_t answer_max;
    parser_check *check;
    const struct buf *ask;                              /* as it is sent */
    size_t (*take)(const void *arg, struct str answer); /* bytes of what came of answers so far */
    const void *arg;
};

static void body_segment_free(struct body_segment **s)
{
    for (size_t i = 0; i < (*s)->count; i++) {
        free((void *)(*s)->items[i].head.p);
        free((void *)(*s)->items[i].bytes.p);
    }
    free(*s);
}

static struct str body_copy(const void *p, size_t n)
{
    char *copy = xmalloc(n + 1);
    if (n)
        memcpy(copy, p, n);
    return (struct str){copy, n};
}

/* Rows of one body. */
static int body_segment_add(struct store_reader *r, const struct body_question *q, struct body_segment *s,
                            const struct body_row *rows, size_t n, struct err *err)
{
    sqlite3_stmt *st = db_statement(r->db, DB_BODY_READ, err);
    if (!st)
        return err->code;
    db_bind(st, 1, rows->body);
    const int code = db_step(r->db, st, err);
    if (code <= 0)
        return code; /* gone by retention since the rows were read */
    cleanup_buf struct buf head = BUF_INIT(BODY_HEAD_MAX);
    buf_str(&head, buf_slice(q->ask));
    for (size_t i = 0; i < n; i++) {
        const struct body_part part = {rows[i].split, (uint32_t)rows[i].type, rows[i].number};
        buf_append(&head, &part, sizeof part);
    }
    if (!buf_ok(&head)) {
        sqlite3_reset(st);
        return err_set(err, -EMSGSIZE, "a stored profile has too many series");
    }
    const struct str bytes = db_column(st, 0);
    s->items[s->count++] = (struct parser_item){body_copy(head.p, head.len), body_copy(bytes.p, bytes.n)};
    s->bytes += bytes.n;
    sqlite3_reset(st);
    return 0;
}

/* From row `*at` on. */
static int body_segment_fill(struct store_reader *r, const struct body_question *q, struct body_segment *s,
                             const struct body_rows *rows, size_t *at, struct err *err)
{
    int code = 0;
    while (code == 0 && *at < rows->len && s->count < PARSER_BATCH_ITEMS && s->bytes < SEGMENT_BYTES) {
        const struct body_row *first = &rows->items[*at];
        size_t n = 1;
        while (*at + n < rows->len && first[n].body == first->body)
            n++;
        code = body_segment_add(r, q, s, first, n, err);
        *at += n;
    }
    return code;
}

/* A body that ends the parser is left out, like one that cannot be decoded. */
static int body_segment_ask(struct store_reader *r, const struct body_segment *s, const struct body_question *q,
                            struct err *err)
{
    const size_t max = reader_memory(r);
    cleanup_parser_batch struct parser_batch b = {.pool = r->parsers,
                                                  .service = q->service,
                                                  .items = s->items,
                                                  .count = s->count,
                                                  .answer_max = max < q->answer_max ? max : q->answer_max,
                                                  .check = q->check};
    struct parser_answer a;
    int code;
    while ((code = parser_batch_next(&b, &a, err)) > 0 || code == -ECANCELED) {
        if (code > 0 && (code = reader_in_memory(r, q->take(q->arg, a.bytes), err)) < 0)
            break;
    }
    if (code == -ENOMEM || code == -EMSGSIZE)
        code = reader_too_large(r, err);
    reader_count_endings(r, b.endings, b.set_aside);
    return code;
}

static int body_rows_ask(struct store_reader *r, struct body_rows *rows, const struct body_question *q, struct err *err)
{
    int code = buf_ok(q->ask) ? 0 : err_set(err, -EMSGSIZE, "too much is selected: spans, traces or frames");
    if (rows->len)
        qsort(rows->items, rows->len, sizeof *rows->items, body_rows_by_body);
    for (size_t at = 0; code == 0 && at < rows->len;) {
        __attribute__((cleanup(body_segment_free))) struct body_segment *s = xcalloc(1, sizeof *s);
        code = body_segment_fill(r, q, s, rows, &at, err);
        if (code == 0)
            code = body_segment_ask(r, s, q, err);
        if (code == 0)
            code = reader_in_time(r, err);
    }
    return code;
}

/* ---- stacks ---- */

struct body_merge {
    struct flame *out;
    int64_t *period;
};

static size_t body_merge_take(const void *arg, struct str answer)
{
    const struct body_merge *m = arg;
    flame_merge_add(m->out, m->period, answer);
    return flame_bytes(m->out);
}

int body_rows_merge(struct store_reader *r, struct body_rows *rows, const struct flame_ask *ask, struct flame *out,
                    int64_t *period, struct err *err)
{
    const struct body_merge m = {out, period};
    cleanup_buf struct buf sent = BUF_INIT(BODY_HEAD_MAX);
    flame_ask_put(ask, &sent);
    const struct body_question q = {
        &flame_merge_service, FLAME_MERGE_MAX, flame_merge_check, &sent, body_merge_take, &m};
    return body_rows_ask(r, rows, &q, err);
}

/* ---- values ---- */

struct body_values {
    void (*visit)(void *arg, const struct profile_value *v);
    void *arg;
};

static size_t body_values_take(const void *arg, struct str answer)
{
    const struct body_values *v = arg;
    for (size_t i = 0; i < values_count(answer); i++) {
        const struct profile_value value = values_at(answer, i);
        v->visit(v->arg, &value);
    }
    return 0;
}

int body_rows_values(struct store_reader *r, struct body_rows *rows, const struct values_ask *ask,
                     void (*visit)(void *arg, const struct profile_value *v), void *arg, struct err *err)
{
    const struct body_values v = {visit, arg};
    cleanup_buf struct buf sent = BUF_INIT(BODY_HEAD_MAX);
    values_ask_put(ask, &sent);
    const struct body_question q = {&body_values_service, VALUES_ANSWER_MAX, values_check, &sent, body_values_take, &v};
    return body_rows_ask(r, rows, &q, err);
}
