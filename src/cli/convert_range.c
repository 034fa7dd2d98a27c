#include "cli/convert_range.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "cli/convert_chunks.h"
#include "cli/convert_time.h"
#include "jfr/chunk.h"
#include "lang/duration.h"

/* JFR is younger than 1971. */
static const int64_t EARLIEST_NS = 365 * 86400 * NS_PER_SEC;

/* From when to when all recordings go. */
struct time_span {
    int64_t start_ns, end_ns;
    bool known;
};

bool range_is_relative(const char *text)
{
    int64_t ns;
    return *text && strcmp(text, "0") != 0 && duration_parse(str_of(text), &ns, NULL) == 0;
}

static int range_order(const char *from, const char *to, const struct conversion_options *o, struct err *err)
{
    if (o->until_ns && o->until_ns <= o->from_ns)
        return err_set(err, -EINVAL, "--to=%s is not after --from=%s", to, from);
    return 0;
}

/* Seconds since 1970 that somebody meant otherwise. */
static int range_check_since_1970(const char *flag, const char *text, int64_t ns, struct err *err)
{
    if (!*text || ns <= 0 || ns >= EARLIEST_NS)
        return 0;
    return err_set(err, -EINVAL,
                   "--%s=%s is in 1970; expected a time such as 2026-01-31T12:00:00Z, or seconds since 1970", flag,
                   text);
}

int range_read(const char *from, const char *to, struct conversion_options *o, struct err *err)
{
    int code = range_is_relative(from) ? 0 : time_read("from", from, &o->from_ns, err);
    if (code == 0 && !range_is_relative(to))
        code = time_read("to", to, &o->until_ns, err);
    if (code == 0)
        code = range_order(from, to, o, err);
    if (code == 0)
        code = range_check_since_1970("from", from, o->from_ns, err);
    return code < 0 ? code : range_check_since_1970("to", to, o->until_ns, err);
}

int range_no_samples(const char *path, uint64_t chunks, const char *from, const char *to, struct err *err)
{
    return err_set(err, -ESRCH, "%s: no samples in %" PRIu64 " chunks%s%s%s%s", path, chunks, *from ? " from " : "",
                   from, *to ? " to " : "", to);
}

static void span_extend(struct time_span *s, const struct jfr_header *h)
{
    int64_t start, end;
    jfr_header_span(h, &start, &end);
    s->start_ns = s->known && s->start_ns < start ? s->start_ns : start;
    s->end_ns = s->known && s->end_ns > end ? s->end_ns : end;
    s->known = true;
}

/* What is damaged is reported when it is converted. */
static int span_read_file(struct time_span *s, const char *path, uint64_t inflated_max, struct err *err)
{
    struct chunks *c;
    struct str chunk;
    bool recording = false;
    int code = chunks_open(path, inflated_max, &c, err);
    if (code < 0)
        return code;
    int more = chunks_is_recording(c, &recording, NULL) == 0 && recording;
    while (more > 0 || more == -EBADMSG) {
        struct jfr_header h;
        struct err ignored;
        more = chunks_next(c, &chunk, &ignored);
        if (more > 0 && jfr_header_read(chunk.p, chunk.n, &h, NULL) == 0)
            span_extend(s, &h);
    }
    chunks_close(c);
    return 0;
}

static int span_read(struct time_span *s, const struct file_list *files, uint64_t inflated_max, const char *flag,
                     struct err *err)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < files->len; i++) {
        if (strcmp(files->items[i], "-") == 0)
            return err_set(err, -EINVAL, "%s is relative, and standard input can be read only once; use a file", flag);
        code = span_read_file(s, files->items[i], inflated_max, err);
        if (code < 0 && file_list_is_found(files, i)) /* left out later, and reported */
            code = 0;
    }
    if (code == 0 && !s->known)
        return err_set(err, -EINVAL, "%s is relative, and no input is a recording", flag);
    return code;
}

/* At least 1: 0 would be no limit. */
static int64_t span_at(const struct time_span *s, const char *text)
{
    int64_t offset = 0, at;
    (void)!duration_parse(str_of(text), &offset, NULL);
    const int64_t origin = text[0] == '-' ? s->end_ns : s->start_ns;
    if (__builtin_add_overflow(origin, offset, &at))
        at = offset < 0 ? 1 : INT64_MAX;
    return at > 0 ? at : 1;
}

int range_resolve(const struct file_list *files, uint64_t inflated_max, const char *from, const char *to,
                  struct conversion_options *o, struct err *err)
{
    const bool relative_from = range_is_relative(from), relative_to = range_is_relative(to);
    struct time_span s = {0};
    if (!relative_from && !relative_to)
        return 0;
    int code = span_read(&s, files, inflated_max, relative_from ? "--from" : "--to", err);
    if (code < 0)
        return code;
    if (relative_from)
        o->from_ns = span_at(&s, from);
    if (relative_to)
        o->until_ns = span_at(&s, to);
    return range_order(from, to, o, err);
}
