#include "lang/source.h"

#include <errno.h>

#include "base/mem.h"

int source_new(const char *name, struct str text, struct source **ret, struct err *err)
{
    if (text.n > SOURCE_MAX)
        return err_set(err, -EFBIG, "the file has %zu bytes, more than the %d a configuration may have", text.n,
                       SOURCE_MAX);
    size_t count = 1;
    for (size_t i = 0; i < text.n; i++)
        count += text.p[i] == '\n';
    struct source *s = xcalloc(1, sizeof *s);
    s->name = xstrdup(name);
    s->text = (struct str){str_dup(text), text.n};
    s->lines = xcalloc(count, sizeof *s->lines);
    s->line_count = 1;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '\n')
            s->lines[s->line_count++] = (uint32_t)i + 1;
    s->refs = 1;
    *ret = s;
    return 0;
}

int source_check_encoding(struct str text, struct err *err)
{
    /* The longer marks first: that of UTF-32LE starts with that of UTF-16LE. */
    static const struct {
        struct str mark;
        const char *name;
    } marks[] = {
        {{"\xff\xfe\x00\x00", 4}, "UTF-32LE"},
        {{"\x00\x00\xfe\xff", 4}, "UTF-32BE"},
        {{"\xff\xfe", 2}, "UTF-16LE"},
        {{"\xfe\xff", 2}, "UTF-16BE"},
    };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (str_has_prefix(text, marks[i].mark))
            return err_set(err, -EILSEQ, "configuration is encoded with %s but must be utf8", marks[i].name);
    return str_is_utf8(text) ? 0 : err_set(err, -EILSEQ, "unknown encoding for config");
}

struct source *source_ref(struct source *s)
{
    s->refs++;
    return s;
}

void source_unref(struct source *s)
{
    if (!s || --s->refs)
        return;
    free(s->name);
    free((char *)s->text.p);
    free(s->lines);
    free(s);
}

struct pos source_pos(const struct source *s, size_t offset)
{
    size_t low = 0, high = s->line_count;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (s->lines[mid] <= offset)
            low = mid;
        else
            high = mid;
    }
    return (struct pos){.source = s,
                        .offset = (unsigned)offset,
                        .line = (unsigned)low + 1,
                        .column = (unsigned)(offset - s->lines[low]) + 1};
}

struct range source_range(const struct source *s, size_t first, size_t last)
{
    return (struct range){source_pos(s, first), source_pos(s, last)};
}

struct str source_line(const struct source *s, unsigned line)
{
    if (line < 1 || line > s->line_count)
        return (struct str){NULL, 0};
    size_t first = s->lines[line - 1];
    size_t end = line < s->line_count ? s->lines[line] - 1 : s->text.n;
    return (struct str){s->text.p + first, end - first};
}
