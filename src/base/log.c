#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/terminal.h"

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

bool log_level_parse(const char *text, enum log_level *ret)
{
    for (int i = LOG_DEBUG; i <= LOG_ERROR; i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *ret = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static bool needs_quotes(const char *s)
{
    if (!*s)
        return true;
    struct str rest = str_of(s);
    while (rest.n) {
        bool fit;
        const size_t n = terminal_character(rest, &fit);
        if (!fit || strchr(" \t\n\"=\\", rest.p[0]))
            return true;
        rest = (struct str){rest.p + n, rest.n - n};
    }
    return false;
}

/* One character. What is no UTF-8 would make the line no JSON, and a raw C1 control is obeyed by terminals. */
static void put_character(struct buf *b, struct str s, bool fit)
{
    const unsigned char c = (unsigned char)s.p[0];
    if (fit && s.n > 1)
        buf_str(b, s);
    else if (s.n > 1)
        buf_printf(b, "\\u%04x", (unsigned char)s.p[1]); /* C1: U+0080 to U+009F are 0xc2 and their own number */
    else if (c >= 0x80)
        buf_puts(b, "\\ufffd");
    else if (c == '"' || c == '\\')
        buf_printf(b, "\\%c", c);
    else if (c == '\n')
        buf_puts(b, "\\n");
    else if (c == '\t')
        buf_puts(b, "\\t");
    else if (c == '\r')
        buf_puts(b, "\\r");
    else if (!fit)
        buf_printf(b, "\\u%04x", c);
    else
        buf_byte(b, c);
}

static void put_quoted(struct buf *b, const char *s)
{
    buf_byte(b, '"');
    for (struct str rest = str_of(s); rest.n;) {
        bool fit;
        const size_t n = terminal_character(rest, &fit);
        put_character(b, (struct str){rest.p, n}, fit);
        rest = (struct str){rest.p + n, rest.n - n};
    }
    buf_byte(b, '"');
}

static void put_text(struct buf *b, bool json, const char *key, const char *text)
{
    if (json) {
        buf_printf(b, ",\"%s\":", key);
        put_quoted(b, text);
        return;
    }
    buf_printf(b, " %s=", key);
    if (needs_quotes(text))
        put_quoted(b, text);
    else
        buf_puts(b, text);
}

static void put_component(struct buf *b, bool json, const char *id)
{
    cleanup_buf struct buf path = BUF_INIT(LINE_MAX_BYTES);
    const char *slash = strrchr(id, '/');
    buf_byte(&path, '/');
    buf_append(&path, id, slash ? (size_t)(slash - id) : 0);
    put_text(b, json, "component_path", buf_cstr(&path));
    put_text(b, json, "component_id", slash ? slash + 1 : id);
}

static void put_number(struct buf *b, bool json, const char *key, int64_t n)
{
    buf_printf(b, json ? ",\"%s\":%lld" : " %s=%lld", key, (long long)n);
}

static void put_time(struct buf *b, bool json)
{
    struct timespec ts;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &ts);
    gmtime_r(&ts.tv_sec, &tm);
    char text[40];
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    buf_printf(b, json ? "{\"ts\":\"%s.%09ldZ\"" : "ts=%s.%09ldZ", text, ts.tv_nsec);
}

void log_write(enum log_level level, const char *msg, const struct log_field *fields, size_t n)
{
    cleanup_buf struct buf b = BUF_INIT(LINE_MAX_BYTES);
    const bool json = line_format == LOG_JSON;
    put_time(&b, json);
    put_text(&b, json, "level", level_names[level]);
    put_text(&b, json, "msg", msg);
    for (size_t i = 0; i < n; i++) {
        if (!fields[i].key)
            put_component(&b, json, fields[i].text);
        else if (fields[i].text)
            put_text(&b, json, fields[i].key, fields[i].text);
        else
            put_number(&b, json, fields[i].key, fields[i].number);
    }
    buf_puts(&b, json ? "}\n" : "\n");
    keep_line(&b);
    if (buf_ok(&b) && write(out_fd, b.p, b.len) < 0)
        return; /* nowhere is left to say it */
}
