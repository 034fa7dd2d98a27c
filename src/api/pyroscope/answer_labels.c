/* ProfileTypes, LabelNames, LabelValues and Series: what labels there are. None reads a profile. */
#include <errno.h>
#include <stdlib.h>

#include "api/pyroscope/querier_call.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/wire.h"

enum { ANSWER_LABELS_MAX = 64 << 20 };

/* Distinct texts. */
struct text_set {
    struct querier_call *q;
    struct strmap map;
    struct arena arena;
    bool full;
};

static void text_set_init(struct text_set *s, struct querier_call *q)
{
    *s = (struct text_set){.q = q, .arena = ARENA_INIT(ANSWER_LABELS_MAX)};
}

static void text_set_done(struct text_set *s)
{
    strmap_done(&s->map);
    arena_done(&s->arena);
}

static void text_set_add(struct text_set *s, struct str text)
{
    if (strmap_has(&s->map, text))
        return;
    const struct str copy = arena_str(&s->arena, text);
    s->full = s->full || !copy.p;
    if (copy.p)
        strmap_put(&s->map, copy, (void *)copy.p);
}

static int text_set_by_text(const void *a, const void *b)
{
    const struct strmap_entry *x = a, *y = b;
    return str_cmp(x->key, y->key);
}

/* Sorts the entries, after which the set can only be read in order. */
static int text_set_sort(struct text_set *s, struct err *err)
{
    if (s->full)
        return err_set(err, -EMSGSIZE, "the answer has more than %d MiB of labels: add label matchers",
                       ANSWER_LABELS_MAX >> 20);
    if (s->map.used)
        qsort(s->map.entries, s->map.used, sizeof *s->map.entries, text_set_by_text);
    return 0;
}

static int answer_labels_prepare(struct querier_call *q)
{
    int code = querier_call_range(q);
    for (size_t i = 0; code == 0 && i < q->request.matchers.len; i++)
        code = label_selector_add(&q->selector, q->request.matchers.items[i], &q->err);
    return code;
}

/* Fills the set by `visit` and sorts it. */
static int answer_labels_collect(struct querier_call *q, struct store_reader *r, struct text_set *s,
                                 void (*visit)(void *arg, const struct store_series *s))
{
    const struct store_filter filter = {&q->selector, q->range};
    const int code = store_each_series(r, &filter, visit, s, &q->err);
    return code < 0 ? code : text_set_sort(s, &q->err);
}

static void answer_labels_put(const struct text_set *s, uint32_t field, struct buf *out)
{
    for (size_t i = 0; i < s->map.used; i++)
        wire_bytes(out, field, s->map.entries[i].key);
}

/* ---- LabelNames, LabelValues ---- */

/* [a-zA-Z_][a-zA-Z0-9_]*; other names are for clients that ask for them. */
static bool answer_labels_is_plain(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        const char c = name.p[i];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(i && c >= '0' && c <= '9'))
            return false;
    }
    return name.n > 0;
}

static void answer_label_names_visit(void *arg, const struct store_series *series)
{
    struct text_set *s = arg;
    for (size_t i = 0; i < series->labels->len; i++)
        if (s->q->utf8_names || answer_labels_is_plain(series->labels->items[i].name))
            text_set_add(s, series->labels->items[i].name);
}

static void answer_label_values_visit(void *arg, const struct store_series *series)
{
    struct text_set *s = arg;
    const struct str value = label_list_get(series->labels, s->q->request.name);
    if (value.n)
        text_set_add(s, value);
}

static int answer_label_texts(struct querier_call *q, struct store_reader *r,
                              void (*visit)(void *arg, const struct store_series *s))
{
    struct text_set set;
    text_set_init(&set, q);
    const int code = answer_labels_collect(q, r, &set, visit);
    if (code == 0)
        answer_labels_put(&set, 1, &q->out);
    text_set_done(&set);
    return code;
}

static int answer_label_names_run(struct querier_call *q, struct store_reader *r)
{
    return answer_label_texts(q, r, answer_label_names_visit);
}

static int answer_label_values_prepare(struct querier_call *q)
{
    if (q->request.name.n == 0)
        return err_set(&q->err, -EINVAL, "name is required");
    return answer_labels_prepare(q);
}

static int answer_label_values_run(struct querier_call *q, struct store_reader *r)
{
    return answer_label_texts(q, r, answer_label_values_visit);
}

const struct querier_answer answer_label_names = {answer_labels_prepare, answer_label_names_run},
                            answer_label_values = {answer_label_values_prepare, answer_label_values_run};

/* ---- ProfileTypes ---- */

static void answer_profile_types_visit(void *arg, const struct store_series *series)
{
    text_set_add(arg, label_list_get(series->labels, STR("__profile_type__")));
}

static void answer_profile_types_put(struct str id, struct buf *out)
{
    static const uint32_t fields[TYPE_PARTS] = {
        [TYPE_NAME] = 2, [TYPE_SAMPLE] = 4, [TYPE_UNIT] = 5, [TYPE_PERIOD] = 6, [TYPE_PERIOD_UNIT] = 7};
    struct str parts[TYPE_PARTS];
    cleanup_buf struct buf type = BUF_INIT(ANSWER_LABELS_MAX);
    profile_type_split(id, parts);
    wire_bytes(&type, 1, id);
    for (size_t i = 0; i < TYPE_PARTS; i++)
        if (parts[i].n)
            wire_bytes(&type, fields[i], parts[i]);
    wire_bytes(out, 1, buf_slice(&type));
}

static int answer_profile_types_run(struct querier_call *q, struct store_reader *r)
{
    struct text_set set;
    text_set_init(&set, q);
    const int code = answer_labels_collect(q, r, &set, answer_profile_types_visit);
    for (size_t i = 0; code == 0 && i < set.map.used; i++)
        answer_profile_types_put(set.map.entries[i].key, &q->out);
    text_set_done(&set);
    return code;
}

const struct querier_answer answer_profile_types = {answer_labels_prepare, answer_profile_types_run};

/* ---- Series ---- */

static bool answer_series_is_wanted(const struct query_texts *names, struct str name)
{
    for (size_t i = 0; i < names->len; i++)
        if (str_eq(names->items[i], name))
            return true;
    return names->len == 0;
}

/* Sets are kept as their labels, name NUL value NUL …, whose order is that of the sets. */
static void answer_series_visit(void *arg, const struct store_series *series)
{
    struct text_set *s = arg;
    cleanup_buf struct buf key = BUF_INIT(2 * LABELS_KEY_MAX);
    for (size_t i = 0; i < series->labels->len; i++) {
        const struct label *l = &series->labels->items[i];
        if (!answer_series_is_wanted(&s->q->request.label_names, l->name))
            continue;
        buf_str(&key, l->name);
        buf_byte(&key, '\0');
        buf_str(&key, l->value);
        buf_byte(&key, '\0');
    }
    if (key.len)
        text_set_add(s, buf_slice(&key));
}

static int answer_series_run(struct querier_call *q, struct store_reader *r)
{
    struct text_set set;
    text_set_init(&set, q);
    const int code = answer_labels_collect(q, r, &set, answer_series_visit);
    for (size_t i = 0; code == 0 && i < set.map.used; i++) {
        struct str key = set.map.entries[i].key, name, value;
        cleanup_buf struct buf labels = BUF_INIT(4 * LABELS_KEY_MAX);
        while (str_split(&key, '\0', &name) && str_split(&key, '\0', &value))
            querier_put_label(&labels, 1, name, value);
        wire_bytes(&q->out, 2, buf_slice(&labels));
    }
    text_set_done(&set);
    return code;
}

const struct querier_answer answer_series = {answer_labels_prepare, answer_series_run};

/* ---- /pyroscope/label-values ---- */

static int answer_legacy_values_prepare(struct querier_call *q)
{
    if (q->request.name.n == 0)
        return err_set(&q->err, -EINVAL, "label parameter is required");
    /* What clients call the name is the profile type. */
    if (str_is(q->request.name, "__name__"))
        q->request.name = STR("__profile_type__");
    return answer_labels_prepare(q);
}

static int answer_legacy_values_run(struct querier_call *q, struct store_reader *r)
{
    struct text_set set;
    text_set_init(&set, q);
    const int code = answer_labels_collect(q, r, &set, answer_label_values_visit);
    buf_byte(&q->out, '[');
    for (size_t i = 0; code == 0 && i < set.map.used; i++) {
        buf_puts(&q->out, i ? "," : "");
        json_string(&q->out, set.map.entries[i].key);
    }
    buf_byte(&q->out, ']');
    text_set_done(&set);
    return code;
}

const struct querier_answer answer_legacy_values = {answer_legacy_values_prepare, answer_legacy_values_run};
