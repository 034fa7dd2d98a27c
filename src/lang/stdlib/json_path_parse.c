#include <errno.h>
#include <math.h>

#include "base/cleanup.h"
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
static void path_parse_fail(struct path_parser *p, const char *what)
{
    if (!p->failed)
        err_set(p->err, -EINVAL, "%s at %zu in %.*s", what, p->at + 1,
                (int)(p->text.n < SHOWN_MAX ? p->text.n : SHOWN_MAX), p->text.n ? p->text.p : "");
    p->failed = true;
    p->at = p->text.n; /* so that every loop ends */
}

static void *path_parse_alloc(struct path_parser *p, size_t size)
{
    static struct query_filter nothing; /* as large as anything asked for, and never written to after a failure */
    void *ret = arena_calloc(&p->query->arena, 1, size);
    if (ret)
        return ret;
    path_parse_fail(p, "too long a query");
    nothing = (struct query_filter){0};
    return &nothing;
}

static char path_parse_peek(const struct path_parser *p)
{
    return p->at < p->text.n ? p->text.p[p->at] : '\0';
}

static bool path_parse_take(struct path_parser *p, const char *token)
{
    struct str rest = {p->text.p + p->at, p->text.n - p->at};
    if (!str_has_prefix(rest, str_of(token)))
        return false;
    p->at += strlen(token);
    return true;
}

static void path_parse_skip_blanks(struct path_parser *p)
{
    while (path_parse_peek(p) && strchr(" \t\r\n", path_parse_peek(p)))
        p->at++;
}

static void path_parse_expect(struct path_parser *p, const char *token, const char *otherwise)
{
    path_parse_skip_blanks(p);
    if (!path_parse_take(p, token))
        path_parse_fail(p, otherwise);
}

static bool path_parse_is_digit(char c)
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
    while (!ends_name(path_parse_peek(p)))
        p->at++;
    if (p->at == first)
        path_parse_fail(p, p->at < p->text.n ? "a name can not start so" : "not terminated");
    return (struct str){p->text.p + first, p->at - first};
}

static uint32_t path_parse_hex(struct path_parser *p, unsigned digits)
{
    uint32_t v = 0;
    for (; digits > 0; digits--, p->at++) {
        char c = path_parse_peek(p), lower = (char)(c | 0x20);
        if (!path_parse_is_digit(c) && !(lower >= 'a' && lower <= 'f')) {
            path_parse_fail(p, "not a hexadecimal digit");
            return 0;
        }
        v = v << 4 | (uint32_t)(path_parse_is_digit(c) ? c - '0' : lower - 'a' + 10);
    }
    return v;
}

static void path_parse_escape(struct path_parser *p, struct buf *out)
{
    static const char letters[] = "btnfr\"'\\", meant[] = "\b\t\n\f\r\"'\\";
    char c = path_parse_peek(p);
    const char *hit = c ? strchr(letters, c) : NULL;
    p->at += p->at < p->text.n;
    if (hit)
        buf_byte(out, (uint8_t)meant[hit - letters]);
    else if (c == 'x')
        buf_byte(out, (uint8_t)path_parse_hex(p, 2));
    else if (c == 'u' || c == 'U')
        utf8_append(out, path_parse_hex(p, 4));
    else
        path_parse_fail(p, "not an escaped character");
}

/* After the opening quote; in the arena. */
static struct str path_parse_quoted(struct path_parser *p, char quote)
{
    cleanup_buf struct buf text = BUF_INIT(NAME_MAX_BYTES);
    while (p->at < p->text.n && path_parse_peek(p) != quote) {
        char c = path_parse_peek(p);
        p->at++;
        if (c == '\\')
            path_parse_escape(p, &text);
        else
            buf_byte(&text, (uint8_t)c);
    }
    if (p->at >= p->text.n)
        path_parse_fail(p, "not terminated");
    else
        p->at++;
    struct str s = arena_str(&p->query->arena, buf_slice(&text));
    if (!buf_ok(&text) || !s.p)
        path_parse_fail(p, "too long a string");
    return s.p ? s : (struct str){"", 0};
}

/* Beyond any array is beyond any array. */
static int64_t path_parse_integer(struct path_parser *p)
{
    bool negative = path_parse_take(p, "-");
    int64_t v = 0;
    if (!path_parse_is_digit(path_parse_peek(p)))
        path_parse_fail(p, "expected a number");
    for (; path_parse_is_digit(path_parse_peek(p)); p->at++)
        v = v > INT32_MAX ? v : v * 10 + (path_parse_peek(p) - '0');
    return negative ? -v : v;
}

/* --- steps --- */

static struct query_expr *path_parse_expr(struct path_parser *p);

static struct query_step *new_step(struct path_parser *p, enum path_step_kind kind)
{
    if (++p->steps > STEPS_MAX)
        path_parse_fail(p, "too many steps");
    struct query_step *s = path_parse_alloc(p, sizeof *s);
    s->kind = kind;
    return s;
}

/* The name or number of a bracket. */
static struct query_step *parse_part(struct path_parser *p)
{
    char c = path_parse_peek(p);
    if (c == '\'' || c == '"') {
        p->at++;
        struct query_step *s = new_step(p, STEP_CHILD);
        s->name = path_parse_quoted(p, c);
        return s;
    }
    if (c != '-' && !path_parse_is_digit(c)) {
        path_parse_fail(p, p->at < p->text.n ? "parse error" : "not terminated");
        return NULL;
    }
    struct query_step *s = new_step(p, STEP_INDEX);
    s->index = path_parse_integer(p);
    return s;
}

/* From the first colon on. */
static struct query_step *parse_slice(struct path_parser *p, int64_t from)
{
    struct query_step *s = new_step(p, STEP_SLICE);
    *s = (struct query_step){.kind = STEP_SLICE, .index = from, .end = INT64_MAX, .by = 1};
    path_parse_expect(p, ":", "not terminated");
    path_parse_skip_blanks(p);
    if (path_parse_peek(p) != ':' && path_parse_peek(p) != ']')
        s->end = path_parse_integer(p);
    path_parse_skip_blanks(p);
    if (path_parse_take(p, ":")) {
        path_parse_skip_blanks(p);
        if (path_parse_peek(p) != ']')
            s->by = path_parse_integer(p);
    }
    path_parse_expect(p, "]", "invalid slice syntax");
    return s;
}

static struct query_step *parse_filter(struct path_parser *p)
{
    struct query_step *s = new_step(p, STEP_FILTER);
    struct query_filter *outer = p->filter, *mine = path_parse_alloc(p, sizeof *mine);
    p->filter = mine;
    mine->expr = path_parse_expr(p);
    p->filter = outer;
    path_parse_expect(p, "]", "not terminated");
    s->filter = mine;
    return s;
}

/* After the "[". */
static struct query_step *parse_bracket(struct path_parser *p)
{
    path_parse_skip_blanks(p);
    if (path_parse_take(p, "*")) {
        path_parse_expect(p, "]", "not terminated");
        return new_step(p, STEP_ALL);
    }
    if (path_parse_take(p, "?"))
        return parse_filter(p);
    if (path_parse_peek(p) == ':')
        return parse_slice(p, 0);
    struct query_step *first = parse_part(p);
    if (!first)
        return NULL;
    path_parse_skip_blanks(p);
    if (first->kind == STEP_INDEX && path_parse_peek(p) == ':')
        return parse_slice(p, first->index);
    if (path_parse_take(p, "]"))
        return first;
    struct query_step *all = new_step(p, STEP_UNION), *last = first;
    all->parts = first;
    while (!p->failed && path_parse_take(p, ",")) {
        path_parse_skip_blanks(p);
        last->next = parse_part(p);
        last = last->next ? last->next : last;
        path_parse_skip_blanks(p);
    }
    path_parse_expect(p, "]", "invalid bracket fragment");
    return all;
}

static struct query_step *parse_step(struct path_parser *p, bool bare)
{
    if (path_parse_take(p, "["))
        return parse_bracket(p);
    if (path_parse_take(p, "..")) {
        return new_step(p, STEP_DESCENT);
    }
    if (path_parse_take(p, ".*") || path_parse_take(p, "*"))
        return new_step(p, STEP_ALL);
    if (!bare && !path_parse_take(p, "."))
        return NULL;
    if (bare && ends_name(path_parse_peek(p)) && !path_parse_take(p, "."))
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
    if (path_parse_take(p, "$")) {
        path.from_root = true;
        bare = false;
    } else if (path_parse_take(p, "@")) {
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
    struct query_expr *e = path_parse_alloc(p, sizeof *e);
    *e = (struct query_expr){.op = op, .left = left, .right = right};
    return e;
}

/* Takes the value. */
static struct query_expr *path_parse_literal(struct path_parser *p, enum query_op op, struct value *v)
{
    struct query_expr *e = new_expr(p, op, NULL, NULL);
    if (stdlib_add(&p->query->literals, v, NULL) < 0)
        path_parse_fail(p, "too many values");
    else
        e->literal = v;
    return e;
}

static struct value *parse_number(struct path_parser *p)
{
    size_t first = p->at;
    bool is_float = false;
    int64_t i;
    p->at += path_parse_peek(p) == '-';
    for (char c; path_parse_is_digit(c = path_parse_peek(p)) || c == '.' || c == 'e' || c == 'E'; p->at++) {
        is_float |= !path_parse_is_digit(c);
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
        path_parse_fail(p, "not a number");
    return value_float(d);
}

static struct value *parse_literal(struct path_parser *p)
{
    char c = path_parse_peek(p);
    if (c == '\'' || c == '"') {
        p->at++;
        return value_string(path_parse_quoted(p, c));
    }
    if (c == '-' || path_parse_is_digit(c))
        return parse_number(p);
    if (path_parse_take(p, "true"))
        return value_bool(true);
    if (path_parse_take(p, "false"))
        return value_bool(false);
    return path_parse_take(p, "null") ? value_null() : NULL;
}

static struct query_expr *path_parse_list(struct path_parser *p)
{
    cleanup_items struct stdlib_items items = {0};
    do {
        path_parse_skip_blanks(p);
        struct value *v = path_parse_peek(p) == ']' ? NULL : parse_literal(p);
        if (!v && path_parse_peek(p) != ']')
            path_parse_fail(p, "not a value");
        if (v && stdlib_add(&items, v, NULL) < 0)
            path_parse_fail(p, "too many values");
        path_parse_skip_blanks(p);
    } while (!p->failed && path_parse_take(p, ","));
    path_parse_expect(p, "]", "expected a comma or an array close");
    return path_parse_literal(p, QUERY_LIST, stdlib_array_of(&items));
}

static struct query_expr *parse_path_operand(struct path_parser *p, bool counted)
{
    struct query_expr *e = new_expr(p, QUERY_PATH, NULL, NULL);
    e->path = parse_path(p);
    if (counted || p->failed)
        return e;
    if (p->filter->path_count == QUERY_PATHS_MAX) {
        path_parse_fail(p, "too many paths in a filter");
        return e;
    }
    e->slot = p->filter->path_count++;
    p->filter->paths[e->slot] = e;
    return e;
}

static struct query_expr *parse_function(struct path_parser *p, enum query_op op)
{
    path_parse_skip_blanks(p);
    if (op == QUERY_COUNT && path_parse_peek(p) != '@' && path_parse_peek(p) != '$')
        path_parse_fail(p, "count() takes a path");
    struct query_expr *argument = op == QUERY_COUNT ? parse_path_operand(p, true) : path_parse_expr(p);
    path_parse_expect(p, ")", "not terminated");
    return new_expr(p, op, argument, NULL);
}

static struct query_expr *path_parse_operand(struct path_parser *p)
{
    path_parse_skip_blanks(p);
    struct value *v = parse_literal(p);
    if (v)
        return path_parse_literal(p, QUERY_LITERAL, v);
    if (path_parse_take(p, "!"))
        return new_expr(p, QUERY_NOT, path_parse_expr(p), NULL); /* and all that follows */
    if (path_parse_peek(p) == '@' || path_parse_peek(p) == '$')
        return parse_path_operand(p, false);
    if (path_parse_take(p, "Nothing"))
        return new_expr(p, QUERY_NOTHING, NULL, NULL);
    if (path_parse_take(p, "length("))
        return parse_function(p, QUERY_LENGTH);
    if (path_parse_take(p, "count("))
        return parse_function(p, QUERY_COUNT);
    if (path_parse_take(p, "["))
        return path_parse_list(p);
    if (!path_parse_take(p, "(")) {
        path_parse_fail(p, "not a value or function");
        return NULL;
    }
    struct query_expr *e = path_parse_expr(p);
    path_parse_expect(p, ")", "not terminated");
    return e;
}

struct operator
{
    const char *text;
    enum query_op op;
};

static bool take_operator(struct path_parser *p, const struct operator* table, size_t n, enum query_op *ret)
{
    path_parse_skip_blanks(p);
    for (size_t i = 0; i < n; i++)
        if (path_parse_take(p, table[i].text)) {
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
    struct query_expr *e = path_parse_operand(p);
    enum query_op op;
    while (!p->failed && take_operator(p, comparisons, ARRAY_LEN(comparisons), &op))
        e = new_expr(p, op, e, path_parse_operand(p));
    return e;
}

static struct query_expr *path_parse_expr(struct path_parser *p)
{
    static const struct operator logic[] = {{"&&", QUERY_AND}, {"||", QUERY_OR}};
    enum query_op op;
    if (++p->depth > DEPTH_MAX)
        path_parse_fail(p, "nested too deeply");
    struct query_expr *e = parse_comparison(p);
    while (!p->failed && take_operator(p, logic, ARRAY_LEN(logic), &op))
        e = new_expr(p, op, e, parse_comparison(p));
    path_parse_skip_blanks(p);
    if (!p->failed && p->at < p->text.n && !strchr(",)]", path_parse_peek(p)))
        path_parse_fail(p, "not a valid operation");
    p->depth--;
    return e;
}

int query_parse(struct str text, struct path_query *ret, struct err *err)
{
    cleanup_query struct path_query q = {.arena = ARENA_INIT(TREE_MAX)};
    struct path_parser p = {.text = text, .query = &q, .err = err};
    q.path = parse_path(&p);
    if (p.at < text.n)
        path_parse_fail(&p, "parse error");
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
