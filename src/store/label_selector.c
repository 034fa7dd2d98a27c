#include "store/label_selector.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

/* ---- tokens ---- */

enum label_selector_token_kind { TOKEN_END, TOKEN_NAME, TOKEN_STRING, TOKEN_OPERATOR, TOKEN_SIGN, TOKEN_BAD };

struct label_selector_token {
    enum label_selector_token_kind kind;
    struct str text;  /* as written */
    struct str value; /* of a string, unescaped */
    enum match_op op;
};

struct label_selector_parser {
    struct label_selector *to;
    struct str text;
    size_t at;
    struct label_selector_token token; /* the one at hand */
    struct err *err;
};

/* "1:4", in bytes. */
static void label_selector_position(const struct label_selector_parser *p, size_t at, unsigned *line, unsigned *column)
{
    *line = *column = 1;
    for (size_t i = 0; i < at && i < p->text.n; i++) {
        if (p->text.p[i] == '\n') {
            ++*line;
            *column = 1;
        } else {
            ++*column;
        }
    }
}

printf_like(3, 4) static int label_selector_fail(struct label_selector_parser *p, size_t at, const char *fmt, ...)
{
    char what[ERR_MAX];
    unsigned line, column;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    label_selector_position(p, at, &line, &column);
    return err_set(p->err, -EINVAL, "parsing label selector \"%.*s\": %u:%u: parse error: %s",
                   (int)(p->text.n < 200 ? p->text.n : 200), p->text.p, line, column, what);
}

static int label_selector_fail_here(struct label_selector_parser *p, const char *what)
{
    const struct str token = p->token.text;
    const size_t at = (size_t)(token.p - p->text.p);
    if (p->token.kind == TOKEN_END)
        return label_selector_fail(p, at, "unexpected end of input inside braces");
    const char *kind = p->token.kind == TOKEN_NAME ? "identifier " : p->token.kind == TOKEN_STRING ? "string " : "";
    const char *quote = p->token.kind == TOKEN_STRING ? "" : "\"";
    return label_selector_fail(p, at, "unexpected %s%s%.*s%s in label matching, expected %s", kind, quote,
                               (int)(token.n < 64 ? token.n : 64), token.p, quote, what);
}

static bool label_selector_is_name_start(char c)
{
    return isalpha((unsigned char)c) || c == '_' || c == ':';
}

/* Appends a code point as UTF-8. False: there is no such. */
static bool label_selector_put_rune(struct buf *out, uint32_t r)
{
    if (r > 0x10ffff || (r >= 0xd800 && r < 0xe000))
        return false;
    if (r < 0x80) {
        buf_byte(out, (uint8_t)r);
    } else if (r < 0x800) {
        buf_byte(out, (uint8_t)(0xc0 | r >> 6));
        buf_byte(out, (uint8_t)(0x80 | (r & 0x3f)));
    } else {
        if (r < 0x10000) {
            buf_byte(out, (uint8_t)(0xe0 | r >> 12));
        } else {
            buf_byte(out, (uint8_t)(0xf0 | r >> 18));
            buf_byte(out, (uint8_t)(0x80 | (r >> 12 & 0x3f)));
        }
        buf_byte(out, (uint8_t)(0x80 | (r >> 6 & 0x3f)));
        buf_byte(out, (uint8_t)(0x80 | (r & 0x3f)));
    }
    return true;
}

/* `digits` of that base from `at` on. */
static bool label_selector_digits(struct str s, size_t at, unsigned digits, unsigned base, uint32_t *ret)
{
    *ret = 0;
    for (unsigned i = 0; i < digits; i++) {
        const char c = at + i < s.n ? s.p[at + i] : '?';
        const unsigned d = isdigit((unsigned char)c)    ? (unsigned)(c - '0')
                           : isxdigit((unsigned char)c) ? (unsigned)(tolower((unsigned char)c) - 'a') + 10
                                                        : base;
        if (d >= base)
            return false;
        *ret = *ret * base + d;
    }
    return true;
}

/* The escape behind a backslash at `at`, as in Go; how many bytes it takes, 0 = none. */
static size_t label_selector_escape(struct str s, size_t at, char quote, struct buf *out)
{
    static const char plain[] = "abfnrtv\\", values[] = "\a\b\f\n\r\t\v\\";
    const char c = at < s.n ? s.p[at] : '\0';
    const char *known = c ? strchr(plain, c) : NULL;
    uint32_t v;
    if (known || c == quote) {
        buf_byte(out, (uint8_t)(known ? values[known - plain] : quote));
        return 1;
    }
    if (c == 'x' && label_selector_digits(s, at + 1, 2, 16, &v)) {
        buf_byte(out, (uint8_t)v);
        return 3;
    }
    if (label_selector_digits(s, at, 3, 8, &v) && v < 256) {
        buf_byte(out, (uint8_t)v);
        return 3;
    }
    if ((c == 'u' || c == 'U') && label_selector_digits(s, at + 1, c == 'u' ? 4 : 8, 16, &v) &&
        label_selector_put_rune(out, v))
        return c == 'u' ? 5 : 9;
    return 0;
}

/* The string that begins at p->at. */
static int label_selector_string(struct label_selector_parser *p)
{
    const size_t start = p->at;
    const char quote = p->text.p[start];
    cleanup_buf struct buf value = BUF_INIT(SELECTOR_TEXT_MAX);
    for (size_t i = start + 1; i < p->text.n; i++) {
        const char c = p->text.p[i];
        if (c == quote) {
            p->token = (struct label_selector_token){.kind = TOKEN_STRING,
                                                     .text = {p->text.p + start, i + 1 - start},
                                                     .value = arena_str(&p->to->arena, buf_slice(&value))};
            p->at = i + 1;
            return p->token.value.p ? 0 : label_selector_fail(p, start, "too long");
        }
        if (quote != '`' && c == '\n')
            break;
        if (quote == '`' || c != '\\') {
            buf_byte(&value, (uint8_t)c);
            continue;
        }
        const size_t taken = label_selector_escape(p->text, i + 1, quote, &value);
        if (taken == 0)
            return label_selector_fail(p, start, "unknown escape sequence in string");
        i += taken;
    }
    return label_selector_fail(p, start, "unterminated quoted string");
}

static void label_selector_skip_space(struct label_selector_parser *p)
{
    for (bool comment = false; p->at < p->text.n; p->at++) {
        const char c = p->text.p[p->at];
        comment = c == '#' || (comment && c != '\n');
        if (!comment && c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return;
    }
}

static bool label_selector_operator(struct label_selector_parser *p)
{
    static const struct {
        const char *text;
        enum match_op op;
    } operators[] = {{"=~", MATCH_REGEX}, {"!~", MATCH_NOT_REGEX}, {"!=", MATCH_NOT_EQUAL}, {"=", MATCH_EQUAL}};
    const struct str rest = {p->text.p + p->at, p->text.n - p->at};
    for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
        if (!str_has_prefix(rest, str_of(operators[i].text)))
            continue;
        const size_t n = strlen(operators[i].text);
        p->token = (struct label_selector_token){.kind = TOKEN_OPERATOR, .text = {rest.p, n}, .op = operators[i].op};
        p->at += n;
        return true;
    }
    return false;
}

/* Reads the next token into p->token. */
static int label_selector_next(struct label_selector_parser *p)
{
    label_selector_skip_space(p);
    const size_t start = p->at;
    const struct str rest = {p->text.p + start, p->text.n - start};
    p->token = (struct label_selector_token){.kind = TOKEN_END, .text = {rest.p, 0}};
    if (rest.n == 0)
        return 0;
    if (*rest.p == '"' || *rest.p == '\'' || *rest.p == '`')
        return label_selector_string(p);
    if (label_selector_operator(p))
        return 0;
    size_t n = 1;
    enum label_selector_token_kind kind = strchr("{},", *rest.p) ? TOKEN_SIGN : TOKEN_BAD;
    if (label_selector_is_name_start(*rest.p)) {
        kind = TOKEN_NAME;
        while (n < rest.n && (label_selector_is_name_start(rest.p[n]) || isdigit((unsigned char)rest.p[n])))
            n++;
    }
    if (kind == TOKEN_BAD)
        return label_selector_fail(p, start, "unexpected character: '%c'",
                                   isprint((unsigned char)*rest.p) ? *rest.p : '?');
    p->token = (struct label_selector_token){.kind = kind, .text = {rest.p, n}};
    p->at += n;
    return 0;
}

static bool label_selector_at(const struct label_selector_parser *p, const char *sign)
{
    return p->token.kind == TOKEN_SIGN && str_is(p->token.text, sign);
}

/* ---- matchers ---- */

static int label_selector_put(struct label_selector *s, struct matcher m, struct err *err)
{
    if (s->len == SELECTOR_MATCHERS_MAX)
        return err_set(err, -EINVAL, "more than %d matchers in one query", SELECTOR_MATCHERS_MAX);
    xgrow(&s->items, &s->cap, s->len + 1, sizeof *s->items);
    s->items[s->len++] = m;
    return 0;
}

int label_selector_add_equal(struct label_selector *s, struct str name, struct str value, struct err *err)
{
    const struct matcher m = {arena_str(&s->arena, name), arena_str(&s->arena, value), MATCH_EQUAL, NULL};
    return m.name.p && m.value.p ? label_selector_put(s, m, err) : err_set(err, -EINVAL, "the query is too large");
}

/* What stands before the braces: a name, or the profile type that clients put there. */
static int label_selector_add_name(struct label_selector *s, struct str name, struct err *err)
{
    size_t colons = 0;
    for (size_t i = 0; i < name.n; i++)
        colons += name.p[i] == ':';
    return label_selector_add_equal(s, colons >= 4 ? STR("__profile_type__") : STR("__name__"), name, err);
}

static int label_selector_add_matcher(struct label_selector_parser *p, struct str name, enum match_op op, size_t at,
                                      struct str value)
{
    struct err why = {0};
    struct regex *regex = NULL;
    if ((op == MATCH_REGEX || op == MATCH_NOT_REGEX) && regex_new(value, &regex, &why) < 0)
        return label_selector_fail(p, at, "%s", why.text);
    if (op == MATCH_EQUAL && str_is(name, "__name__")) /* also of a profile type */
        return label_selector_add_name(p->to, value, p->err);
    const struct str copy = arena_str(&p->to->arena, name);
    const int code = copy.p ? label_selector_put(p->to, (struct matcher){copy, value, op, regex}, p->err)
                            : err_set(p->err, -EINVAL, "the query is too large");
    if (code < 0)
        regex_unref(regex);
    return code;
}

/* name op "value", or "name" alone. */
static int label_selector_matcher(struct label_selector_parser *p)
{
    const struct label_selector_token name = p->token;
    const size_t at = (size_t)(name.text.p - p->text.p);
    int code;
    if (name.kind != TOKEN_NAME && name.kind != TOKEN_STRING)
        return label_selector_fail_here(p, "identifier or \"}\"");
    if (name.kind == TOKEN_NAME && memchr(name.text.p, ':', name.text.n))
        return label_selector_fail(p, at, "invalid label name %.*s", (int)(name.text.n < 64 ? name.text.n : 64),
                                   name.text.p);
    if ((code = label_selector_next(p)) < 0)
        return code;
    if (p->token.kind != TOKEN_OPERATOR) {
        if (name.kind == TOKEN_STRING && (label_selector_at(p, ",") || label_selector_at(p, "}")))
            return label_selector_add_name(p->to, name.value, p->err);
        return label_selector_fail_here(p, "label matching operator");
    }
    const enum match_op op = p->token.op;
    if ((code = label_selector_next(p)) < 0)
        return code;
    if (p->token.kind != TOKEN_STRING)
        return label_selector_fail_here(p, "string");
    code = label_selector_add_matcher(p, name.kind == TOKEN_STRING ? name.value : name.text, op, at, p->token.value);
    return code < 0 ? code : label_selector_next(p);
}

/* Behind the opening brace. */
static int label_selector_braces(struct label_selector_parser *p)
{
    int code = label_selector_next(p);
    while (code == 0 && !label_selector_at(p, "}")) {
        code = label_selector_matcher(p);
        if (code < 0 || label_selector_at(p, "}"))
            break;
        if (!label_selector_at(p, ","))
            return label_selector_fail_here(p, "\",\" or \"}\"");
        code = label_selector_next(p);
    }
    return code < 0 ? code : label_selector_next(p);
}

int label_selector_add(struct label_selector *s, struct str text, struct err *err)
{
    struct label_selector_parser p = {.to = s, .text = text.n ? text : STR(""), .err = err};
    if (text.n > SELECTOR_TEXT_MAX)
        return err_set(err, -EINVAL, "a label selector is longer than %d bytes", SELECTOR_TEXT_MAX);
    if (!str_is_utf8(p.text) || memchr(p.text.p, '\0', p.text.n))
        return err_set(err, -EINVAL, "parsing label selector: not a text in UTF-8");
    int code = label_selector_next(&p);
    if (code == 0 && p.token.kind == TOKEN_NAME) {
        code = label_selector_add_name(s, p.token.text, err);
        if (code == 0)
            code = label_selector_next(&p);
    }
    if (code == 0 && label_selector_at(&p, "{"))
        code = label_selector_braces(&p);
    if (code == 0 && p.token.kind != TOKEN_END)
        code = label_selector_fail(&p, (size_t)(p.token.text.p - p.text.p), "unexpected \"%.*s\"",
                                   (int)(p.token.text.n < 64 ? p.token.text.n : 64), p.token.text.p);
    return code;
}

void label_selector_done(struct label_selector *s)
{
    for (size_t i = 0; i < s->len; i++)
        regex_unref(s->items[i].regex);
    free(s->items);
    arena_done(&s->arena);
    *s = LABEL_SELECTOR_INIT;
}

bool label_selector_matches(const struct label_selector *s, const struct label_list *labels)
{
    for (size_t i = 0; i < s->len; i++) {
        const struct matcher *m = &s->items[i];
        const struct str value = label_list_get(labels, m->name);
        const bool matches = m->regex ? regex_matches(m->regex, value, NULL) : str_eq(value, m->value);
        if (matches != (m->op == MATCH_EQUAL || m->op == MATCH_REGEX))
            return false;
    }
    return true;
}

struct str label_selector_value(const struct label_selector *s, struct str name)
{
    for (size_t i = 0; i < s->len; i++)
        if (s->items[i].op == MATCH_EQUAL && s->items[i].value.n && str_eq(s->items[i].name, name))
            return s->items[i].value;
    return STR("");
}
