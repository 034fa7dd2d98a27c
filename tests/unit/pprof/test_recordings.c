/* Recordings that real JVMs make while the test runs, by async-profiler with its engines and options and by the JDK's
 * own recorder, converted and held against others who can read: the JDK's `jfr summary` and `jfr print` on numbers
 * and sums of events, google/pprof on every profile.
 *
 * Arguments: the library that records, the root of the sources (for tests/apps, and for tests/receiver, which has
 * google/pprof).
 */
#include <inttypes.h>
#include <math.h>
#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "jfr/chunks.h"
#include "jvm/java_target.h"
#include "os/procfs.h"
#include "pprof/decode.h"
#include "pprof/events.h"
#include "pprof/from_jfr.h"
#include "test.h"

enum { FILE_MAX = 64 << 20, LINE_BYTES = 1 << 16, RUNS_MAX = 16, MS = 1000000 };
static const useconds_t RECORD_US = 2000000;
/* On a crowded machine that is not enough: a JVM has to have run for so long, or nothing samples it. */
enum { RECORD_TICKS = 25, RECORD_SECONDS_MAX = 40 };

static const char *library, *source_root;

#define HAS(class) (1u << CLASS_##class)

/* One way to record. */
static const struct run {
    const char *name;
    const char *agent;  /* options of async-profiler, or */
    const char *flight; /* of the JDK's recorder */
    int since;          /* the first JDK that can */
    unsigned must;      /* classes of events that it has at least */
    int64_t interval, wall;
    const char *event;
    const char *may_fail; /* why a machine may not have it */
    bool killed;          /* before the recording is finished */
} runs[] = {
    {"all", "event=cpu,interval=5ms,alloc=64k,lock=10us,wall=20ms,nativemem=1k,nativelock=0,trace=Events.traced", NULL,
     8,
     HAS(EXECUTION) | HAS(WALL) | HAS(TLAB_IN) | HAS(LOCK) | HAS(PARK) | HAS(MALLOC) | HAS(FREE) | HAS(NATIVE_LOCK) |
         HAS(TRACE) | HAS(SPAN),
     5 * MS, 20 * MS, "cpu", NULL},
    {"chunks", "event=ctimer,interval=10ms,nativemem=64k,chunktime=1,cstack=vm", NULL, 8, HAS(EXECUTION) | HAS(MALLOC),
     10 * MS, 0, "ctimer", NULL},
    {"live", "event=itimer,interval=10ms,alloc=32k,live,threads", NULL, 11, HAS(EXECUTION) | HAS(LIVE), 10 * MS, 0,
     "itimer", NULL},
    {"wall", "event=wall,interval=20ms,clock=tsc", NULL, 8, HAS(WALL), 20 * MS, 0, "wall", NULL},
    {"nobatch", "event=wall,interval=30ms,nobatch", NULL, 8, HAS(EXECUTION), 30 * MS, 0, "wall", NULL},
    {"both", "event=ctimer,interval=5ms,wall=30ms,nobatch", NULL, 8, HAS(EXECUTION), 5 * MS, 30 * MS, "ctimer", NULL},
    {"tsc", "event=itimer,interval=10ms,lock=1ms,clock=tsc", NULL, 8, HAS(EXECUTION) | HAS(LOCK) | HAS(PARK), 10 * MS,
     0, "itimer", NULL},
    {"calls", "event=Events.traced", NULL, 8, HAS(EXECUTION), 1, 0, "Events.traced", NULL},
    {"faults", "event=page-faults,interval=2", NULL, 8, HAS(EXECUTION), 2, 0, "page-faults",
     "perf events may be forbidden"},
    {"jdk", NULL, "settings=profile", 11, HAS(EXECUTION) | HAS(LOCK) | HAS(PARK), 10 * MS, 0, "", NULL},
    {"jdk-alloc", NULL,
     "settings=default,jdk.ObjectAllocationInNewTLAB#enabled=true,jdk.ObjectAllocationOutsideTLAB#enabled=true", 17,
     HAS(EXECUTION) | HAS(ALLOC) | HAS(TLAB_IN) | HAS(TLAB_OUT) | HAS(NATIVE_METHOD), 20 * MS, 0, "", NULL},
    {"jdk-cpu-time", NULL,
     "settings=profile,jdk.CPUTimeSample#enabled=true,jdk.CPUTimeSample#throttle=10ms,method-trace=Events::traced", 25,
     HAS(EXECUTION) | HAS(CPU_TIME) | HAS(TRACE), 10 * MS, 0, "", NULL},
    {"jdk-killed", NULL, "settings=profile", 17, HAS(LOCK) | HAS(PARK), 10 * MS, 0, "", NULL, true},
};

struct jdk {
    char *home;
    int version;
};

/* What the JDK says of the events of one class: how many, and the sum of the field that counts; of execution samples
 * how many have a state that the wall clock's have. */
struct total {
    uint64_t count;
    int64_t sum;
};

/* ---- what the JDK says ---- */

static FILE *run_jfr(const struct jdk *jdk, const char *command, const char *file)
{
    cleanup_free char *line = xasprintf("%s/bin/jfr %s %s", jdk->home, command, file);
    return popen(line, "r");
}

static bool summary(const struct jdk *jdk, const char *file, struct total *totals)
{
    char line[512], type[256];
    uint64_t count;
    FILE *f = run_jfr(jdk, "summary", file);
    while (f && fgets(line, sizeof line, f)) {
        for (size_t i = 0; sscanf(line, " %255s %" SCNu64, type, &count) == 2 && i < CLASS_COUNT; i++) {
            if (strcmp(type, event_classes[i].type) == 0)
                totals[i].count = count;
        }
    }
    return f && pclose(f) == 0;
}

/* One line of jfr's JSON: the type of an event, or a field of the one at hand. */
static void take_line(const char *line, struct total *totals, size_t *at)
{
    char key[64], value[256];
    double seconds;
    if (sscanf(line, " \"%63[^\"]\": %255[^, \n]", key, value) != 2)
        return;
    for (size_t i = 0; i < CLASS_COUNT && strcmp(key, "type") == 0; i++) {
        const char *type = event_classes[i].type;
        if (strncmp(value + 1, type, strlen(type)) == 0 && value[1 + strlen(type)] == '"') {
            *at = i;
            return;
        }
    }
    if (*at == CLASS_EXECUTION && strcmp(key, "state") == 0)
        totals[*at].sum += strstr(value, "RUNNABLE") || strstr(value, "SLEEPING");
    const char *field = *at < CLASS_COUNT ? event_classes[*at].fields[SLOT_AMOUNT] : NULL;
    if (!field || strcmp(key, field) != 0)
        return;
    totals[*at].sum += sscanf(value, "\"PT%lfS\"", &seconds) == 1 ? llround(seconds * 1e9) : strtoll(value, NULL, 10);
}

static bool print(const struct jdk *jdk, const char *file, struct total *totals)
{
    static char line[LINE_BYTES];
    size_t at = CLASS_COUNT;
    struct buf types = BUF_INIT(LINE_BYTES);
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        if (totals[i].count && (i == CLASS_EXECUTION || event_classes[i].fields[SLOT_AMOUNT]))
            buf_printf(&types, "%s%s", types.len ? "," : "", event_classes[i].type);
    }
    cleanup_free char *command =
        xasprintf("print --json --stack-depth 1 --events %s", types.len ? buf_cstr(&types) : "none");
    FILE *f = run_jfr(jdk, command, file);
    while (f && fgets(line, sizeof line, f))
        take_line(line, totals, &at);
    buf_done(&types);
    return f && pclose(f) == 0;
}

/* ---- what we say ---- */

static bool read_file(const char *path, struct buf *out)
{
    cleanup_fclose FILE *f = fopen(path, "rbe");
    uint8_t *to = buf_reserve(out, FILE_MAX);
    out->len = f && to ? fread(to, 1, FILE_MAX, f) : 0;
    return out->len > 0;
}

static struct conversion *convert(const char *path, const struct conversion_options *options)
{
    cleanup_buf struct buf file = BUF_INIT(FILE_MAX + 1);
    struct conversion *c = conversion_new(options);
    struct err err = {0};
    struct str chunk;
    int more;
    CHECK(read_file(path, &file));
    struct jfr_chunks it = jfr_chunks_of(file.p, file.len);
    while ((more = jfr_chunks_next(&it, &chunk, &err)) != 0) {
        CHECK_STR(err.text, "");
        CHECK(more < 0 || conversion_add(c, chunk.p, chunk.n, &err) == 0);
        CHECK_STR(err.text, "");
        if (more < 0)
            break;
    }
    return c;
}

static bool has_frame(const struct profile *p, const char *part)
{
    for (size_t i = 0; i < p->symbols->function_count; i++) {
        struct str name = p->symbols->strings[p->symbols->functions[i].name];
        if (memmem(name.p, name.n, part, strlen(part)))
            return true;
    }
    return false;
}

/* Sums of what profiles say, by kind. */
struct profiles {
    int64_t sums[KIND_COUNT][2];
    uint64_t samples[KIND_COUNT];
    bool there[KIND_COUNT], labelled[KIND_COUNT];
};

static enum profile_kind kind_of(const struct pprof_result *r, const struct profile *p)
{
    for (size_t k = 0; k < KIND_COUNT; k++) {
        if (strcmp(profile_kinds[k].name, r->name) == 0 &&
            str_is(p->symbols->strings[p->types[0].type], profile_kinds[k].types[0][0]))
            return (enum profile_kind)k;
    }
    return KIND_COUNT;
}

static void sum_up(const struct pprof_result *r, struct profiles *all)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    symbols_init(&s, FILE_MAX);
    profile_init(&p, &s);
    CHECK_INT(pprof_decode(r->bytes, r->len, FILE_MAX, &s, &p, NULL), 0);
    enum profile_kind kind = p.type_count ? kind_of(r, &p) : KIND_COUNT;
    CHECK(kind < KIND_COUNT);
    if (kind == KIND_COUNT)
        return;
    for (size_t i = 0; i < p.sample_count; i++) {
        for (size_t k = 0; k < p.type_count && k < 2; k++)
            all->sums[kind][k] += profile_values(&p, i)[k];
        all->labelled[kind] |= p.samples[i].labels != 0;
    }
    all->there[kind] = true;
    all->samples[kind] = r->samples;
    bool stacks = kind != KIND_SPAN && kind != KIND_NATIVE_LOCK && kind != KIND_NATIVE_METHOD;
    CHECK(!stacks || has_frame(&p, "Events."));
    CHECK(p.period > 0 || kind == KIND_ALLOC || kind == KIND_TLAB_IN || kind == KIND_TLAB_OUT);
}

/* For google/pprof to look at. */
static void write_profile(const struct pprof_result *r, const char *dir, const char *name, size_t i)
{
    cleanup_free char *path = xasprintf("%s/%s-%zu-%s.pb.gz", dir, name, i, r->name);
    cleanup_fclose FILE *f = fopen(path, "wbe");
    CHECK(f && fwrite(r->bytes, 1, r->len, f) == r->len);
}

static struct profiles finish(struct conversion *c, const char *event, const char *dir, const char *name)
{
    struct profiles all = {0};
    struct pprof_result *r;
    size_t n = 0;
    CHECK_INT(conversion_finish(c, &r, &n, NULL), 0);
    for (size_t i = 0; i < n; i++) {
        CHECK_STR(r[i].event, event);
        sum_up(&r[i], &all);
        write_profile(&r[i], dir, name, i);
    }
    return all;
}

/* ---- both ---- */

static void expect(struct profiles *e, enum profile_kind k, int64_t samples, int64_t first, int64_t second)
{
    e->there[k] |= samples > 0;
    e->samples[k] += (uint64_t)samples;
    e->sums[k][0] += first;
    e->sums[k][1] += second;
}

/* What the profiles have to sum up to. With wall clock sampling alone, cpu is what was runnable: that is not among
 * the totals. */
static struct profiles expected(const struct run *run, const struct total *totals)
{
    struct profiles e = {0};
    const bool wall = strcmp(run->event, "wall") == 0, counter = run->interval < MS;
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        const struct total *t = &totals[i];
        enum profile_kind k = event_classes[i].kind;
        int64_t n = (int64_t)t->count, first = n, second = t->sum;
        if (n == 0 || k == KIND_COUNT || (i == CLASS_EXECUTION && totals[CLASS_CPU_TIME].count))
            continue;
        if (i == CLASS_EXECUTION && run->wall) { /* of two samplers */
            expect(&e, KIND_WALL, t->sum, t->sum * run->wall, 0);
            n -= t->sum;
            first = n * run->interval;
            second = 0;
        } else if (i == CLASS_EXECUTION) {
            k = counter ? KIND_COUNTER : wall ? KIND_WALL : KIND_CPU;
            first = counter ? n : n * run->interval;
            second = counter ? n * run->interval : 0;
        } else if (i == CLASS_WALL) {
            n = t->sum;
            first = n * (wall ? run->interval : run->wall);
            second = 0;
        } else if (i == CLASS_CPU_TIME) {
            first = t->sum;
            second = 0;
        } else if (i == CLASS_NATIVE_METHOD) {
            first = n * 20 * MS;
        }
        expect(&e, k, n, first, second);
    }
    return e;
}

/* Ticks that are no nanoseconds may be rounded otherwise, once per event. */
static void check_sums(const struct profiles *got, const struct profiles *want, const struct total *totals)
{
    for (size_t k = 0; k < KIND_COUNT; k++) {
        const uint64_t slack = want->samples[k];
        if (k == KIND_MALLOC_LIVE) { /* what was freed the JDK cannot tell */
            CHECK(got->samples[k] <= want->samples[KIND_MALLOC]);
            CHECK_INT(got->there[k], totals[CLASS_MALLOC].count > 0 && got->samples[k] > 0);
            continue;
        }
        if (!want->there[k] && k == KIND_CPU && want->there[KIND_WALL])
            continue;
        CHECK_INT(got->there[k], want->there[k]);
        CHECK_INT(got->samples[k], want->samples[k]);
        CHECK((uint64_t)llabs(got->sums[k][0] - want->sums[k][0]) <= (k == KIND_CPU ? slack : 0));
        CHECK((uint64_t)llabs(got->sums[k][1] - want->sums[k][1]) <= slack);
    }
}

static void check_counts(const struct conversion *c, const struct total *totals)
{
    size_t n;
    const struct conversion_event *e = conversion_events(c, &n);
    for (size_t i = 0; i < n; i++) {
        /* Batches count with all their samples; of two samplers of cpu one counts. */
        uint64_t want = i == CLASS_WALL ? (uint64_t)totals[i].sum : totals[i].count;
        if (i == CLASS_EXECUTION && totals[CLASS_CPU_TIME].count)
            want = 0;
        CHECK_STR(e[i].type, event_classes[i].type);
        CHECK_INT(e[i].count, want);
    }
}

static void check_labels(const struct profiles *p)
{
    for (size_t k = 0; k < KIND_COUNT; k++)
        CHECK_INT(p->labelled[k], p->there[k]);
}

/* What a killed JVM leaves behind is in its own place, and of no use to the JDK's tools but for a copy that claims to
 * be finished. */
static char *claimed_to_be_finished(const char *file)
{
    enum { GENERATION_AT = 64 };
    cleanup_buf struct buf bytes = BUF_INIT(FILE_MAX + 1);
    char *path = xasprintf("%s-finished.jfr", file);
    cleanup_fclose FILE *f = fopen(path, "wbe");
    CHECK(read_file(file, &bytes) && bytes.len > GENERATION_AT && bytes.p[GENERATION_AT] != 0);
    if (bytes.len > GENERATION_AT)
        bytes.p[GENERATION_AT] = 0;
    CHECK(f && fwrite(bytes.p, 1, bytes.len, f) == bytes.len);
    return path;
}

static void check_recording(const struct jdk *jdk, const struct run *run, const char *file, const char *dir)
{
    struct total totals[CLASS_COUNT] = {0};
    cleanup_free char *for_jdk = run->killed ? claimed_to_be_finished(file) : xstrdup(file);
    CHECK(summary(jdk, for_jdk, totals));
    CHECK(print(jdk, for_jdk, totals));
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        if (run->must & 1u << i && totals[i].count == 0)
            FAIL_("%s on JDK %d: no %s", run->name, jdk->version, event_classes[i].type);
    }
    const struct profiles want = expected(run, totals);
    const struct conversion_options plain = {.event = "", .gzip = true}, all = {.event = "",
                                                                                .per_thread = true,
                                                                                .allocated_class = true,
                                                                                .lock_class = true,
                                                                                .raw_names = true,
                                                                                .frame_types = true,
                                                                                .libraries = true,
                                                                                .mark_truncated = true};
    cleanup_free char *name = xasprintf("%s-%d", run->name, jdk->version), *full = xasprintf("%s-full", name);
    struct conversion *c = convert(file, &plain);
    struct profiles got = finish(c, run->event, dir, name);
    check_counts(c, totals);
    check_sums(&got, &want, totals);
    conversion_free(c);
    c = convert(file, &all);
    got = finish(c, run->event, dir, full);
    check_sums(&got, &want, totals);
    check_labels(&got);
    conversion_free(c);
    printf("  JDK %d, %s:", jdk->version, run->name);
    for (size_t i = 0; i < CLASS_COUNT - 1; i++) {
        if (totals[i].count)
            printf(" %" PRIu64 " %s", totals[i].count, strchr(event_classes[i].type, '.') + 1);
    }
    printf("\n");
}

/* ---- recording ---- */

static bool run_shell(const char *line)
{
    int status = system(line);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool compile(const struct jdk *jdk)
{
    cleanup_free char *javac = xasprintf("%s/bin/javac", jdk->home), *apps = xasprintf("%s/tests/apps", source_root),
                      *source = xasprintf("%s/Events.java", apps), *log = xasprintf("%s/javac.log", java_dir);
    char *argv[] = {
        javac, (char *)"--release", (char *)"11", (char *)"-d", java_dir, (char *)"-sourcepath", apps, source, NULL};
    pid_t pid;
    int status = -1;
    return java_spawn(argv, log, &pid) && waitpid(pid, &status, 0) == pid && status == 0;
}

/* All that a JDK can do at once. */
struct running {
    const struct run *run;
    struct java_target java;
    char *file;
    bool ready;
};

static bool begin(const struct jdk *jdk, const struct run *run, const char *dir, struct running *ret)
{
    cleanup_free char *java = xasprintf("%s/bin/java", jdk->home);
    ret->run = run;
    ret->file = xasprintf("%s/%s-%d.jfr", dir, run->name, jdk->version);
    cleanup_free char *option =
        run->agent ? xasprintf("-agentpath:%s=start,%s,jfr,quiet,file=%s", library, run->agent, ret->file)
                   : xasprintf("-XX:StartFlightRecording=%s,filename=%s", run->flight, ret->file);
    cleanup_free char *repository = xasprintf("-XX:FlightRecorderOptions=repository=%s.parts", ret->file);
    snprintf(ret->java.output, sizeof ret->java.output, "%s/out-%s-%d", java_dir, run->name, jdk->version);
    char *argv[] = {java,
                    (char *)"-Xmx128m",
                    (char *)"-XX:+UseSerialGC",
                    (char *)"-Xlog:disable",
                    (char *)"-cp",
                    java_dir,
                    option,
                    run->agent ? (char *)"-Xshare:auto" : repository,
                    (char *)"Events",
                    NULL};
    return java_spawn(argv, ret->java.output, &ret->java.pid);
}

/* Once it says so, or is gone. */
static bool is_ready(struct running *r)
{
    char text[LINE_BYTES];
    for (int i = 0; i < 6000; i++) {
        java_output(&r->java, text, sizeof text);
        if (strstr(text, "ready\n"))
            return true;
        if (waitpid(r->java.pid, NULL, WNOHANG) == r->java.pid) {
            r->java.pid = 0;
            printf("  %s: %s", r->run->name, text);
            return false;
        }
        usleep(10000);
    }
    return false;
}

static void check_end(const struct jdk *jdk, struct running *r, const char *dir)
{
    if (r->java.pid)
        waitpid(r->java.pid, NULL, 0);
    cleanup_free char *take = xasprintf("mv %s.parts/*/*.jfr %s", r->file, r->file);
    CHECK(!r->run->killed || run_shell(take));
    if (r->ready)
        check_recording(jdk, r->run, r->file, dir);
    else if (r->run->may_fail)
        printf("  JDK %d, %s: not here: %s\n", jdk->version, r->run->name, r->run->may_fail);
    else
        FAIL_("JDK %d, %s: it does not start", jdk->version, r->run->name);
    unlink(r->file);
    free(r->file);
}

static uint64_t cpu_ticks(const struct running *r)
{
    struct procfs_stat stat;
    return r->java.pid && procfs_stat(r->java.pid, &stat, NULL) == 0 ? stat.cpu_ticks : UINT64_MAX;
}

/* Samples take time, of the clock and of the processor. */
static void let_record(const struct running *all, size_t n)
{
    uint64_t enough[RUNS_MAX];
    for (size_t i = 0; i < n; i++) {
        const uint64_t now = cpu_ticks(&all[i]);
        enough[i] = now < UINT64_MAX ? now + RECORD_TICKS : now;
    }
    usleep(RECORD_US);
    const time_t until = time(NULL) + RECORD_SECONDS_MAX;
    for (size_t i = 0; i < n; i++) {
        while (cpu_ticks(&all[i]) < enough[i] && time(NULL) < until)
            usleep(10000);
    }
}

static void record_all(const struct jdk *jdk, const char *dir)
{
    struct running all[RUNS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
        if (runs[i].since <= jdk->version && begin(jdk, &runs[i], dir, &all[n]))
            n++;
    }
    for (size_t i = 0; i < n; i++)
        all[i].ready = is_ready(&all[i]);
    let_record(all, n);
    for (size_t i = 0; i < n; i++) {
        if (all[i].java.pid)
            kill(all[i].java.pid, all[i].run->killed ? SIGKILL : SIGTERM);
    }
    for (size_t i = 0; i < n; i++)
        check_end(jdk, &all[i], dir);
}

/* ---- google/pprof ---- */

static void check_with_google_pprof(const char *dir)
{
    if (!run_shell("go version >/dev/null 2>&1")) {
        printf("  without google/pprof: there is no go\n");
        return;
    }
    cleanup_free char *check = xasprintf("cd %s/tests/receiver && go run ./profilecheck %s/*.pb.gz", source_root, dir);
    CHECK(run_shell(check));
    /* The tool itself on one profile of each name. */
    cleanup_free char *raw = xasprintf("cd %s && for p in all-*-full-*.pb.gz; do go tool pprof -raw \"$p\" >raw 2>&1 "
                                       "&& grep -q '^Samples:' raw || exit 1; done",
                                       dir);
    CHECK(run_shell(raw));
}

static struct jdk jdks[JDKS_MAX];
static size_t jdk_count;

static int version_of(const char *home)
{
    char line[256];
    int version = 0;
    cleanup_free char *path = xasprintf("%s/release", home);
    cleanup_fclose FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "JAVA_VERSION=\"1.%d", &version) == 1 || sscanf(line, "JAVA_VERSION=\"%d", &version) == 1)
            break;
    }
    return version;
}

static void recordings_of_real_jvms_agree_with_the_jdk_and_with_google_pprof(void)
{
    char dir[] = "/tmp/smolder-recordings-XXXXXX";
    CHECK(mkdtemp(java_dir) && mkdtemp(dir));
    CHECK(compile(&jdks[0]));
    for (size_t i = 0; i < jdk_count; i++)
        record_all(&jdks[i], dir);
    check_with_google_pprof(dir);
    cleanup_free char *clean = xasprintf("rm -rf %s %s", dir, java_dir);
    CHECK(run_shell(clean));
}

int main(int argc, char **argv)
{
    char *homes[JDKS_MAX];
    library = argc > 1 ? realpath(argv[1], NULL) : NULL;
    source_root = argc > 2 ? argv[2] : "";
    jdk_count = java_homes(homes);
    for (size_t i = 0; i < jdk_count; i++)
        jdks[i] = (struct jdk){homes[i], version_of(homes[i])};
    if (!library)
        SKIP(recordings_of_real_jvms_agree_with_the_jdk_and_with_google_pprof, "no async-profiler library given");
    else if (jdk_count == 0)
        SKIP(recordings_of_real_jvms_agree_with_the_jdk_and_with_google_pprof,
             "no JDK in /usr/lib/jvm or SMOLDER_JDKS");
    else
        RUN(recordings_of_real_jvms_agree_with_the_jdk_and_with_google_pprof);
    for (size_t i = 0; i < jdk_count; i++)
        free(homes[i]);
    free((void *)library);
    return REPORT();
}
