#include "pprof/collapsed.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"

struct collapsed_reader {
    struct profile *p;
    uint32_t *frames; /* of the line at hand, root first, then turned round */
    size_t cap;
    struct buf name; /* scratch */
};

/* "a;b;c 12" -> "a;b;c" and 12. Names may have spaces. */
static bool collapsed_split(struct str line, struct str *stack, int64_t *value)
{
    const char *const space = line.n ? memrchr(line.p, ' ', line.n) : NULL;
    if (!space || memchr(line.p, '\0', line.n))
        return false;
    *stack = (struct str){line.p, (size_t)(space - line.p)};
    return str_to_i64((struct str){space + 1, line.n - stack->n - 1}, value);
}

static uint32_t collapsed_frame(struct symbols *s, struct str name)
{
    const struct pprof_function f = {.name = symbols_string(s, name)};
    return symbols_location(s, (struct pprof_location){.function = symbols_function(s, f)});
}

static int collapsed_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "a\x3bb" -> "a;b". */
static struct str collapsed_plain(struct collapsed_reader *r, struct str name)
{
    enum { SPELT = 4 }; /* "\x3b" */
    if (!name.n || !memmem(name.p, name.n, "\\x", 2))
        return name;
    buf_reset(&r->name);
    for (size_t i = 0; i < name.n;) {
        const bool spelt = name.n - i >= SPELT && name.p[i] == '\\' && name.p[i + 1] == 'x' &&
                           collapsed_hex(name.p[i + 2]) >= 0 && collapsed_hex(name.p[i + 3]) >= 0;
        buf_byte(&r->name, (uint8_t)(spelt ? collapsed_hex(name.p[i + 2]) << 4 | collapsed_hex(name.p[i + 3])
                                           : (unsigned char)name.p[i]));
        i += spelt ? SPELT : 1;
    }
    return buf_slice(&r->name);
}

static bool collapsed_add(struct collapsed_reader *r, struct str stack, int64_t value)
{
    struct symbols *s = r->p->symbols;
    struct str name;
    size_t n = 0;
    while (str_split(&stack, ';', &name)) {
        xgrow(&r->frames, &r->cap, n + 1, sizeof *r->frames);
        r->frames[n] = collapsed_frame(s, collapsed_plain(r, name));
        if (r->frames[n++] == SYMBOLS_FULL)
            return false;
    }
    for (size_t i = 0; i < n / 2; i++) {
        const uint32_t other = r->frames[n - 1 - i];
        r->frames[n - 1 - i] = r->frames[i];
        r->frames[i] = other;
    }
    return profile_add(r->p, symbols_stack(s, r->frames, n), 0, &value);
}

static int collapsed_read(struct collapsed_reader *r, struct str text, struct err *err)
{
    struct str line, stack;
    int64_t value;
    if (!profile_add_type(r->p, STR("samples"), STR("count")))
        return err_set(err, -E2BIG, "the profile has too many names");
    for (size_t number = 1; str_split(&text, '\n', &line); number++) {
        line = str_trim(line);
        if (line.n == 0 || line.p[0] == '#')
            continue;
        if (!collapsed_split(line, &stack, &value))
            return err_set(err, -EBADMSG, "line %zu: expected frames and a number", number);
        if (!collapsed_add(r, stack, value))
            return err_set(err, -E2BIG, "the profile has too many names and stacks");
    }
    return r->p->sample_count ? 0 : err_set(err, -EBADMSG, "no stack in it");
}

int collapsed_decode(struct str text, struct symbols *symbols, struct profile *ret, struct err *err)
{
    cleanup_profile struct profile p;
    profile_init(&p, symbols);
    struct collapsed_reader r = {.p = &p, .name = BUF_INIT(text.n + 1)};
    const int code = collapsed_read(&r, text, err);
    free(r.frames);
    buf_done(&r.name);
    if (code < 0)
        return code;
    *ret = p;
    p = (struct profile){0};
    return 0;
}
