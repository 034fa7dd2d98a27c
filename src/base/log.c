#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/component_id.h"
#include "base/secret.h"

enum { LINE_MAX_BYTES = 64 * 1024 };

static _Atomic(enum log_level) least_level = LOG_INFO;
static _Atomic(enum log_format) line_format = LOG_LOGFMT;
static atomic_int out_fd = STDERR_FILENO;
static pthread_mutex_t capture_lock = PTHREAD_MUTEX_INITIALIZER;
static struct buf *capture;

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_setup(enum log_level least, enum log_format format)
{
    least_level = least;
    line_format = format;
}

bool log_on(enum log_level level)
{
    return level >= least_level;
}

void log_to(int fd)
{
    out_fd = fd;
}

void log_capture(struct buf *into)
{
    pthread_mutex_lock(&capture_lock);
    capture = into;
    pthread_mutex_unlock(&capture_lock);
}

static void keep_line(const struct buf *line)
{
    pthread_mutex_lock(&capture_lock);
    if (capture && line->len <= capture->max - capture->len)
        buf_append(capture, line->p, line->len);
    pthread_mutex_unlock(&capture_lock);
}

/* --- texts --- */

static bool needs_quotes(struct str s)
{
    uint32_t rune;
    if (s.n == 0)
        return true;
    for (size_t i = 0; i < s.n;) {
        const size_t n = str_rune((struct str){s.p + i, s.n - i}, &rune);
        if (n == 0 || rune_is_control(rune) || (rune < 0x80 && strchr(" \"=\\", (int)rune)))
            return true;
        i += n;
    }
    return false;
}

static void put_control(struct buf *b, uint32_t rune)
{
    switch (rune) {
    case '\n':
        buf_puts(b, "\\n");
        break;
    case '\t':
        buf_puts(b, "\\t");
        break;
    case '\r':
        buf_puts(b, "\\r");
        break;
    default:
        buf_printf(b, "\\u%04x", rune);
    }
}

/* A byte that is no character is \xNN in logfmt; JSON has no such thing, so there it is the character that stands for
 * one. */
static void put_quoted(struct buf *b, bool json, struct str s)
{
    buf_byte(b, '"');
    for (size_t i = 0; i < s.n;) {
        uint32_t rune = 0;
        const size_t n = str_rune((struct str){s.p + i, s.n - i}, &rune);
        const unsigned char c = (unsigned char)s.p[i];
        if (n == 0 && json)
            buf_puts(b, "\\ufffd");
        else if (n == 0)
            buf_printf(b, "\\x%02x", c);
        else if (rune_is_control(rune))
            put_control(b, rune);
        else if (c == '"' || c == '\\')
            buf_printf(b, "\\%c", c);
        else
            buf_append(b, s.p + i, n);
        i += n ? n : 1;
    }
    buf_byte(b, '"');
}

static void log_put_text(struct buf *b, bool json, const char *key, const char *said)
{
    cleanup_buf struct buf shown = BUF_INIT(LINE_MAX_BYTES);
    secret_hide(str_of(said), &shown);
    const struct str text = {buf_cstr(&shown), shown.len};
    if (json) {
        buf_printf(b, ",\"%s\":", key);
        put_quoted(b, true, text);
        return;
    }
    buf_printf(b, " %s=", key);
    if (needs_quotes(text))
        put_quoted(b, false, text);
    else
        buf_str(b, text);
}

static void log_put_component(struct buf *b, bool json, const char *id)
{
    cleanup_buf struct buf path = BUF_INIT(LINE_MAX_BYTES);
    struct str modules;
    const char *local = component_id_split(id, &modules);
    buf_byte(&path, '/');
    buf_str(&path, modules);
    log_put_text(b, json, "component_path", buf_cstr(&path));
    log_put_text(b, json, "component_id", local);
}

static void log_put_number(struct buf *b, bool json, const char *key, int64_t n)
{
    buf_printf(b, json ? ",\"%s\":%lld" : " %s=%lld", key, (long long)n);
}

static void log_put_time(struct buf *b, bool json)
{
    const int64_t now = clock_wall_ns();
    const time_t seconds = now / NS_PER_SEC;
    struct tm tm;
    gmtime_r(&seconds, &tm);
    char text[40];
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    buf_printf(b, json ? "{\"ts\":\"%s.%09ldZ\"" : "ts=%s.%09ldZ", text, (long)(now % NS_PER_SEC));
}

void log_write(enum log_level level, const char *msg, const struct log_field *fields, size_t n)
{
    cleanup_buf struct buf b = BUF_INIT(LINE_MAX_BYTES);
    const bool json = line_format == LOG_JSON;
    log_put_time(&b, json);
    log_put_text(&b, json, "level", level_names[level]);
    log_put_text(&b, json, "msg", msg);
    for (size_t i = 0; i < n; i++) {
        if (!fields[i].key)
            log_put_component(&b, json, fields[i].text);
        else if (fields[i].text)
            log_put_text(&b, json, fields[i].key, fields[i].text);
        else
            log_put_number(&b, json, fields[i].key, fields[i].number);
    }
    buf_puts(&b, json ? "}\n" : "\n");
    keep_line(&b);
    if (buf_ok(&b) && write(out_fd, b.p, b.len) < 0)
        return; /* nowhere is left to say it */
}
