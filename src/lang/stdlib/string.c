#include <locale.h>
#include <wctype.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "lang/coerce.h"
#include "lang/format.h"
#include "lang/stdlib/rows.h"
#include "lang/unicode.h"

static int string_format(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    cleanup_buf struct buf format = BUF_INIT(0), out = BUF_INIT(STDLIB_TEXT_MAX);
    int code = stdlib_text(args, 0, &format, bad_arg, err);
    if (code < 0)
        return code;
    format_go(buf_slice(&format), args + 1, n - 1, &out);
    return stdlib_string_of(&out, ret, err);
}

static int string_join(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)n;
    cleanup_buf struct buf separator = BUF_INIT(0), out = BUF_INIT(STDLIB_TEXT_MAX);
    const bool empty = value_kind(args[0]) == VALUE_NULL;
    int code = empty ? 0 : stdlib_kind(args, 0, VALUE_ARRAY, bad_arg, err);
    if (code < 0)
        return code;
    /* What is wrong with the separator counts after what is wrong with the list. */
    const int separator_code = stdlib_text(args, 1, &separator, bad_arg, err);
    for (size_t i = 0; code == 0 && !empty && i < value_len(args[0]); i++) {
        struct err why = {0};
        if (i)
            buf_str(&out, buf_slice(&separator));
        code = coerce_text(value_item(args[0], i), &out, &why);
        if (code < 0) {
            *bad_arg = 0;
            err_set(err, code, "[%zu] %s", i, why.text);
        }
    }
    code = code < 0 ? code : separator_code;
    return code < 0 ? code : stdlib_string_of(&out, ret, err);
}

static const char *string_find(struct str s, struct str part)
{
    return s.n >= part.n && part.n ? memmem(s.p, s.n, part.p, part.n) : NULL;
}

static void string_skip(struct str *s, size_t n)
{
    if (n)
        *s = (struct str){s->p + n, s->n - n};
}

static size_t first_rune(struct str s)
{
    uint32_t rune;
    return utf8_decode(s, &rune);
}

static void replace_all(struct str s, struct str old, struct str new, struct buf *out)
{
    const char *hit;
    if (old.n == 0) {
        buf_str(out, new);
        for (size_t len; s.n && buf_ok(out); string_skip(&s, len)) {
            len = first_rune(s);
            buf_append(out, s.p, len);
            buf_str(out, new);
        }
    }
    while (buf_ok(out) && (hit = string_find(s, old))) {
        buf_append(out, s.p, (size_t)(hit - s.p));
        buf_str(out, new);
        string_skip(&s, (size_t)(hit - s.p) + old.n);
    }
    buf_str(out, s);
}

static int string_replace(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    struct buf text[3] = {BUF_INIT(0), BUF_INIT(0), BUF_INIT(0)};
    cleanup_buf struct buf out = BUF_INIT(STDLIB_TEXT_MAX);
    int code = stdlib_texts(args, n, text, bad_arg, err);
    if (code == 0) {
        replace_all(buf_slice(&text[0]), buf_slice(&text[1]), buf_slice(&text[2]), &out);
        code = stdlib_string_of(&out, ret, err);
    }
    for (size_t i = 0; i < ARRAY_LEN(text); i++)
        buf_done(&text[i]);
    return code;
}

static int string_split(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)n;
    cleanup_buf struct buf text = BUF_INIT(0), separator = BUF_INIT(0);
    cleanup_items struct stdlib_items parts = {0};
    int code = stdlib_text(args, 0, &text, bad_arg, err);
    if (code == 0)
        code = stdlib_text(args, 1, &separator, bad_arg, err);
    struct str s = buf_slice(&text), by = buf_slice(&separator);
    for (bool more = by.n || s.n; code == 0 && more;) {
        const char *hit = string_find(s, by);
        size_t part = by.n == 0 ? first_rune(s) : hit ? (size_t)(hit - s.p) : s.n;
        code = stdlib_add(&parts, value_string((struct str){s.p, part}), err);
        string_skip(&s, part + (hit ? by.n : 0));
        more = by.n ? hit != NULL : s.n > 0;
    }
    if (code == 0)
        *ret = stdlib_array_of(&parts);
    return code;
}

/* By character, in Unicode's simple mapping; the C library has it for one locale that is always there. */
static int string_change_case(struct value *const *args, wint_t (*map)(wint_t, locale_t), struct value **ret,
                              int *bad_arg, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(0), out = BUF_INIT(STDLIB_TEXT_MAX);
    int code = stdlib_text(args, 0, &text, bad_arg, err);
    if (code < 0)
        return code;
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (!utf8)
        return err_errno(err, "locale C.UTF-8");
    for (struct str s = buf_slice(&text); s.n;) {
        uint32_t rune;
        size_t n = utf8_decode(s, &rune);
        utf8_append(&out, map(rune, utf8));
        string_skip(&s, n);
    }
    freelocale(utf8);
    return stdlib_string_of(&out, ret, err);
}

static int to_lower(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)n;
    return string_change_case(args, towlower_l, ret, bad_arg, err);
}

static int to_upper(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)n;
    return string_change_case(args, towupper_l, ret, bad_arg, err);
}

/* The characters a trim takes away. */
struct cutset {
    uint32_t *runes; /* sorted */
    size_t len;
};

static int by_rune(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static struct cutset cutset_of(struct str s)
{
    struct cutset set = {.runes = xcalloc(s.n + 1, sizeof *set.runes)};
    for (size_t n; (n = utf8_decode(s, &set.runes[set.len])); set.len++)
        string_skip(&s, n);
    qsort(set.runes, set.len, sizeof *set.runes, by_rune);
    return set;
}

/* NULL: all white space. */
static bool string_goes(uint32_t rune, const struct cutset *set)
{
    return set ? bsearch(&rune, set->runes, set->len, sizeof rune, by_rune) != NULL : unicode_is_space(rune);
}

static struct str string_trimmed(struct str s, const struct cutset *set)
{
    uint32_t rune;
    size_t n;
    while ((n = utf8_decode(s, &rune)) && string_goes(rune, set))
        string_skip(&s, n);
    while (s.n) {
        /* The last character starts at most three bytes before the last byte. */
        n = 1;
        while (n < 4 && n < s.n && ((unsigned char)s.p[s.n - n] & 0xc0) == 0x80)
            n++;
        if (utf8_decode((struct str){s.p + s.n - n, n}, &rune) != n)
            n = utf8_decode((struct str){s.p + s.n - 1, 1}, &rune);
        if (!string_goes(rune, set))
            break;
        s.n -= n;
    }
    return s;
}

enum trim { TRIM_SET, TRIM_SPACE, TRIM_PREFIX, TRIM_SUFFIX };

/* The second argument is empty where only one is given. */
static int trim_as(struct value *const *args, size_t n, enum trim how, struct value **ret, int *bad_arg,
                   struct err *err)
{
    struct buf text[2] = {BUF_INIT(0), BUF_INIT(0)};
    int code = stdlib_texts(args, n, text, bad_arg, err);
    struct str s = buf_slice(&text[0]), affix = buf_slice(&text[1]);
    if (how == TRIM_PREFIX && str_has_prefix(s, affix)) {
        string_skip(&s, affix.n);
    } else if (how == TRIM_SUFFIX && str_has_suffix(s, affix)) {
        s.n -= affix.n;
    } else if (how == TRIM_SPACE) {
        s = string_trimmed(s, NULL);
    } else if (how == TRIM_SET) {
        struct cutset set = cutset_of(affix);
        s = string_trimmed(s, &set);
        free(set.runes);
    }
    if (code == 0)
        *ret = value_string(s);
    buf_done(&text[0]);
    buf_done(&text[1]);
    return code;
}

static int string_trim(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    return trim_as(args, n, TRIM_SET, ret, bad_arg, err);
}

static int trim_prefix(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    return trim_as(args, n, TRIM_PREFIX, ret, bad_arg, err);
}

static int trim_space(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    return trim_as(args, n, TRIM_SPACE, ret, bad_arg, err);
}

static int trim_suffix(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    return trim_as(args, n, TRIM_SUFFIX, ret, bad_arg, err);
}

const struct stdlib_function stdlib_string[] = {
    {{"string.format", 1, true, string_format},
     .alias = "format",
     .parameters = "format string, values any…",
     .result = "string",
     .help = "Formats values like Go's fmt.Sprintf. Verbs: %s and %v (text), %q (quoted), %d (integer), %f, %e and %g "
             "(float), %t (bool), %x (hexadecimal), %c (character), %T (type), %% (a percent sign); with the flags "
             "`+-# 0`, a width, a precision, `*` and `[index]`. Errors are reported in the text. Secrets are formatted "
             "as (secret).",
     .examples = {{"string.format(\"%s-%03d\", \"node\", 7)", "\"node-007\""},
                  {"string.format(\"%.1f%% of %v\", 12.5, [1, \"a\"])", "\"12.5% of [1 a]\""},
                  {"string.format(\"%d\", \"x\")", "\"%!d(string=x)\""}}},
    {{"string.join", 2, false, string_join},
     .alias = "join",
     .parameters = "list list(string), separator string",
     .result = "string",
     .help = "Joins the elements with the separator.",
     .examples = {{"string.join([\"a\", \"b\", 3], \"-\")", "\"a-b-3\""}}},
    {{"string.replace", 3, false, string_replace},
     .alias = "replace",
     .parameters = "text string, old string, new string",
     .result = "string",
     .help = "Replaces every `old` with `new`; an empty `old` matches before, between and after all characters.",
     .examples = {{"string.replace(\"a.b.c\", \".\", \"-\")", "\"a-b-c\""},
                  {"string.replace(\"ab\", \"\", \"|\")", "\"|a|b|\""}}},
    {{"string.split", 2, false, string_split},
     .alias = "split",
     .parameters = "text string, separator string",
     .result = "list(string)",
     .help = "Splits at the separator; an empty separator splits into characters.",
     .examples = {{"string.split(\"a,b,,c\", \",\")", "[\"a\", \"b\", \"\", \"c\"]"},
                  {"string.split(\"\", \",\")", "[\"\"]"}}},
    {{"string.to_lower", 1, false, to_lower},
     .alias = "to_lower",
     .parameters = "text string",
     .result = "string",
     .help = "Converts to lower case, character by character.",
     .examples = {{"string.to_lower(\"MyApp\")", "\"myapp\""}}},
    {{"string.to_upper", 1, false, to_upper},
     .alias = "to_upper",
     .parameters = "text string",
     .result = "string",
     .help = "Converts to upper case, character by character.",
     .examples = {{"string.to_upper(\"MyApp\")", "\"MYAPP\""}}},
    {{"string.trim", 2, false, string_trim},
     .alias = "trim",
     .parameters = "text string, characters string",
     .result = "string",
     .help = "Removes leading and trailing characters that are in `characters`.",
     .examples = {{"string.trim(\"?!hello?!\", \"!?\")", "\"hello\""}}},
    {{"string.trim_prefix", 2, false, trim_prefix},
     .alias = "trim_prefix",
     .parameters = "text string, prefix string",
     .result = "string",
     .help = "Removes the prefix once, if present.",
     .examples = {{"string.trim_prefix(\"/etc/app\", \"/etc/\")", "\"app\""}}},
    {{"string.trim_space", 1, false, trim_space},
     .alias = "trim_space",
     .parameters = "text string",
     .result = "string",
     .help = "Removes leading and trailing white space.",
     .examples = {{"string.trim_space(\"  a b\\n\")", "\"a b\""}}},
    {{"string.trim_suffix", 2, false, trim_suffix},
     .alias = "trim_suffix",
     .parameters = "text string, suffix string",
     .result = "string",
     .help = "Removes the suffix once, if present.",
     .examples = {{"string.trim_suffix(\"app.jar\", \".jar\")", "\"app\""}}},
    {{NULL}},
};
