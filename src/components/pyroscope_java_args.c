#include "components/pyroscope_java_args.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/byte_size.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "jvm/attach/asprof_options.h"
#include "jvm/session/verdict.h"

static const int64_t LONGEST = 24 * 3600 * NS_PER_SEC, ROLL_OVER_MIN = 10 * NS_PER_SEC;

/* 10 us: below that a program does little but handle the profiler's signals. */
enum { SAMPLE_RATE_MAX = 100000, EVENTS_MAX = 900, ARGS_MAX = 12 };

/* More than a host has processes (PID_MAX_LIMIT). */
enum { TARGETS_MAX = 1 << 22 };

/* Frames: the profiler allocates buffers of that many for every CPU. */
enum { STACK_DEPTH_MAX = 16384 };

static const struct option profiling_options[] = {
    {"interval", OPT_DURATION, offsetof(struct java_profiling, interval), .default_text = "\"60s\"",
     .help = "How frequently to collect profiles from the targets; at least 1s. Sampling is not interrupted."},
    {"cpu", OPT_BOOL, offsetof(struct java_profiling, cpu), .default_text = "true",
     .help = "Enables CPU profiling with the event in `event`."},
    {"sample_rate", OPT_INT, offsetof(struct java_profiling, sample_rate), .default_text = "100",
     .help = "CPU samples per second of CPU time."},
    {"event", OPT_STRING, offsetof(struct java_profiling, event), .default_text = "\"itimer\"",
     .help = "Event for CPU profiling: `itimer`, `ctimer`, `cpu`, `wall`, …"},
    {"per_thread", OPT_BOOL, offsetof(struct java_profiling, per_thread), .default_text = "false",
     .help = "Adds the label `thread` with the thread name to every sample; after 200 names the rest is `[other]`."},
    {"alloc", OPT_STRING, offsetof(struct java_profiling, alloc), .default_text = "\"512k\"",
     .help = "Allocation profiling: sampling interval in bytes (`k`, `m`, `g`); empty disables it."},
    {"tlab", OPT_BOOL, offsetof(struct java_profiling, tlab), .default_text = "false",
     .help = "Samples allocations at TLAB boundaries, also supported before JDK 11; requires `alloc`."},
    {"lock", OPT_STRING, offsetof(struct java_profiling, lock), .default_text = "\"10ms\"",
     .help = "Lock profiling: threshold of the waiting time (`ns`, `us`, `ms`, `s`); empty disables it."},
    {"live", OPT_BOOL, offsetof(struct java_profiling, live), .default_text = "false",
     .help = "Live heap: of the sampled allocations those that are still reachable at a `roll_over`, instead of all; "
             "requires `alloc`. Not in Grafana Alloy."},
    {"wall", OPT_STRING, offsetof(struct java_profiling, wall), .default_text = "\"\"",
     .help = "Wall clock profiling beside `event`: sampling interval (`ms`, `us`, `s`); empty disables it. Not in "
             "Grafana Alloy."},
    {"native_mem", OPT_STRING, offsetof(struct java_profiling, native_mem), .default_text = "\"\"",
     .help = "Profiling of `malloc` and similar calls: sampling interval in bytes (`k`, `m`, `g`); empty disables it. "
             "Not in Grafana Alloy."},
    {"native_lock", OPT_STRING, offsetof(struct java_profiling, native_lock), .default_text = "\"\"",
     .help = "Profiling of pthread mutexes and rwlocks: threshold of the waiting time (`ns`, `us`, `ms`, `s`); empty "
             "disables it. Not in Grafana Alloy."},
    {"jstackdepth", OPT_INT, offsetof(struct java_profiling, jstackdepth), .default_text = "0",
     .help = "Maximum frames of a stack, from the leaf; deeper ones are cut. 0 is the profiler's limit, 2048. Not in "
             "Grafana Alloy."},
    {"cstack", OPT_STRING, offsetof(struct java_profiling, cstack), .default_text = "\"\"",
     .help = "How native frames are walked: `vm`, `vmx`, `dwarf`, `fp`, `no`; empty is the profiler's choice. Not in "
             "Grafana Alloy."},
    {"features", OPT_STRING_LIST, offsetof(struct java_profiling, features), .default_text = "[]",
     .help = "Stack walking features: `vtable`, `comptask`, `pcaddr`, `mixed`, `stats`, `agct`, `jnienv`. Not in "
             "Grafana Alloy."},
    {"log_level", OPT_STRING, offsetof(struct java_profiling, log_level), .default_text = "\"INFO\"",
     .help = "Level of async-profiler's own log (`TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR`, `NONE`). It is never "
             "written to the target's output; after a failed start its text is the target's reason."},
    {"quiet", OPT_BOOL, offsetof(struct java_profiling, quiet), .default_text = "false",
     .help = "Accepted for compatibility; nothing is ever written to the target's output."},
    {"custom_arguments", OPT_STRING_LIST, offsetof(struct java_profiling, custom_arguments), .default_text = "[]",
     .help = "Options of async-profiler's launcher (`\"--wall\", \"100ms\"`) used instead of all of the above except "
             "`interval` and `per_thread`. Output, duration, loop and chunk options are rejected."},
    {"include", OPT_STRING_LIST, offsetof(struct java_profiling, include), .default_text = "[]",
     .help = "Patterns of frames, one of which must be in a stack: a name as in the profile, `*` at either end stands "
             "for any text. Applied to all profiles. Not in Grafana Alloy."},
    {"exclude", OPT_STRING_LIST, offsetof(struct java_profiling, exclude), .default_text = "[]",
     .help = "Patterns of frames, none of which may be in a stack. Not in Grafana Alloy."},
    {"roll_over", OPT_DURATION, offsetof(struct java_profiling, roll_over), .default_text = "\"15m\"",
     .help = "Interval at which the profiler is restarted in the target, which releases its memory; at least 10s. "
             "Sampling pauses for some milliseconds. Not in Grafana Alloy."},
    {"crash_guard", OPT_STRING, offsetof(struct java_profiling, crash_guard), .default_text = "\"on\"",
     .help = "After a crash of a profiled JVM: `on` stops profiling of its workload if the profiler is implicated, "
             "`strict` in any case, `off` never; crashes are logged and counted. Not in Grafana Alloy."},
    {0}};

static int java_profiling_check(const void *profiling, struct err *err);
static const struct schema profiling_schema = {
    .size = sizeof(struct java_profiling), .options = profiling_options, .validate = java_profiling_check};

static const struct option options[] = {
    {"targets", OPT_CUSTOM, offsetof(struct java_args, targets), .required = true, .custom = &targets_option,
     .help =
         "List of Java process targets to profile; the label `__process_pid__` identifies the process, or a container "
         "ID its JVMs."},
    {"forward_to", OPT_CUSTOM, offsetof(struct java_args, forward_to), .required = true, .custom = &receivers_option,
     .help = "List of receivers to send collected profiles to."},
    {"tmp_dir", OPT_STRING, offsetof(struct java_args, tmp_dir), .default_text = "\"/tmp\"",
     .help = "Temporary directory to store async-profiler, on the host and in every target."},
    {"dist", OPT_STRING, offsetof(struct java_args, dist), .default_text = "\"\"",
     .help = "Directory of an unpacked async-profiler (`bin/asprof`, `lib/libasyncProfiler.so`) used instead of the "
             "embedded one."},
    {"min_age", OPT_DURATION, offsetof(struct java_args, min_age), .default_text = "\"1s\"",
     .help = "Minimum age of a JVM before it is attached to. Not in Grafana Alloy."},
    {"max_targets", OPT_INT, offsetof(struct java_args, max_targets), .default_text = "0",
     .help = "Maximum number of JVMs that are profiled at once; others wait until one of them ends. `0`: no maximum. "
             "Not in Grafana Alloy."},
    {"memory_headroom", OPT_STRING, offsetof(struct java_args, memory_headroom), .default_text = "\"24MiB\"",
     .help = "Memory that must be available within the limits of a target's cgroups before an attach (`k`, `MiB`, "
             "`g`); a roll-over needs a quarter of it; `0` disables the check. Not in Grafana Alloy."},
    {"untested_versions", OPT_BOOL, offsetof(struct java_args, untested_versions), .default_text = "false",
     .help = "Also attaches to JVMs of untested versions, which may crash. Not in Grafana Alloy."},
    {"retry_crashed", OPT_BOOL, offsetof(struct java_args, retry_crashed), .default_text = "false",
     .help = "Also attaches to quarantined JVMs. Not in Grafana Alloy."},
    {"profiling_config", OPT_BLOCK, offsetof(struct java_args, profiling), .block = &profiling_schema,
     .help = "Profiling settings."},
    {0}};

static int check_paths(const void *record, struct err *err)
{
    const struct java_args *a = record;
    if (a->tmp_dir[0] != '/')
        return err_set(err, -EINVAL, "tmp_dir must be an absolute path, got \"%s\"", a->tmp_dir);
    if (a->dist[0] && a->dist[0] != '/')
        return err_set(err, -EINVAL, "dist must be an absolute path, got \"%s\"", a->dist);
    return 0;
}

static int java_args_check_args(const void *record, struct err *err)
{
    const struct java_args *a = record;
    uint64_t bytes;
    if (a->min_age < 0 || a->min_age > LONGEST)
        return err_set(err, -EINVAL, "min_age must be between 0s and 24h");
    if (a->max_targets < 0 || a->max_targets > TARGETS_MAX)
        return err_set(err, -EINVAL, "max_targets must be between 0 and %d, got %lld", TARGETS_MAX,
                       (long long)a->max_targets);
    if (!byte_size_parse(a->memory_headroom, &bytes))
        return err_set(err, -EINVAL, "memory_headroom \"%s\" is not a size such as 24MiB or 512k", a->memory_headroom);
    return check_paths(record, err);
}

const struct schema java_schema = {
    .size = sizeof(struct java_args), .options = options, .validate = java_args_check_args};

/* ---- checks ---- */

static int check_event(const char *event, struct err *err)
{
    if (!*event)
        return err_set(err, -EINVAL, "event must not be empty; use cpu = false to disable CPU profiling");
    if (strlen(event) >= JAVA_EVENT_MAX)
        return err_set(err, -EINVAL, "event is longer than %d bytes", JAVA_EVENT_MAX - 1);
    for (const char *p = event; *p; p++) {
        if (*p == ',')
            return err_set(err, -EINVAL,
                           "event must be a single event, got \"%s\"; use alloc and lock for allocations and locks",
                           event);
        if (*p <= ' ' || *p == '=' || *p == 0x7f)
            return err_set(err, -EINVAL, "event \"%s\" contains an invalid character", event);
    }
    return 0;
}

static int check_log_level(const char *level, struct err *err)
{
    static const char *const levels[] = {"", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "NONE"};
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        if (strcasecmp(level, levels[i]) == 0)
            return 0;
    }
    return err_set(err, -EINVAL, "invalid log_level \"%s\": expected TRACE, DEBUG, INFO, WARN, ERROR or NONE", level);
}

/* async-profiler takes the unit's first letter and would sample every 10 MiB for alloc = "10ms". Empty is off. */
static int check_unit(const char *attribute, const char *value, bool bytes, struct err *err)
{
    static const char *const all[2][9] = {{"", "n", "ns", "u", "us", "m", "ms", "s", NULL},
                                          {"", "b", "k", "kb", "m", "mb", "g", "gb", NULL}};
    const char *unit = value + strspn(value, "0123456789");
    if (!*value)
        return 0;
    for (const char *const *units = all[bytes]; *units; units++) {
        if (unit > value && strcasecmp(unit, *units) == 0)
            return 0;
    }
    return err_set(err, -EINVAL, "%s \"%s\" is not a number with a unit such as %s", attribute, value,
                   bytes ? "512k or 2m" : "10ms or 50us");
}

static int check_units(const struct java_profiling *p, struct err *err)
{
    int code = check_unit("alloc", p->alloc, true, err);
    if (code == 0)
        code = check_unit("lock", p->lock, false, err);
    if (code == 0)
        code = check_unit("wall", p->wall, false, err);
    if (code == 0)
        code = check_unit("native_mem", p->native_mem, true, err);
    return code == 0 ? check_unit("native_lock", p->native_lock, false, err) : code;
}

/* What the profiler would take as another thing, or at its own discretion. */
static int check_combinations(const struct java_profiling *p, struct err *err)
{
    if (p->tlab && !*p->alloc)
        return err_set(err, -EINVAL, "tlab requires alloc to be set");
    if (p->live && !*p->alloc)
        return err_set(err, -EINVAL, "live requires alloc to be set");
    if (*p->wall && p->cpu && strcmp(p->event, "wall") == 0)
        return err_set(err, -EINVAL,
                       "wall goes beside another event; with event = \"wall\" the interval is sample_rate");
    if (p->jstackdepth < 0 || p->jstackdepth > STACK_DEPTH_MAX)
        return err_set(err, -EINVAL, "jstackdepth must be between 0 and %d, got %lld", STACK_DEPTH_MAX,
                       (long long)p->jstackdepth);
    return 0;
}

/* Patterns as the conversion takes them, one per line (pprof/stack_filter.h). */
static int java_args_add_patterns(struct buf *out, const char *attribute, char sign, const struct string_list *patterns,
                                  struct err *err)
{
    for (size_t i = 0; i < patterns->len; i++) {
        const struct str pattern = str_of(patterns->items[i]);
        for (size_t k = 0; k < pattern.n; k++)
            if ((unsigned char)pattern.p[k] < ' ' || pattern.p[k] == 0x7f)
                return err_set(err, -EINVAL, "%s: \"%s\" contains an invalid character", attribute, pattern.p);
        if (pattern.n == 0)
            return err_set(err, -EINVAL, "%s: a pattern must not be empty", attribute);
        buf_printf(out, "%c%s\n", sign, pattern.p);
        if (!buf_ok(out))
            return err_set(err, -EINVAL, "%s: the patterns of include and exclude are longer than %d bytes together",
                           attribute, STACK_FILTER_MAX - 1);
    }
    return 0;
}

static int java_args_filter(const struct java_profiling *p, struct buf *out, struct err *err)
{
    int code = java_args_add_patterns(out, "include", '+', &p->include, err);
    return code < 0 ? code : java_args_add_patterns(out, "exclude", '-', &p->exclude, err);
}

/* What only matters where custom_arguments do not take over. */
static int check_attributes(const struct java_profiling *p, struct err *err)
{
    if (p->cpu) {
        int code = check_event(p->event, err);
        if (code < 0)
            return code;
        if (p->sample_rate <= 0 || p->sample_rate > SAMPLE_RATE_MAX)
            return err_set(err, -EINVAL, "sample_rate must be between 1 and %d, got %lld", SAMPLE_RATE_MAX,
                           (long long)p->sample_rate);
    }
    if (!p->cpu && !*p->alloc && !*p->lock && !*p->wall && !*p->native_mem && !*p->native_lock)
        return err_set(err, -EINVAL,
                       "nothing to profile: cpu is false, and alloc, lock, wall, native_mem and native_lock are empty");
    int code = check_combinations(p, err);
    if (code == 0)
        code = check_units(p, err);
    return code < 0 ? code : check_log_level(p->log_level, err);
}

static int java_profiling_check(const void *profiling, struct err *err)
{
    const struct java_profiling *p = profiling;
    if (p->interval < NS_PER_SEC)
        return err_set(err, -EINVAL, "interval must be at least 1s");
    if (p->interval > LONGEST)
        return err_set(err, -EINVAL, "interval must be at most 24h");
    if (p->roll_over < ROLL_OVER_MIN || p->roll_over > LONGEST)
        return err_set(err, -EINVAL, "roll_over must be between 10s and 24h");
    enum crash_guard guard;
    if (!crash_guard_parse(p->crash_guard, &guard))
        return err_set(err, -EINVAL, "crash_guard must be \"on\", \"strict\" or \"off\", got \"%s\"", p->crash_guard);
    cleanup_free char *events = NULL;
    cleanup_buf struct buf filter = BUF_INIT(STACK_FILTER_MAX - 1);
    int code = java_args_filter(p, &filter, err);
    return code < 0 ? code : java_profiling_events(p, &events, err);
}

/* ---- meaning ---- */

/* Appends one attribute by the launcher's name for it, checked by the launcher's table. */
static int java_args_add(struct buf *out, const char *attribute, const char *option, const char *value, struct err *err)
{
    const char *args[] = {option, value};
    int code = asprof_options_parse(args, value ? 2 : 1, true, out, err);
    return code < 0 ? err_wrap(err, code, "%s", attribute) : 0;
}

/* Those that are off unless something is set. */
static int add_more_attributes(const struct java_profiling *p, struct buf *out, struct err *err)
{
    const struct {
        const char *attribute, *option, *value;
    } texts[] = {
        {"wall", "--wall", p->wall},
        {"native_mem", "--nativemem", p->native_mem},
        {"native_lock", "--nativelock", p->native_lock},
        {"cstack", "--cstack", p->cstack},
    };
    int code = p->live ? java_args_add(out, "live", "--live", NULL, err) : 0;
    for (size_t i = 0; code == 0 && i < ARRAY_LEN(texts); i++)
        if (*texts[i].value)
            code = java_args_add(out, texts[i].attribute, texts[i].option, texts[i].value, err);
    if (code == 0 && p->jstackdepth) {
        char depth[32];
        snprintf(depth, sizeof depth, "%lld", (long long)p->jstackdepth);
        code = java_args_add(out, "jstackdepth", "--jstackdepth", depth, err);
    }
    cleanup_buf struct buf list = BUF_INIT(EVENTS_MAX);
    for (size_t i = 0; i < p->features.len; i++)
        buf_printf(&list, "%s%s", i ? "," : "", p->features.items[i]);
    return code == 0 && p->features.len ? java_args_add(out, "features", "--features", buf_cstr(&list), err) : code;
}

static int add_attributes(const struct java_profiling *p, struct buf *out, struct err *err)
{
    int code = check_attributes(p, err);
    if (code == 0 && p->cpu) {
        char interval[32];
        snprintf(interval, sizeof interval, "%lld", (long long)(NS_PER_SEC / p->sample_rate));
        code = java_args_add(out, "event", "--event", p->event, err);
        if (code == 0)
            code = java_args_add(out, "sample_rate", "--interval", interval, err);
    }
    if (code == 0 && *p->alloc)
        code = java_args_add(out, "alloc", "--alloc", p->alloc, err);
    if (code == 0 && p->tlab)
        code = java_args_add(out, "tlab", "--tlab", NULL, err);
    if (code == 0 && *p->lock)
        code = java_args_add(out, "lock", "--lock", p->lock, err);
    if (code == 0)
        code = add_more_attributes(p, out, err);
    if (code == 0 && *p->log_level)
        code = java_args_add(out, "log_level", "--log", p->log_level, err);
    return code;
}

static struct str option_value(const char *events, const char *name)
{
    struct str rest = str_of(events), item;
    while (str_split(&rest, ',', &item)) {
        const char *eq = item.n ? memchr(item.p, '=', item.n) : NULL;
        struct str key = {item.p, eq ? (size_t)(eq - item.p) : item.n};
        if (str_is(key, name))
            return eq ? (struct str){eq + 1, item.n - key.n - 1} : STR("");
    }
    return (struct str){0};
}

static bool option_on(const char *events, const char *name)
{
    return option_value(events, name).p != NULL;
}

/* async-profiler runs with a bare list of modifiers, too, and then fails in every target. */
static int java_args_check_custom(const char *events, struct err *err)
{
    static const char *const kinds[] = {"event",     "alloc",      "lock",  "wall", "live",
                                        "nativemem", "nativelock", "trace", "all",  "proc"};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (option_on(events, kinds[i]))
            return 0;
    }
    return err_set(err, -EINVAL, "custom_arguments: nothing to profile: add --event, --alloc, --lock or --wall");
}

int java_profiling_events(const struct java_profiling *p, char **ret, struct err *err)
{
    cleanup_buf struct buf out = BUF_INIT(EVENTS_MAX);
    int code;
    if (p->custom_arguments.len == 0) {
        code = add_attributes(p, &out, err);
    } else {
        code = asprof_options_parse((const char *const *)p->custom_arguments.items, p->custom_arguments.len, true, &out,
                                    err);
        code = code < 0 ? err_wrap(err, code, "custom_arguments") : java_args_check_custom(buf_cstr(&out), err);
    }
    if (code < 0)
        return code;
    if (!buf_ok(&out))
        return err_set(err, -EINVAL, "custom_arguments are longer than %d bytes", EVENTS_MAX);
    *ret = (char *)buf_take(&out, NULL);
    return 0;
}

/* "10ms" as nanoseconds, by the first letter of the unit as async-profiler reads it; 0 when it is none. */
static int64_t java_args_nanoseconds(struct str s)
{
    int64_t n = 0;
    size_t i = 0;
    while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9' && n < INT64_MAX / 10 / NS_PER_SEC)
        n = n * 10 + (s.p[i++] - '0');
    switch (i < s.n ? s.p[i] : 'n') {
    case 'n':
    case 'N':
        return n;
    case 'u':
    case 'U':
        return n * 1000;
    case 'm':
    case 'M':
        return n * 1000000;
    case 's':
    case 'S':
        return n * NS_PER_SEC;
    default:
        return 0;
    }
}

bool java_wants_profile(const struct java_profiling *p, const char *type)
{
    return p->cpu || p->custom_arguments.len > 0 || strcmp(type, "process_cpu") != 0;
}

struct convert_options java_conversion(const struct java_profiling *p, const char *events)
{
    /* Defaults of async-profiler: 10 ms for CPU events, 50 ms for wall. */
    struct str name = option_value(events, "event"), interval = option_value(events, "interval");
    struct convert_options o = {.settings.cpu_ns = 10000000, .gzip = true};
    snprintf(o.settings.event, JAVA_EVENT_MAX, "%.*s", STR_ARG(name));
    if (interval.n && java_args_nanoseconds(interval) > 0)
        o.settings.cpu_ns = java_args_nanoseconds(interval);
    if (option_on(events, "wall")) {
        int64_t wall = java_args_nanoseconds(option_value(events, "wall"));
        o.settings.wall_ns = wall > 0 ? wall : 50000000;
    }
    o.per_thread = p->per_thread || option_on(events, "threads");
    cleanup_buf struct buf filter = BUF_INIT(sizeof o.filter - 1);
    if (java_args_filter(p, &filter, NULL) == 0) /* checked when it was loaded */
        snprintf(o.filter, sizeof o.filter, "%s", buf_cstr(&filter));
    o.raw_threads = true; /* who asks for threads wants to tell them apart */
    return o;
}
