#include "pprof/names.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool all_of(struct str s, bool (*is)(char))
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is(s.p[i]))
            return false;
    }
    return s.n > 0;
}

static struct str from(struct str s, size_t i)
{
    return (struct str){s.p + i, s.n - i};
}

static bool take(struct str *s, const char *prefix)
{
    struct str p = str_of(prefix);
    if (!str_has_prefix(*s, p))
        return false;
    *s = from(*s, p.n);
    return true;
}

static size_t take_digits(struct str *s)
{
    size_t n = 0;
    while (n < s->n && is_digit(s->p[n]))
        n++;
    *s = from(*s, n);
    return n;
}

/* Last place before `end` where `part` is, or SIZE_MAX. */
static size_t find_last(struct str s, const char *part, size_t end)
{
    struct str p = str_of(part);
    for (;;) {
        const char *at = end ? memrchr(s.p, part[0], end) : NULL;
        if (!at)
            return SIZE_MAX;
        end = (size_t)(at - s.p);
        if (p.n <= s.n - end && memcmp(at, p.p, p.n) == 0)
            return end;
    }
}

/* What follows `$$Lambda`: digits, or `$14/0x00007f…`, `.0x0000000800c0c000`, `/1283928880`. */
static bool is_lambda_tail(struct str s)
{
    if (all_of(s, is_digit))
        return true;
    (void)take(&s, "$");
    (void)take_digits(&s);
    if (!take(&s, ".") && !take(&s, "/"))
        return false;
    (void)take(&s, "0x");
    return all_of(s, is_hex);
}

/* Length of what stays, 0 when this is none of it. */
static size_t generated_class(struct str s)
{
    static const char accessor[] = "jdk/internal/reflect/GeneratedMethodAccessor";
    struct str rest = s;
    if (take(&rest, accessor) && all_of(rest, is_digit))
        return sizeof accessor - 1;
    static const char lambda[] = "$$Lambda", spring[] = "$$EnhancerBySpringCGLIB$$";
    for (size_t i = find_last(s, lambda, s.n); i != SIZE_MAX; i = find_last(s, lambda, i)) {
        if (i > 0 && is_lambda_tail(from(s, i + sizeof lambda - 1)))
            return i + sizeof lambda - 1;
    }
    for (size_t i = find_last(s, spring, s.n); i != SIZE_MAX; i = find_last(s, spring, i)) {
        if (i > 0 && i + sizeof spring - 1 < s.n)
            return i + sizeof spring - 1;
    }
    return 0;
}

static bool is_zstd(struct str s)
{
    if (!take(&s, "libzstd-jni-"))
        return false;
    for (int i = 0; i < 3; i++) {
        if (take_digits(&s) == 0 || !take(&s, i < 2 ? "." : "-"))
            return false;
    }
    return all_of(s, is_digit);
}

static bool is_corretto(struct str s)
{
    enum { HEX = 16 };
    (void)take(&s, "lib");
    if (!take(&s, "amazonCorrettoCryptoProvider"))
        return false;
    (void)take(&s, "NativeLibraries.");
    if (s.n < HEX || !all_of((struct str){s.p, HEX}, is_hex))
        return false;
    s = from(s, HEX);
    return s.n == 0 || str_is(s, "/libcrypto") || str_is(s, "/libamazonCorrettoCryptoProvider");
}

/* The one build that pyroscope's Java agent unpacked under a name of its own. */
static bool is_bundled_profiler(struct str s)
{
    static const char *const platforms[] = {"linux-arm64", "linux-musl-x64", "linux-x64", "macos"};
    if (!take(&s, "libasyncProfiler-"))
        return false;
    for (size_t i = 0; i < sizeof platforms / sizeof *platforms; i++) {
        if (take(&s, platforms[i]))
            return str_is(s, "-17b9a1d8156277a98ccc871afa9a8f69215f92");
    }
    return false;
}

static const char *unpacked_library(struct str s)
{
    if (str_has_suffix(s, STR(" (deleted)")))
        s.n -= sizeof " (deleted)" - 1;
    if (!str_has_suffix(s, STR(".so")))
        return NULL;
    s.n -= sizeof ".so" - 1;
    if (!take(&s, "./tmp/"))
        (void)take(&s, "/tmp/");
    if (is_zstd(s))
        return "libzstd-jni-_.so";
    if (is_corretto(s))
        return "libamazonCorrettoCryptoProvider_.so";
    return is_bundled_profiler(s) ? "libasyncProfiler-_.so" : NULL;
}

struct stable_name stable_name(struct str symbol)
{
    size_t keep = generated_class(symbol);
    if (keep)
        return (struct stable_name){{symbol.p, keep}, "_"};
    const char *library = unpacked_library(symbol);
    return (struct stable_name){library ? str_of(library) : symbol, ""};
}
