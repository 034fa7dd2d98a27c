#include "jvm/session/verdict.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/metric.h"

static struct metric_family crashes = {.name = "smolder_jvm_crashes_total",
                                       .help = "Crashes of profiled JVMs, by cause, and whether the profiler is "
                                               "implicated.",
                                       .kind = METRIC_COUNTER,
                                       .labels = {"cause", "verdict"}};

bool crash_guard_parse(const char *name, enum crash_guard *ret)
{
    static const char *const names[] = {"on", "strict", "off"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(name, names[i]) == 0) {
            *ret = (enum crash_guard)i;
            return true;
        }
    return false;
}

/* The end by all that is known: what the kernel counted, what it logged, what the JVM reported. */
static enum jvm_end verdict_end(const struct jvm_death *d)
{
    const bool open = d->end == JVM_END_KILLED || d->end == JVM_END_UNKNOWN;
    const struct kernel_death *k = &d->found.kernel;
    if (k->oom && !k->of_group)
        return JVM_END_OOM_HOST;
    if (k->oom && open)
        return d->limited ? JVM_END_OOM : JVM_END_OOM_HOST;
    /* Another process of its group was. */
    if (k->whole && !k->oom && (d->end == JVM_END_OOM || d->end == JVM_END_OOM_HOST))
        return d->signal ? JVM_END_KILLED : JVM_END_UNKNOWN;
    if (d->end == JVM_END_UNKNOWN && k->fault)
        return JVM_END_FAULT;
    if (d->found.reported && (d->end == JVM_END_SELF || d->end == JVM_END_UNKNOWN))
        return JVM_END_FAULT;
    return d->end;
}

static bool verdict_is_crash(enum jvm_end end)
{
    return end == JVM_END_FAULT || end == JVM_END_OOM || end == JVM_END_OOM_HOST;
}

static bool verdict_names_profiler(const struct jvm_death *d)
{
    return (d->found.reported && d->found.report.profiler) || (d->found.kernel.fault && d->found.kernel.profiler);
}

static enum verdict_kind verdict_kind_of(const struct jvm_death *d, enum jvm_end end)
{
    const bool soon = d->after_ns >= 0;
    if (end == JVM_END_KILLED || end == JVM_END_UNKNOWN)
        return soon ? VERDICT_SUSPECT : VERDICT_NONE;
    if (!verdict_is_crash(end))
        return VERDICT_NONE;
    const bool memory = end == JVM_END_OOM || (d->found.reported && d->found.report.no_memory);
    if (end != JVM_END_OOM_HOST && (soon || verdict_names_profiler(d) || (memory && d->limited && d->tight)))
        return VERDICT_PROFILER;
    return VERDICT_UNRELATED;
}

/* What killed it: an abort that follows a report is due to the signal in there. */
static void verdict_how(const struct jvm_death *d, enum jvm_end end, char *ret, size_t size)
{
    const struct hs_err *report = d->found.reported ? &d->found.report : NULL;
    const char *name = d->signal ? sigabbrev_np(d->signal) : NULL, *place = report ? report->frame : "";
    if (d->found.kernel.fault && d->found.kernel.profiler && !*place)
        place = "libasyncProfiler.so";
    char signal[HS_ERR_SIGNAL_MAX] = "";
    if (name)
        snprintf(signal, sizeof signal, "SIG%s", name);
    if (report && report->signal[0])
        snprintf(signal, sizeof signal, "%s", report->signal);
    if (end == JVM_END_OOM || end == JVM_END_OOM_HOST)
        snprintf(ret, size, "OOM-killed%s", end == JVM_END_OOM ? "" : " for want of memory of the host");
    else if (report && report->no_memory)
        snprintf(ret, size, "ended for want of native memory");
    else if (signal[0])
        snprintf(ret, size, "killed by %s%s%s", signal, *place ? " in " : "", place);
    else
        snprintf(ret, size, "%s%s%s", report ? "aborted by HotSpot" : "ended", *place ? " in " : "", place);
}

static void verdict_text(const struct jvm_death *d, struct verdict *v)
{
    char how[QUARANTINE_WHY_MAX - 32];
    verdict_how(d, v->end, how, sizeof how);
    if (d->after_ns >= 0 && d->after_ns < NS_PER_SEC / 10)
        snprintf(v->text, sizeof v->text, "%s at the attach", how);
    else if (d->after_ns >= 0)
        snprintf(v->text, sizeof v->text, "%s %.1f s after the attach", how, (double)d->after_ns / 1e9);
    else
        snprintf(v->text, sizeof v->text, "%s%s", how,
                 v->kind == VERDICT_PROFILER && !verdict_names_profiler(d) ? " with little memory left" : "");
}

void verdict_of(const struct jvm_death *d, enum crash_guard guard, struct verdict *ret)
{
    struct verdict v = {.end = verdict_end(d)};
    v.kind = verdict_kind_of(d, v.end);
    v.stop = v.kind == VERDICT_PROFILER ||
             (guard == CRASH_GUARD_STRICT && verdict_is_crash(v.end) && v.end != JVM_END_OOM_HOST);
    v.stop = v.stop && guard != CRASH_GUARD_OFF;
    if (v.kind != VERDICT_NONE)
        verdict_text(d, &v);
    *ret = v;
}

void verdict_count(const struct verdict *v)
{
    static const char *const causes[] = {
        [JVM_END_UNKNOWN] = "unknown", [JVM_END_SELF] = "exit", [JVM_END_KILLED] = "killed",
        [JVM_END_FAULT] = "fault",     [JVM_END_OOM] = "oom",   [JVM_END_OOM_HOST] = "host_oom"};
    static const char *const kinds[] = {[VERDICT_NONE] = "",
                                        [VERDICT_UNRELATED] = "unrelated",
                                        [VERDICT_SUSPECT] = "suspect",
                                        [VERDICT_PROFILER] = "profiler"};
    if (v->kind != VERDICT_NONE)
        metric_add(&crashes, 1, causes[v->end], kinds[v->kind]);
}
