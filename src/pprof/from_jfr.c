#include "pprof/from_jfr.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "jfr/event.h"
#include "pprof/encode.h"
#include "pprof/resolve.h"

/* Caps against hostile recordings; 50,000 distinct stacks of 80 frames would take 18 MB of symbols. */
enum { SYMBOLS_MAX = 64 << 20, METADATA_MAX = 16 << 20, OUTPUT_MAX = 256 << 20 };

/* On real profiles a third of the time of level 6 for 8 % more bytes, and a compressor of 198 KB where level 2 takes 652 KB, which
 * are fetched from the kernel and given back for every profile. */
enum { GZIP_LEVEL = 1 };

/* What async-profiler does when told interval 0: wallClock.cpp, arguments.h. */
static const int64_t DEFAULT_INTERVAL_NS = 10000000, DEFAULT_WALL_NS = 50000000;

enum kind {
    KIND_PARK,
    KIND_TLAB_IN,
    KIND_TLAB_OUT,
    KIND_ALLOC,
    KIND_LIVE,
    KIND_MALLOC,
    KIND_LOCK,
    KIND_CPU,
    KIND_WALL,
    KIND_COUNT,
};

/* In the order of name, then sample types. Spec jfr-asprof §3.2. */
static const struct {
    const char *name;
    const char *types[2][2]; /* type, unit */
    const char *period[2];
} kinds[KIND_COUNT] = {
    [KIND_PARK] = {"block", {{"contentions", "count"}, {"delay", "nanoseconds"}}, {"block", "count"}},
    [KIND_TLAB_IN] = {"memory",
                      {{"alloc_in_new_tlab_objects", "count"}, {"alloc_in_new_tlab_bytes", "bytes"}},
                      {"space", "bytes"}},
    [KIND_TLAB_OUT] = {"memory",
                       {{"alloc_outside_tlab_objects", "count"}, {"alloc_outside_tlab_bytes", "bytes"}},
                       {"space", "bytes"}},
    [KIND_ALLOC] = {"memory", {{"alloc_sample_objects", "count"}, {"alloc_sample_bytes", "bytes"}}, {"space", "bytes"}},
    [KIND_LIVE] = {"memory", {{"live", "count"}}, {"objects", "count"}},
    [KIND_MALLOC] = {"memory", {{"malloc_objects", "count"}, {"malloc_bytes", "bytes"}}, {NULL}},
    [KIND_LOCK] = {"mutex", {{"contentions", "count"}, {"delay", "nanoseconds"}}, {"mutex", "count"}},
    [KIND_CPU] = {"process_cpu", {{"cpu", "nanoseconds"}}, {"cpu", "nanoseconds"}},
    [KIND_WALL] = {"wall", {{"wall", "nanoseconds"}}, {"wall", "nanoseconds"}},
};

/* What the recording says about itself, in its first chunk only. */
struct settings {
    char *event; /* owned */
    int64_t cpu_ns, wall_ns;
};

struct conversion {
    struct conversion_options options; /* its strings are in settings */
    struct settings settings;
    struct symbols symbols;
    struct profile profiles[KIND_COUNT];
    uint64_t samples[KIND_COUNT];
    struct conversion_event *events; /* by event class */
    int64_t start_ns, end_ns;
    struct pprof_result *results; /* set by finish */
    size_t result_count;
};

/* One walk over the events of a chunk. */
struct pass {
    struct conversion *c;
    struct resolver *r;
    const struct jfr_header *header;
    int64_t sign; /* -1 takes back what an earlier walk added */
    size_t class; /* of the event at hand */
};

enum { SLOT_STACK, SLOT_THREAD, SLOT_STATE, SLOT_AMOUNT, SETTING_NAME = 0, SETTING_VALUE = 1 };

/* How one type of event turns into values; false where symbols are full. */
typedef bool take_event(struct pass *p, const struct jfr_record *e);
static take_event take_execution, take_wall, take_sized, take_live, take_delay, take_setting;

static const struct event_class {
    const char *type;
    const char *fields[SLOT_AMOUNT + 1];
    enum kind kind;
    take_event *take;
} classes[] = {
    {"jdk.ExecutionSample", {"stackTrace", "sampledThread", "state"}, KIND_CPU, take_execution},
    {"profiler.WallClockSample", {"stackTrace", "sampledThread", "state", "samples"}, KIND_WALL, take_wall},
    {"jdk.ObjectAllocationInNewTLAB", {"stackTrace", "eventThread", NULL, "tlabSize"}, KIND_TLAB_IN, take_sized},
    {"jdk.ObjectAllocationOutsideTLAB",
     {"stackTrace", "eventThread", NULL, "allocationSize"},
     KIND_TLAB_OUT,
     take_sized},
    {"jdk.ObjectAllocationSample", {"stackTrace", "eventThread", NULL, "weight"}, KIND_ALLOC, take_sized},
    {"profiler.Malloc", {"stackTrace", "eventThread", NULL, "size"}, KIND_MALLOC, take_sized},
    {"profiler.LiveObject", {"stackTrace", "eventThread"}, KIND_LIVE, take_live},
    {"jdk.JavaMonitorEnter", {"stackTrace", "eventThread", NULL, "duration"}, KIND_LOCK, take_delay},
    {"jdk.ThreadPark", {"stackTrace", "eventThread", NULL, "duration"}, KIND_PARK, take_delay},
    {"jdk.ActiveSetting", {"name", "value"}, KIND_COUNT, take_setting},
};
enum { CLASSES = ARRAY_LEN(classes) };

static bool is_wall(const struct conversion *c)
{
    return strcmp(c->settings.event, "wall") == 0;
}

/* Nanoseconds that one wall clock sample stands for. The reference counts all samples at the cpu rate. */
static int64_t wall_weight(const struct conversion *c)
{
    return c->options.compat || c->settings.wall_ns == 0 ? c->settings.cpu_ns : c->settings.wall_ns;
}

/* A product of two foreign numbers; wraps, as sums do. */
static int64_t times(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a * (uint64_t)b);
}

/* Adds an event to a profile, `count` samples at once. */
static bool add(struct pass *p, enum kind kind, const struct jfr_record *e, int64_t first, int64_t second,
                int64_t count)
{
    struct conversion *c = p->c;
    uint32_t stack = resolver_stack(p->r, e->v[SLOT_STACK].num);
    if (stack == RESOLVE_NO_STACK) {
        if (c->options.compat)
            return true;
        /* The time was spent even where nobody knows on what. */
        stack = resolver_unknown_stack(p->r);
    }
    uint32_t labels = c->options.per_thread ? resolver_thread(p->r, e->v[SLOT_THREAD].num) : 0;
    if (!profile_add(&c->profiles[kind], stack, labels, (int64_t[]){times(first, p->sign), times(second, p->sign)}))
        return false;
    c->samples[kind] += (uint64_t)times(count, p->sign);
    return true;
}

/* Spec §3.3; the reference does not count samples whose state is no entry of the pool. */
static bool take_execution(struct pass *p, const struct jfr_record *e)
{
    struct conversion *c = p->c;
    enum thread_state state = resolver_state(p->r, e->v[SLOT_STATE].num);
    bool wall = is_wall(c);
    int64_t weight = wall ? wall_weight(c) : c->settings.cpu_ns;
    if (state != THREAD_STATE_SLEEPING && !(c->options.compat && state == THREAD_STATE_UNKNOWN) &&
        !add(p, KIND_CPU, e, weight, 0, 1))
        return false;
    return !wall || add(p, KIND_WALL, e, weight, 0, 1);
}

/* An idle thread's samples come in batches. */
static int64_t wall_samples(const struct jfr_record *e)
{
    int32_t n = (int32_t)e->v[SLOT_AMOUNT].num;
    return n > 0 ? n : 0;
}

static bool take_wall(struct pass *p, const struct jfr_record *e)
{
    int64_t samples = wall_samples(e), weight = times(samples, wall_weight(p->c));
    if (samples == 0)
        return true;
    if (is_wall(p->c) && resolver_state(p->r, e->v[SLOT_STATE].num) == THREAD_STATE_RUNNABLE &&
        !add(p, KIND_CPU, e, weight, 0, samples))
        return false;
    return add(p, KIND_WALL, e, weight, 0, samples);
}

static bool take_sized(struct pass *p, const struct jfr_record *e)
{
    return add(p, classes[p->class].kind, e, 1, (int64_t)e->v[SLOT_AMOUNT].num, 1);
}

static bool take_live(struct pass *p, const struct jfr_record *e)
{
    return add(p, KIND_LIVE, e, 1, 0, 1);
}

static bool take_delay(struct pass *p, const struct jfr_record *e)
{
    int64_t ticks = (int64_t)e->v[SLOT_AMOUNT].num;
    int64_t delay = p->c->options.compat ? ticks : jfr_ticks_to_ns(p->header, ticks);
    return add(p, classes[p->class].kind, e, 1, delay, 1);
}

static void set_interval(int64_t *to, struct str value, int64_t otherwise)
{
    int64_t ns;
    if (str_to_i64(value, &ns) && ns >= 0)
        *to = ns ? ns : otherwise;
}

/* Acts from here on, in file order: async-profiler writes settings in front of all samples. */
static bool take_setting(struct pass *p, const struct jfr_record *e)
{
    struct conversion *c = p->c;
    enum { SETTING_MAX = 1024 };
    cleanup_buf struct buf name = BUF_INIT(SETTING_MAX), value = BUF_INIT(SETTING_MAX);
    resolver_text(p->r, e->v[SETTING_NAME], &name);
    struct str n = buf_slice(&name);
    if (!str_is(n, "event") && !str_is(n, "interval") && !str_is(n, "wall"))
        return true;
    resolver_text(p->r, e->v[SETTING_VALUE], &value);
    if (str_is(n, "event")) {
        free(c->settings.event);
        c->settings.event = str_dup(buf_slice(&value));
    } else if (c->options.compat) {
        return true;
    } else if (str_is(n, "interval")) {
        set_interval(&c->settings.cpu_ns, buf_slice(&value), is_wall(c) ? DEFAULT_WALL_NS : DEFAULT_INTERVAL_NS);
        if (is_wall(c)) /* then this is the interval of wall samples, whatever an earlier recording had */
            c->settings.wall_ns = 0;
    } else {
        set_interval(&c->settings.wall_ns, buf_slice(&value), DEFAULT_WALL_NS);
    }
    return true;
}

struct conversion *conversion_new(const struct conversion_options *options)
{
    struct conversion *c = xcalloc(1, sizeof *c);
    c->options = *options;
    c->options.event = NULL;
    c->settings = (struct settings){xstrdup(options->event ? options->event : ""), options->cpu_ns, options->wall_ns};
    symbols_init(&c->symbols, SYMBOLS_MAX);
    for (size_t k = 0; k < KIND_COUNT; k++) {
        struct profile *p = &c->profiles[k];
        profile_init(p, &c->symbols);
        for (size_t i = 0; i < 2 && kinds[k].types[i][0]; i++)
            (void)profile_add_type(p, str_of(kinds[k].types[i][0]), str_of(kinds[k].types[i][1]));
        p->period_type.type = symbols_string(&c->symbols, str_of(kinds[k].period[0]));
        p->period_type.unit = symbols_string(&c->symbols, str_of(kinds[k].period[1]));
    }
    c->events = xcalloc(CLASSES, sizeof *c->events);
    for (size_t i = 0; i < CLASSES; i++)
        c->events[i].type = classes[i].type;
    return c;
}

/* Event type ids of this chunk -> class, and how to read each. */
struct layout {
    struct {
        uint64_t id;
        struct jfr_plan plan;
    } of[CLASSES];
};

static int layout_read(struct layout *l, const struct jfr_metadata *m, bool threads, struct arena *arena,
                       struct err *err)
{
    for (size_t i = 0; i < CLASSES; i++) {
        const struct jfr_type *t = jfr_type_by_name(m, classes[i].type);
        const char *fields[SLOT_AMOUNT + 1];
        memcpy(fields, classes[i].fields, sizeof fields);
        if (!threads && classes[i].take != take_setting)
            fields[SLOT_THREAD] = NULL;
        l->of[i].id = t ? t->id : JFR_EVENT_METADATA; /* which is no sample */
        int code = t ? jfr_plan_compile(m, t, fields, ARRAY_LEN(fields), false, arena, &l->of[i].plan, err) : 0;
        if (code < 0)
            return code;
    }
    return 0;
}

static const struct jfr_plan *class_of(const struct layout *l, uint64_t type, size_t *class)
{
    for (size_t i = 0; i < CLASSES && type != JFR_EVENT_METADATA; i++) {
        if (l->of[i].id == type) {
            *class = i;
            return &l->of[i].plan;
        }
    }
    return NULL;
}

/* Walks events up to `until`; *failed_at is where it broke off. */
static int walk(struct pass *p, const struct layout *l, struct jfr_events it, const uint8_t *until,
                const uint8_t **failed_at, struct err *err)
{
    struct jfr_event event;
    struct jfr_record rec;
    while (it.p < until) {
        *failed_at = it.p;
        int code = jfr_events_next(&it, &event, err);
        if (code < 0)
            return code;
        const struct jfr_plan *plan = class_of(l, event.type, &p->class);
        if (!plan)
            continue;
        rec = (struct jfr_record){0}; /* a type may lack fields */
        /* Numbers are read fastest far from the end of the bytes: the event's own end is looked at afterwards. */
        const uint8_t *end = jfr_plan_run(plan, event.payload, it.end, &rec);
        if (!end || end > event.end)
            return err_set(err, -EBADMSG, "%s at %zu is cut", classes[p->class].type, (size_t)(*failed_at - it.chunk));
        if (!classes[p->class].take(p, &rec))
            return err_set(err, -E2BIG, "more names or stacks than %d MiB hold", SYMBOLS_MAX >> 20);
        int64_t count = classes[p->class].take == take_wall ? wall_samples(&rec) : 1;
        p->c->events[p->class].count += (uint64_t)times(count, p->sign);
    }
    return 0;
}

static void settings_restore(struct settings *to, struct settings *from)
{
    free(to->event);
    *to = *from;
    to->event = xstrdup(from->event);
}

/* Adds all events, or none: a walk that breaks off is walked again up to there with the sign turned round. */
static int add_events(struct pass *p, const struct layout *l, struct jfr_events it, struct err *err)
{
    struct settings before = p->c->settings;
    before.event = xstrdup(before.event);
    const uint8_t *failed_at = it.p;
    int code = walk(p, l, it, it.end, &failed_at, err);
    if (code < 0) {
        settings_restore(&p->c->settings, &before);
        p->sign = -1;
        (void)!walk(p, l, it, failed_at, &failed_at, NULL);
        settings_restore(&p->c->settings, &before);
    }
    free(before.event);
    return code;
}

static int64_t end_of(const struct jfr_header *h)
{
    int64_t end;
    return h->duration_ns < 0 || __builtin_add_overflow(h->start_ns, h->duration_ns, &end) ? h->start_ns : end;
}

int conversion_add(struct conversion *c, const void *chunk, size_t len, struct err *err)
{
    struct jfr_header header;
    cleanup_arena struct arena arena = ARENA_INIT(METADATA_MAX);
    cleanup_jfr_metadata struct jfr_metadata metadata = JFR_METADATA_INIT;
    cleanup_resolver struct resolver resolver = {0};
    struct layout layout = {0};
    int code = jfr_header_read(chunk, len, &header, err);
    if (code == 0)
        code = jfr_metadata_read(chunk, header.size, header.metadata, &arena, &metadata, err);
    if (code == 0)
        code = layout_read(&layout, &metadata, c->options.per_thread, &arena, err);
    if (code == 0)
        code = resolver_open(&resolver, chunk, &header, &metadata, &arena, &c->symbols, c->options.per_thread, err);
    if (code < 0)
        return code;
    resolver.compat = c->options.compat;
    resolver.mark_truncated = c->options.compat_truncated;
    struct pass pass = {.c = c, .r = &resolver, .header = &header, .sign = 1};
    code = add_events(&pass, &layout, jfr_events_of(chunk, &header), err);
    if (code < 0)
        return code;
    if (c->start_ns == 0)
        c->start_ns = header.start_ns;
    c->end_ns = end_of(&header);
    return 0;
}

static int64_t period_of(const struct conversion *c, enum kind kind)
{
    if (c->options.compat)
        return 0;
    if (kind == KIND_WALL)
        return wall_weight(c);
    return kind == KIND_CPU ? is_wall(c) ? wall_weight(c) : c->settings.cpu_ns : 0;
}

static int encode(struct conversion *c, enum kind kind, struct pprof_result *ret, struct err *err)
{
    struct profile *p = &c->profiles[kind];
    const struct conversion_options *o = &c->options;
    p->time_nanos = o->compat ? o->compat_start_ns : c->start_ns;
    p->duration_nanos = o->compat ? o->compat_end_ns - o->compat_start_ns : c->end_ns - c->start_ns;
    p->period = period_of(c, kind);
    cleanup_buf struct buf plain = BUF_INIT(OUTPUT_MAX), packed = BUF_INIT(OUTPUT_MAX);
    pprof_encode(p, &plain);
    if (!buf_ok(&plain))
        return err_set(err, -E2BIG, "%s: profile larger than %d MiB", kinds[kind].name, OUTPUT_MAX >> 20);
    struct buf *out = &plain;
    if (o->gzip) {
        int code = gzip_deflate(buf_slice(&plain), GZIP_LEVEL, &packed);
        if (code < 0)
            return err_set(err, code, "%s: cannot compress", kinds[kind].name);
        out = &packed;
    }
    struct pprof_result result = {.name = kinds[kind].name,
                                  .event = c->settings.event,
                                  .samples = c->samples[kind],
                                  .time_nanos = p->time_nanos,
                                  .duration_nanos = p->duration_nanos};
    uint8_t *bytes = buf_take(out, &result.len);
    /* Results wait in queues: give back what the buffer had to spare. */
    uint8_t *tight = realloc(bytes, result.len + 1);
    result.bytes = tight ? tight : bytes;
    *ret = result;
    return 0;
}

int conversion_finish(struct conversion *c, struct pprof_result **ret, size_t *n, struct err *err)
{
    if (!c->results)
        c->results = xcalloc(KIND_COUNT, sizeof *c->results);
    for (size_t i = 0; i < c->result_count; i++)
        free(c->results[i].bytes);
    c->result_count = 0;
    for (size_t k = 0; k < KIND_COUNT; k++) {
        if (c->samples[k] == 0)
            continue;
        int code = encode(c, (enum kind)k, &c->results[c->result_count], err);
        if (code < 0)
            return code;
        c->result_count++;
    }
    *ret = c->results;
    *n = c->result_count;
    return 0;
}

const struct conversion_event *conversion_events(const struct conversion *c, size_t *n)
{
    *n = CLASSES - 1; /* settings come last and are no samples */
    return c->events;
}

int64_t conversion_start_ns(const struct conversion *c)
{
    return c->start_ns;
}

int64_t conversion_end_ns(const struct conversion *c)
{
    return c->end_ns;
}

void conversion_settings(const struct conversion *c, struct conversion_options *options)
{
    options->event = c->settings.event;
    options->cpu_ns = c->settings.cpu_ns;
    options->wall_ns = c->settings.wall_ns;
}

void conversion_free(struct conversion *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->result_count; i++)
        free(c->results[i].bytes);
    free(c->results);
    for (size_t k = 0; k < KIND_COUNT; k++)
        profile_done(&c->profiles[k]);
    symbols_done(&c->symbols);
    free(c->settings.event);
    free(c->events);
    free(c);
}
