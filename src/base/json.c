#include "base/json.h"

#include <math.h>

void json_string(struct buf *out, struct str s)
{
    buf_byte(out, '"');
    for (size_t i = 0; i < s.n;) {
        char c = s.p[i];
        size_t n = (unsigned char)c < 0x80 ? 1 : str_utf8_sequence((struct str){s.p + i, s.n - i});
        if (n == 0)
            buf_puts(out, "\xef\xbf\xbd");
        else if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if ((unsigned char)c < 0x20 || c == 0x7f)
            buf_printf(out, "\\u%04x", (unsigned)c);
        else
            buf_append(out, s.p + i, n);
        i += n ? n : 1;
    }
    buf_byte(out, '"');
}

void json_name(struct buf *out, const char *name)
{
    json_string(out, str_of(name));
    buf_byte(out, ':');
}

void json_double(struct buf *out, double d)
{
    if (!isfinite(d))
        buf_puts(out, "null");
    else if (d == floor(d) && fabs(d) < 9007199254740992.0)
        buf_printf(out, "%.0f", d);
    else
        buf_printf(out, "%.17g", d);
}
