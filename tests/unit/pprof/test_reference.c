/* Conversions in compatibility mode against what the reference converter made of the same recordings: frames, lines and values of every
 * profile, byte for byte. The recordings lie beside the checkout (../shared/corpus/jfr) and may be missing. */
#include <dirent.h>
#include <errno.h>

#include "base/cleanup.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "jfr/chunk.h"
#include "pprof/decode.h"
#include "pprof/from_jfr.h"
#include "pprof/text.h"
#include "test.h"

enum { MB = 1 << 20, FILE_MAX = 64 * MB };

/* What the expected files were made with. */
static const int64_t START_NS = 1706241880000000000, END_NS = 1706241890000000000, PERIOD_NS = 10000000;

static const char *corpus(void)
{
    const char *dir = getenv("SMOLDER_JFR_CORPUS");
    return dir ? dir : SOURCE_ROOT "/../shared/corpus/jfr";
}

static bool read_gzip(const char *name, struct buf *out)
{
    cleanup_free char *path = xasprintf("%s/%s", corpus(), name);
    cleanup_fclose FILE *f = fopen(path, "rb");
    cleanup_buf struct buf packed = BUF_INIT(FILE_MAX);
    struct err err = {0};
    if (!f)
        return false;
    for (;;) {
        uint8_t *to = buf_reserve(&packed, MB);
        size_t n = to ? fread(to, 1, MB, f) : 0;
        if (n == 0)
            break;
        packed.len += n;
    }
    int code = gzip_inflate(buf_slice(&packed), out, &err);
    CHECK_STR(err.text, "");
    return code == 0;
}

static struct conversion *convert(struct str file, const struct conversion_options *options)
{
    struct conversion *c = conversion_new(options);
    while (file.n >= JFR_HEADER_SIZE) {
        struct err err = {0};
        int64_t size = jfr_chunk_finished((const uint8_t *)file.p);
        CHECK(size > 0 && (uint64_t)size <= file.n);
        if (size <= 0 || (uint64_t)size > file.n)
            break;
        CHECK_INT(conversion_add(c, file.p, (size_t)size, &err), 0);
        CHECK_STR(err.text, "");
        file = (struct str){file.p + size, file.n - (size_t)size};
    }
    CHECK_INT(file.n, 0);
    return c;
}

/* As the expected files' names have it: name "_" type "__" unit [" " type "__" unit]. */
static char *metric_of(const char *name, const struct profile *p)
{
    struct buf b = BUF_INIT(MB);
    buf_printf(&b, "%s_", name);
    for (size_t i = 0; i < p->type_count; i++) {
        buf_printf(&b, "%s%.*s__%.*s", i ? " " : "", STR_ARG(p->symbols->strings[p->types[i].type]),
                   STR_ARG(p->symbols->strings[p->types[i].unit]));
    }
    return (char *)buf_take(&b, NULL);
}

static void compare(const char *name, size_t i, const struct pprof_result *r, unsigned *pairs)
{
    struct symbols symbols;
    struct profile p;
    struct err err = {0};
    symbols_init(&symbols, FILE_MAX);
    int code = pprof_decode(r->bytes, r->len, FILE_MAX, &symbols, &p, &err);
    CHECK_INT(code, 0);
    CHECK_STR(err.text, "");
    if (code == 0) {
        CHECK_INT(p.time_nanos, START_NS);
        CHECK_INT(p.duration_nanos, END_NS - START_NS);
        cleanup_free char *metric = metric_of(r->name, &p);
        cleanup_free char *file = xasprintf("%s_%zu_%s_expected_collapsed.txt.gz", name, i, metric);
        cleanup_buf struct buf want = BUF_INIT(FILE_MAX), got = BUF_INIT(FILE_MAX);
        bool found = read_gzip(file, &want);
        pprof_text(&p, PPROF_TEXT_REFERENCE, &got);
        if (!found)
            FAIL_("no expectation for %s", file);
        else if (!str_eq(buf_slice(&got), buf_slice(&want)))
            FAIL_("%s differs: %zu bytes, want %zu", file, got.len, want.len);
        else
            *pairs += 1;
        if (getenv("DUMP")) {
            cleanup_free char *path = xasprintf("/tmp/dump_%s", file);
            FILE *f = fopen(path, "w");
            fwrite(got.p, 1, got.len, f);
            fclose(f);
        }
        profile_done(&p);
    }
    symbols_done(&symbols);
}

static void check_recording(const char *name, unsigned *pairs)
{
    cleanup_buf struct buf file = BUF_INIT(FILE_MAX);
    cleanup_free char *packed = xasprintf("%s.jfr.gz", name);
    CHECK(read_gzip(packed, &file));
    struct conversion_options options = {.event = "",
                                         .cpu_ns = PERIOD_NS,
                                         .gzip = true,
                                         .compat = true,
                                         .compat_start_ns = START_NS,
                                         .compat_end_ns = END_NS};
    struct conversion *c = convert(buf_slice(&file), &options);
    struct pprof_result *results = NULL;
    size_t n = 0;
    struct err err = {0};
    CHECK_INT(conversion_finish(c, &results, &n, &err), 0);
    for (size_t i = 0; i < n; i++)
        compare(name, i, &results[i], pairs);
    conversion_free(c);
}

/* Expected files there are, so that none goes without its profile. */
static unsigned expected_pairs(void)
{
    unsigned n = 0;
    cleanup_closedir DIR *d = opendir(corpus());
    for (const struct dirent *e; d && (e = readdir(d));)
        n += str_has_suffix(str_of(e->d_name), STR("_expected_collapsed.txt.gz"));
    return n;
}

static void every_recording_converts_as_the_reference_does(void)
{
    unsigned pairs = 0;
    cleanup_closedir DIR *d = opendir(corpus());
    for (const struct dirent *e; d && (e = readdir(d));) {
        struct str s = str_of(e->d_name);
        if (!str_has_suffix(s, STR(".jfr.gz")))
            continue;
        cleanup_free char *name = xstrndup(s.p, s.n - strlen(".jfr.gz"));
        check_recording(name, &pairs);
    }
    CHECK_INT(pairs, expected_pairs());
    printf("  %u profiles equal\n", pairs);
}

int main(void)
{
    if (expected_pairs() == 0)
        SKIP(every_recording_converts_as_the_reference_does,
             "no recordings in ../shared/corpus/jfr beside the checkout");
    else
        RUN(every_recording_converts_as_the_reference_does);
    return REPORT();
}
