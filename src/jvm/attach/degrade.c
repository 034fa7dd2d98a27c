#include "jvm/attach/degrade.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/* What a message is about: the first of its options that is among those asked for, and what goes with that one. */
static const struct {
    const char *said;
    const char *options; /* separated by blanks */
} refusals[] = {
    {"No AllocTracer symbols found", "alloc"}, /* a stripped libjvm before JDK 11, or with tlab */
    {"Cannot install allocation breakpoints", "alloc"},
    {"InstrumentableObjectAlloc", "alloc"},
    {"'live' option is supported on", "live"},
    {"Unsafe class not found", "lock"},
    {"registerNatives method not found", "lock"},
    {"Unsafe_park address not found", "lock"},
    {"parkBlocker field not found", "lock"},
    {"LockTracer registration failed", "lock"},
    {"setEntry method not found", "lock"},
    {"Perf events unavailable", "event"},
    {"Perf events resource limit", "event"},
    {"PerfEvents are not supported", "event"},
    {"Unsupported event type", "event"},
    {"Only arguments 1-4 can be counted", "event"},
    {"Failed to create CPU timer", "event"},
    {"CTimer is not supported", "event"},
    {"ITIMER_PROF is not supported", "event"},
    {"Unable to create timer thread", "wall event"}, /* of wall clock sampling */
    {"Cannot start wall clock with the selected event", "wall"},
    {"target-cpu is only supported", "target-cpu"},
    {"record-cpu is only supported", "record-cpu"},
    {"Could not load Instrument class", "trace event"},
    {"Running method tracing and Java method sampling", "trace"},
    {"Process sampling is not supported", "proc"},
    {"VMStructs stack walking is not supported", "cstack"},
    {"DWARF unwinding is not supported", "cstack"},
    {"mixed feature is only allowed", "features"},
    {"agct feature is incompatible", "features"},
};

/* Stand-ins for the CPU event. */
static const struct {
    const char *event, *instead;
} stand_ins[] = {{"cpu", "ctimer"}, {"ctimer", "itimer"}};

/* What means nothing without that one. */
static const struct {
    const char *option, *with;
} companions[] = {
    {"event", "interval alluser record-cpu target-cpu sched"}, {"alloc", "tlab live"}, {"nativemem", "nofree"}};

static const char *const kinds[] = {"event", "cpu", "alloc", "lock", "wall", "nativemem", "nativelock", "trace", "all"};

static bool next_option(struct str *rest, struct str *name, struct str *value)
{
    struct str item;
    if (!str_split(rest, ',', &item))
        return false;
    const char *eq = item.n ? memchr(item.p, '=', item.n) : NULL;
    *name = (struct str){item.p, eq ? (size_t)(eq - item.p) : item.n};
    *value = eq ? (struct str){eq + 1, item.n - name->n - 1} : (struct str){0};
    return true;
}

static bool degrade_find(struct str options, struct str wanted, struct str *value)
{
    for (struct str name; next_option(&options, &name, value);)
        if (str_eq(name, wanted))
            return true;
    return false;
}

static bool in_words(const char *words, struct str name)
{
    struct str rest = str_of(words);
    for (struct str word; str_split(&rest, ' ', &word);)
        if (str_eq(word, name))
            return true;
    return false;
}

/* Goes with an option that `changes` takes out. */
static bool is_companion(const char *changes, struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(companions); i++) {
        struct str value;
        if (in_words(companions[i].with, name) && degrade_find(str_of(changes), str_of(companions[i].option), &value) &&
            !value.p)
            return true;
    }
    return false;
}

void degrade_apply(struct str options, const char *changes, struct buf *out)
{
    struct str rest = options, name, value, instead;
    const char *separator = "";
    while (next_option(&rest, &name, &value)) {
        const bool changed = degrade_find(str_of(changes), name, &instead);
        if ((changed && !instead.p) || (!changed && is_companion(changes, name)))
            continue;
        buf_printf(out, "%s%.*s", separator, STR_ARG(name));
        if (changed)
            value = instead;
        if (value.p)
            buf_printf(out, "=%.*s", STR_ARG(value));
        separator = ",";
    }
}

/* Whether something is sampled with these options: without any event the profiler would take `cpu` by itself. */
static bool degrade_samples(struct str options)
{
    struct str value;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (degrade_find(options, str_of(kinds[i]), &value))
            return true;
    return false;
}

static const char *stand_in(struct str event)
{
    for (size_t i = 0; i < ARRAY_LEN(stand_ins); i++)
        if (str_is(event, stand_ins[i].event))
            return stand_ins[i].instead;
    return NULL;
}

/* The changes without what they say about `name`: a later one takes its place. */
static void degrade_forget(const char *changes, struct str name, struct buf *out)
{
    struct str rest = str_of(changes), item, value;
    while (next_option(&rest, &item, &value))
        if (!str_eq(item, name)) {
            buf_printf(out, "%s%.*s", out->len ? "," : "", STR_ARG(item));
            if (value.p)
                buf_printf(out, "=%.*s", STR_ARG(value));
        }
}

/* One change more. Those who read it see the options as they were asked for, not the stand-ins in between. */
static bool degrade_change(struct degraded *d, struct str options, struct str name, const char *instead,
                           const char *why)
{
    struct degraded next = *d;
    struct str value;
    cleanup_buf struct buf changes = BUF_INIT(sizeof next.changes - 1), left = BUF_INIT(DEGRADE_MAX);
    degrade_forget(d->changes, name, &changes);
    buf_printf(&changes, "%s%.*s", changes.len ? "," : "", STR_ARG(name));
    if (instead)
        buf_printf(&changes, "=%s", instead);
    if (!buf_ok(&changes))
        return false;
    snprintf(next.changes, sizeof next.changes, "%s", buf_cstr(&changes));
    degrade_apply(options, next.changes, &left);
    if (!buf_ok(&left) || !degrade_samples(buf_slice(&left)))
        return false;
    struct str shown = str_is(name, "event") && degrade_find(options, name, &value) ? value : name;
    (void)!snprintf(next.why, sizeof next.why, "%.*s%swithout %.*s%s%s: %s", DEGRADED_WHY_MAX / 2, d->why,
                    d->why[0] ? "; " : "", STR_ARG(shown), instead ? ", with " : "", instead ? instead : "", why);
    *d = next;
    return true;
}

/* The first sentence, without a dot: the second one is about installing things. */
static void first_sentence(const char *said, char *ret, size_t size)
{
    snprintf(ret, size, "%s", said);
    char *end = strstr(ret, ". ");
    if (!end)
        end = strstr(ret, "\n");
    if (end)
        *end = '\0';
}

bool degrade_refused(struct str options, const char *said, struct degraded *d)
{
    char why[DEGRADED_WHY_MAX / 2];
    first_sentence(said, why, sizeof why);
    cleanup_buf struct buf now = BUF_INIT(DEGRADE_MAX);
    degrade_apply(options, d->changes, &now);
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        if (!strstr(said, refusals[i].said))
            continue;
        struct str rest = str_of(refusals[i].options), name, value;
        while (str_split(&rest, ' ', &name))
            if (degrade_find(buf_slice(&now), name, &value)) {
                const char *instead = str_is(name, "event") ? stand_in(value) : NULL;
                return degrade_change(d, options, name, instead, why);
            }
    }
    return false;
}

bool degrade_event(struct str options, const char *instead, const char *why, struct degraded *d)
{
    return degrade_change(d, options, STR("event"), instead, why);
}

int degrade_build(struct str options, const struct jvm_build *build, struct degraded *d, struct err *err)
{
    struct str rest = options, name, value, known;
    while (next_option(&rest, &name, &value)) {
        const char *why = jvm_build_forbids(build, name, value);
        if (why && !degrade_find(str_of(d->changes), name, &known) && !degrade_change(d, options, name, NULL, why))
            return err_set(err, -ENOTSUP, "%.*s is not supported by this JVM, and no other event is configured: %s",
                           STR_ARG(name), why);
    }
    return 0;
}
