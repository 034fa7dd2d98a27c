#include "pyroscope/multipart.h"

#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

enum { BOUNDARY_MAX = 70 }; /* RFC 2046 §5.1.1 */

/* The value of a parameter of a header, "; name=value" or "; name=\"value\"". */
static struct str multipart_parameter(struct str header, struct str name)
{
    struct str piece;
    while (str_split(&header, ';', &piece)) {
        const struct str one = str_trim(piece);
        if (one.n <= name.n || strncasecmp(one.p, name.p, name.n) != 0 || one.p[name.n] != '=')
            continue;
        struct str value = {one.p + name.n + 1, one.n - name.n - 1};
        if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
            value = (struct str){value.p + 1, value.n - 2};
        return value;
    }
    return STR("");
}

struct str multipart_boundary(struct str content_type)
{
    static const char type[] = "multipart/form-data";
    const struct str trimmed = str_trim(content_type);
    if (trimmed.n < sizeof type - 1 || strncasecmp(trimmed.p, type, sizeof type - 1) != 0)
        return STR("");
    const struct str boundary = multipart_parameter(trimmed, STR("boundary"));
    return boundary.n <= BOUNDARY_MAX ? boundary : STR("");
}

/* Where the next "--boundary" begins; NULL without. */
static const char *multipart_find(struct str text, struct str boundary)
{
    char line[BOUNDARY_MAX + 2] = "--";
    memcpy(line + 2, boundary.p, boundary.n);
    return text.n ? memmem(text.p, text.n, line, boundary.n + 2) : NULL;
}

struct multipart multipart_of(struct str body, struct str boundary)
{
    struct multipart m = {body, boundary};
    const char *first = boundary.n && boundary.n <= BOUNDARY_MAX ? multipart_find(body, boundary) : NULL;
    const size_t before = first ? (size_t)(first - body.p) + 2 + boundary.n : body.n;
    m.rest = (struct str){body.p + before, body.n - before};
    return m;
}

/* Cuts the head of a part off, up to the empty line. */
static bool multipart_head(struct str *part, struct str *head)
{
    const char *end = part->n ? memmem(part->p, part->n, "\r\n\r\n", 4) : NULL;
    if (!end)
        return false;
    *head = (struct str){part->p, (size_t)(end - part->p)};
    *part = (struct str){end + 4, part->n - head->n - 4};
    return true;
}

static struct str multipart_name(struct str head)
{
    static const char disposition[] = "content-disposition:";
    struct str line;
    while (str_split(&head, '\n', &line)) {
        const struct str one = str_trim(line);
        if (one.n >= sizeof disposition - 1 && strncasecmp(one.p, disposition, sizeof disposition - 1) == 0)
            return multipart_parameter(one, STR("name"));
    }
    return STR("");
}

bool multipart_next(struct multipart *m, struct str *name, struct str *bytes)
{
    struct str part = m->rest, head;
    if (part.n < 2 || memcmp(part.p, "--", 2) == 0) /* the last boundary */
        return false;
    const char *end = multipart_find(part, m->boundary);
    if (!end || end - part.p < 2)
        return false;
    m->rest = (struct str){end + 2 + m->boundary.n, part.n - (size_t)(end - part.p) - 2 - m->boundary.n};
    part.n = (size_t)(end - part.p) - 2; /* the line end before a boundary is its own */
    if (!multipart_head(&part, &head))
        return false;
    *name = multipart_name(head);
    *bytes = part;
    return true;
}
