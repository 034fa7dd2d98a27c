#include "components/pyroscope_scrape_reply.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

enum { SHOWN_MAX = 120, PREVIEW_MAX = 50, TEXT_LEAST = 10, JSON_LEAST = 20 };

/* An error page that came with a good status. */
static bool scrape_reply_is_text(struct str body)
{
    static const char *const tags[] = {"<!d", "<h", "<b", "<t"};
    const size_t whole = body.n;
    while (body.n && isspace((unsigned char)body.p[0]))
        body = (struct str){body.p + 1, body.n - 1};
    if (whole < TEXT_LEAST || !body.n)
        return false;
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
        if (body.n > strlen(tags[i]) && strncasecmp(body.p, tags[i], strlen(tags[i])) == 0)
            return true;
    return (body.p[0] == '{' || body.p[0] == '[') && whole > JSON_LEAST;
}

int scrape_reply_check(int status, const char *type, struct str body, const char *profile, struct err *err)
{
    enum { WIRE_TYPE_BITS = 7, WIRE_TYPES = 6 };
    const struct str shown = str_trim((struct str){body.p, body.n < SHOWN_MAX ? body.n : SHOWN_MAX});
    if (status / 100 != 2)
        return err_set(err, -EBADMSG, "server returned HTTP status (%d) %.*s", status, STR_ARG(shown));
    if (!body.n)
        return err_set(err, -EBADMSG, "empty %s profile", profile);
    if (!*type)
        return err_set(err, -EBADMSG, "invalid profile data: missing Content-Type header");
    if (strncmp(type, "application/octet-stream", strlen("application/octet-stream")) != 0)
        return err_set(err, -EBADMSG,
                       "invalid profile data: unexpected Content-Type %.100s, expected application/octet-stream for "
                       "pprof data",
                       type);
    if (scrape_reply_is_text(body))
        return err_set(err, -EBADMSG,
                       "invalid profile data: text response instead of pprof: \"%.*s\" (server should return HTTP "
                       "error, not 200)",
                       (int)(body.n < PREVIEW_MAX ? body.n : PREVIEW_MAX), body.p);
    if (body.n <= 2)
        return err_set(err, -EBADMSG, "invalid profile data: data too short for pprof format");
    if (memcmp(body.p, "\x1f\x8b", 2) != 0 && ((uint8_t)body.p[0] & WIRE_TYPE_BITS) >= WIRE_TYPES)
        return err_set(err, -EBADMSG, "invalid profile data: invalid protobuf data: illegal wireType %d (expected 0-5)",
                       (uint8_t)body.p[0] & WIRE_TYPE_BITS);
    return 0;
}
