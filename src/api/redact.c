#include "api/redact.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "lang/lexer.h"
#include "lang/parser.h"

#define HIDDEN "(secret)"

static bool contains(struct str s, const char *part)
{
    const size_t n = strlen(part);
    for (size_t i = 0; i + n <= s.n; i++) {
        if (strncasecmp(s.p + i, part, n) == 0)
            return true;
    }
    return false;
}

bool redact_is_secret(struct str name)
{
    static const char *const parts[] = {
        "pass",      "secret",  "token",   "credential", "auth",      "cookie",  "private", "key_pem",
        "apikey",    "api_key", "api-key", "access_key", "accesskey", "session", "dsn",     "connection_string",
        "signature", "bearer",  "pwd",     "license",    "webhook"};
    /* Names of files and switches that only sound so. */
    if (str_has_suffix(name, STR("_file")) || str_has_suffix(name, STR("_path")) ||
        str_has_prefix(name, STR("authenticate_matching")))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (contains(name, parts[i]))
            return true;
    }
    return false;
}

/* --- configurations --- */

/* A piece of source text to be replaced. */
struct cut {
    uint32_t first, last;
    const char *by;
};

struct cuts {
    struct cut *items;
    size_t len, cap;
};

static void cut(struct cuts *c, uint32_t first, uint32_t last, const char *by)
{
    xgrow(&c->items, &c->cap, c->len + 1, sizeof *c->items);
    c->items[c->len++] = (struct cut){first, last, by};
}

/* A string or a number: also `password = 1234` is one. */
static bool can_be_secret(const struct ast_expr *e)
{
    return e->kind == AST_LITERAL && e->name.n && strchr("\"`0123456789", e->name.p[0]);
}

/* sys.env("TOKEN") shows where a secret comes from, not what it is. */
static bool reads_environment(const struct ast_expr *e)
{
    struct str path[2];
    const struct ast_expr *callee = e->kind == AST_CALL ? e->list.callee : NULL;
    const size_t n = callee ? ast_path_len(callee) : 0;
    if (n == 0 || n > ARRAY_LEN(path))
        return false;
    ast_path(callee, path, n);
    return n == 1 ? str_is(path[0], "env") : str_is(path[0], "sys") && str_is(path[1], "env");
}

static void walk_expr(struct cuts *c, const struct ast_expr *e, bool secret)
{
    if (!e || reads_environment(e))
        return;
    if (can_be_secret(e) && (secret || contains(e->name, "PRIVATE KEY")))
        cut(c, e->first, e->last, "\"" HIDDEN "\"");
    switch (e->kind) {
    case AST_ARRAY:
    case AST_CALL:
        for (size_t i = 0; i < e->list.len; i++)
            walk_expr(c, e->list.items[i], secret);
        break;
    case AST_OBJECT:
        for (size_t i = 0; i < e->object.len; i++)
            walk_expr(c, e->object.items[i].value, secret || redact_is_secret(e->object.items[i].key));
        break;
    case AST_PAREN:
        walk_expr(c, e->paren, secret);
        break;
    case AST_UNARY:
    case AST_BINARY:
        walk_expr(c, e->operands.left, secret);
        walk_expr(c, e->operands.right, secret);
        break;
    case AST_INDEX:
        walk_expr(c, e->index.base, secret);
        walk_expr(c, e->index.index, false);
        break;
    case AST_ACCESS:
        walk_expr(c, e->access.base, secret);
        break;
    case AST_LITERAL:
    case AST_IDENT:
        break;
    }
}

static void walk_body(struct cuts *c, const struct ast_body *body, bool secret)
{
    for (size_t i = 0; i < body->len; i++) {
        const struct ast_stmt *s = &body->stmts[i];
        /* argument "password" { default = "…" } */
        if (s->kind == AST_BLOCK)
            walk_body(c, &s->body, secret || redact_is_secret(s->label));
        else
            walk_expr(c, s->value, secret || redact_is_secret(s->name));
    }
}

static void cut_comments(struct cuts *c, const struct source *source)
{
    cleanup_diags struct diags ds = DIAGS_INIT;
    struct lexer lx;
    lexer_init(&lx, source, &ds);
    for (struct token t = lexer_next(&lx); t.kind != TOKEN_EOF; t = lexer_next(&lx)) {
        if (t.kind == TOKEN_COMMENT && t.text.n)
            cut(c, t.offset, t.offset + (uint32_t)t.text.n - 1, "");
    }
}

static int by_place(const void *a, const void *b)
{
    const struct cut *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

static void write_without(struct cuts *c, struct str text, struct buf *out)
{
    uint32_t at = 0;
    if (c->len)
        qsort(c->items, c->len, sizeof *c->items, by_place);
    for (size_t i = 0; i < c->len; i++) {
        const struct cut *k = &c->items[i];
        if (k->first < at)
            continue;
        buf_append(out, text.p + at, k->first - at);
        buf_puts(out, k->by);
        at = k->last + 1;
    }
    buf_append(out, text.p + at, text.n - at);
}

void redact_config(const char *name, struct str text, struct buf *out)
{
    cleanup_source struct source *source = NULL;
    cleanup_ast struct ast_file *file = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    struct err err = {0};
    if (source_new(name, text, &source, &err) < 0 || parse_file(source, &file, &ds) < 0) {
        buf_puts(out, "// Left out: it does not parse, so nobody can tell what in it is secret.\n");
        return;
    }
    struct cuts c = {0};
    cleanup_buf struct buf plain = BUF_INIT(out->max);
    walk_body(&c, &file->body, false);
    cut_comments(&c, source);
    write_without(&c, source->text, &plain);
    free(c.items);
    redact_urls(buf_slice(&plain), out);
}

/* --- values --- */

static struct value *redacted(struct value *v, bool secret, unsigned depth)
{
    enum { DEPTH_MAX = 64 };
    const enum value_kind kind = value_kind(v);
    if (depth > DEPTH_MAX || (secret && (kind == VALUE_STRING || kind == VALUE_NUMBER)))
        return value_string(STR(HIDDEN));
    if (kind == VALUE_OBJECT) {
        struct value *object = value_object();
        for (size_t i = 0; i < value_len(v); i++) {
            struct value *member;
            const struct str key = value_key(v, i, &member);
            value_object_put(object, key, redacted(member, secret || redact_is_secret(key), depth + 1));
        }
        return object;
    }
    if (kind != VALUE_ARRAY)
        return value_ref(v);
    struct value **items = xcalloc(value_len(v) + 1, sizeof(struct value *));
    for (size_t i = 0; i < value_len(v); i++)
        items[i] = redacted(value_item(v, i), secret, depth + 1);
    struct value *array = value_array(items, value_len(v));
    free(items);
    return array;
}

struct value *redact_value(struct value *v)
{
    return v ? redacted(v, false, 0) : NULL;
}

/* --- any text --- */

/* Where the user information of a URL that begins with the "://" at `at` ends: its '@', 0 when it has none. RFC 3986 §3.2. */
static size_t user_end(struct str text, size_t at)
{
    size_t end = 0;
    for (size_t i = at + 3; i < text.n && !strchr("/?#\"'` \t\r\n<>", text.p[i]); i++) {
        if (text.p[i] == '@')
            end = i;
    }
    return end;
}

void redact_urls(struct str text, struct buf *out)
{
    size_t written = 0;
    for (size_t i = 0; i + 3 <= text.n; i++) {
        if (memcmp(text.p + i, "://", 3) != 0)
            continue;
        const size_t end = user_end(text, i);
        if (!end)
            continue;
        buf_append(out, text.p + written, i + 3 - written);
        buf_puts(out, HIDDEN);
        written = end;
    }
    buf_append(out, text.p + written, text.n - written);
}
