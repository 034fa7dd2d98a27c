#include "flow/relabel.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "flow/md5.h"
#include "flow/text.h"

struct relabel_rules {
    unsigned refs;
    const struct relabel_rule *items; /* the owner's */
    size_t len;
    const void *owner;
    void (*release)(const void *owner);
    /* Scratch of relabel(), kept because it runs for thousands of sets in a row. */
    struct labels_builder builder;
    struct buf source, mended, name, value;
};

/* More than this is not worth keeping between calls. */
enum { SCRATCH_KEEP = 4096 };

struct relabel_rules *relabel_rules_new(const struct block_list *list, const void *owner,
                                        void (*release)(const void *owner))
{
    struct relabel_rules *rules = xcalloc(1, sizeof *rules);
    rules->refs = 1;
    rules->items = list->items;
    rules->len = list->len;
    rules->owner = owner;
    rules->release = release;
    rules->source = rules->mended = rules->name = rules->value = BUF_INIT(RELABEL_TEXT_MAX);
    return rules;
}

static struct relabel_rules *relabel_rules_ref(struct relabel_rules *rules)
{
    rules->refs++;
    return rules;
}

void relabel_rules_unref(struct relabel_rules *rules)
{
    if (!rules || --rules->refs > 0)
        return;
    rules->release(rules->owner);
    labels_builder_done(&rules->builder);
    buf_done(&rules->source);
    buf_done(&rules->mended);
    buf_done(&rules->name);
    buf_done(&rules->value);
    free(rules);
}

size_t relabel_rules_len(const struct relabel_rules *rules)
{
    return rules->len;
}

const struct relabel_rule *relabel_rules_at(const struct relabel_rules *rules, size_t i)
{
    return &rules->items[i];
}

bool relabel_rules_equal(const struct relabel_rules *a, const struct relabel_rules *b)
{
    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++) {
        if (!schema_equal(&relabel_rule_schema, &a->items[i], &b->items[i]))
            return false;
    }
    return true;
}

static void relabel_capsule_free(void *data)
{
    relabel_rules_unref(data);
}

static bool relabel_capsule_equal(const void *a, const void *b)
{
    return relabel_rules_equal(a, b);
}

const struct capsule_type relabel_rules_capsule = {
    .name = "relabel.Rules",
    .free = relabel_capsule_free,
    .equal = relabel_capsule_equal,
};

struct value *relabel_rules_value(struct relabel_rules *rules)
{
    return value_capsule(&relabel_rules_capsule, relabel_rules_ref(rules));
}

/* --- applying --- */

static bool relabel_matches(const struct relabel_rule *r, struct str text, struct regex_match *match)
{
    if (r->regex)
        return regex_matches(r->regex, text, match);
    if (match)
        *match = (struct regex_match){.groups = {text}, .len = 1};
    return text.n == 0;
}

/* An absent label and one with an empty value are the same thing here. */
static void relabel_put(struct labels_builder *b, struct str name, struct str value)
{
    if (value.n == 0)
        labels_del(b, name);
    else if (name.n > 0)
        labels_set(b, name, value);
}

/* The joined source values as valid UTF-8, which is what expressions match and what can be pushed; false: too long. */
static bool source_value(struct relabel_rules *rules, const struct relabel_rule *r, struct str *ret)
{
    const struct labels_builder *b = &rules->builder;
    struct str value;
    if (r->source_labels.len == 1) {
        value = labels_builder_get(b, str_of(r->source_labels.items[0]));
    } else {
        buf_reset(&rules->source);
        for (size_t i = 0; i < r->source_labels.len; i++) {
            if (i > 0)
                buf_puts(&rules->source, r->separator);
            buf_str(&rules->source, labels_builder_get(b, str_of(r->source_labels.items[i])));
        }
        if (!buf_ok(&rules->source))
            return false;
        value = buf_slice(&rules->source);
    }
    if (!str_is_utf8(value)) {
        buf_reset(&rules->mended);
        text_mend(value, &rules->mended);
        if (!buf_ok(&rules->mended))
            return false;
        value = buf_slice(&rules->mended);
    }
    *ret = value;
    return true;
}

/* Expands one template; the result is borrowed from `out`. NULL regex means a rule without groups. */
static bool relabel_expand(const struct relabel_rule *r, const struct regex_match *match, const char *replacement,
                           struct buf *out, struct str *ret)
{
    if (!r->regex || !strchr(replacement, '$')) {
        *ret = str_of(replacement);
        return true;
    }
    buf_reset(out);
    regex_expand(r->regex, match, str_of(replacement), out);
    *ret = buf_slice(out);
    return buf_ok(out);
}

static void relabel_replace(struct relabel_rules *rules, const struct relabel_rule *r, struct str value)
{
    struct regex_match match;
    struct str name, text;
    if (relabel_matches(r, value, &match) && relabel_expand(r, &match, r->target_label, &rules->name, &name) &&
        relabel_expand(r, &match, r->replacement, &rules->value, &text) && name.n > 0 && str_is_utf8(name))
        relabel_put(&rules->builder, name, text);
}

static void relabel_hashmod(struct labels_builder *b, const struct relabel_rule *r, struct str value)
{
    uint8_t digest[MD5_SIZE];
    md5(value, digest);
    uint64_t low = 0;
    for (unsigned i = MD5_SIZE / 2; i < MD5_SIZE; i++)
        low = low << 8 | digest[i];
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, low % r->modulus);
    relabel_put(b, str_of(r->target_label), str_of(text));
}

static void relabel_change_case(struct relabel_rules *rules, const struct relabel_rule *r, struct str value)
{
    buf_reset(&rules->value);
    if (r->action == RELABEL_LOWERCASE)
        text_lower(value, &rules->value);
    else
        text_upper(value, &rules->value);
    if (buf_ok(&rules->value))
        relabel_put(&rules->builder, str_of(r->target_label), buf_slice(&rules->value));
}

static void relabel_labelmap(struct relabel_rules *rules, const struct relabel_rule *r)
{
    struct labels *snapshot = labels_build(&rules->builder, true);
    labels_builder_from(&rules->builder, snapshot);
    for (size_t i = 0; i < labels_len(snapshot); i++) {
        const struct label *l = labels_at(snapshot, i);
        struct regex_match match;
        struct str name;
        if (relabel_matches(r, l->name, &match) && relabel_expand(r, &match, r->replacement, &rules->name, &name))
            relabel_put(&rules->builder, name, l->value);
    }
    labels_unref(snapshot);
}

static void filter_names(struct labels_builder *b, const struct relabel_rule *r)
{
    const bool drop_matching = r->action == RELABEL_LABELDROP;
    /* Backwards: deletion moves those behind, which were looked at, into the gap. */
    for (size_t i = b->len; i-- > 0;) {
        if (relabel_matches(r, b->items[i].name, NULL) == drop_matching)
            labels_del(b, b->items[i].name);
    }
}

/* False: the set is rejected. */
static bool relabel_apply(struct relabel_rules *rules, const struct relabel_rule *r)
{
    struct labels_builder *b = &rules->builder;
    struct str value = {0};
    if (r->action != RELABEL_LABELMAP && r->action != RELABEL_LABELDROP && r->action != RELABEL_LABELKEEP &&
        !source_value(rules, r, &value))
        return true;
    switch (r->action) {
    case RELABEL_NONE:
        break;
    case RELABEL_REPLACE:
        relabel_replace(rules, r, value);
        break;
    case RELABEL_KEEP:
        return relabel_matches(r, value, NULL);
    case RELABEL_DROP:
        return !relabel_matches(r, value, NULL);
    case RELABEL_KEEPEQUAL:
        return str_eq(labels_builder_get(b, str_of(r->target_label)), value);
    case RELABEL_DROPEQUAL:
        return !str_eq(labels_builder_get(b, str_of(r->target_label)), value);
    case RELABEL_HASHMOD:
        relabel_hashmod(b, r, value);
        break;
    case RELABEL_LOWERCASE:
    case RELABEL_UPPERCASE:
        relabel_change_case(rules, r, value);
        break;
    case RELABEL_LABELMAP:
        relabel_labelmap(rules, r);
        break;
    case RELABEL_LABELDROP:
    case RELABEL_LABELKEEP:
        filter_names(b, r);
        break;
    }
    return true;
}

static void relabel_trim(struct buf *b)
{
    if (b->cap > SCRATCH_KEEP) {
        buf_done(b);
        *b = BUF_INIT(RELABEL_TEXT_MAX);
    }
}

/* The rule that rejects `in`; NULL: none does. The builder has what was made of it so far. */
static const struct relabel_rule *relabel_run(struct relabel_rules *rules, const struct labels *in)
{
    labels_builder_from(&rules->builder, in);
    for (size_t i = 0; i < rules->len; i++)
        if (!relabel_apply(rules, &rules->items[i]))
            return &rules->items[i];
    return NULL;
}

bool relabel_rejects(struct relabel_rules *rules, const struct labels *in, size_t *ret, struct buf *value)
{
    const struct relabel_rule *r = relabel_run(rules, in);
    struct str compared = {0};
    if (r && source_value(rules, r, &compared))
        buf_str(value, compared);
    if (r)
        *ret = (size_t)(r - rules->items);
    labels_builder_from(&rules->builder, NULL);
    return r != NULL;
}

static bool relabel_rule_reads(const struct relabel_rule *r, struct str name)
{
    if (r->action == RELABEL_LABELMAP)
        return relabel_matches(r, name, NULL);
    if ((r->action == RELABEL_KEEPEQUAL || r->action == RELABEL_DROPEQUAL) && str_is(name, r->target_label))
        return true;
    for (size_t i = 0; i < r->source_labels.len; i++)
        if (str_is(name, r->source_labels.items[i]))
            return true;
    return false;
}

bool relabel_reads(const struct block_list *rules, struct str name)
{
    const struct relabel_rule *items = rules->items;
    for (size_t i = 0; i < rules->len; i++)
        if (relabel_rule_reads(&items[i], name))
            return true;
    return false;
}

struct labels *relabel(struct relabel_rules *rules, const struct labels *in)
{
    struct labels *out = relabel_run(rules, in) ? NULL : labels_build(&rules->builder, true);
    labels_builder_from(&rules->builder, NULL);
    relabel_trim(&rules->source);
    relabel_trim(&rules->mended);
    relabel_trim(&rules->name);
    relabel_trim(&rules->value);
    return out;
}
