#include "store/flame_ask.h"

void flame_ask_put(const struct flame_ask *ask, struct buf *out)
{
    const struct flame_how how = {.lines = ask->lines,
                                  .nodes = ask->nodes,
                                  .span_count = (uint32_t)ask->span_count,
                                  .trace_count = (uint32_t)ask->trace_count};
    buf_append(out, &how, sizeof how);
    for (size_t i = 0; i < ask->span_count; i++)
        buf_str(out, ask->spans[i]);
    for (size_t i = 0; i < ask->trace_count; i++)
        buf_str(out, ask->traces[i]);
}

void flame_filter_done(struct flame_filter *f)
{
    strmap_done(&f->ids);
}

bool flame_filter_read(struct flame_filter *f, struct str *head)
{
    if (head->n < sizeof f->how)
        return false;
    memcpy(&f->how, head->p, sizeof f->how);
    const size_t spans = (size_t)f->how.span_count * SPAN_ID_HEX, traces = (size_t)f->how.trace_count * TRACE_ID_HEX;
    const char *ids = head->p + sizeof f->how;
    if (head->n - sizeof f->how < spans + traces)
        return false;
    if (f->ids.len == 0) {
        for (uint32_t i = 0; i < f->how.span_count; i++)
            strmap_put(&f->ids, (struct str){ids + (size_t)i * SPAN_ID_HEX, SPAN_ID_HEX}, f);
        for (uint32_t i = 0; i < f->how.trace_count; i++)
            strmap_put(&f->ids, (struct str){ids + spans + (size_t)i * TRACE_ID_HEX, TRACE_ID_HEX}, f);
    }
    *head = (struct str){ids + spans + traces, head->n - sizeof f->how - spans - traces};
    return true;
}

/* A digit in lower case; 0 where it is none. */
static char sample_id_digit(char c)
{
    if (c >= 'A' && c <= 'F')
        return (char)(c - 'A' + 'a');
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ? c : 0;
}

/* False: the label has none. */
static bool sample_id_of(const struct symbols *symbols, const struct pprof_label *l, struct sample_id *ret)
{
    const struct str key = symbols->strings[l->key], id = symbols->strings[l->str];
    ret->trace = str_is(key, "trace_id");
    if (!ret->trace && !str_is(key, "span_id") && !str_is(key, "profile_id"))
        return false;
    if (id.n != sample_id_digits(ret))
        return false;
    for (size_t i = 0; i < id.n; i++) {
        if ((ret->hex[i] = sample_id_digit(id.p[i])) == 0)
            return false;
    }
    return true;
}

static uint8_t sample_id_value(char digit)
{
    return (uint8_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

void sample_id_bytes(const struct sample_id *id, uint8_t *out)
{
    for (size_t i = 0; i < sample_id_digits(id); i += 2)
        *out++ = (uint8_t)(sample_id_value(id->hex[i]) << 4 | sample_id_value(id->hex[i + 1]));
}

void sample_ids_of(const struct symbols *symbols, uint32_t label_set, struct sample_ids *ret)
{
    const struct pprof_labels *set = &symbols->label_sets[label_set];
    ret->count = 0;
    for (uint32_t i = 0; i < set->count && ret->count < SAMPLE_IDS_MAX; i++)
        ret->count += sample_id_of(symbols, &set->labels[i], &ret->items[ret->count]);
}

bool flame_filter_wants(const struct flame_filter *f, const struct sample_ids *ids)
{
    bool span = f->how.span_count == 0, trace = f->how.trace_count == 0;
    for (size_t i = 0; i < ids->count && !(span && trace); i++) {
        const struct sample_id *id = &ids->items[i];
        bool *const wanted = id->trace ? &trace : &span;
        *wanted = *wanted || strmap_has(&f->ids, (struct str){id->hex, sample_id_digits(id)});
    }
    return span && trace;
}
