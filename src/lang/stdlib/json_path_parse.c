#include <errno.h>
#include <math.h>

#include "base/cleanup.h"
#include "lang/number.h"
#include "lang/stdlib/json_path_query.h"
#include "lang/unicode.h"

enum { TREE_MAX = 1 << 20, STEPS_MAX = 256, DEPTH_MAX = 64, NAME_MAX_BYTES = 1 << 16, SHOWN_MAX = 256 };

struct path_parser {
    struct str text;
    size_t at, steps, depth;
    struct path_query *query;
    struct query_filter *filter; /* the innermost */
    struct err *err;
    bool failed;
};

/* Errors give the position as the reference does: the first byte not understood, counted from 1. */
static void fail(struct path_parser *p, const char *what)
{
    if (!p->failed)
        err_set(p->err, -EINVAL, "%s at %zu in %.*s", what, p->at + 1,
                (int)(p->text.n < SHOWN_MAX ? p->text.n : SHOWN_MAX), p->text.n ? p->text.p : "");
    p->failed = true;
    p->at = p->text.n; /* so that every loop ends */
}

static void *alloc(struct path_parser *p, size_t size)
{
    static struct query_filter nothing; /* as large as anything asked for, and never written to after a failure */
    void *ret = arena_calloc(&p->query->arena, 1, size);
    if (ret)
        return ret;
    fail(p, "too long a query");
    nothing = (struct query_filter){0};
    return &nothing;
}

static char peek(const struct path_parser *p)
{
    return p->at < p->text.n ? p->text.p[p->at] : '\0';
}

static bool take(struct path_parser *p, const char *token)
{
    struct str rest = {p->text.p + p->at, p->text.n - p->at};
    if (!str_has_prefix(rest, str_of(token)))
        return false;
    p->at += strlen(token);
    return true;
}

static void skip_blanks(struct path_parser *p)
{
    while (peek(p) && strchr(" \t\r\n", peek(p)))
        p->at++;
}

static void expect(struct path_parser *p, const char *token, const char *otherwise)
{
    skip_blanks(p);
    if (!take(p, token))
        fail(p, otherwise);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* --- names, strings, numbers --- */

static bool ends_name(char c)
{
    return (unsigned char)c <= ' ' || strchr("\"'!$&()*+,-./<=>@[]\\\x7f", c);
}

static struct str bare_name(struct path_parser *p)
{
    size_t first = p->at;
    while (!ends_name(peek(p)))
        p->at++;
    if (p->at == first)
        fail(p, p->at < p->text.n ? "a name can not start so" : "not terminated");
    return (struct str){p->text.p + first, p->at - first};
}

static uint32_t hex(struct path_parser *p, unsigned digits)
{
    uint32_t v = 0;
    for (; digits > 0; digits--, p->at++) {
        char c = peek(p), lower = (char)(c | 0x20);
        if (!is_digit(c) && !(lower >= 'a' && lower <= 'f')) {
            fail(p, "not a hexadecimal digit");
            return 0;
        }
        v = v << 4 | (uint32_t)(is_digit(c) ? c - '0' : lower - 'a' + 10);
    }
    return v;
}

static void escape(struct path_parser *p, struct buf *out)
{
    static const char letters[] = "btnfr\"'\\", meant[] = "\b\t\n\f\r\"'\\";
    char c = peek(p);
    const char *hit = c ? strchr(letters, c) : NULL;
    p->at += p->at < p->text.n;
    if (hit)
        buf_byte(out, (uint8_t)meant[hit - letters]);
    else if (c == 'x')
        buf_byte(out, (uint8_t)hex(p, 2));
    else if (c == 'u' || c == 'U')
        utf8_append(out, hex(p, 4));
    else
        fail(p, "not an escaped character");
}

/* After the opening quote; in the arena. */
static struct str quoted(struct path_parser *p, char quote)
{
    cleanup_buf struct buf text = BUF_INIT(NAME_MAX_BYTES);
    while (p->at < p->text.n && peek(p) != quote) {
        char c = peek(p);
        p->at++;
        if (c == '\\')
            escape(p, &text);
        else
            buf_byte(&text, (uint8_t)c);
    }
    if (p->at >= p->text.n)
        fail(p, "not terminated");
    else
        p->at++;
    struct str s = arena_str(&p->query->arena, buf_slice(&text));
    if (!buf_ok(&text) || !s.p)
        fail(p, "too long a string");
    return s.p ? s : (struct str){"", 0};
}

/* Beyond any array is beyond any array. */
static int64_t integer(struct path_parser *p)
{
    bool negative = take(p, "-");
    int64_t v = 0;
    if (!is_digit(peek(p)))
        fail(p, "expected a number");
    for (; is_digit(peek(p)); p->at++)
        v = v > INT32_MAX ? v : v * 10 + (peek(p) - '0');
    return negative ? -v : v;
}

/* --- steps --- */

static struct query_expr *parse_expr(struct path_parser *p);

static struct query_step *new_step(struct path_parser *p, enum path_step_kind kind)
{
    if (++p->steps > STEPS_MAX)
        fail(p, "too many steps");
    struct query_step *s = alloc(p, sizeof *s);
    s->kind = kind;
    return s;
}

/* The name or number of a bracket. */
static struct query_step *parse_part(struct path_parser *p)
{
    char c = peek(p);
    if (c == '\'' || c == '"') {
        p->at++;
        struct query_step *s = new_step(p, STEP_CHILD);
        s->name = quoted(p, c);
        return s;
    }
    if (c != '-' && !is_digit(c)) {
        fail(p, p->at < p->text.n ? "parse error" : "not terminated");
        return NULL;
    }
    struct query_step *s = new_step(p, STEP_INDEX);
    s->index = integer(p);
    return s;
}

/* From the first colon on. */
static struct query_step *parse_slice(struct path_parser *p, int64_t from)
{
    struct query_step *s = new_step(p, STEP_SLICE);
    *s = (struct query_step){.kind = STEP_SLICE, .index = from, .end = INT64_MAX, .by = 1};
    expect(p, ":", "not terminated");
    skip_blanks(p);
    if (peek(p) != ':' && peek(p) != ']')
        s->end = integer(p);
    skip_blanks(p);
    if (take(p, ":")) {
        skip_blanks(p);
        if (peek(p) != ']')
            s->by = integer(p);
    }
    expect(p, "]", "invalid slice syntax");
    return s;
}

static struct query_step *parse_filter(struct path_parser *p)
{
    struct query_step *s = new_step(p, STEP_FILTER);
    struct query_filter *outer = p->filter, *mine = alloc(p, sizeof *mine);
    p->filter = mine;
    mine->expr = parse_expr(p);
    p->filter = outer;
    expect(p, "]", "not terminated");
    s->filter = mine;
    return s;
}

/* After the "[". */
static struct query_step *parse_bracket(struct path_parser *p)
{
    skip_blanks(p);
    if (take(p, "*")) {
        expect(p, "]", "not terminated");
        return new_step(p, STEP_ALL);
    }
    if (take(p, "?"))
        return parse_filter(p);
    if (peek(p) == ':')
        return parse_slice(p, 0);
    struct query_step *first = parse_part(p);
    if (!first)
        return NULL;
    skip_blanks(p);
    if (first->kind == STEP_INDEX && peek(p) == ':')
        return parse_slice(p, first->index);
    if (take(p, "]"))
        return first;
    struct query_step *all = new_step(p, STEP_UNION), *last = first;
    all->parts = first;
    while (!p->failed && take(p, ",")) {
        skip_blanks(p);
        last->next = parse_part(p);
        last = last->next ? last->next : last;
        skip_blanks(p);
    }
    expect(p, "]", "invalid bracket fragment");
    return all;
}

static struct query_step *parse_step(struct path_parser *p, bool bare)
{
    if (take(p, "["))
        return parse_bracket(p);
    if (take(p, "..")) {
        return new_step(p, STEP_DESCENT);
    }
    if (take(p, ".*") || take(p, "*"))
        return new_step(p, STEP_ALL);
    if (!bare && !take(p, "."))
        return NULL;
    if (bare && ends_name(peek(p)) && !take(p, "."))
        return NULL;
    struct query_step *s = new_step(p, STEP_CHILD);
    s->name = bare_name(p);
    return s;
}

/* Steps up to what can be none. The first name, and one after "..", needs no dot. */
static struct query_path parse_path(struct path_parser *p)
{
    struct query_path path = {0};
    struct query_step **end = &path.steps;
    bool bare = true;
    if (take(p, "$")) {
        path.from_root = true;
        bare = false;
    } else if (take(p, "@")) {
        bare = false;
    }
    while (!p->failed && p->at < p->text.n && (*end = parse_step(p, bare))) {
        bare = (*end)->kind == STEP_DESCENT;
        end = &(*end)->next;
    }
    return path;
}

/* --- filters --- */

static struct query_expr *new_expr(struct path_parser *p, enum query_op op, struct query_expr *left,
                                   struct query_expr *right)
{
    struct query_expr *e = alloc(p, sizeof *e);
    *e = (struct query_expr){.op = op, .left = left, .right = right};
    return e;
}

/* Takes the value. */
static struct query_expr *literal(struct path_parser *p, enum query_op op, struct value *v)
{
    struct query_expr *e = new_expr(p, op, NULL, NULL);
    if (stdlib_add(&p->query->literals, v, NULL) < 0)
        fail(p, "too many values");
    else
        e->literal = v;
    return e;
}

static struct value *parse_number(struct path_parser *p)
{
    size_t first = p->at;
    bool is_float = false;
    int64_t i;
    p->at += peek(p) == '-';
    for (char c; is_digit(c = peek(p)) || c == '.' || c == 'e' || c == 'E'; p->at++) {
        is_float |= !is_digit(c);
        if ((c == 'e' || c == 'E') && p->at + 1 < p->text.n && strchr("+-", p->text.p[p->at + 1]))
            p->at++;
    }
    struct str s = {p->text.p + first, p->at - first};
    if (!is_float && str_to_i64(s, &i))
        return value_int(i);
    cleanup_free char *text = str_dup(s);
    char *end = text;
    double d = is_float ? strtod(text, &end) : 0;
    if (!is_float || *end || end == text || !isfinite(d))
        fail(p, "not a number");
    return value_float(d);
}

static struct value *parse_literal(struct path_parser *p)
{
    char c = peek(p);
    if (c == '\'' || c == '"') {
        p->at++;
        return value_string(quoted(p, c));
    }
    if (c == '-' || is_digit(c))
        return parse_number(p);
    if (take(p, "true"))
        return value_bool(true);
    if (take(p, "false"))
        return value_bool(false);
    return take(p, "null") ? value_null() : NULL;
}

static struct query_expr *parse_list(struct path_parser *p)
{
    cleanup_items struct stdlib_items items = {0};
    do {
        skip_blanks(p);
        struct value *v = peek(p) == ']' ? NULL : parse_literal(p);
        if (!v && peek(p) != ']')
            fail(p, "not a value");
        if (v && stdlib_add(&items, v, NULL) < 0)
            fail(p, "too many values");
        skip_blanks(p);
    } while (!p->failed && take(p, ","));
    expect(p, "]", "expected a comma or an array close");
    return literal(p, QUERY_LIST, stdlib_array_of(&items));
}

static struct query_expr *parse_path_operand(struct path_parser *p, bool counted)
{
    struct query_expr *e = new_expr(p, QUERY_PATH, NULL, NULL);
    e->path = parse_path(p);
    if (counted || p->failed)
        return e;
    if (p->filter->path_count == QUERY_PATHS_MAX) {
        fail(p, "too many paths in a filter");
        return e;
    }
    e->slot = p->filter->path_count++;
    p->filter->paths[e->slot] = e;
    return e;
}

static struct query_expr *parse_function(struct path_parser *p, enum query_op op)
{
    skip_blanks(p);
    if (op == QUERY_COUNT && peek(p) != '@' && peek(p) != '$')
        fail(p, "count() takes a path");
    struct query_expr *argument = op == QUERY_COUNT ? parse_path_operand(p, true) : parse_expr(p);
    expect(p, ")", "not terminated");
    return new_expr(p, op, argument, NULL);
}

static struct query_expr *parse_operand(struct path_parser *p)
{
    skip_blanks(p);
    struct value *v = parse_literal(p);
    if (v)
        return literal(p, QUERY_LITERAL, v);
    if (take(p, "!"))
        return new_expr(p, QUERY_NOT, parse_expr(p), NULL); /* and all that follows */
    if (peek(p) == '@' || peek(p) == '$')
        return parse_path_operand(p, false);
    if (take(p, "Nothing"))
        return new_expr(p, QUERY_NOTHING, NULL, NULL);
    if (take(p, "length("))
        return parse_function(p, QUERY_LENGTH);
    if (take(p, "count("))
        return parse_function(p, QUERY_COUNT);
    if (take(p, "["))
        return parse_list(p);
    if (!take(p, "(")) {
        fail(p, "not a value or function");
        return NULL;
    }
    struct query_expr *e = parse_expr(p);
    expect(p, ")", "not terminated");
    return e;
}

struct operator
{
    const char *text;
    enum query_op op;
};

static bool take_operator(struct path_parser *p, const struct operator* table, size_t n, enum query_op *ret)
{
    skip_blanks(p);
    for (size_t i = 0; i < n; i++)
        if (take(p, table[i].text)) {
            *ret = table[i].op;
            return true;
        }
    return false;
}

static struct query_expr *parse_comparison(struct path_parser *p)
{
    static const struct operator comparisons[] = {
        {"==", QUERY_EQ}, {"!=", QUERY_NE}, {"<=", QUERY_LE},       {">=", QUERY_GE},   {"<", QUERY_LT},
        {">", QUERY_GT},  {"in", QUERY_IN}, {"empty", QUERY_EMPTY}, {"has", QUERY_HAS}, {"exists", QUERY_HAS}};
    struct query_expr *e = parse_operand(p);
    enum query_op op;
    while (!p->failed && take_operator(p, comparisons, ARRAY_LEN(comparisons), &op))
        e = new_expr(p, op, e, parse_operand(p));
    return e;
}

static struct query_expr *parse_expr(struct path_parser *p)
{
    static const struct operator logic[] = {{"&&", QUERY_AND}, {"||", QUERY_OR}};
    enum query_op op;
    if (++p->depth > DEPTH_MAX)
        fail(p, "nested too deeply");
    struct query_expr *e = parse_comparison(p);
    while (!p->failed && take_operator(p, logic, ARRAY_LEN(logic), &op))
        e = new_expr(p, op, e, parse_comparison(p));
    skip_blanks(p);
    if (!p->failed && p->at < p->text.n && !strchr(",)]", peek(p)))
        fail(p, "not a valid operation");
    p->depth--;
    return e;
}

int query_parse(struct str text, struct path_query *ret, struct err *err)
{
    cleanup_query struct path_query q = {.arena = ARENA_INIT(TREE_MAX)};
    struct path_parser p = {.text = text, .query = &q, .err = err};
    q.path = parse_path(&p);
    if (p.at < text.n)
        fail(&p, "parse error");
    if (p.failed)
        return -EINVAL;
    *ret = q;
    q = (struct path_query){0};
    return 0;
}

void query_done(struct path_query *q)
{
    arena_done(&q->arena);
    stdlib_items_done(&q->literals);
}
