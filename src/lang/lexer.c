#include "lang/lexer.h"

#include "base/cleanup.h"
#include "lang/unicode.h"

enum { END = UINT32_MAX }; /* in place of a character at the end of the text */

static const char *const names[] = {
    [TOKEN_ILLEGAL] = "ILLEGAL", [TOKEN_EOF] = "EOF",
    [TOKEN_COMMENT] = "COMMENT", [TOKEN_IDENT] = "IDENT",
    [TOKEN_NUMBER] = "NUMBER",   [TOKEN_FLOAT] = "FLOAT",
    [TOKEN_STRING] = "STRING",   [TOKEN_BOOL] = "BOOL",
    [TOKEN_NULL] = "NULL",       [TOKEN_OR] = "||",
    [TOKEN_AND] = "&&",          [TOKEN_NOT] = "!",
    [TOKEN_NEQ] = "!=",          [TOKEN_ASSIGN] = "=",
    [TOKEN_EQ] = "==",           [TOKEN_LT] = "<",
    [TOKEN_LTE] = "<=",          [TOKEN_GT] = ">",
    [TOKEN_GTE] = ">=",          [TOKEN_ADD] = "+",
    [TOKEN_SUB] = "-",           [TOKEN_MUL] = "*",
    [TOKEN_DIV] = "/",           [TOKEN_MOD] = "%",
    [TOKEN_POW] = "^",           [TOKEN_LCURLY] = "{",
    [TOKEN_RCURLY] = "}",        [TOKEN_LPAREN] = "(",
    [TOKEN_RPAREN] = ")",        [TOKEN_LBRACK] = "[",
    [TOKEN_RBRACK] = "]",        [TOKEN_COMMA] = ",",
    [TOKEN_DOT] = ".",           [TOKEN_TERMINATOR] = "TERMINATOR",
};

const char *token_name(enum token_kind kind)
{
    return names[kind];
}

static struct str lexer_rest(const struct lexer *lx)
{
    return (struct str){lx->source->text.p + lx->at, lx->source->text.n - lx->at};
}

static void lexer_complain(struct lexer *lx, uint32_t offset, const char *what)
{
    diag_error(lx->diags, ((struct range){.first = source_pos(lx->source, offset)}), "%s", what);
}

/* The byte `ahead` of the next one; 0 beyond the end. Enough for everything but identifiers, as all syntax is ASCII. */
static char lexer_peek(const struct lexer *lx, uint32_t ahead)
{
    struct str s = lexer_rest(lx);
    return ahead < s.n ? s.p[ahead] : '\0';
}

/* Consumes one character, complaining about those that are wrong wherever they stand. */
static uint32_t lexer_take(struct lexer *lx)
{
    uint32_t rune;
    size_t n = utf8_decode(lexer_rest(lx), &rune);
    if (n == 0)
        return END;
    if (rune == 0)
        lexer_complain(lx, lx->at, "illegal character NUL");
    else if (rune == UNICODE_BAD && n == 1)
        lexer_complain(lx, lx->at, "illegal UTF-8 encoding");
    else if (rune == UNICODE_BOM && lx->at > 0)
        lexer_complain(lx, lx->at, "illegal byte order mark");
    lx->at += (uint32_t)n;
    return rune;
}

static uint32_t peek_rune(const struct lexer *lx)
{
    uint32_t rune;
    return utf8_decode(lexer_rest(lx), &rune) ? rune : END;
}

void lexer_init(struct lexer *lx, const struct source *source, struct diags *diags)
{
    *lx = (struct lexer){.source = source, .diags = diags};
    if (peek_rune(lx) == UNICODE_BOM)
        lexer_take(lx);
}

static bool lexer_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool starts_identifier(uint32_t rune)
{
    return rune != END && (rune == '_' || unicode_is_letter(rune));
}

static void lexer_skip_blanks(struct lexer *lx)
{
    for (;;) {
        char c = lexer_peek(lx, 0);
        if (c != ' ' && c != '\t' && c != '\r' && (c != '\n' || lx->pending))
            return;
        lx->at++;
    }
}

/* Whether the comments from here on take up the rest of the line, so that the statement ends before them. */
static bool comments_end_line(const struct lexer *lx)
{
    struct str s = lexer_rest(lx);
    for (size_t i = 0;;) {
        while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '\r'))
            i++;
        if (i >= s.n || s.p[i] == '\n')
            return true;
        if (s.p[i] != '/' || i + 1 >= s.n)
            return false;
        if (s.p[i + 1] == '/')
            return true;
        if (s.p[i + 1] != '*')
            return false;
        for (i += 2; i + 1 < s.n && !(s.p[i] == '*' && s.p[i + 1] == '/'); i++)
            if (s.p[i] == '\n')
                return true;
        i += 2; /* an unterminated one ends with the text */
    }
}

static void scan_comment(struct lexer *lx)
{
    uint32_t start = lx->at;
    bool block = lexer_peek(lx, 1) == '*';
    lx->at += 2;
    for (;;) {
        if (block && lexer_peek(lx, 0) == '*' && lexer_peek(lx, 1) == '/') {
            lx->at += 2;
            return;
        }
        if ((!block && lexer_peek(lx, 0) == '\n') || lexer_take(lx) == END)
            break;
    }
    if (block)
        lexer_complain(lx, start, "block comment not terminated");
}

static void scan_identifier(struct lexer *lx)
{
    for (uint32_t r = peek_rune(lx); starts_identifier(r) || (r != END && unicode_is_digit(r)); r = peek_rune(lx))
        lexer_take(lx);
}

static void skip_digits(struct lexer *lx)
{
    while (lexer_is_digit(lexer_peek(lx, 0)))
        lx->at++;
}

static enum token_kind scan_number(struct lexer *lx)
{
    uint32_t start = lx->at;
    enum token_kind kind = TOKEN_NUMBER;
    skip_digits(lx);
    if (lexer_peek(lx, 0) == '.') {
        kind = TOKEN_FLOAT;
        lx->at++;
        skip_digits(lx);
    }
    if (lexer_peek(lx, 0) == 'e' || lexer_peek(lx, 0) == 'E') {
        kind = TOKEN_FLOAT;
        lx->at++;
        if (lexer_peek(lx, 0) == '+' || lexer_peek(lx, 0) == '-')
            lx->at++;
        if (!lexer_is_digit(lexer_peek(lx, 0)))
            lexer_complain(lx, start, "exponent has no digits");
        skip_digits(lx);
    }
    return kind;
}

static unsigned digit_value(uint32_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

/* After the backslash. */
static void scan_escape(struct lexer *lx)
{
    uint32_t start = lx->at, c = peek_rune(lx), n, base, max;
    switch (c) {
    case 'a':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
    case 'v':
    case '\\':
    case '"':
        lx->at++;
        return;
    case '0' ... '7':
        n = 3, base = 8, max = 255;
        break;
    case 'x':
        lx->at++;
        n = 2, base = 16, max = 255;
        break;
    case 'u':
        lx->at++;
        n = 4, base = 16, max = UNICODE_MAX;
        break;
    case 'U':
        lx->at++;
        n = 8, base = 16, max = UNICODE_MAX;
        break;
    default:
        lexer_complain(lx, start, c == END ? "escape sequence not terminated" : "unknown escape sequence");
        return;
    }
    uint64_t value = 0;
    for (; n > 0; n--) {
        c = peek_rune(lx);
        unsigned digit = digit_value(c);
        if (digit >= base) {
            if (c == END)
                lexer_complain(lx, start, "escape sequence not terminated");
            else
                diag_error(lx->diags, ((struct range){.first = source_pos(lx->source, start)}),
                           "illegal character U+%04X '%.*s' in escape sequence", c,
                           (int)utf8_decode(lexer_rest(lx), &c), lexer_rest(lx).p);
            return;
        }
        value = value * base + digit;
        lx->at++;
    }
    if (value > max || (max == UNICODE_MAX && value >= 0xd800 && value <= 0xdfff))
        lexer_complain(lx, start, "escape sequence is invalid Unicode code point");
}

static void scan_string(struct lexer *lx)
{
    uint32_t start = lx->at++;
    for (;;) {
        char c = lexer_peek(lx, 0);
        if (c == '\n' || lx->at >= lx->source->text.n) {
            lexer_complain(lx, start, "string literal not terminated");
            return;
        }
        lexer_take(lx);
        if (c == '"')
            return;
        if (c == '\\')
            scan_escape(lx);
    }
}

static void scan_raw_string(struct lexer *lx)
{
    uint32_t start = lx->at++, c;
    do
        c = lexer_take(lx);
    while (c != '`' && c != END);
    if (c == END)
        lexer_complain(lx, start, "string literal not terminated");
}

/* Single quotes are no strings, but are read as one so that a single mistake gives a single error. */
static void scan_single_quoted(struct lexer *lx)
{
    uint32_t start = lx->at++;
    lexer_complain(lx, start, "illegal single-quoted string; use double quotes");
    for (;;) {
        char c = lexer_peek(lx, 0);
        if (c == '\n' || lx->at >= lx->source->text.n)
            return;
        lexer_take(lx);
        if (c == '\'')
            return;
        if (c == '\\' && lexer_peek(lx, 0) == '\'')
            lx->at++;
    }
}

static enum token_kind lexer_two_byte_operator(struct lexer *lx, char second, enum token_kind both, enum token_kind one)
{
    if (lexer_peek(lx, 0) != second)
        return one;
    lx->at++;
    return both;
}

static enum token_kind lexer_doubled(struct lexer *lx, char c, enum token_kind kind, const char *missing)
{
    if (lexer_peek(lx, 0) == c)
        lx->at++;
    else
        lexer_complain(lx, lx->at, missing);
    return kind;
}

static enum token_kind scan_illegal(struct lexer *lx)
{
    uint32_t start = lx->at, rune = lexer_take(lx);
    bool reported = rune == 0 || rune == UNICODE_BOM || (rune == UNICODE_BAD && lx->at - start == 1);
    if (reported)
        return TOKEN_ILLEGAL;
    struct range range = {.first = source_pos(lx->source, start)};
    if (unicode_is_print(rune))
        diag_error(lx->diags, range, "illegal character U+%04X '%.*s'", rune, (int)(lx->at - start),
                   lx->source->text.p + start);
    else
        diag_error(lx->diags, range, "illegal character U+%04X", rune);
    return TOKEN_ILLEGAL;
}

static enum token_kind scan_operator(struct lexer *lx)
{
    static const struct {
        char c;
        enum token_kind kind;
    } simple[] = {{'+', TOKEN_ADD},    {'-', TOKEN_SUB},    {'*', TOKEN_MUL},    {'/', TOKEN_DIV},
                  {'%', TOKEN_MOD},    {'^', TOKEN_POW},    {'{', TOKEN_LCURLY}, {'}', TOKEN_RCURLY},
                  {'(', TOKEN_LPAREN}, {')', TOKEN_RPAREN}, {'[', TOKEN_LBRACK}, {']', TOKEN_RBRACK},
                  {',', TOKEN_COMMA},  {'.', TOKEN_DOT}};
    char c = lexer_peek(lx, 0);
    for (size_t i = 0; i < ARRAY_LEN(simple); i++)
        if (simple[i].c == c) {
            lx->at++;
            return simple[i].kind;
        }
    static const char starts[] = "|&!=<>";
    if (!c || !strchr(starts, c))
        return scan_illegal(lx);
    lx->at++;
    switch (c) {
    case '|':
        return lexer_doubled(lx, '|', TOKEN_OR, "missing second | in ||");
    case '&':
        return lexer_doubled(lx, '&', TOKEN_AND, "missing second & in &&");
    case '!':
        return lexer_two_byte_operator(lx, '=', TOKEN_NEQ, TOKEN_NOT);
    case '=':
        return lexer_two_byte_operator(lx, '=', TOKEN_EQ, TOKEN_ASSIGN);
    case '<':
        return lexer_two_byte_operator(lx, '=', TOKEN_LTE, TOKEN_LT);
    default:
        return lexer_two_byte_operator(lx, '=', TOKEN_GTE, TOKEN_GT);
    }
}

static enum token_kind scan_token(struct lexer *lx)
{
    char c = lexer_peek(lx, 0);
    if (starts_identifier(peek_rune(lx))) {
        scan_identifier(lx);
        return TOKEN_IDENT;
    }
    if (lexer_is_digit(c) || (c == '.' && lexer_is_digit(lexer_peek(lx, 1))))
        return scan_number(lx);
    if (c == '"') {
        scan_string(lx);
        return TOKEN_STRING;
    }
    if (c == '`') {
        scan_raw_string(lx);
        return TOKEN_STRING;
    }
    return scan_operator(lx);
}

static enum token_kind lexer_keyword(struct str s)
{
    if (str_is(s, "true") || str_is(s, "false"))
        return TOKEN_BOOL;
    return str_is(s, "null") ? TOKEN_NULL : TOKEN_IDENT;
}

/* Whether an end of line after a token ends the statement; an illegal character changes nothing. */
static bool pending_after(enum token_kind kind, bool before)
{
    switch (kind) {
    case TOKEN_ILLEGAL:
        return before;
    case TOKEN_IDENT:
    case TOKEN_BOOL:
    case TOKEN_NULL:
    case TOKEN_NUMBER:
    case TOKEN_FLOAT:
    case TOKEN_STRING:
    case TOKEN_RPAREN:
    case TOKEN_RBRACK:
    case TOKEN_RCURLY:
        return true;
    default:
        return false;
    }
}

static struct token token_from(const struct lexer *lx, enum token_kind kind, uint32_t start)
{
    return (struct token){kind, start, {lx->source->text.p + start, lx->at - start}};
}

struct token lexer_next(struct lexer *lx)
{
    lexer_skip_blanks(lx);
    uint32_t start = lx->at;
    bool end = lx->at >= lx->source->text.n;
    bool comment = !end && lexer_peek(lx, 0) == '/' && (lexer_peek(lx, 1) == '/' || lexer_peek(lx, 1) == '*');
    if (lx->pending && (end || lexer_peek(lx, 0) == '\n' || (comment && comments_end_line(lx)))) {
        lx->pending = false;
        if (!end && !comment)
            lx->at++;
        return (struct token){TOKEN_TERMINATOR, start, {lx->source->text.p + start, 0}};
    }
    if (end)
        return token_from(lx, TOKEN_EOF, start);
    if (comment) {
        scan_comment(lx);
        lx->pending = false;
        return token_from(lx, TOKEN_COMMENT, start);
    }
    if (lexer_peek(lx, 0) == '\'') {
        scan_single_quoted(lx);
        lx->pending = true;
        return token_from(lx, TOKEN_ILLEGAL, start);
    }
    struct token t = token_from(lx, scan_token(lx), start);
    if (t.kind == TOKEN_IDENT)
        t.kind = lexer_keyword(t.text);
    lx->pending = pending_after(t.kind, lx->pending);
    return t;
}

bool lexer_is_identifier(struct str s)
{
    uint32_t rune;
    if (lexer_keyword(s) != TOKEN_IDENT || s.n == 0)
        return false;
    for (size_t i = 0, n; i < s.n; i += n) {
        n = utf8_decode((struct str){s.p + i, s.n - i}, &rune);
        if (!starts_identifier(rune) && (i == 0 || !unicode_is_digit(rune)))
            return false;
    }
    return true;
}
