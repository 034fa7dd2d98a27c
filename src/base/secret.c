#include "base/secret.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

/* --- names --- */

static bool secret_same(struct str s, const char *word)
{
    return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

static bool ends_in(struct str s, const char *word)
{
    const size_t n = strlen(word);
    return s.n >= n && strncasecmp(s.p + s.n - n, word, n) == 0;
}

static char secret_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static bool secret_begins(struct str s, const char *part)
{
    const size_t n = strlen(part);
    return s.n >= n && strncasecmp(s.p, part, n) == 0;
}

/* Of parts in lower case. Labels of thousands of targets come by here, so letters are looked at before words. */
static bool contains_any(struct str s, const char *const *parts, size_t count)
{
    for (size_t i = 0; i < s.n; i++) {
        const char c = secret_lower(s.p[i]);
        for (size_t k = 0; k < count; k++) {
            if (parts[k][0] == c && secret_begins((struct str){s.p + i, s.n - i}, parts[k]))
                return true;
        }
    }
    return false;
}

/* Where `part`, in lower case, begins in any case; s.n where it does not. */
static size_t secret_place_of(struct str s, const char *part)
{
    const size_t n = strlen(part);
    for (size_t i = 0; i + n <= s.n; i++) {
        if (secret_lower(s.p[i]) == part[0] && strncasecmp(s.p + i, part, n) == 0)
            return i;
    }
    return s.n;
}

static bool secret_contains(struct str s, const char *part)
{
    return secret_place_of(s, part) < s.n;
}

/* "author" is no "auth", "authorization" is. */
static bool speaks_of_auth(struct str name)
{
    const size_t at = secret_place_of(name, "auth");
    const struct str rest = {name.p + at, name.n - at};
    return at < name.n && (!secret_contains(rest, "author") || secret_contains(rest, "authori"));
}

static bool is_word_byte(char c)
{
    return isalnum((unsigned char)c) != 0;
}

/* Short words are secrets only by themselves: ENCRYPTION_KEY, but not KEYBOARD. A mere "key" is one of a map. */
static bool has_secret_word(struct str name)
{
    static const char *const words[] = {"key", "keys", "pat", "jwt",  "cred", "creds",
                                        "otp", "pw",   "psk", "salt", "pass"};
    for (size_t i = 0; i < name.n;) {
        size_t end = i;
        while (end < name.n && is_word_byte(name.p[end]))
            end++;
        for (size_t k = 0; k < ARRAY_LEN(words); k++) {
            if (secret_same((struct str){name.p + i, end - i}, words[k]) && !secret_same(name, "key") &&
                !secret_same(name, "keys"))
                return true;
        }
        i = end + 1;
    }
    return false;
}

bool secret_name(struct str name)
{
    static const char *const parts[] = {
        "passw",   "passphrase", "passwd", "secret",    "token",   "credential",        "cookie",
        "private", "keypem",     "apikey", "accesskey", "session", "connection_string", "dsn",
        "bearer",  "signature",  "pwd",    "license",   "webhook"};
    /* Names of files, kinds and switches that only sound so. */
    if (ends_in(name, "file") || ends_in(name, "path") || ends_in(name, "type") || secret_same(name, "token_url") ||
        secret_same(name, "authenticate") || secret_place_of(name, "authenticate_matching") == 0)
        return false;
    if (contains_any(name, parts, ARRAY_LEN(parts)))
        return true;
    /* Half of a pair of credentials, as in a URL. */
    return secret_same(name, "username") ||
           (ends_in(name, "pass") && !ends_in(name, "compass") && !ends_in(name, "bypass")) || speaks_of_auth(name) ||
           has_secret_word(name);
}

bool secret_is_headers(struct str name)
{
    return ends_in(name, "header") || ends_in(name, "headers") || secret_same(name, "endpoint_params");
}

bool secret_header(struct str name)
{
    static const char *const harmless[] = {"X-Scope-OrgID",
                                           "Accept",
                                           "Accept-Charset",
                                           "Accept-Encoding",
                                           "Accept-Language",
                                           "Cache-Control",
                                           "Connection",
                                           "Content-Encoding",
                                           "Content-Length",
                                           "Content-Type",
                                           "Date",
                                           "Expect",
                                           "Host",
                                           "Transfer-Encoding",
                                           "User-Agent",
                                           "Via",
                                           "X-Request-ID",
                                           "Connect-Protocol-Version",
                                           "Connect-Timeout-Ms"};
    for (size_t i = 0; i < ARRAY_LEN(harmless); i++) {
        if (secret_same(name, harmless[i]))
            return false;
    }
    return true;
}

/* --- known values --- */

enum {
    KNOWN_LEAST = 8,      /* shorter ones stand in texts by chance */
    KNOWN_LARGEST = 1024, /* nobody quotes a whole key */
    KNOWN_MOST = 256,
};

extern char **environ;
static struct str known[KNOWN_MOST];
static size_t known_count, known_fixed, known_oldest; /* fixed: of the environment, in front */
static bool known_begins[256];                        /* by their first bytes */
static pthread_rwlock_t known_lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t known_once = PTHREAD_ONCE_INIT;

static bool is_known(struct str value)
{
    for (size_t i = 0; i < known_count; i++) {
        if (str_eq(known[i], value))
            return true;
    }
    return false;
}

/* In place of the oldest one where there are too many. */
static void secret_remember(struct str value)
{
    size_t at = known_count;
    if (is_known(value) || known_fixed == KNOWN_MOST)
        return;
    if (known_count < KNOWN_MOST) {
        known_count++;
    } else {
        at = known_fixed + known_oldest++ % (KNOWN_MOST - known_fixed);
        explicit_bzero((char *)(uintptr_t)known[at].p, known[at].n);
        free((char *)(uintptr_t)known[at].p);
    }
    known[at] = (struct str){str_dup(value), value.n};
    known_begins[(unsigned char)value.p[0]] = true;
}

/* Paths are told by many programs under such names (SSH_AUTH_SOCK, PWD), and desktops speak of sessions. */
static void learn_environment(void)
{
    for (char **e = environ; e && *e; e++) {
        const char *equals = strchr(*e, '=');
        const struct str name = {*e, equals ? (size_t)(equals - *e) : 0}, value = str_of(equals ? equals + 1 : "");
        if (value.n >= KNOWN_LEAST && value.n <= KNOWN_LARGEST && value.p[0] != '/' &&
            !secret_contains(name, "session") && secret_name(name))
            secret_remember(value);
    }
    known_fixed = known_count;
}

/* Words of prose are in lower case throughout, or but for the first letter. */
static bool looks_coded(struct str s, size_t least)
{
    for (size_t i = 1; i < s.n && s.n >= least; i++) {
        if (!islower((unsigned char)s.p[i]))
            return true;
    }
    return false;
}

void secret_learn(struct str value)
{
    struct str rest = value, word;
    pthread_once(&known_once, learn_environment);
    if (value.n > KNOWN_LARGEST)
        return;
    pthread_rwlock_wrlock(&known_lock);
    while (str_split(&rest, ' ', &word)) {
        if (looks_coded(word, KNOWN_LEAST))
            secret_remember(word);
    }
    pthread_rwlock_unlock(&known_lock);
}

/* The longest known value at `p`. */
static size_t known_at(const char *p, size_t n)
{
    size_t longest = 0;
    for (size_t i = 0; known_begins[(unsigned char)*p] && i < known_count; i++) {
        if (known[i].n <= n && known[i].n > longest && memcmp(p, known[i].p, known[i].n) == 0)
            longest = known[i].n;
    }
    return longest;
}

/* --- forms --- */

struct secret_part {
    size_t first, end; /* the same: nothing */
};

/* Where the user information of a URL ends whose "://" is at `at`. RFC 3986 §3.2. */
static struct secret_part user_information(struct str text, size_t at)
{
    const size_t first = at + 3;
    size_t end = first;
    for (size_t i = first; i < text.n && !strchr("/?#\"'` \t\r\n<>", text.p[i]); i++) {
        if (text.p[i] == '@')
            end = i;
    }
    /* "x://@" has an empty one, which is shown to be none. */
    return (struct secret_part){first, end};
}

static bool secret_is_name_byte(char c)
{
    return is_word_byte(c) || c == '_' || c == '-' || c == '.';
}

static struct str name_before(struct str text, size_t end)
{
    size_t first = end;
    while (first > 0 && secret_is_name_byte(text.p[first - 1]))
        first--;
    return (struct str){text.p + first, end - first};
}

static size_t secret_skip_blanks(struct str text, size_t at)
{
    while (at < text.n && (text.p[at] == ' ' || text.p[at] == '\t'))
        at++;
    return at;
}

static size_t before_blanks(struct str text, size_t at)
{
    while (at > 0 && (text.p[at - 1] == ' ' || text.p[at - 1] == '\t'))
        at--;
    return at;
}

/* The length of a quote at `at`: one byte, or two where it is escaped in a text within a text. */
static size_t quote_at(struct str text, size_t at)
{
    if (at < text.n && strchr("\"'`", text.p[at]) && text.p[at])
        return 1;
    return at + 1 < text.n && text.p[at] == '\\' && text.p[at + 1] == '"' ? 2 : 0;
}

/* A value up to the quote that ends it, or the end of the line where that is missing; without quotes up to what cannot
 * be part of one. */
static struct secret_part value_at(struct str text, size_t at, const char *ends)
{
    const size_t quote = quote_at(text, at);
    const char opened = quote ? text.p[at + quote - 1] : '\0';
    const size_t first = at + quote;
    size_t end = first;
    for (; end < text.n; end++) {
        if (opened != '`' && text.p[end] == '\n')
            break;
        if (quote ? text.p[end] == opened : text.p[end] == '\0' || strchr(ends, text.p[end]) != NULL)
            break;
        if (quote == 1 && text.p[end] == '\\' && end + 1 < text.n)
            end++;
    }
    if (end > text.n)
        end = text.n;
    if (quote == 2 && end > first && end < text.n && text.p[end - 1] == '\\')
        end--;
    return (struct secret_part){first, end};
}

static struct secret_part plain_value(struct str text, size_t at)
{
    return value_at(text, at, " \t\r\n\"'`,;&)]}<>");
}

/* https://api.example/x?key=value: there, what is called so is one. */
static bool is_query_key(struct str text, struct str name)
{
    const bool in_query = name.p > text.p && (name.p[-1] == '?' || name.p[-1] == '&');
    return in_query && (secret_same(name, "key") || secret_same(name, "sig") || secret_same(name, "code"));
}

/* NAME=value, NAME = "value". Comparisons ("==", "=~", "!=") are none. */
static struct secret_part value_after_equals(struct str text, size_t at)
{
    if (at + 1 < text.n && strchr("=~", text.p[at + 1]) && text.p[at + 1])
        return (struct secret_part){0};
    size_t end = before_blanks(text, at);
    if (end > 0 && quote_at(text, end - 1) == 1)
        end--;
    const struct str name = name_before(text, end);
    if (!secret_name(name) && !is_query_key(text, name))
        return (struct secret_part){0};
    return plain_value(text, secret_skip_blanks(text, at + 1));
}

/* In prose a colon stands behind any word, so without quotes only names of headers count: those with a dash, and the
 * well-known. */
static bool is_header_name(struct str name)
{
    static const char *const names[] = {"Authorization", "Cookie"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (secret_same(name, names[i]))
            return true;
    }
    return memchr(name.p, '-', name.n) != NULL;
}

/* "NAME": "value", NAME: 'value', Header-Name: value. */
static struct secret_part value_after_colon(struct str text, size_t at)
{
    size_t end = at;
    if (end > 0 && quote_at(text, end - 1) == 1) {
        end--;
        end -= end > 0 && text.p[end - 1] == '\\';
    }
    const struct str name = name_before(text, end);
    const size_t from = secret_skip_blanks(text, at + 1);
    if (!name.n || !secret_name(name) || (!quote_at(text, from) && !is_header_name(name)))
        return (struct secret_part){0};
    return value_at(text, from, "\r\n\"'`");
}

/* --password value, -storepass value */
static struct secret_part value_after_flag(struct str text, size_t at)
{
    enum { LEAST = 4 };
    const struct str name = name_before(text, at);
    if (name.n < LEAST || name.p[0] != '-' || !secret_name(name))
        return (struct secret_part){0};
    const size_t from = secret_skip_blanks(text, at);
    return from < text.n && text.p[from] != '-' ? plain_value(text, from) : (struct secret_part){0};
}

/* RFC 9110 §11.4: scheme, blanks, token68. `at` is the blank. */
static struct secret_part value_after_scheme(struct str text, size_t at)
{
    static const char *const schemes[] = {"Bearer", "Basic", "Digest", "Negotiate"};
    const struct str name = name_before(text, at);
    bool is_scheme = false;
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        is_scheme |= secret_same(name, schemes[i]);
    if (!is_scheme)
        return (struct secret_part){0};
    enum { LEAST = 6 };
    const struct secret_part p = plain_value(text, secret_skip_blanks(text, at));
    return looks_coded((struct str){text.p + p.first, p.end - p.first}, LEAST) ? p : (struct secret_part){0};
}

static struct secret_part piece_at(struct str text, size_t at)
{
    const size_t n = known_at(text.p + at, text.n - at);
    if (n)
        return (struct secret_part){at, at + n};
    switch (text.p[at]) {
    case ':':
        if (text.n - at >= 3 && memcmp(text.p + at, "://", 3) == 0)
            return user_information(text, at);
        return value_after_colon(text, at);
    case '=':
        return value_after_equals(text, at);
    case ' ': {
        const struct secret_part flag = value_after_flag(text, at);
        return flag.end > flag.first ? flag : value_after_scheme(text, at);
    }
    default:
        return (struct secret_part){0};
    }
}

/* Also without the bracket that ends it, which may end a value, too. */
static bool is_hidden_already(struct str s)
{
    return s.n + 1 >= sizeof SECRET_HIDDEN - 1 && s.n <= sizeof SECRET_HIDDEN - 1 &&
           memcmp(s.p, SECRET_HIDDEN, s.n) == 0;
}

bool secret_find(struct str text, size_t at, size_t *ret_first, size_t *ret_end)
{
    struct secret_part p = {0};
    bool found = false;
    pthread_once(&known_once, learn_environment);
    pthread_rwlock_rdlock(&known_lock);
    for (; at < text.n && !found; at++) {
        p = piece_at(text, at);
        found = p.end > p.first && !is_hidden_already((struct str){text.p + p.first, p.end - p.first});
    }
    pthread_rwlock_unlock(&known_lock);
    if (found) {
        *ret_first = p.first;
        *ret_end = p.end;
    }
    return found;
}

void secret_hide(struct str text, struct buf *out)
{
    size_t written = 0, first, end;
    while (secret_find(text, written, &first, &end)) {
        buf_append(out, text.p + written, first - written);
        buf_puts(out, SECRET_HIDDEN);
        written = end;
    }
    if (written < text.n) /* an empty text may be NULL, to which nothing can be added */
        buf_append(out, text.p + written, text.n - written);
}

bool secret_equal(struct str sent, struct str wanted)
{
    size_t difference = sent.n ^ wanted.n;
    for (size_t i = 0; i < sent.n; i++)
        difference |= (unsigned char)(sent.p[i] ^ wanted.p[i % wanted.n]);
    return difference == 0;
}
