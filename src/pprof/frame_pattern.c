#include "pprof/frame_pattern.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

struct frame_pattern {
    struct str glob; /* borrowed; unless it is a regular expression */
    bool is_regex;
    regex_t regex;
};

bool frame_pattern_glob(struct str pattern, struct str name)
{
    bool open_start = pattern.n && pattern.p[0] == '*';
    if (open_start)
        pattern = (struct str){pattern.p + 1, pattern.n - 1};
    const bool open_end = pattern.n && pattern.p[pattern.n - 1] == '*';
    pattern.n -= open_end;
    if (pattern.n == 0)
        return open_start || open_end || name.n == 0;
    if (open_start && open_end)
        return name.n && memmem(name.p, name.n, pattern.p, pattern.n);
    return open_start ? str_has_suffix(name, pattern)
           : open_end ? str_has_prefix(name, pattern)
                      : str_eq(name, pattern);
}

int frame_patterns_add(struct frame_patterns *p, const char *text, struct err *err)
{
    const size_t n = strlen(text);
    struct frame_pattern pattern = {.glob = str_of(text), .is_regex = n > 2 && text[0] == '/' && text[n - 1] == '/'};
    if (pattern.is_regex) {
        cleanup_free char *inner = str_dup((struct str){text + 1, n - 2});
        const int code = regcomp(&pattern.regex, inner, REG_EXTENDED | REG_NOSUB);
        if (code != 0) {
            char why[128];
            (void)regerror(code, &pattern.regex, why, sizeof why);
            return err_set(err, -EINVAL, "\"%s\" is not a regular expression: %s", text, why);
        }
    }
    xgrow(&p->items, &p->cap, p->len + 1, sizeof *p->items);
    p->items[p->len++] = pattern;
    return 0;
}

static bool frame_pattern_matches(const struct frame_pattern *p, struct str name)
{
    if (!p->is_regex)
        return frame_pattern_glob(p->glob, name);
    regmatch_t range = {.rm_so = 0, .rm_eo = (regoff_t)name.n};
    return regexec(&p->regex, name.p ? name.p : "", 1, &range, REG_STARTEND) == 0;
}

static bool frame_patterns_any(const struct frame_patterns *p, struct str name)
{
    for (size_t i = 0; i < p->len; i++) {
        if (frame_pattern_matches(&p->items[i], name))
            return true;
    }
    return false;
}

bool frame_patterns_match(const struct frame_patterns *p, struct str name)
{
    if (frame_patterns_any(p, name))
        return true;
    if (p->len == 0 || name.n == 0 || !memchr(name.p, '/', name.n))
        return false;
    cleanup_free char *dotted = str_dup(name);
    for (size_t i = 0; i < name.n; i++)
        dotted[i] = dotted[i] == '/' ? '.' : dotted[i];
    return frame_patterns_any(p, (struct str){dotted, name.n});
}

void frame_patterns_done(struct frame_patterns *p)
{
    for (size_t i = 0; i < p->len; i++) {
        if (p->items[i].is_regex)
            regfree(&p->items[i].regex);
    }
    free(p->items);
    *p = (struct frame_patterns){0};
}
