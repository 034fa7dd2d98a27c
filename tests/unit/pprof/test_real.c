/* Recordings of real JVMs, converted and held against what the JDK's own `jfr print` says of the same file: counts and sums of every
 * kind. The library that records comes as the first argument.
 */
#include <inttypes.h>
#include <math.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "jfr/chunk.h"
#include "jvm/java_target.h"
#include "pprof/decode.h"
#include "pprof/from_jfr.h"
#include "pprof/text.h"
#include "test.h"

enum { FILE_MAX = 16 << 20, LINE_BYTES = 1 << 16, INTERVAL_NS = 10000000 };
static const useconds_t RECORD_US = 2500000;

static const char *library;

enum { EXECUTION, WALL, TLAB, LOCK, KINDS };

/* Of one type of event: how many (wall: samples, of batches too), and the sum of sizes or delays. */
struct total {
    const char *type, *profile, *field;
    uint64_t count;
    int64_t sum;
};
static const struct total kinds[KINDS] = {
    [EXECUTION] = {.type = "jdk.ExecutionSample", .profile = "process_cpu", .field = ""},
    [WALL] = {.type = "profiler.WallClockSample", .profile = "wall", .field = "samples"},
    [TLAB] = {.type = "jdk.ObjectAllocationInNewTLAB", .profile = "memory", .field = "tlabSize"},
    [LOCK] = {.type = "jdk.JavaMonitorEnter", .profile = "mutex", .field = "duration"},
};

/* One line of jfr's JSON: the type of an event, or a field of the one at hand. */
static void take_line(const char *line, struct total *totals, struct total **at)
{
    char key[64], value[128];
    double seconds;
    if (sscanf(line, " \"%63[^\"]\": %127[^, \n]", key, value) != 2)
        return;
    for (size_t i = 0; i < KINDS && strcmp(key, "type") == 0; i++) {
        if (strncmp(value + 1, kinds[i].type, strlen(kinds[i].type)) == 0) {
            *at = &totals[i];
            (*at)->count++;
            return;
        }
    }
    if (!*at || strcmp(key, (*at)->field) != 0)
        return;
    (*at)->sum += sscanf(value, "\"PT%lfS\"", &seconds) == 1 ? llround(seconds * 1e9) : strtoll(value, NULL, 10);
}

static bool print(const char *home, const char *file, struct total *totals)
{
    static char line[LINE_BYTES];
    struct total *at = NULL;
    memcpy(totals, kinds, sizeof kinds);
    cleanup_free char *command = xasprintf("%s/bin/jfr print --json --stack-depth 1 --events %s,%s,%s,%s %s", home,
                                           kinds[0].type, kinds[1].type, kinds[2].type, kinds[3].type, file);
    FILE *f = popen(command, "r");
    while (f && fgets(line, sizeof line, f))
        take_line(line, totals, &at);
    totals[WALL].count = (uint64_t)totals[WALL].sum;
    return f && pclose(f) == 0;
}

static bool read_file(const char *path, struct buf *out)
{
    cleanup_fclose FILE *f = fopen(path, "rbe");
    uint8_t *to = buf_reserve(out, FILE_MAX);
    out->len = f && to ? fread(to, 1, FILE_MAX, f) : 0;
    return out->len > 0;
}

static struct conversion *convert(const char *path)
{
    cleanup_buf struct buf file = BUF_INIT(FILE_MAX + 1);
    struct conversion *c = conversion_new(&(struct conversion_options){.event = ""});
    struct err err = {0};
    CHECK(read_file(path, &file));
    for (size_t at = 0; at + JFR_HEADER_SIZE <= file.len;) {
        int64_t size = jfr_chunk_finished(file.p + at);
        CHECK(size > 0);
        if (size <= 0)
            break;
        CHECK_INT(conversion_add(c, file.p + at, (size_t)size, &err), 0);
        CHECK_STR(err.text, "");
        at += (size_t)size;
    }
    return c;
}

/* Sums of the profile's values; true when the program's own method is in it. */
static bool sum_up(const struct pprof_result *r, int64_t sums[2])
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    cleanup_buf struct buf text = BUF_INIT(FILE_MAX);
    symbols_init(&s, FILE_MAX);
    profile_init(&p, &s);
    sums[0] = sums[1] = 0;
    CHECK_INT(pprof_decode(r->bytes, r->len, FILE_MAX, &s, &p, NULL), 0);
    for (size_t i = 0; i < p.sample_count; i++) {
        for (size_t k = 0; k < p.type_count && k < 2; k++)
            sums[k] += profile_values(&p, i)[k];
    }
    pprof_text(&p, PPROF_TEXT_COLLAPSED, &text);
    return strstr(buf_cstr(&text), "Busy.") != NULL;
}

static void check_result(const struct pprof_result *r, const struct total *totals, bool wall)
{
    int64_t sums[2];
    bool ours = sum_up(r, sums);
    CHECK(ours);
    for (size_t i = 0; i < KINDS; i++) {
        const struct total *t = &totals[i];
        if (strcmp(r->name, t->profile) != 0 || (i == EXECUTION && wall))
            continue;
        CHECK_INT(r->samples, t->count);
        if (i == EXECUTION || i == WALL) {
            CHECK_INT(sums[0], t->count * INTERVAL_NS);
            continue;
        }
        CHECK_INT(sums[0], t->count);
        /* Ticks that are no nanoseconds may be rounded otherwise. */
        CHECK(llabs(sums[1] - t->sum) <= (i == LOCK ? (int64_t)t->count : 0));
    }
}

static void check_recording(const char *home, const char *event, const char *file)
{
    struct total totals[KINDS];
    struct conversion *c = convert(file);
    struct pprof_result *r;
    const bool wall = strcmp(event, "wall") == 0;
    size_t n = 0, types;
    CHECK(print(home, file, totals));
    CHECK_INT(conversion_finish(c, &r, &n, NULL), 0);
    CHECK(n >= 3);
    for (size_t i = 0; i < n; i++) {
        CHECK_STR(r[i].event, event);
        check_result(&r[i], totals, wall);
    }
    const struct conversion_event *e = conversion_events(c, &types);
    for (size_t i = 0; i < types; i++) {
        for (size_t k = 0; k < KINDS; k++) {
            if (strcmp(e[i].type, totals[k].type) == 0)
                CHECK_INT(e[i].count, totals[k].count);
        }
    }
    CHECK(totals[wall ? WALL : EXECUTION].count > 0 && totals[TLAB].count > 0 && totals[LOCK].count > 0);
    printf("  %s, %s: %" PRIu64 " cpu, %" PRIu64 " wall, %" PRIu64 " alloc, %" PRIu64 " lock\n", home, event,
           totals[EXECUTION].count, totals[WALL].count, totals[TLAB].count, totals[LOCK].count);
    conversion_free(c);
}

static void record(const char *home, const char *event)
{
    struct java_target java;
    CHECK(java_compile(home));
    cleanup_free char *file = xasprintf("%s/%s.jfr", java_dir, event);
    cleanup_free char *agent = xasprintf(
        "-agentpath:%s=start,event=%s,interval=10ms,alloc=64k,lock=1ms,jfr,quiet,file=%s", library, event, file);
    const char *const options[] = {agent, NULL};
    if (!java_begin(home, options, &java)) {
        FAIL_("%s does not run", home);
        return;
    }
    if (!java_ready(&java)) {
        FAIL_("%s does not start", home);
        java_kill(&java);
        return;
    }
    usleep(RECORD_US); /* samples take time */
    kill(java.pid, SIGTERM);
    waitpid(java.pid, NULL, 0);
    check_recording(home, event, file);
    unlink(file);
}

static char *homes[JDKS_MAX];
static size_t home_count;

static void conversions_of_real_recordings_agree_with_the_jdk(void)
{
    static const char *const events[] = {"itimer", "ctimer", "wall"};
    for (size_t i = 0; i < home_count; i++) {
        for (size_t k = 0; k < sizeof events / sizeof *events; k++)
            record(homes[i], events[k]);
    }
}

int main(int argc, char **argv)
{
    library = argc > 1 ? realpath(argv[1], NULL) : NULL;
    home_count = java_homes(homes);
    if (!library)
        SKIP(conversions_of_real_recordings_agree_with_the_jdk, "no async-profiler library given as argument");
    else if (home_count == 0)
        SKIP(conversions_of_real_recordings_agree_with_the_jdk, "no JDK below /usr/lib/jvm or in SMOLDER_JDKS");
    else
        RUN(conversions_of_real_recordings_agree_with_the_jdk);
    for (size_t i = 0; i < home_count; i++)
        free(homes[i]);
    free((void *)library);
    java_clean_up();
    return REPORT();
}
