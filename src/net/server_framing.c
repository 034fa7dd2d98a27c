#include "net/server_framing.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

struct framing {
    unsigned lengths, codings, hosts;
    bool broken;
};

/* RFC 9110 §5.6.2, token. */
static bool framing_is_token(const char *s)
{
    if (!*s)
        return false;
    for (; *s; s++) {
        if (!isalnum((unsigned char)*s) && !strchr("!#$%&'*+-.^_`|~", *s))
            return false;
    }
    return true;
}

static bool framing_is_number(struct str s)
{
    uint64_t any;
    return s.n && isdigit((unsigned char)s.p[0]) && str_to_u64(s, &any);
}

static enum MHD_Result framing_visit_header(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    struct framing *f = arg;
    const struct str said = str_trim(str_of(value ? value : ""));
    f->broken |= !framing_is_token(name);
    if (strcasecmp(name, "Content-Length") == 0) {
        f->lengths++;
        f->broken |= !framing_is_number(said);
    } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        f->codings++;
        f->broken |= (said.n != strlen("chunked") || strncasecmp(said.p, "chunked", said.n) != 0);
    } else if (strcasecmp(name, "Host") == 0) {
        f->hosts++;
    }
    return MHD_YES;
}

bool framing_is_clear(struct MHD_Connection *connection, const char *version)
{
    struct framing f = {0};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, framing_visit_header, &f);
    const bool old = strcmp(version, "HTTP/1.0") == 0;
    return !f.broken && f.lengths + f.codings <= 1 && f.hosts <= 1 && !(old && f.codings);
}
