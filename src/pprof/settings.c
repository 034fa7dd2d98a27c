#include "pprof/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

/* What async-profiler does when told interval 0. */
enum { DEFAULT_INTERVAL_NS = 10000000, DEFAULT_WALL_NS = 50000000, DEFAULT_ALLOC_BYTES = 524287, DEFAULT_RAW = 1000 };

/* The JDK's sampler works in whole milliseconds. */
enum { MS_NS = 1000000, JDK_STEP_NS = MS_NS };

/* Events by time; all else is a counter, or a method whose calls are counted. */
static const char *const timed[] = {"", "cpu", "itimer", "ctimer", "wall", "cpu-clock"};

/* Counters whose interval 0 means more than one. Breakpoints, tracepoints, probes and page faults count one by one
 * (breakpoints on arm64 two by two, of which a recording says nothing); raw events and descriptors, DEFAULT_RAW. */
static const struct {
    const char *event;
    int64_t interval;
} counters[] = {
    {"context-switches", 2},   {"cycles", 1000000},
    {"instructions", 1000000}, {"cache-references", 1000000},
    {"cache-misses", 1000},    {"branch-instructions", 1000000},
    {"branch-misses", 1000},   {"bus-cycles", 1000000},
    {"ref-cycles", 1000000},   {"L1-dcache-load-misses", 1000000},
    {"LLC-load-misses", 1000}, {"dTLB-load-misses", 1000},
};

const char *settings_own_event(const char *event)
{
    for (size_t i = 0; i < ARRAY_LEN(timed); i++) {
        if (strcmp(event, timed[i]) == 0)
            return timed[i];
    }
    for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
        if (strcmp(event, counters[i].event) == 0)
            return counters[i].event;
    }
    return strcmp(event, SETTINGS_OTHER) == 0 ? SETTINGS_OTHER : NULL;
}

bool settings_wall(const struct recorded_settings *s)
{
    return strcmp(s->event, "wall") == 0;
}

bool settings_counter(const struct recorded_settings *s)
{
    for (size_t i = 0; i < ARRAY_LEN(timed); i++) {
        if (strcmp(s->event, timed[i]) == 0)
            return false;
    }
    return true;
}

bool settings_both(const struct recorded_settings *s)
{
    return s->wall_ns > 0 && !settings_wall(s);
}

bool settings_ticks(const struct recorded_settings *s)
{
    return strcmp(s->event, "itimer") == 0;
}

int64_t settings_wall_weight(const struct recorded_settings *s)
{
    return s->wall_ns ? s->wall_ns : s->cpu_ns;
}

static void settings_set(int64_t *to, struct str value, int64_t otherwise)
{
    int64_t v;
    if (str_to_i64(value, &v) && v >= 0)
        *to = v ? v : otherwise;
}

/* "r01c2": as async-profiler tells one from the name of a function. */
static bool settings_is_raw(const char *event)
{
    char *end;
    if (event[0] != 'r' || event[1] < '0')
        return false;
    (void)strtoull(event + 1, &end, 16);
    return *end == '\0';
}

/* "cpu/event=0xc2,umask=1/", and no breakpoint, tracepoint or probe. */
static bool settings_is_descriptor(const char *event)
{
    static const char *const others[] = {"mem:", "trace:", "kprobe:", "uprobe:", "kretprobe:", "uretprobe:"};
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (str_has_prefix(str_of(event), str_of(others[i])))
            return false;
    }
    const char *slash = strchr(event, '/');
    return slash > event && slash[1] != '\0' && event[strlen(event) - 1] == '/';
}

static int64_t settings_default_interval(const struct recorded_settings *s)
{
    if (!settings_counter(s))
        return settings_wall(s) ? DEFAULT_WALL_NS : DEFAULT_INTERVAL_NS;
    for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
        if (strcmp(s->event, counters[i].event) == 0)
            return counters[i].interval;
    }
    return settings_is_raw(s->event) || settings_is_descriptor(s->event) ? DEFAULT_RAW : 1;
}

enum setting settings_known(struct str name)
{
    static const char *const names[] = {[SETTING_EVENT] = "event",
                                        [SETTING_INTERVAL] = "interval",
                                        [SETTING_WALL] = "wall",
                                        [SETTING_ALLOC] = "alloc",
                                        [SETTING_NATIVEMEM] = "nativemem"};
    for (size_t i = SETTING_OTHER + 1; i < ARRAY_LEN(names); i++) {
        if (str_is(name, names[i]))
            return (enum setting)i;
    }
    return SETTING_OTHER;
}

/* It becomes a label's value and a word in logs. */
static bool settings_is_event_name(struct str s, size_t max)
{
    for (size_t i = 0; i < s.n; i++) {
        const unsigned char c = (unsigned char)s.p[i];
        const bool c1 = c == 0xc2 && i + 1 < s.n && (unsigned char)s.p[i + 1] < 0xa0; /* U+0080 to U+009F */
        if (c < ' ' || c == 0x7f || c1)
            return false;
    }
    return s.n <= max && str_is_utf8(s);
}

void settings_take(struct recorded_settings *s, enum setting setting, struct str value, size_t name_max)
{
    switch (setting) {
    case SETTING_OTHER:
        break;
    case SETTING_EVENT:
        free(s->event);
        s->event = settings_is_event_name(value, name_max) ? str_dup(value) : xstrdup(SETTINGS_OTHER);
        s->no_event = value.n == 0;
        s->wall_ns = 0; /* of another recording before this one */
        break;
    case SETTING_INTERVAL:
        settings_set(&s->cpu_ns, value, settings_default_interval(s));
        break;
    case SETTING_WALL:
        settings_set(&s->wall_ns, value, DEFAULT_WALL_NS);
        if (s->no_event && s->wall_ns) {
            free(s->event);
            s->event = xstrdup("wall");
        }
        break;
    case SETTING_ALLOC:
        settings_set(&s->alloc_bytes, value, DEFAULT_ALLOC_BYTES);
        break;
    case SETTING_NATIVEMEM:
        settings_set(&s->malloc_bytes, value, 1);
        break;
    }
}

/* "20 ms": jdk.jfr.internal.util.ValueParser. */
static bool settings_parse_timespan(struct str text, int64_t *ret)
{
    static const struct {
        const char *unit;
        int64_t ns;
    } units[] = {{"ns", 1},          {"us", 1000},         {"ms", 1000000},      {"s", 1000000000},
                 {"m", 60000000000}, {"h", 3600000000000}, {"d", 86400000000000}};
    if (text.n == 0)
        return false;
    struct str number = {text.p, 0};
    while (number.n < text.n && text.p[number.n] >= '0' && text.p[number.n] <= '9')
        number.n++;
    struct str unit = str_trim((struct str){text.p + number.n, text.n - number.n});
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (str_is(unit, units[i].unit))
            return str_to_i64(number, ret) && *ret > 0 && !__builtin_mul_overflow(*ret, units[i].ns, ret);
    }
    return false;
}

bool settings_known_jdk(struct str type)
{
    return str_is(type, "jdk.ExecutionSample") || str_is(type, "jdk.NativeMethodSample");
}

void settings_take_jdk(struct recorded_settings *s, struct str type, struct str name, struct str value)
{
    int64_t ns;
    if (!str_is(name, "period") || !settings_parse_timespan(value, &ns))
        return;
    ns = ns < JDK_STEP_NS ? JDK_STEP_NS : ns - ns % JDK_STEP_NS;
    if (str_is(type, "jdk.ExecutionSample"))
        s->jdk_ns = ns;
    else if (str_is(type, "jdk.NativeMethodSample"))
        s->native_method_ns = ns;
}

void settings_take_ms(int64_t *ns, uint64_t ms)
{
    if (ms > 0 && ms <= INT64_MAX / MS_NS)
        *ns = (int64_t)ms * MS_NS;
}

void settings_restart(struct recorded_settings *s, const struct recorded_settings *initial)
{
    s->cpu_ns = initial->cpu_ns;
    s->alloc_bytes = initial->alloc_bytes;
    s->malloc_bytes = initial->malloc_bytes;
}

void settings_restart_jdk(struct recorded_settings *s, const struct recorded_settings *initial)
{
    s->jdk_ns = initial->jdk_ns;
    s->native_method_ns = initial->native_method_ns;
}

bool settings_same(const struct recorded_settings *a, const struct recorded_settings *b)
{
    return strcmp(a->event, b->event) == 0 && a->no_event == b->no_event && a->cpu_ns == b->cpu_ns &&
           a->wall_ns == b->wall_ns && a->jdk_ns == b->jdk_ns && a->repeat == b->repeat &&
           a->native_method_ns == b->native_method_ns && a->alloc_bytes == b->alloc_bytes &&
           a->malloc_bytes == b->malloc_bytes;
}

void settings_copy(struct recorded_settings *to, const struct recorded_settings *from)
{
    char *event = xstrdup(from->event);
    recorded_settings_done(to);
    *to = *from;
    to->event = event;
}

void recorded_settings_done(struct recorded_settings *s)
{
    free(s->event);
    s->event = NULL;
}
