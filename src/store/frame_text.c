#include "store/frame_text.h"

#include <string.h>

void frame_text_put_parts(const struct frame_text *t, struct buf *out)
{
    buf_str(out, t->name.n ? t->name : STR("(unknown)"));
    buf_byte(out, '\0');
    buf_str(out, t->system_name);
    buf_byte(out, '\0');
    buf_str(out, t->filename);
    buf_byte(out, '\0');
    buf_append(out, &t->start_line, sizeof t->start_line);
    buf_append(out, &t->line, sizeof t->line);
}

void frame_text_put(const struct symbols *symbols, uint32_t location, struct buf *out)
{
    const struct pprof_location l = symbols->locations[location];
    const struct pprof_function *f = &symbols->functions[l.function];
    const struct str *text = symbols->strings;
    frame_text_put_parts(
        &(struct frame_text){text[f->name], text[f->system_name], text[f->filename], f->start_line, l.line}, out);
}

static struct str frame_text_cut(struct str *rest)
{
    const char *end = rest->n ? memchr(rest->p, '\0', rest->n) : NULL;
    const struct str part = {rest->p, end ? (size_t)(end - rest->p) : rest->n};
    *rest = end ? (struct str){end + 1, rest->n - part.n - 1} : STR("");
    return part;
}

struct str frame_text_name(struct str text)
{
    return frame_text_cut(&text);
}

struct frame_text frame_text_read(struct str text)
{
    struct frame_text f = {0};
    f.name = frame_text_cut(&text);
    f.system_name = frame_text_cut(&text);
    f.filename = frame_text_cut(&text);
    if (text.n == sizeof f.start_line + sizeof f.line) {
        memcpy(&f.start_line, text.p, sizeof f.start_line);
        memcpy(&f.line, text.p + sizeof f.start_line, sizeof f.line);
    }
    return f;
}
