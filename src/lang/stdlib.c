#include "lang/stdlib.h"

#include <errno.h>
#include <locale.h>
#include <unistd.h>
#include <wctype.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "lang/coerce.h"
#include "lang/format.h"
#include "lang/unicode.h"

enum { TEXT_MAX = 16 << 20, ITEMS_MAX = 1 << 17, HOST_NAME_SIZE = 256 };

/* The text of argument i; blames it when it has none. */
static int text_arg(struct value *const *args, size_t i, struct buf *out, int *bad_arg, struct err *err)
{
    out->max = TEXT_MAX;
    int code = coerce_text(args[i], out, err);
    if (code < 0)
        *bad_arg = (int)i;
    return code;
}

static int text_result(struct buf *b, struct value **ret, struct err *err)
{
    if (!buf_ok(b))
        return err_set(err, -E2BIG, "makes a string of more than %d bytes", TEXT_MAX);
    *ret = value_string(buf_slice(b));
    return 0;
}

static int too_many_items(struct err *err)
{
    return err_set(err, -E2BIG, "makes an array of more than %d items", ITEMS_MAX);
}

static int sys_env(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)n;
    cleanup_buf struct buf name = BUF_INIT(0);
    int code = text_arg(args, 0, &name, bad_arg, err);
    if (code < 0)
        return code;
    *ret = value_string(str_of(getenv(buf_cstr(&name))));
    return 0;
}

static int array_concat(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        if (value_kind(args[i]) == VALUE_NULL)
            continue;
        if (value_kind(args[i]) != VALUE_ARRAY) {
            *bad_arg = (int)i;
            return coerce_refuse(args[i], VALUE_ARRAY, err);
        }
        len += value_len(args[i]);
    }
    if (len > ITEMS_MAX)
        return too_many_items(err);
    cleanup_free struct value **items = xcalloc(len + 1, sizeof *items);
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; value_kind(args[i]) == VALUE_ARRAY && j < value_len(args[i]); j++)
            items[at++] = value_ref(value_item(args[i], j));
    *ret = value_array(items, len);
    return 0;
}

static bool is_empty(const struct value *v)
{
    struct str s;
    switch (value_kind(v)) {
    case VALUE_NULL:
        return true;
    case VALUE_NUMBER:
        return value_as_float(v) == 0;
    case VALUE_BOOL:
        return !value_as_bool(v);
    case VALUE_ARRAY:
    case VALUE_OBJECT:
        return value_len(v) == 0;
    case VALUE_STRING:
        return value_as_str(v).n == 0;
    case VALUE_CAPSULE:
        break;
    default:
        return false;
    }
    if (value_secret_text(v, &s))
        return s.n == 0;
    const struct capsule_type *type = value_capsule_type(v);
    cleanup_value struct value *object = type->to_object ? type->to_object(value_capsule_data(v, type)) : NULL;
    return object && value_len(object) == 0;
}

static int coalesce(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)bad_arg, (void)err;
    size_t i = 0;
    while (i + 1 < n && is_empty(args[i]))
        i++;
    *ret = n ? value_ref(args[i]) : value_null();
    return 0;
}

static int string_format(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    cleanup_buf struct buf format = BUF_INIT(0), out = BUF_INIT(TEXT_MAX);
    int code = text_arg(args, 0, &format, bad_arg, err);
    if (code < 0)
        return code;
    format_go(buf_slice(&format), args + 1, n - 1, &out);
    return text_result(&out, ret, err);
}

static int string_join(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)n;
    cleanup_buf struct buf separator = BUF_INIT(0), out = BUF_INIT(TEXT_MAX);
    int code = text_arg(args, 1, &separator, bad_arg, err);
    if (code < 0)
        return code;
    *bad_arg = 0;
    if (value_kind(args[0]) != VALUE_ARRAY && value_kind(args[0]) != VALUE_NULL)
        return coerce_refuse(args[0], VALUE_ARRAY, err);
    size_t len = value_kind(args[0]) == VALUE_ARRAY ? value_len(args[0]) : 0;
    for (size_t i = 0; i < len; i++) {
        struct err why = {0};
        if (i)
            buf_str(&out, buf_slice(&separator));
        code = coerce_text(value_item(args[0], i), &out, &why);
        if (code < 0)
            return err_set(err, code, "[%zu] %s", i, why.text);
    }
    return text_result(&out, ret, err);
}

static const char *find(struct str s, struct str part)
{
    return s.n >= part.n && part.n ? memmem(s.p, s.n, part.p, part.n) : NULL;
}

static void skip(struct str *s, size_t n)
{
    if (n)
        *s = (struct str){s->p + n, s->n - n};
}

static size_t first_rune(struct str s)
{
    uint32_t rune;
    return utf8_decode(s, &rune);
}

static int string_replace(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(0), old = BUF_INIT(0), new = BUF_INIT(0), out = BUF_INIT(TEXT_MAX);
    struct buf *parts[] = {&text, &old, &new};
    for (size_t i = 0; i < n; i++) {
        int code = text_arg(args, i, parts[i], bad_arg, err);
        if (code < 0)
            return code;
    }
    struct str s = buf_slice(&text), from = buf_slice(&old), to = buf_slice(&new);
    const char *hit;
    if (from.n == 0) {
        buf_str(&out, to);
        for (size_t len; s.n && buf_ok(&out); skip(&s, len)) {
            len = first_rune(s);
            buf_append(&out, s.p, len);
            buf_str(&out, to);
        }
    }
    while (buf_ok(&out) && (hit = find(s, from))) {
        buf_append(&out, s.p, (size_t)(hit - s.p));
        buf_str(&out, to);
        skip(&s, (size_t)(hit - s.p) + from.n);
    }
    buf_str(&out, s);
    return text_result(&out, ret, err);
}

static int string_split(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(0), separator = BUF_INIT(0);
    int code = text_arg(args, 0, &text, bad_arg, err);
    if (code == 0)
        code = text_arg(args, n - 1, &separator, bad_arg, err);
    if (code < 0)
        return code;
    struct str s = buf_slice(&text), by = buf_slice(&separator);
    size_t len = 0, cap = 0;
    cleanup_free struct value **items = NULL;
    for (bool more = by.n || s.n; more && len < ITEMS_MAX; more = by.n ? s.p != NULL : s.n > 0) {
        const char *hit = find(s, by);
        size_t part = by.n == 0 ? first_rune(s) : hit ? (size_t)(hit - s.p) : s.n;
        xgrow(&items, &cap, len + 1, sizeof *items);
        items[len++] = value_string((struct str){s.p, part});
        skip(&s, part + (hit ? by.n : 0));
        if (by.n && !hit)
            s.p = NULL;
    }
    if (len == ITEMS_MAX) {
        while (len > 0)
            value_unref(items[--len]);
        return too_many_items(err);
    }
    *ret = value_array(items, len);
    return 0;
}

/* By character, in Unicode's simple mapping; the C library has it for one locale that is always there. */
static int change_case(struct value *const *args, wint_t (*map)(wint_t, locale_t), struct value **ret, int *bad_arg,
                       struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(0), out = BUF_INIT(TEXT_MAX);
    int code = text_arg(args, 0, &text, bad_arg, err);
    if (code < 0)
        return code;
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (!utf8)
        return err_errno(err, "locale C.UTF-8");
    for (struct str s = buf_slice(&text); s.n;) {
        uint32_t rune;
        size_t n = utf8_decode(s, &rune);
        utf8_append(&out, map(rune, utf8));
        skip(&s, n);
    }
    freelocale(utf8);
    return text_result(&out, ret, err);
}

static int string_to_lower(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)n;
    return change_case(args, towlower_l, ret, bad_arg, err);
}

static int string_to_upper(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)n;
    return change_case(args, towupper_l, ret, bad_arg, err);
}

/* Whether a character of s is to go: those of `set`, or with NULL all white space. */
static bool goes(uint32_t rune, const struct str *set)
{
    if (!set)
        return unicode_is_space(rune);
    uint32_t other;
    for (struct str s = *set; s.n; skip(&s, first_rune(s)))
        if (utf8_decode(s, &other) && other == rune)
            return true;
    return false;
}

static struct str trimmed(struct str s, const struct str *set)
{
    uint32_t rune;
    size_t n;
    while ((n = utf8_decode(s, &rune)) && goes(rune, set))
        skip(&s, n);
    while (s.n) {
        /* The last character starts at most three bytes before the last byte. */
        n = 1;
        while (n < 4 && n < s.n && ((unsigned char)s.p[s.n - n] & 0xc0) == 0x80)
            n++;
        if (utf8_decode((struct str){s.p + s.n - n, n}, &rune) != n)
            n = utf8_decode((struct str){s.p + s.n - 1, 1}, &rune);
        if (!goes(rune, set))
            break;
        s.n -= n;
    }
    return s;
}

/* The two arguments of the trim family; the second is empty where only one is given. */
static int trim_args(struct value *const *args, size_t n, struct buf text[2], int *bad_arg, struct err *err)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < n && i < 2; i++)
        code = text_arg(args, i, &text[i], bad_arg, err);
    return code;
}

enum trim { TRIM_SET, TRIM_SPACE, TRIM_PREFIX, TRIM_SUFFIX };

static int trim(struct value *const *args, size_t n, enum trim how, struct value **ret, int *bad_arg, struct err *err)
{
    struct buf text[2] = {BUF_INIT(0), BUF_INIT(0)};
    int code = trim_args(args, n, text, bad_arg, err);
    struct str s = buf_slice(&text[0]), affix = buf_slice(&text[1]);
    if (how == TRIM_PREFIX && str_has_prefix(s, affix))
        skip(&s, affix.n);
    else if (how == TRIM_SUFFIX && str_has_suffix(s, affix))
        s.n -= affix.n;
    else if (how == TRIM_SET || how == TRIM_SPACE)
        s = trimmed(s, how == TRIM_SET ? &affix : NULL);
    if (code == 0)
        *ret = value_string(s);
    buf_done(&text[0]);
    buf_done(&text[1]);
    return code;
}

static int string_trim(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    return trim(args, n, TRIM_SET, ret, bad_arg, err);
}

static int string_trim_space(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    return trim(args, n, TRIM_SPACE, ret, bad_arg, err);
}

static int string_trim_prefix(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    return trim(args, n, TRIM_PREFIX, ret, bad_arg, err);
}

static int string_trim_suffix(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    return trim(args, n, TRIM_SUFFIX, ret, bad_arg, err);
}

static const struct function_def functions[] = {
    {"array.concat", 0, true, array_concat},
    {"coalesce", 0, true, coalesce},
    {"string.format", 1, true, string_format},
    {"string.join", 2, false, string_join},
    {"string.replace", 3, false, string_replace},
    {"string.split", 2, false, string_split},
    {"string.to_lower", 1, false, string_to_lower},
    {"string.to_upper", 1, false, string_to_upper},
    {"string.trim", 2, false, string_trim},
    {"string.trim_prefix", 2, false, string_trim_prefix},
    {"string.trim_space", 1, false, string_trim_space},
    {"string.trim_suffix", 2, false, string_trim_suffix},
    {"sys.env", 1, false, sys_env},
};

static const struct {
    const char *old, *name;
} aliases[] = {
    {"concat", "array.concat"},
    {"env", "sys.env"},
    {"format", "string.format"},
    {"join", "string.join"},
    {"replace", "string.replace"},
    {"split", "string.split"},
    {"to_lower", "string.to_lower"},
    {"to_upper", "string.to_upper"},
    {"trim", "string.trim"},
    {"trim_prefix", "string.trim_prefix"},
    {"trim_space", "string.trim_space"},
    {"trim_suffix", "string.trim_suffix"},
};

const char *stdlib_replacement(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
        if (str_is(name, aliases[i].old))
            return aliases[i].name;
    return NULL;
}

/* As Go names processors. */
static const char *architecture(void)
{
#if defined(__x86_64__)
    return "amd64";
#elif defined(__aarch64__)
    return "arm64";
#else
    return "unknown";
#endif
}

static struct value *constants(void)
{
    /* Read once: a host that changes its name while we run keeps its old one in labels, as in the reference. */
    static char host[HOST_NAME_SIZE];
    if (!host[0] && gethostname(host, sizeof host - 1) < 0)
        host[0] = '\0';
    struct value *o = value_object();
    value_object_put(o, STR("hostname"), value_string(str_of(host)));
    value_object_put(o, STR("os"), value_string(STR("linux")));
    value_object_put(o, STR("arch"), value_string(str_of(architecture())));
    value_object_put(o, STR("version"), value_string(STR("v" SMOLDER_VERSION)));
    return o;
}

/* The functions "<name>.x" as an object {x = …}; NULL when there are none. */
static struct value *namespace_of(struct str name)
{
    struct value *o = NULL;
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        const char *dot = strchr(functions[i].name, '.');
        if (!dot || !str_eq(name, (struct str){functions[i].name, (size_t)(dot - functions[i].name)}))
            continue;
        o = o ? o : value_object();
        value_object_put(o, str_of(dot + 1), value_function_of(&functions[i]));
    }
    return o;
}

struct value *stdlib_get(struct str name)
{
    if (str_is(name, "constants"))
        return constants();
    const char *replacement = stdlib_replacement(name);
    struct str wanted = replacement ? str_of(replacement) : name;
    for (size_t i = 0; i < ARRAY_LEN(functions); i++)
        if (str_is(wanted, functions[i].name) && (replacement || !memchr(name.p, '.', name.n)))
            return value_function_of(&functions[i]);
    return namespace_of(name);
}

bool stdlib_has(struct str name)
{
    cleanup_value struct value *v = stdlib_get(name);
    return v != NULL;
}
