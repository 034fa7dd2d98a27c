#include "base/terminal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { DEL = 0x7f, C1_LEAD = 0xc2, C1_LAST = 0x9f };

size_t terminal_character(struct str text, bool *fit)
{
    const unsigned char *p = (const unsigned char *)text.p;
    size_t n = str_utf8_sequence(text);
    bool c0 = (p[0] < ' ' && p[0] != '\t' && p[0] != '\n') || p[0] == DEL;
    bool c1 = n == 2 && p[0] == C1_LEAD && p[1] <= C1_LAST;
    *fit = n && !c0 && !c1;
    return n ? n : 1;
}

void terminal_escape(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.n;) {
        bool fit;
        size_t n = terminal_character((struct str){text.p + i, text.n - i}, &fit);
        bool line_end = text.p[i] == '\r' && i + 1 < text.n && text.p[i + 1] == '\n';
        for (size_t k = 0; k < n; k++) {
            if (fit || line_end)
                buf_byte(out, (uint8_t)text.p[i + k]);
            else
                buf_printf(out, "\\x%02x", (unsigned char)text.p[i + k]);
        }
        i += n;
    }
}

static int terminal_write_all(int fd, struct str bytes)
{
    while (bytes.n) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        bytes = (struct str){bytes.p + n, bytes.n - (size_t)n};
    }
    return 0;
}

int terminal_write(int fd, struct str text)
{
    if (!isatty(fd))
        return terminal_write_all(fd, text);
    cleanup_buf struct buf shown = BUF_INIT(text.n * TERMINAL_ESCAPE + 1);
    terminal_escape(text, &shown);
    return buf_ok(&shown) ? terminal_write_all(fd, buf_slice(&shown)) : -ENOMEM;
}

void terminal_printf(FILE *to, const char *fmt, ...)
{
    cleanup_free char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0) {
        text = NULL;
        return;
    }
    fflush(to);
    if (terminal_write(fileno(to), (struct str){text, (size_t)n}) < 0)
        return; /* nowhere is left to say it */
}
