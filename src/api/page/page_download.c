/* What is selected as a file: a profile, collapsed stacks, or the report of `smolder convert`. */
#include <ctype.h>
#include <errno.h>
#include <time.h>

#include "api/page/page_tree.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "pprof/encode.h"
#include "pprof/set.h"
#include "pprof/text.h"
#include "store/flame_profile.h"
#include "ui/report.h"

enum { DOWNLOAD_MAX = 256 << 20, DOWNLOAD_GZIP_LEVEL = 6, FILE_NAME_MAX = 256 };

struct download {
    struct page_call *q;
    const struct profile *profile;
    struct str name; /* "process_cpu" */
};

static int page_download_put_pprof(const struct download *d)
{
    cleanup_buf struct buf plain = BUF_INIT(DOWNLOAD_MAX);
    pprof_encode(d->profile, &plain);
    return buf_ok(&plain) ? gzip_deflate(buf_slice(&plain), DOWNLOAD_GZIP_LEVEL, &d->q->out) : -EMSGSIZE;
}

static int page_download_put_collapsed(const struct download *d)
{
    pprof_text(d->profile, PPROF_TEXT_COLLAPSED, &d->q->out);
    return 0;
}

static int page_download_put_html(const struct download *d)
{
    cleanup_profile_set struct profile_set set;
    cleanup_free char *name = str_dup(d->name);
    cleanup_buf struct buf title = BUF_INIT(FILE_NAME_MAX + LABELS_KEY_MAX);
    const struct str service = page_call_service(d->q);
    profile_set_init(&set, FLAME_PROFILE_SYMBOLS_MAX);
    int code = profile_set_add(&set, name, d->profile, &d->q->err);
    buf_str(&title, service.n ? service : STR("all services"));
    if (code == 0)
        code = report_put(&(struct report){.title = buf_cstr(&title), .set = &set}, &d->q->out, &d->q->err);
    return code;
}

static const struct download_format {
    const char *name, *suffix, *content_type;
    int (*put)(const struct download *d);
    enum page_names names;
} formats[] = {
    {"pprof", "pb.gz", "application/octet-stream", page_download_put_pprof, PAGE_FRAMES},
    {"collapsed", "collapsed.txt", "text/plain; charset=utf-8", page_download_put_collapsed, PAGE_FUNCTIONS},
    {"html", "html", "text/html; charset=utf-8", page_download_put_html, PAGE_FUNCTIONS},
};

static const struct download_format *page_download_format(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        if (str_is(name, formats[i].name))
            return &formats[i];
    return NULL;
}

/* Of characters that no shell, browser or file system minds. */
static void page_download_put_word(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n && i < FILE_NAME_MAX / 4; i++) {
        const unsigned char c = (unsigned char)text.p[i];
        buf_byte(out, (c < 0x80 && isalnum(c)) || c == '_' || (c == '.' && i) ? c : '-');
    }
}

static char *page_download_disposition(const struct page_call *q, struct str type, const char *suffix)
{
    cleanup_buf struct buf name = BUF_INIT(FILE_NAME_MAX * 2);
    const struct str service = page_call_service(q);
    const time_t at = (time_t)(q->sides[PAGE_SHOWN].range.from_ms / 1000);
    char time[32] = "";
    struct tm utc;
    page_download_put_word(&name, service.n ? service : STR("all"));
    buf_byte(&name, '-');
    page_download_put_word(&name, type);
    if (gmtime_r(&at, &utc))
        (void)strftime(time, sizeof time, "-%Y%m%dT%H%M%SZ", &utc);
    return xasprintf("attachment; filename=\"%s%s.%s\"", buf_cstr(&name), time, suffix);
}

static int page_download_put(struct page_call *q, const struct download_format *format, const struct flame *f,
                             const struct store_span *span)
{
    cleanup_symbols struct symbols symbols;
    cleanup_profile struct profile p;
    struct str parts[TYPE_PARTS];
    symbols_init(&symbols, FLAME_PROFILE_SYMBOLS_MAX);
    profile_type_split(q->type, parts);
    int code = flame_profile(
        f,
        &(struct flame_profile){
            .type = q->type, .time_ns = span->first_ns, .duration_ns = span->duration_ns, .period = span->period},
        &symbols, &p, &q->err);
    q->out.max = DOWNLOAD_MAX;
    if (code == 0)
        code = format->put(&(struct download){q, &p, parts[TYPE_NAME]});
    if (code < 0 || !buf_ok(&q->out))
        return err_set(&q->err, -EMSGSIZE, "the file is larger than %d MiB: choose a shorter time range",
                       DOWNLOAD_MAX >> 20);
    q->content_type = format->content_type;
    q->disposition = page_download_disposition(q, parts[TYPE_SAMPLE], format->suffix);
    return 0;
}

static int page_download_run(struct page_call *q, struct store_reader *r)
{
    const struct download_format *format = page_download_format(q->format);
    cleanup_flame struct flame f = {0};
    struct store_span span = {0};
    if (!format)
        return err_set(&q->err, -EINVAL, "format must be pprof, collapsed or html");
    const int code = page_tree(q, r, PAGE_SHOWN, format->names, &f, &span);
    if (code < 0)
        return code;
    if (f.nodes[0].total == 0)
        return err_set(&q->err, -ESRCH, "no profile is selected");
    if (f.truncated)
        return err_set(&q->err, -EMSGSIZE,
                       "the stacks have more than %zu nodes: choose a shorter time range or add label matchers, or "
                       "raise --store.query-nodes",
                       f.nodes_max);
    return page_download_put(q, format, &f, &span);
}

const struct page_answer page_download = {"download", PAGE_NEEDS_SERVICE | PAGE_NEEDS_TYPE, page_download_run};
