/* Conversions in compatibility mode against what the reference converter made of the same recordings: frames, lines
 * and values of every profile, byte for byte.
 *
 * The recordings lie beside the checkout (../shared/corpus/jfr, or what SMOLDER_JFR_CORPUS names) and may be missing.
 * The reference project has 77 such pairs, of which 71 can be compared: 5 belong to a recording that is not there
 * (goland), 1 is stale. */
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
        struct jfr_header h = {0};
        CHECK_INT(jfr_header_read(file.p, file.n, &h, &err), 0);
        if (h.size == 0)
            break;
        CHECK_INT(conversion_add(c, file.p, h.size, &err), 0);
        CHECK_STR(err.text, "");
        file = (struct str){file.p + h.size, file.n - h.size};
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

/* The reference marks cut stacks where it is told to, and names those expectations so. */
static const char TRUNCATED[] = "_event_with_type_zero_with_truncated_frame";
static const char EXPECTED[] = "_expected_collapsed.txt.gz";

/* Left behind in the reference's test data when its profile moved to the next number; nothing there reads it. */
static const char STALE[] = "wall_tick_sample_0_wall_wall__nanoseconds_expected_collapsed.txt.gz";

/* Whether the profile is what `file` says; nothing to compare where there is no such file. */
static bool compare(const char *file, const struct profile *p)
{
    cleanup_buf struct buf want = BUF_INIT(FILE_MAX), got = BUF_INIT(FILE_MAX);
    if (!read_gzip(file, &want)) {
        FAIL_("no expectation for %s", file);
        return false;
    }
    pprof_text(p, PPROF_TEXT_REFERENCE, &got);
    if (!str_eq(buf_slice(&got), buf_slice(&want))) {
        FAIL_("%s differs: %zu bytes, want %zu", file, got.len, want.len);
        return false;
    }
    return true;
}

static unsigned compare_result(const char *name, size_t i, const struct pprof_result *r, const char *variant)
{
    cleanup_symbols struct symbols symbols;
    cleanup_profile struct profile p;
    struct err err = {0};
    symbols_init(&symbols, FILE_MAX);
    profile_init(&p, &symbols);
    int code = pprof_decode(r->bytes, r->len, FILE_MAX, &symbols, &p, &err);
    CHECK_INT(code, 0);
    CHECK_STR(err.text, "");
    if (code < 0)
        return 0;
    CHECK_INT(p.time_nanos, START_NS);
    CHECK_INT(p.duration_nanos, END_NS - START_NS);
    cleanup_free char *metric = metric_of(r->name, &p);
    cleanup_free char *file = xasprintf("%s_%zu_%s%s%s", name, i, metric, variant, EXPECTED);
    return compare(file, &p);
}

static unsigned check_recording(const char *name, const char *variant)
{
    cleanup_buf struct buf file = BUF_INIT(FILE_MAX);
    cleanup_free char *packed = xasprintf("%s.jfr.gz", name);
    CHECK(read_gzip(packed, &file));
    struct conversion_options options = {.event = "",
                                         .cpu_ns = PERIOD_NS,
                                         .gzip = true,
                                         .compat = true,
                                         .compat_start_ns = START_NS,
                                         .compat_end_ns = END_NS,
                                         .mark_truncated = variant[0] != '\0'};
    struct conversion *c = convert(buf_slice(&file), &options);
    struct pprof_result *results = NULL;
    size_t n = 0;
    unsigned equal = 0;
    struct err err = {0};
    CHECK_INT(conversion_finish(c, &results, &n, &err), 0);
    for (size_t i = 0; i < n; i++)
        equal += compare_result(name, i, &results[i], variant);
    conversion_free(c);
    return equal;
}

/* What the expected files there are, so that none goes without its profile. */
struct expectations {
    unsigned usable, truncated, stale, no_recording;
};

/* The NAME of NAME_<number>_<metric>, where a metric starts with a lower-case letter; to be freed. */
static char *recording_of(struct str file)
{
    for (size_t i = 0; i + 3 < file.n; i++) {
        const char *p = file.p + i;
        if (p[0] == '_' && p[1] >= '0' && p[1] <= '9' && p[2] == '_' && p[3] >= 'a' && p[3] <= 'z')
            return xstrndup(file.p, i);
    }
    return xstrdup("");
}

static struct expectations expectations(void)
{
    struct expectations all = {0};
    cleanup_closedir DIR *d = opendir(corpus());
    for (const struct dirent *e; d && (e = readdir(d));) {
        struct str file = str_of(e->d_name);
        if (!str_has_suffix(file, str_of(EXPECTED)))
            continue;
        cleanup_free char *name = recording_of(file);
        cleanup_free char *path = xasprintf("%s/%s.jfr.gz", corpus(), name);
        if (str_is(file, STALE))
            all.stale++;
        else if (access(path, R_OK) < 0)
            all.no_recording++;
        else if (strstr(e->d_name, TRUNCATED))
            all.truncated++;
        else
            all.usable++;
    }
    return all;
}

static void every_recording_converts_as_the_reference_does(void)
{
    const struct expectations all = expectations();
    unsigned equal = 0, truncated = 0;
    cleanup_closedir DIR *d = opendir(corpus());
    for (const struct dirent *e; d && (e = readdir(d));) {
        struct str s = str_of(e->d_name);
        if (!str_has_suffix(s, STR(".jfr.gz")))
            continue;
        cleanup_free char *name = xstrndup(s.p, s.n - strlen(".jfr.gz"));
        equal += check_recording(name, "");
        if (all.truncated && str_is(str_of(name), "event-with-type-zero"))
            truncated += check_recording(name, TRUNCATED);
    }
    CHECK_INT(equal, all.usable);
    CHECK_INT(truncated, all.truncated);
    printf("  %u of %u profiles equal; not usable: %u without their recording, %u stale\n", equal + truncated,
           all.usable + all.truncated, all.no_recording, all.stale);
}

/* ---- the same recordings as we convert them ----
 *
 * What the specification of our corrections (jfr-asprof §3.7) comes to on these files:
 *   2. delays are nanoseconds: the reference's ticks, scaled by the clock of each chunk;
 *   3. a sample weighs the interval that the recording names (100 Hz for all in the reference), and what the wall clock
 *   samples beside
 *      another event is wall time alone;
 *   7. samples without a stack, or of a state that is in no pool, stay: counts are those of the reference or more;
 *   8. live objects have bytes; what is no profile there is one here.
 * Objects and bytes of allocations are the reference's own. */
struct sums {
    int64_t v[2], period;
    uint64_t samples;
};

static struct sums sums_of(struct conversion *c, const char *name, const char *type)
{
    struct conversion_profile all[CONVERSION_PROFILES_MAX];
    struct sums sums = {0};
    size_t n = conversion_profiles(c, all);
    for (size_t i = 0; i < n; i++) {
        const struct profile *p = all[i].p;
        if (strcmp(all[i].name, name) != 0 || !str_is(p->symbols->strings[p->types[0].type], type))
            continue;
        sums.period = p->period;
        sums.samples = all[i].samples;
        for (size_t k = 0; k < p->sample_count; k++) {
            for (size_t t = 0; t < p->type_count && t < 2; t++)
                sums.v[t] += profile_values(p, k)[t];
        }
    }
    return sums;
}

/* Ticks per second of the first chunk; those of one file are alike. */
static double clock_of(struct str file)
{
    struct jfr_header h = {.ticks_per_second = 1};
    CHECK_INT(jfr_header_read(file.p, file.n, &h, NULL), 0);
    return (double)h.ticks_per_second;
}

/* The files of the JDK's recorder here have a sampler set to 9 ms; the others are async-profiler's at 10 ms, or not
 * known. */
static int64_t interval_of(const char *name)
{
    static const char *const jdk[] = {"object-allocation-sample", "dd-trace-java", "cpool-uint64-constant-index"};
    for (size_t i = 0; i < sizeof jdk / sizeof *jdk; i++) {
        if (str_has_prefix(str_of(name), str_of(jdk[i])))
            return 9000000;
    }
    return str_has_prefix(str_of(name), STR("cortex-")) ? PERIOD_NS : 0;
}

/* How many samples there are of the reference's `theirs`. One recording is of cpu and, each 200 ms, of the wall
 * clock, in one type of event: 110 samples are of the first, 199551 of the other, of which the reference takes the
 * two that ran for cpu and drops the rest. */
static int64_t told_apart_of(const char *file, const char *profile, int64_t theirs)
{
    if (strcmp(file, "async-profiler.jfr.gz") != 0)
        return theirs;
    const bool cpu = strcmp(profile, "process_cpu") == 0;
    CHECK_INT(theirs, cpu ? 112 : 0);
    return cpu ? 110 : 199551;
}

/* Samples that the reference drops: a few in the JDK's files, whose stacks are in no pool. */
enum { DROPPED_MAX = 5 };

static unsigned check_corrections(const char *name, struct str file)
{
    static const char *const delays[] = {"mutex", "block"}, *const times[][2] = {{"process_cpu", "cpu"},
                                                                                 {"wall", "wall"}};
    static const char *const sizes[] = {"alloc_in_new_tlab_objects", "alloc_outside_tlab_objects",
                                        "alloc_sample_objects", "malloc_objects", "live"};
    const struct conversion_options ours = {.event = "", .cpu_ns = PERIOD_NS},
                                    theirs = {.event = "", .cpu_ns = PERIOD_NS, .compat = true};
    struct conversion *us = convert(file, &ours), *them = convert(file, &theirs);
    unsigned profiles = 0;
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        struct sums a = sums_of(us, delays[i], "contentions"), b = sums_of(them, delays[i], "contentions");
        const double scaled = (double)b.v[1] * 1e9 / clock_of(file);
        CHECK_INT(a.v[0], b.v[0]);
        CHECK((double)a.v[1] <= scaled + 1 && scaled - (double)a.v[1] <= (double)a.v[0] + 1); /* each is rounded down */
        profiles += a.samples > 0;
    }
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct sums a = sums_of(us, times[i][0], times[i][1]), b = sums_of(them, times[i][0], times[i][1]);
        const int64_t told_apart = told_apart_of(name, times[i][0], b.v[0] / PERIOD_NS);
        CHECK_INT(a.samples ? a.v[0] / a.period : 0, told_apart);
        CHECK(a.samples == 0 || interval_of(name) == 0 || a.period == interval_of(name));
        profiles += a.samples > 0;
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct sums a = sums_of(us, "memory", sizes[i]), b = sums_of(them, "memory", sizes[i]);
        const bool live = strcmp(sizes[i], "live") == 0;
        CHECK(a.v[0] >= b.v[0] && a.v[0] - b.v[0] <= DROPPED_MAX);
        CHECK(live || (a.v[0] == b.v[0] ? a.v[1] == b.v[1] : a.v[1] > b.v[1]));
        CHECK(!live || a.samples == 0 || a.v[1] > b.v[1]);
        profiles += a.samples > 0;
    }
    conversion_free(us);
    conversion_free(them);
    return profiles;
}

static void every_recording_converts_with_the_corrections(void)
{
    unsigned profiles = 0;
    cleanup_closedir DIR *d = opendir(corpus());
    for (const struct dirent *e; d && (e = readdir(d));) {
        cleanup_buf struct buf file = BUF_INIT(FILE_MAX);
        if (!str_has_suffix(str_of(e->d_name), STR(".jfr.gz")))
            continue;
        CHECK(read_gzip(e->d_name, &file));
        profiles += check_corrections(e->d_name, buf_slice(&file));
    }
    printf("  %u profiles are the reference's, corrected\n", profiles);
}

/* ---- labels, which collapsed stacks do not show ---- */

static int by_key(const void *a_, const void *b_, void *symbols)
{
    const struct pprof_label *a = a_, *b = b_;
    const struct symbols *s = symbols;
    return str_cmp(s->strings[a->key], s->strings[b->key]);
}

/* As the reference's profiles print them: "key:[value] key:[value] ", by key. */
static void put_labels(struct symbols *s, uint32_t set, struct buf *out)
{
    enum { LABELS_MAX = 16 };
    struct pprof_label labels[LABELS_MAX];
    size_t n = s->label_sets[set].count;
    CHECK(n <= LABELS_MAX);
    if (n == 0 || n > LABELS_MAX)
        return;
    memcpy(labels, s->label_sets[set].labels, n * sizeof *labels);
    qsort_r(labels, n, sizeof *labels, by_key, s);
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%.*s:[%.*s] ", STR_ARG(s->strings[labels[i].key]), STR_ARG(s->strings[labels[i].str]));
}

/* Sum of the values of all samples in the text that are followed by this line of labels. */
static int64_t expected_sum(struct str text, struct str labels)
{
    struct str line, trimmed_labels = str_trim(labels);
    int64_t sum = 0, value = 0;
    while (str_split(&text, '\n', &line)) {
        struct str trimmed = str_trim(line), number;
        if (str_eq(trimmed, trimmed_labels))
            sum += value;
        if (str_is(trimmed, "Locations"))
            break;
        if (str_split(&trimmed, ':', &number))
            (void)str_to_i64(number, &value);
    }
    return sum;
}

static void check_labels(const char *name, const char *snapshot, const char *expectation)
{
    cleanup_buf struct buf file = BUF_INIT(FILE_MAX), bytes = BUF_INIT(FILE_MAX), want = BUF_INIT(FILE_MAX);
    struct err err = {0};
    CHECK(read_gzip(name, &file) && read_gzip(snapshot, &bytes) && read_gzip(expectation, &want));
    struct conversion *c =
        conversion_new(&(struct conversion_options){.event = "", .cpu_ns = PERIOD_NS, .compat = true});
    CHECK_INT(conversion_labels(c, buf_slice(&bytes), &err), 0);
    CHECK_INT(conversion_add(c, file.p, file.len, &err), 0);
    CHECK_STR(err.text, "");
    struct conversion_profile all[CONVERSION_PROFILES_MAX];
    CHECK_INT(conversion_profiles(c, all), 1);
    const struct profile *p = all[0].p;
    int64_t labelled = 0;
    for (uint32_t set = 1; set < p->symbols->label_set_count; set++) {
        cleanup_buf struct buf labels = BUF_INIT(MB);
        int64_t sum = 0;
        for (size_t i = 0; i < p->sample_count; i++)
            sum += p->samples[i].labels == set ? profile_values(p, i)[0] : 0;
        if (sum == 0) /* a context that no sample is in */
            continue;
        put_labels(p->symbols, set, &labels);
        CHECK_INT(sum, expected_sum(buf_slice(&want), buf_slice(&labels)));
        labelled += sum;
    }
    CHECK(labelled > 0);
    conversion_free(c);
}

static void labels_of_contexts_and_spans_are_the_references(void)
{
    check_labels("dump1.jfr.gz", "dump1.labels.pb.gz", "dump1_0_process_cpu_cpu__nanoseconds_expected.txt.gz");
    check_labels("new_spancontext.jfr.gz", "new_spancontext.labels.gz",
                 "new_spancontext_0_process_cpu_cpu__nanoseconds_expected.txt.gz");
}

int main(void)
{
    if (expectations().usable == 0)
        SKIP(every_recording_converts_as_the_reference_does,
             "no recordings in ../shared/corpus/jfr beside the checkout");
    else
        RUN(every_recording_converts_as_the_reference_does);
    if (expectations().usable > 0) {
        RUN(every_recording_converts_with_the_corrections);
        RUN(labels_of_contexts_and_spans_are_the_references);
    }
    return REPORT();
}
