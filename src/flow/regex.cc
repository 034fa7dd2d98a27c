// The only C++ file: RE2 behind a C interface.
extern "C" {
#include "flow/regex.h"

#include "flow/text.h"
}

#include <errno.h>

#include <string>
#include <unordered_map>

#include <re2/re2.h>

namespace
{
// Shared by the program and both automata of an expression; on exhaustion RE2 starts its automaton afresh.
constexpr int64_t max_memory = 1 << 20;
// Matches everything; not worth an automaton, and the default of every rule.
constexpr const char *anything = "(.*)";

RE2::Options options()
{
    RE2::Options o;
    o.set_max_mem(max_memory);
    o.set_log_errors(false);
    return o;
}

re2::StringPiece piece(struct str s)
{
    return re2::StringPiece(s.p ? s.p : "", s.n);
}
} // namespace

struct regex {
    unsigned refs = 1;
    std::string pattern;
    bool matches_all;
    RE2 re;

    explicit regex(const std::string &p) : pattern(p), matches_all(p == anything), re("^(?s:" + p + ")$", options())
    {
    }
};

namespace
{
// All that live, by pattern: rules are decoded again at every change and are the same nearly always.
std::unordered_map<std::string, struct regex *> &living()
{
    static auto *all = new std::unordered_map<std::string, struct regex *>;
    return *all;
}
} // namespace

extern "C" {

int regex_new(struct str pattern, struct regex **ret, struct err *err)
{
    if (pattern.n > REGEX_PATTERN_MAX)
        return err_set(err, -E2BIG, "error parsing regexp: longer than %d bytes", REGEX_PATTERN_MAX);
    const std::string text(pattern.p ? pattern.p : "", pattern.n);
    const auto known = living().find(text);
    if (known != living().end()) {
        *ret = known->second;
        known->second->refs++;
        return 0;
    }
    struct regex *re = new regex(text);
    int code = 0;
    if (!re->re.ok())
        code = err_set(err, -EINVAL, "error parsing regexp: %s", re->re.error().c_str());
    else if (re->re.NumberOfCapturingGroups() >= REGEX_GROUPS_MAX)
        code = err_set(err, -E2BIG, "error parsing regexp: more than %d groups", REGEX_GROUPS_MAX - 1);
    if (code < 0) {
        delete re;
        return code;
    }
    living().emplace(text, re);
    *ret = re;
    return 0;
}

void regex_unref(struct regex *re)
{
    if (!re || --re->refs)
        return;
    living().erase(re->pattern);
    delete re;
}

struct str regex_pattern(const struct regex *re)
{
    return {re->pattern.c_str(), re->pattern.size()};
}

bool regex_equal(const struct regex *a, const struct regex *b)
{
    return a == b || (a && b && a->pattern == b->pattern);
}

bool regex_matches(const struct regex *re, struct str text, struct regex_match *match)
{
    if (re->matches_all && str_is_utf8(text)) {
        if (match) {
            match->groups[0] = match->groups[1] = {text.p ? text.p : "", text.n};
            match->len = 2;
        }
        return true;
    }
    const int n = match ? re->re.NumberOfCapturingGroups() + 1 : 0;
    re2::StringPiece groups[REGEX_GROUPS_MAX];
    if (!re->re.Match(piece(text), 0, text.n, RE2::ANCHOR_BOTH, groups, n))
        return false;
    if (match) {
        match->len = static_cast<size_t>(n);
        for (int i = 0; i < n; i++)
            match->groups[i] = {groups[i].data(), groups[i].size()};
    }
    return true;
}

// The group a name stands for, or -1: digits without a leading zero are its number.
static int regex_group_of(const struct regex *re, struct str name)
{
    const bool has_leading_zero = name.p[0] == '0' && name.n > 1;
    uint64_t number;
    if (!has_leading_zero && str_to_u64(name, &number))
        return number < REGEX_GROUPS_MAX ? static_cast<int>(number) : -1;
    const auto &names = re->re.NamedCapturingGroups();
    const auto found = names.find(std::string(name.p, name.n));
    return found == names.end() ? -1 : found->second;
}

static size_t regex_word_length(struct str s)
{
    size_t at = 0, size;
    while (at < s.n && text_is_word(text_rune({s.p + at, s.n - at}, &size)))
        at += size;
    return at;
}

// Reads the name after a `$`; 0: there is none. Otherwise how many bytes it takes, braces included.
static size_t regex_reference(struct str s, struct str *name)
{
    const bool braced = s.n > 0 && s.p[0] == '{';
    const size_t start = braced ? 1 : 0;
    const size_t n = regex_word_length({s.p + start, s.n - start});
    if (n == 0 || (braced && (start + n >= s.n || s.p[start + n] != '}')))
        return 0;
    *name = {s.p + start, n};
    return braced ? n + 2 : n;
}

void regex_expand(const struct regex *re, const struct regex_match *match, struct str replacement, struct buf *out)
{
    for (size_t at = 0; at < replacement.n;) {
        const struct str rest = {replacement.p + at, replacement.n - at};
        const char *dollar = static_cast<const char *>(memchr(rest.p, '$', rest.n));
        const size_t plain = dollar ? static_cast<size_t>(dollar - rest.p) : rest.n;
        buf_append(out, rest.p, plain);
        at += plain;
        if (!dollar)
            return;
        const struct str after = {dollar + 1, rest.n - plain - 1};
        struct str name;
        const size_t taken = regex_reference(after, &name);
        at += 1 + taken;
        if (taken > 0) {
            const int group = regex_group_of(re, name);
            if (group >= 0 && static_cast<size_t>(group) < match->len)
                buf_str(out, match->groups[group]);
            continue;
        }
        buf_byte(out, '$');
        if (after.n > 0 && after.p[0] == '$')
            at++;
    }
}

} // extern "C"
