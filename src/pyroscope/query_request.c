#include "pyroscope/query_request.h"

#include <errno.h>

#include "base/wire.h"

static int query_request_bad(const struct proto_message *m, const char *what, struct err *err)
{
    return err_set(err, -EINVAL, "unmarshal message: unmarshal into *%s: %s", m->name, what);
}

static int query_request_add(struct query_request *q, struct query_texts *list, struct str text, struct err *err)
{
    if (list->len == QUERY_TEXTS_MAX)
        return err_set(err, -EINVAL, "more than %d values in one list of a query", QUERY_TEXTS_MAX);
    if (list->len == list->cap) {
        const size_t cap = list->cap ? 2 * list->cap : 8;
        struct str *items = arena_alloc(&q->arena, cap * sizeof *items);
        if (!items)
            return err_set(err, -EINVAL, "the query is too large");
        if (list->len)
            memcpy(items, list->items, list->len * sizeof *items);
        list->items = items;
        list->cap = cap;
    }
    list->items[list->len++] = text;
    return 0;
}

static int query_request_field(struct query_request *q, const struct proto_message *m, const struct proto_field *f,
                               const struct wire_field *got, struct err *err)
{
    void *to = (char *)q + f->offset;
    const bool bytes = f->kind == PROTO_TEXT || f->kind == PROTO_BYTES || f->kind == PROTO_MESSAGE;
    const enum wire_type want = bytes ? WIRE_BYTES : f->kind == PROTO_DOUBLE ? WIRE_FIXED64 : WIRE_VARINT;
    if (got->type != want)
        return query_request_bad(m, "wrong wire type", err);
    if (f->kind == PROTO_MESSAGE && !f->kept)
        return query_request_read(q, f->message, got->bytes, err);
    if (f->kind == PROTO_TEXT && !str_is_utf8(got->bytes))
        return query_request_bad(m, "string field contains invalid UTF-8", err);
    if (!f->kept)
        return 0;
    if (f->listed)
        return query_request_add(q, to, got->bytes, err);
    if (bytes)
        *(struct str *)to = got->bytes;
    else if (f->kind == PROTO_DOUBLE)
        *(double *)to = wire_as_double(got->number);
    else
        *(struct query_number *)to = (struct query_number){(int64_t)got->number, true};
    return 0;
}

int query_request_read(struct query_request *q, const struct proto_message *m, struct str message, struct err *err)
{
    struct wire_reader r = wire_reader_of(message);
    struct wire_field got;
    int code = 0;
    while (code == 0 && wire_next(&r, &got)) {
        const struct proto_field *f = m->fields;
        while (f->number && f->number != got.number_of)
            f++;
        if (f->number)
            code = query_request_field(q, m, f, &got, err);
    }
    return code == 0 && r.bad ? err_set(err, -EINVAL, "unmarshal message: unexpected EOF") : code;
}

void query_request_done(struct query_request *q)
{
    arena_done(&q->arena);
    *q = QUERY_REQUEST_INIT;
}
