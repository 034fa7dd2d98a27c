/* Relabelling: an ordered list of rules that rewrites or rejects label sets. Shared by all components with `rule`
 * blocks.
 *
 * A component includes relabel_rule_schema in its option table as blocks, and builds rules from the decoded list with
 * relabel_rules_new(). Unlike the reference, which iterates over labels while changing them, labelmap works on a
 * snapshot sorted by name: if two labels map to one name, the last in name order wins. A rule whose result would exceed
 * RELABEL_TEXT_MAX has no effect.
 * Source: spec components §3.1, §3.2 (messages and their order).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/labels.h"
#include "flow/regex.h"
#include "lang/schema.h"

enum { RELABEL_TEXT_MAX = 1 << 20 };

enum relabel_action {
    RELABEL_NONE, /* null in the configuration */
    RELABEL_REPLACE,
    RELABEL_KEEP,
    RELABEL_DROP,
    RELABEL_KEEPEQUAL,
    RELABEL_DROPEQUAL,
    RELABEL_HASHMOD,
    RELABEL_LOWERCASE,
    RELABEL_UPPERCASE,
    RELABEL_LABELMAP,
    RELABEL_LABELDROP,
    RELABEL_LABELKEEP,
};

/* What relabel_rule_schema decodes. */
struct relabel_rule {
    enum relabel_action action;
    struct string_list source_labels;
    bool source_labels_set;
    char *separator;
    struct regex *regex; /* NULL: null in the configuration, matches the empty text only */
    uint64_t modulus;
    char *target_label;
    char *replacement;
};
extern const struct schema relabel_rule_schema;

/* Rules compiled into a list; immutable, reference counted. */
struct relabel_rules;
/* `list` holds relabel_rule records. The rules borrow from it as long as there is a reference to them, then call
 * release(owner). */
struct relabel_rules *relabel_rules_new(const struct block_list *list, const void *owner,
                                        void (*release)(const void *owner));
void relabel_rules_unref(struct relabel_rules *rules); /* NULL is fine */
bool relabel_rules_equal(const struct relabel_rules *a, const struct relabel_rules *b);
/* The export `rules` of relabelling components: a capsule, compared by the content of the rules. New reference. */
extern const struct capsule_type relabel_rules_capsule;
struct value *relabel_rules_value(struct relabel_rules *rules);

/* What the rules make of a set; NULL: rejected. Labels with empty values are left out. New reference, often of `in`
 * itself. */
struct labels *relabel(struct relabel_rules *rules, const struct labels *in);

/* Whether a rule rejects the set: *ret is its number, from 0, and the text it compared is appended to `value`. */
bool relabel_rejects(struct relabel_rules *rules, const struct labels *in, size_t *ret, struct buf *value);
/* Whether a rule reads the label: its value, or with labelmap by its name. */
bool relabel_reads(const struct block_list *rules, struct str name);
/* "keep", "drop" … */
const char *relabel_action_word(enum relabel_action action);

/* Whether the rule certainly makes a label that pyroscope.write has to refuse (its name is not made of letters, digits,
 * `_` and `.`); `why` says so. Such a rule is legal: the label may be meant for another rule. Names starting with `__`
 * are never pushed and cause no complaint. Source: spec components §4.3. */
bool relabel_rule_unpushable(const struct relabel_rule *rule, struct err *why);
size_t relabel_rules_len(const struct relabel_rules *rules);
const struct relabel_rule *relabel_rules_at(const struct relabel_rules *rules, size_t i);
