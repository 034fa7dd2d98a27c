/* The option table of a `rule` block and its checks. */
#include <errno.h>

#include "flow/relabel.h"
#include "lang/coerce.h"

static const struct option_words action_words = {
    .unknown = "unrecognized action type",
    .form = UNKNOWN_QUOTED,
    .words = (const struct option_word[]){{"", RELABEL_NONE},
                                          {"replace", RELABEL_REPLACE},
                                          {"keep", RELABEL_KEEP},
                                          {"drop", RELABEL_DROP},
                                          {"keepequal", RELABEL_KEEPEQUAL},
                                          {"dropequal", RELABEL_DROPEQUAL},
                                          {"hashmod", RELABEL_HASHMOD},
                                          {"lowercase", RELABEL_LOWERCASE},
                                          {"uppercase", RELABEL_UPPERCASE},
                                          {"labelmap", RELABEL_LABELMAP},
                                          {"labeldrop", RELABEL_LABELDROP},
                                          {"labelkeep", RELABEL_LABELKEEP},
                                          {0}},
};

#define DEFAULT_SEPARATOR   ";"
#define DEFAULT_REGEX       "(.*)"
#define DEFAULT_REPLACEMENT "$1"

/* --- the type of `regex` --- */

static int regex_decode(struct value *v, void *field, struct err *err)
{
    if (value_kind(v) == VALUE_NULL)
        return 0;
    cleanup_buf struct buf text = BUF_INIT(REGEX_PATTERN_MAX);
    const int code = coerce_text(v, &text, err);
    if (code < 0)
        return code;
    if (!buf_ok(&text))
        return err_set(err, -E2BIG, "error parsing regexp: longer than %d bytes", REGEX_PATTERN_MAX);
    return regex_new(buf_slice(&text), field, err);
}

static void regex_done(void *field)
{
    struct regex **re = field;
    regex_unref(*re);
    *re = NULL;
}

static bool regex_field_equal(const void *a, const void *b)
{
    return regex_equal(*(struct regex *const *)a, *(struct regex *const *)b);
}

static struct value *regex_to_value(const void *field)
{
    const struct regex *re = *(struct regex *const *)field;
    return value_string(re ? regex_pattern(re) : STR(""));
}

static const struct option_type regex_option = {
    .name = "string",
    .decode = regex_decode,
    .done = regex_done,
    .equal = regex_field_equal,
    .to_value = regex_to_value,
};

/* --- checks --- */

/* Any name the data model allows: the storage decides about more. */
static bool is_label_name(struct str name)
{
    return name.n > 0 && str_is_utf8(name);
}

static size_t relabel_rule_word_length(struct str s)
{
    size_t n = 0;
    while (n < s.n && (s.p[n] == '_' || (s.p[n] >= '0' && s.p[n] <= '9') || (s.p[n] >= 'a' && s.p[n] <= 'z') ||
                       (s.p[n] >= 'A' && s.p[n] <= 'Z')))
        n++;
    return n;
}

/* `^(?:(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))+\w*)+$`: words and references, and a digit not in front. */
static bool is_name_template(struct str s)
{
    if (s.n == 0 || (s.p[0] >= '0' && s.p[0] <= '9'))
        return false;
    for (size_t at = 0; at < s.n;) {
        if (s.p[at] == '$') {
            const bool braced = at + 1 < s.n && s.p[at + 1] == '{';
            at += braced ? 2 : 1;
            const size_t n = relabel_rule_word_length((struct str){s.p + at, s.n - at});
            at += n;
            if (n == 0 || (braced && (at >= s.n || s.p[at] != '}')))
                return false;
            at += braced ? 1 : 0;
        } else {
            const size_t n = relabel_rule_word_length((struct str){s.p + at, s.n - at});
            if (n == 0)
                return false;
            at += n;
        }
    }
    return true;
}

static bool has_default(const char *text, const char *normal)
{
    return strcmp(text, normal) == 0;
}

static bool has_default_regex(const struct relabel_rule *r)
{
    return r->regex && str_is(regex_pattern(r->regex), DEFAULT_REGEX);
}

static bool needs_target(enum relabel_action a)
{
    return a == RELABEL_REPLACE || a == RELABEL_HASHMOD || a == RELABEL_LOWERCASE || a == RELABEL_UPPERCASE ||
           a == RELABEL_KEEPEQUAL || a == RELABEL_DROPEQUAL;
}

const char *relabel_action_word(enum relabel_action action)
{
    return option_word(&action_words, action);
}

static const char *action_name(const struct relabel_rule *r)
{
    return relabel_action_word(r->action);
}

static int invalid_target(const struct relabel_rule *r, struct err *err)
{
    return err_set(err, -EINVAL, "\"%s\" is invalid 'target_label' for %s action", r->target_label, action_name(r));
}

static int check_target_and_replacement(const struct relabel_rule *r, struct err *err)
{
    const struct str target = str_of(r->target_label);
    switch (r->action) {
    case RELABEL_REPLACE:
        if (strchr(r->target_label, '$') ? !is_name_template(target) : !is_label_name(target))
            return invalid_target(r, err);
        return 0;
    case RELABEL_LOWERCASE:
    case RELABEL_UPPERCASE:
    case RELABEL_KEEPEQUAL:
    case RELABEL_DROPEQUAL:
        if (!is_label_name(target))
            return invalid_target(r, err);
        if (!has_default(r->replacement, DEFAULT_REPLACEMENT))
            return err_set(err, -EINVAL, "'replacement' can not be set for %s action", action_name(r));
        return 0;
    case RELABEL_LABELMAP:
        if (!is_name_template(str_of(r->replacement)))
            return err_set(err, -EINVAL, "\"%s\" is invalid 'replacement' for labelmap action", r->replacement);
        return 0;
    case RELABEL_HASHMOD:
        return is_label_name(target) ? 0 : invalid_target(r, err);
    default:
        return 0;
    }
}

static int check_unused_fields(const struct relabel_rule *r, struct err *err)
{
    const bool plain = r->modulus == 0 && has_default(r->separator, DEFAULT_SEPARATOR) &&
                       has_default(r->replacement, DEFAULT_REPLACEMENT);
    const char *name = action_name(r);
    if ((r->action == RELABEL_LABELDROP || r->action == RELABEL_LABELKEEP) &&
        (!plain || r->source_labels_set || r->target_label[0]))
        return err_set(err, -EINVAL, "%s action requires only 'regex', and no other fields", name);
    if ((r->action == RELABEL_KEEPEQUAL || r->action == RELABEL_DROPEQUAL) && (!plain || !has_default_regex(r)))
        return err_set(err, -EINVAL, "%s action requires only 'source_labels' and 'target_label', and no other fields",
                       name);
    return 0;
}

static int relabel_rule_validate(const void *record, struct err *err)
{
    const struct relabel_rule *r = record;
    if (r->action == RELABEL_NONE)
        return err_set(err, -EINVAL, "relabel action cannot be empty");
    if (r->action == RELABEL_HASHMOD && r->modulus == 0)
        return err_set(err, -EINVAL, "relabel configuration for hashmod requires non-zero modulus");
    if (needs_target(r->action) && !r->target_label[0])
        return err_set(err, -EINVAL, "relabel configuration for %s action requires 'target_label' value",
                       action_name(r));
    const int code = check_target_and_replacement(r, err);
    return code < 0 ? code : check_unused_fields(r, err);
}

static const struct option options[] = {
    {"action", OPT_ENUM, offsetof(struct relabel_rule, action), .words = &action_words, .default_text = "\"replace\"",
     .help = "Action of the rule."},
    {"source_labels", OPT_STRING_LIST, offsetof(struct relabel_rule, source_labels),
     .set_offset = offsetof(struct relabel_rule, source_labels_set),
     .help = "Labels whose values, joined with `separator`, are matched against `regex`."},
    {"separator", OPT_STRING, offsetof(struct relabel_rule, separator), .default_text = "\"" DEFAULT_SEPARATOR "\"",
     .help = "Separator between the values of `source_labels`."},
    {"regex", OPT_CUSTOM, offsetof(struct relabel_rule, regex), .custom = &regex_option,
     .default_text = "\"" DEFAULT_REGEX "\"",
     .help = "RE2 regular expression, anchored at both ends; may contain capture groups."},
    {"modulus", OPT_UINT, offsetof(struct relabel_rule, modulus), .help = "Modulus of `hashmod`."},
    {"target_label", OPT_STRING, offsetof(struct relabel_rule, target_label),
     .help = "Label the result is written to; `replace` expands capture groups in it."},
    {"replacement", OPT_STRING, offsetof(struct relabel_rule, replacement),
     .default_text = "\"" DEFAULT_REPLACEMENT "\"", .help = "New value, with capture groups expanded."},
    {0},
};

const struct schema relabel_rule_schema = {
    .size = sizeof(struct relabel_rule), .options = options, .validate = relabel_rule_validate};

bool relabel_rule_unpushable(const struct relabel_rule *r, struct err *why)
{
    const char *name = r->action == RELABEL_LABELMAP ? r->replacement
                       : r->action == RELABEL_REPLACE || r->action == RELABEL_HASHMOD ||
                               r->action == RELABEL_LOWERCASE || r->action == RELABEL_UPPERCASE
                           ? r->target_label
                           : "";
    if (strncmp(name, "__", 2) == 0)
        return false;
    /* What a group inserts is unknown, but the text around it stays. */
    for (const char *p = name; *p; p++) {
        if (relabel_rule_word_length((struct str){p, 1}) == 1 || strchr(".${}", *p))
            continue;
        err_set(why, -EINVAL, "label name \"%s\" is invalid for pushes: character is not allowed: '%c'", name, *p);
        return true;
    }
    return false;
}
