#include "base/terminal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

size_t terminal_character(struct str text, bool *fit)
{
    uint32_t rune = 0;
    const size_t n = str_rune(text, &rune);
    *fit = n && (!rune_is_control(rune) || rune == '\t' || rune == '\n');
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

int terminal_write(int fd, struct str text)
{
    if (!isatty(fd))
        return fd_write_all(fd, text.p, text.n);
    cleanup_buf struct buf shown = BUF_INIT(text.n * TERMINAL_ESCAPE + 1);
    terminal_escape(text, &shown);
    return buf_ok(&shown) ? fd_write_all(fd, shown.p, shown.len) : -ENOMEM;
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
