#include "lang/secrets.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "lang/lexer.h"

/* --- finding --- */

/* A pair of brackets, or the file. */
struct level {
    bool secret;  /* what is in it */
    bool headers; /* its keys are names of headers */
    bool passes;  /* what is in it may be such an object: an argument, an item */
    /* Of the value that is being read: */
    bool has_secret_values, has_headers;
};

struct secret_walk {
    struct secrets *found;
    struct lexer lexer;
    struct token before, at, next;
    bool before_is_key;  /* it stands where a key does */
    struct token key;    /* the last one that did */
    struct str label_of; /* the word before a label: argument "password" { */
    struct level *levels;
    size_t depth, cap;
    uint32_t blind_until; /* up to here all is hidden already */
};

static struct str secrets_bare(struct str text)
{
    const bool quoted = text.n >= 2 && (text.p[0] == '"' || text.p[0] == '`' || text.p[0] == '\'');
    return quoted ? (struct str){text.p + 1, text.n - 2} : text;
}

static void secrets_add(struct secrets *s, uint32_t first, uint32_t end, bool quoted)
{
    xgrow(&s->items, &s->cap, s->len + 1, sizeof *s->items);
    s->items[s->len++] = (struct secret_place){first, end, quoted};
}

/* What has the form of a secret. */
static void add_within(struct secrets *s, struct token t)
{
    size_t first, end;
    for (size_t at = 0; secret_find(t.text, at, &first, &end); at = end)
        secrets_add(s, t.offset + (uint32_t)first, t.offset + (uint32_t)end, false);
}

static void add_comment(struct secrets *s, struct token t)
{
    xgrow(&s->comments, &s->comment_cap, s->comment_len + 1, sizeof *s->comments);
    s->comments[s->comment_len++] = (struct secret_place){t.offset, t.offset + (uint32_t)t.text.n, false};
    add_within(s, t);
}

/* The next token that is no comment. */
static struct token secrets_following(struct secret_walk *w)
{
    for (;;) {
        const struct token t = lexer_next(&w->lexer);
        if (t.kind != TOKEN_COMMENT || !t.text.n)
            return t;
        add_comment(w->found, t);
    }
}

static struct level *secrets_top(struct secret_walk *w)
{
    return &w->levels[w->depth - 1];
}

static void secrets_push(struct secret_walk *w, struct level level)
{
    level.has_secret_values = level.secret;
    level.has_headers = level.passes;
    xgrow(&w->levels, &w->cap, w->depth + 1, sizeof *w->levels);
    w->levels[w->depth++] = level;
}

static bool is_word(struct token t)
{
    return t.kind == TOKEN_IDENT || t.kind == TOKEN_STRING;
}

/* Of `argument "password" {`; labels of other blocks are names that somebody chose. */
static bool has_secret_label(const struct secret_walk *w)
{
    return w->before.kind == TOKEN_STRING && str_is(w->label_of, "argument") &&
           secret_name(secrets_bare(w->before.text));
}

static void open_bracket(struct secret_walk *w)
{
    const struct level *outer = secrets_top(w);
    const bool block = w->at.kind == TOKEN_LCURLY, index = w->at.kind == TOKEN_LBRACK;
    struct level level = {
        .secret = outer->has_secret_values, .headers = outer->has_headers, .passes = outer->has_headers && !block};
    if (block && has_secret_label(w))
        level.secret = true;
    /* headers { … }: the '=' is missing. */
    if (block && w->before.kind == TOKEN_IDENT && str_has_suffix(w->before.text, STR("headers")))
        level.headers = true;
    /* x["password"] names a member; env("TOKEN") says where a secret comes from. */
    const bool names_member =
        index && (w->before.kind == TOKEN_IDENT || w->before.kind == TOKEN_RPAREN || w->before.kind == TOKEN_RBRACK);
    if (names_member || (w->at.kind == TOKEN_LPAREN && w->before.kind == TOKEN_IDENT && str_is(w->before.text, "env")))
        level = (struct level){0};
    secrets_push(w, level);
}

static bool is_secret_key(const struct level *l, struct token key)
{
    return secret_name(secrets_bare(key.text)) || (l->headers && secret_header(secrets_bare(key.text)));
}

/* What is assigned to in the midst of a value was not meant so, and what the value was stays. */
static void begin_value(struct secret_walk *w)
{
    struct level *l = secrets_top(w);
    const struct token key = is_word(w->before) ? w->before : w->key;
    if (!key.text.p)
        return;
    l->has_secret_values = l->secret || is_secret_key(l, key) || (l->has_secret_values && !w->before_is_key);
    l->has_headers = secret_is_headers(secrets_bare(key.text)) || (l->has_headers && !w->before_is_key);
}

static bool begins_key(const struct secret_walk *w)
{
    return w->before.kind == TOKEN_LCURLY || w->before.kind == TOKEN_COMMA || w->before.kind == TOKEN_TERMINATOR ||
           !w->before.text.p;
}

static void end_value(struct secret_walk *w)
{
    struct level *l = secrets_top(w);
    l->has_secret_values = l->secret;
    l->has_headers = l->passes;
}

/* Quotes that somebody forgot. Names of other things are followed or preceded by something. */
static bool is_stray_word(const struct secret_walk *w)
{
    return w->at.kind == TOKEN_IDENT && w->before.kind != TOKEN_DOT && w->next.kind != TOKEN_DOT &&
           w->next.kind != TOKEN_LPAREN && w->next.kind != TOKEN_LBRACK;
}

static void secrets_literal(struct secret_walk *w)
{
    const struct level *l = secrets_top(w);
    /* password "x": the '=' is missing. */
    const bool after_name = is_word(w->before) && w->next.kind != TOKEN_LCURLY && is_secret_key(l, w->before);
    const bool is_value = w->at.kind != TOKEN_IDENT || is_stray_word(w);
    const uint32_t end = w->at.offset + (uint32_t)w->at.text.n;
    if (w->next.kind == TOKEN_ASSIGN && begins_key(w))
        return;
    const bool is_text = w->at.kind == TOKEN_STRING;
    const bool is_private_key = is_text && memmem(w->at.text.p, w->at.text.n, "PRIVATE KEY", 11);
    if (is_private_key || (is_value && (l->has_secret_values || l->has_headers || (after_name && is_text))))
        secrets_add(w->found, w->at.offset, end, true);
    else if (is_text)
        add_within(w->found, w->at);
}

static uint32_t line_end(const struct source *s, uint32_t at)
{
    const char *end = memchr(s->text.p + at, '\n', s->text.n - at);
    return end ? (uint32_t)(end - s->text.p) : (uint32_t)s->text.n;
}

/* password: "x" is an assignment by somebody who thinks of YAML. Behind other characters nobody knows what is meant. */
static void secrets_illegal(struct secret_walk *w)
{
    if (str_is(w->at.text, ":") && is_word(w->before)) {
        begin_value(w);
        return;
    }
    if (!secrets_top(w)->has_secret_values && !secrets_top(w)->has_headers)
        return;
    const uint32_t end = line_end(w->found->source, w->at.offset);
    secrets_add(w->found, w->at.offset, end, true);
    w->blind_until = end;
}

static void secrets_step(struct secret_walk *w)
{
    switch (w->at.kind) {
    case TOKEN_LCURLY:
    case TOKEN_LPAREN:
    case TOKEN_LBRACK:
        open_bracket(w);
        break;
    case TOKEN_RCURLY:
    case TOKEN_RPAREN:
    case TOKEN_RBRACK:
        w->depth -= w->depth > 1;
        break;
    case TOKEN_ASSIGN:
        begin_value(w);
        break;
    case TOKEN_TERMINATOR:
    case TOKEN_COMMA:
        end_value(w);
        break;
    case TOKEN_STRING:
    case TOKEN_NUMBER:
    case TOKEN_FLOAT:
    case TOKEN_IDENT:
        if (w->at.offset >= w->blind_until)
            secrets_literal(w);
        break;
    case TOKEN_ILLEGAL:
        if (w->at.offset >= w->blind_until)
            secrets_illegal(w);
        break;
    default:
        break;
    }
}

static int by_place(const void *a, const void *b)
{
    const struct secret_place *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

/* A comment is met before the token it stands behind, and the rest of a line covers what is in it. */
static void secrets_tidy(struct secrets *s)
{
    size_t kept = 0;
    if (s->len)
        qsort(s->items, s->len, sizeof *s->items, by_place);
    for (size_t i = 0; i < s->len; i++) {
        if (kept == 0 || s->items[i].first >= s->items[kept - 1].end)
            s->items[kept++] = s->items[i];
    }
    s->len = kept;
}

/* --- lines that are no tokens --- */

/* The first of the first `len` places that ends behind a byte. */
static size_t first_behind(const struct secrets *s, size_t len, uint32_t at)
{
    size_t low = 0, high = len;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (s->items[middle].end > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static bool secrets_is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_-.", c));
}

/* The end of the first name in a line that tells of secrets behind it; `end` without one. */
static uint32_t behind_name(const struct source *s, uint32_t at, uint32_t end)
{
    while (at < end) {
        uint32_t word = at;
        while (word < end && secrets_is_name_byte(s->text.p[word]))
            word++;
        const struct str name = {s->text.p + at, word - at};
        if (name.n && (secret_name(name) || secret_is_headers(name)))
            return word;
        at = word + 1;
    }
    return end;
}

/* But for blanks, brackets and quotes around it. */
static void add_between(struct secrets *s, uint32_t first, uint32_t end)
{
    static const char around[] = " \t\r\"'`=:{}[](),";
    while (first < end && strchr(around, s->source->text.p[first]))
        first++;
    while (end > first && strchr(around, s->source->text.p[end - 1]))
        end--;
    if (first < end)
        secrets_add(s, first, end, false);
}

/* In a line with a quote too many or too few, strings and what is between them change places. So all behind a name is
 * hidden. */
static void hide_behind_name(struct secrets *s, size_t found, uint32_t offset)
{
    const unsigned line = source_pos(s->source, offset).line;
    const struct str text = source_line(s->source, line);
    const uint32_t begin = s->source->lines[line - 1], end = begin + (uint32_t)text.n;
    uint32_t at = behind_name(s->source, begin, end);
    for (size_t i = first_behind(s, found, at); i < found && s->items[i].first < end; i++) {
        const struct secret_place known = s->items[i];
        if (known.first > at)
            add_between(s, at, known.first);
        at = known.end;
    }
    if (at < end)
        add_between(s, at, end);
}

/* "…"word"…": no complaint of the lexer's, but quotes that have changed places all the same. */
static bool secrets_touches(const struct secret_walk *w)
{
    const bool text = w->at.kind == TOKEN_STRING || w->before.kind == TOKEN_STRING;
    const bool word = is_word(w->at) || w->at.kind == TOKEN_NUMBER || w->at.kind == TOKEN_FLOAT;
    return text && word && is_word(w->before) && w->before.offset + w->before.text.n == w->at.offset;
}

/* Complaints come nearly in the order of the text; a line is looked at once. */
static void cover_broken_lines(struct secrets *s, const struct diags *complaints)
{
    const size_t found = s->len;
    unsigned done = 0;
    for (size_t i = 0; i < complaints->len; i++) {
        const struct pos at = complaints->items[i].range.first;
        if (at.line == done)
            continue;
        done = at.line;
        hide_behind_name(s, found, at.offset);
    }
    secrets_tidy(s);
}

void secrets_find(struct secrets *ret, const struct source *source)
{
    struct diags complaints = DIAGS_INIT;
    *ret = (struct secrets){.source = source};
    struct secret_walk w = {.found = ret};
    lexer_init(&w.lexer, source, &complaints);
    secrets_push(&w, (struct level){0});
    w.at = secrets_following(&w);
    while (w.at.kind != TOKEN_EOF) {
        w.next = secrets_following(&w);
        if (secrets_touches(&w))
            diag_error(&complaints, ((struct range){.first = source_pos(source, w.at.offset)}), "touches");
        secrets_step(&w);
        if (w.at.kind == TOKEN_STRING)
            w.label_of = w.before.text;
        w.before_is_key = begins_key(&w);
        if (w.before_is_key && is_word(w.at))
            w.key = w.at;
        w.before = w.at;
        w.at = w.next;
    }
    free(w.levels);
    secrets_tidy(ret);
    cover_broken_lines(ret, &complaints);
    diags_done(&complaints);
}

void secrets_done(struct secrets *s)
{
    free(s->items);
    free(s->comments);
    *s = (struct secrets){0};
}

/* --- printing --- */

/* Moves a column of [first, end) that was replaced by the bytes of `out` from `from` on. */
static void secrets_move(unsigned *column, unsigned was, uint32_t first, uint32_t end, unsigned now)
{
    if (was > first && was <= end)
        *column = now;
}

void secrets_print(const struct secrets *s, uint32_t first, uint32_t end, unsigned *first_column, unsigned *last_column,
                   struct buf *out)
{
    const size_t start = out->len;
    const unsigned a = *first_column, b = *last_column;
    uint32_t at = first;
    for (size_t i = first_behind(s, s->len, first); i < s->len && s->items[i].first < end; i++) {
        const struct secret_place *p = &s->items[i];
        const uint32_t from = p->first > first ? p->first : first, to = p->end < end ? p->end : end;
        if (from >= to || from < at)
            continue;
        /* What is copied before it keeps its distance to the begin of what is copied. */
        const unsigned shift = (unsigned)(out->len - start), skipped = at - first;
        secrets_move(first_column, a, skipped, from - first, a - skipped + shift);
        secrets_move(last_column, b, skipped, from - first, b - skipped + shift);
        buf_append(out, s->source->text.p + at, from - at);
        const unsigned begin = (unsigned)(out->len - start) + 1;
        buf_puts(out, p->quoted ? "\"" SECRET_HIDDEN "\"" : SECRET_HIDDEN);
        secrets_move(first_column, a, from - first, to - first, begin);
        secrets_move(last_column, b, from - first, to - first, (unsigned)(out->len - start));
        at = to;
    }
    const unsigned shift = (unsigned)(out->len - start), skipped = at - first;
    if (a > skipped)
        *first_column = a - skipped + shift;
    if (b > skipped)
        *last_column = b - skipped + shift;
    buf_append(out, s->source->text.p + at, end - at);
}

enum {
    QUOTED_LEAST = 3, /* shorter ones stand in any sentence */
    QUOTED_MOST = 64, /* secrets that a message is searched for; where there are more, those near its place */
    NEAR_BYTES = 4096,
};

/* The longest secret of places `from` on that stands at `text`. */
static size_t quoted_at(const struct secrets *s, size_t from, struct str text)
{
    size_t longest = 0;
    for (size_t i = from; i < s->len && i < from + QUOTED_MOST; i++) {
        const struct secret_place *p = &s->items[i];
        const struct str secret = secrets_bare((struct str){s->source->text.p + p->first, p->end - p->first});
        if (secret.n >= QUOTED_LEAST && secret.n > longest && secret.n <= text.n && secret.p[0] == text.p[0] &&
            memcmp(secret.p, text.p, secret.n) == 0)
            longest = secret.n;
    }
    return longest;
}

void secrets_print_message(const struct secrets *s, uint32_t near, const char *message, struct buf *out)
{
    cleanup_buf struct buf plain = BUF_INIT(out->max);
    const bool all = s->len <= QUOTED_MOST;
    const size_t from = all ? 0 : first_behind(s, s->len, near > NEAR_BYTES ? near - NEAR_BYTES : 0);
    for (struct str rest = str_of(message); rest.n;) {
        const size_t n = quoted_at(s, from, rest);
        if (n)
            buf_puts(&plain, SECRET_HIDDEN);
        else
            buf_byte(&plain, (uint8_t)rest.p[0]);
        rest = (struct str){rest.p + (n ? n : 1), rest.n - (n ? n : 1)};
    }
    secret_hide(buf_slice(&plain), out);
}
