/* pyroscope.java: continuously profiles every target that is a Java process, and passes the profiles on.
 *
 * One session (jvm/session/session.h) per process, identified by PID and start time; one conversion stream
 * (pyroscope_java_convert.h) per session. Removed targets are closed in the background; no target waits for another.
 * Document: pyroscope.java of Grafana Agent.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/byte_size.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/metric.h"
#include "components/pyroscope_java_show.h"
#include "components/pyroscope_java_targets.h"
#include "jvm/operation/client.h"
#include "jvm/operation/users.h"
#include "jvm/probe/user.h"
#include "jvm/session/retry.h"
#include "os/procfs.h"

/* The first profile comes this early; those of further JVMs are spread over some seconds more, and with them all that
 * follow. */
enum { FIRST_S = 10, SPREAD_S = 15 };
/* Within the 5 s a component has to stop: the sessions', and when conversions are given up. */
enum { CLOSE_MS = 4000, HURRY_MS = 4600 };
/* A layout that could not be written (full disk …) is tried again. */
enum { INSTALL_RETRY_MS = 30000 };

/* Between two lines about what is lost of one JVM. */
enum { LOST_S = 60, LISTEN_MS = 5000 };

static struct metric_family samples_total = {.name = "smolder_samples_total",
                                             .help = "Events in profiles passed on, by profile type.",
                                             .kind = METRIC_COUNTER,
                                             .labels = {"event"}};

static struct metric_family unprofiled_total = {.name = "smolder_unprofiled_jvms_total",
                                                .help = "JVMs that ended before they were profiled, by reason code.",
                                                .kind = METRIC_COUNTER,
                                                .labels = {"reason"}};

static void java_reconcile(struct java *j);
static void java_on_listen(uv_timer_t *t);
static void maybe_stopped(struct java *j);

/* ---- one JVM ---- */

static void on_profile(void *arg, const struct convert_profile *meta, struct encoded_profile *p)
{
    struct jvm *v = arg;
    if (!java_wants_profile(&v->owner->args->profiling, meta->type))
        return;
    const struct convert_options configured = java_conversion(&v->owner->args->profiling, v->owner->events);
    const char *label = java_event_label(&v->events, convert_label(meta, "jfr_event"), configured.settings.event);
    struct labels *labels = java_profile_labels(v->target, meta->type, label, v->owner->env->version);
    if (strcmp(label, JAVA_EVENT_OTHER) == 0 && !v->cut[0])
        snprintf(v->cut, sizeof v->cut, "unknown event name in the recording; using jfr_event \"%s\"", label);
    metric_add(&samples_total, (double)p->samples, meta->type);
    v->profiles++;
    v->samples += p->samples;
    v->cpu_samples += strcmp(meta->type, "process_cpu") == 0 ? p->samples : 0;
    v->last_profile_ns = clock_wall_ns();
    p->origin = profile_origin_ref(v->origin);
    fanout_append(&v->owner->args->forward_to, labels, p);
    if (receivers_discard(&v->owner->args->forward_to))
        uv_timer_start(&v->owner->listen, java_on_listen, 0, 0);
    component_sent(v->owner->self, 1);
    labels_unref(labels);
}

static void java_tell_lost(struct jvm *v)
{
    if (v->lost)
        log_warn("samples are lost", L_COMPONENT(component_id(v->owner->self)), L_INT("pid", v->id.pid),
                 L_INT("chunks", v->lost), L_STR("reason", v->lost_why));
    v->lost = 0;
    v->lost_told_ns = clock_ns();
}

/* The first one is named at once, those after it once a minute and at the end, with their number. */
static void on_lost(void *arg, const char *why)
{
    struct jvm *v = arg;
    v->lost++;
    v->lost_total++;
    snprintf(v->lost_why, sizeof v->lost_why, "%s", why);
    if (!v->lost_told_ns || clock_ns() - v->lost_told_ns >= LOST_S * NS_PER_SEC)
        java_tell_lost(v);
}

static void on_refused(void *arg, const char *why)
{
    struct jvm *v = arg;
    v->refused = true;
    snprintf(v->cut, sizeof v->cut, "recording could not be read: %s", why);
    on_lost(v, v->cut);
}

/* Each time: a chunk that ends a parser is an attack or a bug, and rare. */
static void on_parser_ended(void *arg, const char *how, unsigned set_aside)
{
    const struct jvm *v = arg;
    const char *id = component_id(v->owner->self);
    if (set_aside)
        log_error("a recording ended the parser process twice; its chunks were set aside", L_COMPONENT(id),
                  L_INT("pid", v->id.pid), L_STR("how", how), L_INT("chunks", set_aside));
    else
        log_warn("a parser process ended and was replaced; no chunk is lost", L_COMPONENT(id), L_INT("pid", v->id.pid),
                 L_STR("how", how));
}

static void on_used(void *arg, int64_t cpu_ns)
{
    struct jvm *v = arg;
    v->agent_cpu_ns += cpu_ns;
}

static void on_cut(void *arg, const char *what)
{
    struct jvm *v = arg;
    if (*what && !v->cut_told)
        log_warn("parts of a recording were left out; further ones are only counted",
                 L_COMPONENT(component_id(v->owner->self)), L_INT("pid", v->id.pid), L_STR("reason", what));
    v->cut_told |= *what != '\0';
    if (*what || !v->refused)
        snprintf(v->cut, sizeof v->cut, "%s", what);
    v->refused = false;
}

/* What samples account for is compared with what the kernel counted; lost chunks are no fault of the profiler. */
static void on_finished(void *arg, bool whole)
{
    struct jvm *v = arg;
    const struct convert_options configured = java_conversion(&v->owner->args->profiling, v->owner->events);
    const int64_t sample_ns = configured.settings.cpu_ns;
    if (v->session)
        jvm_session_sampled(v->session, whole ? (int64_t)v->cpu_samples * sample_ns : -1, sample_ns);
    v->cpu_samples = 0;
}

/* Its process is over: whoever looks for it afterwards finds it among those that ended. */
static void java_keep_ended(void *arg, const struct jvm_status *status)
{
    struct jvm *v = arg;
    java_ended_add(&v->owner->ended, status, v->origin, clock_ns());
}

static bool java_has_ended(const struct jvm *v)
{
    struct procfs_stat stat;
    return v->state == JVM_STATE_GONE && strcmp(v->waits_for, "not_hotspot") != 0 &&
           (procfs_stat(v->id.pid, &stat, NULL) < 0 || stat.start_time != v->id.start_time);
}

static void on_stream_ended(void *arg)
{
    struct jvm *v = arg;
    struct java *j = v->owner;
    bool again = v->leaving && !j->stopping;
    java_tell_lost(v);
    if (java_has_ended(v))
        java_show_jvm(v, java_keep_ended, v);
    list_del(&v->node);
    labels_unref(v->target);
    profile_origin_unref(v->origin);
    free(v);
    if (j->stopping)
        maybe_stopped(j);
    else if (again)
        java_reconcile(j); /* it may have come back meanwhile */
}

/* To whoever keeps recordings. */
static void java_pass_recording(const struct jvm *v, struct jfr_chunk *c)
{
    const struct receivers *to = &v->owner->args->forward_to;
    if (!receivers_take_recordings(to))
        return;
    struct labels *labels = java_recording_labels(v->target, v->id.pid);
    fanout_recording(to, labels, c);
    labels_unref(labels);
}

static void java_on_chunk(void *arg, struct jfr_chunk *c)
{
    struct jvm *v = arg;
    list_each(&v->recorders, node)
    {
        const struct jvm_recorder *r = list_entry(node, struct jvm_recorder, node);
        if (c->bytes)
            r->chunk(r->arg, c);
    }
    v->recorded_bytes += c->bytes ? c->len : 0;
    if (c->bytes)
        java_pass_recording(v, c);
    java_stream_chunk(v->stream, c);
}

/* One that is lost without a profile is counted, by what it waited for. */
static void java_tell_end(const struct jvm *v, const char *service)
{
    const char *id = component_id(v->owner->self);
    if (v->profiled || strcmp(v->waits_for, "not_hotspot") == 0) {
        log_info("process ended", L_COMPONENT(id), L_INT("pid", v->id.pid), L_STR("service_name", service));
        return;
    }
    metric_add(&unprofiled_total, 1, v->waits_for);
    log_info("process ended without having been profiled", L_COMPONENT(id), L_INT("pid", v->id.pid),
             L_STR("service_name", service), L_STR("code", v->waits_for));
}

/* That it waits for its min_age or for a place is no trouble, and what a conversion left out was logged by itself. */
static bool java_is_worth_a_warning(const struct jvm *v, const struct jvm_reason *reason)
{
    if (v->state == JVM_STATE_GONE || !v->reason[0] || strcmp(v->reason, v->logged) == 0 ||
        strcmp(reason->code, "max_targets") == 0)
        return false;
    return v->state == JVM_STATE_PROFILING || v->state == JVM_STATE_DEGRADED ||
           jvm_age_ns(v->id.start_time) >= v->owner->args->min_age || strcmp(reason->code, "min_age") != 0;
}

static void tell_state(struct jvm *v)
{
    const char *id = component_id(v->owner->self);
    const struct jvm_reason *reason = jvm_reason_of(v->state, v->reason);
    char room[JAVA_SERVICE_MAX];
    cleanup_free char *service = str_dup(java_service_name(v->target, room));
    if (v->state == JVM_STATE_PROFILING)
        log_info("profiling", L_COMPONENT(id), L_INT("pid", v->id.pid), L_STR("service_name", service));
    else if (v->state == JVM_STATE_GONE && strcmp(reason->code, "stopping") != 0)
        java_tell_end(v, service);
    if (java_is_worth_a_warning(v, reason))
        log_warn(v->state == JVM_STATE_DEGRADED ? "profiling with a restriction" : "not profiling", L_COMPONENT(id),
                 L_INT("pid", v->id.pid), L_STR("service_name", service), L_STR("reason", v->reason),
                 L_STR("code", reason->code));
    snprintf(v->logged, sizeof v->logged, "%s", v->reason);
}

static void on_state(void *arg, enum jvm_state state, const char *reason)
{
    struct jvm *v = arg;
    if (v->state != state)
        v->since_ns = clock_wall_ns();
    v->state = state;
    v->profiled = v->profiled || state == JVM_STATE_PROFILING || state == JVM_STATE_DEGRADED;
    if (v->profiled && !v->profiled_since_ns)
        v->profiled_since_ns = clock_wall_ns();
    if (state != JVM_STATE_GONE)
        snprintf(v->waits_for, sizeof v->waits_for, "%s", jvm_reason_of(JVM_STATE_WAITING, reason)->code);
    snprintf(v->reason, sizeof v->reason, "%s", reason);
    tell_state(v);
}

static void on_condemned(void *arg, const struct jvm_makeup *m, const char *text)
{
    struct jvm *v = arg;
    log_error("a JVM died after an attach and is quarantined; 'smolder forgive' removes it from the list",
              L_COMPONENT(component_id(v->owner->self)), L_INT("pid", v->id.pid), L_STR("how", text),
              L_STR("exe", m->exe), L_STR("main", m->main), L_STR("build", m->build));
}

static void on_crashed(void *arg, const struct jvm_makeup *m, const char *text)
{
    struct jvm *v = arg;
    log_warn("a profiled JVM crashed; profiling of JVMs like it goes on", L_COMPONENT(component_id(v->owner->self)),
             L_INT("pid", v->id.pid), L_STR("how", text), L_STR("exe", m->exe), L_STR("main", m->main),
             L_STR("build", m->build));
}

/* The same for most JVMs of a host. */
static void on_note(void *arg, const char *text)
{
    struct jvm *v = arg;
    if (!v->owner->note_told)
        log_info("attaching with incomplete checks; logged once", L_COMPONENT(component_id(v->owner->self)),
                 L_INT("pid", v->id.pid), L_STR("what", text));
    v->owner->note_told = true;
}

static void on_vm(void *arg, const char *version, const char *vendor)
{
    struct jvm *v = arg;
    snprintf(v->version, sizeof v->version, "%s", version);
    snprintf(v->vendor, sizeof v->vendor, "%s", vendor);
}

static void on_closed(void *arg)
{
    struct jvm *v = arg;
    v->session = NULL;
    list_each(&v->recorders, node)
    {
        struct jvm_recorder *r = list_entry(node, struct jvm_recorder, node);
        jvm_recorder_leave(r);
        r->ended(r->arg);
    }
    java_stream_end(v->stream);
}

/* A single JVM gets exactly FIRST_S. */
static int64_t first_ns(const struct java *j, struct jvm_id id)
{
    const int64_t room_s = j->args->profiling.interval / NS_PER_SEC - FIRST_S,
                  spread_s = room_s < SPREAD_S ? room_s : SPREAD_S;
    if (spread_s <= 0 || list_empty(&j->jvms))
        return FIRST_S * NS_PER_SEC;
    const uint64_t key[2] = {(uint64_t)id.pid, id.start_time};
    const uint64_t hash = str_hash((struct str){(const char *)key, sizeof key});
    return FIRST_S * NS_PER_SEC + (int64_t)(hash % (uint64_t)(spread_s * 1000)) * 1000000;
}

/* What the agent was started with comes before what the component says. */
static enum crash_guard java_crash_guard(const struct java *j)
{
    enum crash_guard guard = CRASH_GUARD_ON;
    if (!j->env->crash_guard || !crash_guard_parse(j->env->crash_guard, &guard))
        (void)crash_guard_parse(j->args->profiling.crash_guard, &guard); /* checked at load */
    return guard;
}

static struct jvm_session_config session_config(struct java *j, const struct jvm *v)
{
    uint64_t headroom = 0;
    (void)byte_size_parse(j->args->memory_headroom, &headroom); /* checked at load */
    return (struct jvm_session_config){.user = v->user,
                                       .tmp_dir = j->args->tmp_dir,
                                       .dist = j->args->dist,
                                       .events = j->events,
                                       .interval_ns = j->args->profiling.interval,
                                       .roll_ns = j->args->profiling.roll_over,
                                       .first_ns = v->first_ns,
                                       .min_age_ns = j->args->min_age,
                                       .headroom = headroom,
                                       .untested = j->args->untested_versions,
                                       .retry_crashed = j->args->retry_crashed,
                                       .crash_guard = java_crash_guard(j),
                                       .quarantine = j->env->quarantine,
                                       .places = &j->places};
}

/* Whose it is, is known. */
static void java_begin(struct jvm *v, uint64_t user)
{
    static const struct jvm_session_events session_events = {.chunk = java_on_chunk,
                                                             .state = on_state,
                                                             .condemned = on_condemned,
                                                             .crashed = on_crashed,
                                                             .note = on_note,
                                                             .vm = on_vm,
                                                             .lost = on_lost,
                                                             .closed = on_closed};
    static const struct java_stream_events stream_events = {.profile = on_profile,
                                                            .refused = on_refused,
                                                            .lost = on_lost,
                                                            .cut = on_cut,
                                                            .parser_ended = on_parser_ended,
                                                            .used = on_used,
                                                            .finished = on_finished,
                                                            .ended = on_stream_ended};
    struct java *j = v->owner;
    const struct convert_options options = java_conversion(&j->args->profiling, j->events);
    v->user = user;
    v->stream = java_stream_new(j->converter, user, &options, &stream_events, v);
    struct jvm_session_config config = session_config(j, v);
    v->session = jvm_session_open(j->env->loop, j->env->priv, v->id, &config, &session_events, v);
}

static void java_on_user(void *arg, const uint64_t *users, size_t n)
{
    struct jvm *v = arg;
    if (v->leaving)
        on_stream_ended(v); /* there is none */
    else
        java_begin(v, n ? users[0] : jvm_user_of(v->id.pid));
}

static void open_jvm(struct java *j, struct jvm_id id, struct labels *target)
{
    struct jvm *v = xcalloc(1, sizeof *v);
    v->owner = j;
    v->id = id;
    list_init(&v->recorders);
    v->origin = profile_origin_new();
    v->first_ns = first_ns(j, id);
    v->target = labels_ref(target);
    v->since_ns = clock_wall_ns();
    v->wanted = true;
    snprintf(v->waits_for, sizeof v->waits_for, "%s", jvm_reason_of(JVM_STATE_WAITING, "")->code);
    list_push(&j->jvms, &v->node);
    if (jvm_user_is_visible(id.pid))
        java_begin(v, jvm_user_of(id.pid));
    else
        (void)jvm_users(j->env->priv, &id.pid, 1, java_on_user, v);
}

static void close_jvm(struct jvm *v)
{
    if (v->leaving)
        return;
    v->leaving = true;
    if (v->session)
        jvm_session_close(v->session, CLOSE_MS);
}

/* ---- targets ---- */

static struct jvm *java_find_jvm(struct java *j, struct jvm_id id)
{
    list_each(&j->jvms, node)
    {
        struct jvm *v = list_entry(node, struct jvm, node);
        if (v->id.pid == id.pid && v->id.start_time == id.start_time)
            return v;
    }
    return NULL;
}

static void keep_jvm(struct java *j, struct jvm *v, struct labels *target)
{
    const struct convert_options options = java_conversion(&j->args->profiling, j->events);
    struct labels *old = v->target;
    v->target = labels_ref(target);
    labels_unref(old);
    v->wanted = true;
    if (v->leaving || !v->session)
        return; /* it is closing, and reconcile() runs again when it has, or is about to begin */
    struct jvm_session_config config = session_config(j, v);
    jvm_session_update(v->session, &config);
    java_stream_options(v->stream, &options);
}

static void java_show_health(struct java *j)
{
    if (j->unheard)
        component_health(j->self, false,
                         "nobody receives the profiles: forward_to is empty or leads to no endpoint; no "
                         "JVM is attached to");
    else
        component_health(j->self, true, "started component");
}

/* A component further on may have another receiver or endpoint by now. */
static void java_on_listen(uv_timer_t *t)
{
    struct java *j = t->data;
    if (!j->stopping)
        java_reconcile(j);
}

/* Profiling has a cost for the JVM, which must be worth it. */
static void java_check_receivers(struct java *j)
{
    const bool unheard = receivers_discard(&j->args->forward_to);
    if (unheard)
        uv_timer_start(&j->listen, java_on_listen, LISTEN_MS, 0);
    if (unheard == j->unheard)
        return;
    j->unheard = unheard;
    if (unheard)
        log_warn("nobody receives the profiles: no JVM is attached to", L_COMPONENT(component_id(j->self)));
    java_show_health(j);
}

/* Makes the sessions those that the targets ask for. */
static void java_reconcile(struct java *j)
{
    static const struct targets none;
    java_check_receivers(j);
    jvm_places_set(&j->places, (size_t)j->args->max_targets);
    java_containers_resolve(j->containers, &j->args->targets, &j->targets);
    const struct targets *ts = j->unheard ? &none : &j->targets;
    struct jvm_id *ids = xcalloc(ts->len + 1, sizeof *ids);
    java_targets_identify(ts, component_id(j->self), &j->reported, ids);
    list_each(&j->jvms, node) list_entry(node, struct jvm, node)->wanted = false;
    /* Known ones first: what is left is closed before its pid's next owner is opened. */
    for (size_t i = 0; i < ts->len; i++) {
        struct jvm *v = ids[i].pid ? java_find_jvm(j, ids[i]) : NULL;
        if (v)
            keep_jvm(j, v, ts->items[i]);
    }
    list_each(&j->jvms, node)
    {
        struct jvm *v = list_entry(node, struct jvm, node);
        if (!v->wanted)
            close_jvm(v);
    }
    for (size_t i = 0; i < ts->len; i++) {
        if (ids[i].pid && !java_find_jvm(j, ids[i]))
            open_jvm(j, ids[i], ts->items[i]);
    }
    free(ids);
}

/* ---- the layout on the host ---- */

static void java_install(struct java *j);

static void on_install_retry(uv_timer_t *t)
{
    java_install(t->data);
}

static void on_installed(void *arg, const struct jvm_reply *r)
{
    struct java *j = arg;
    j->installing = false;
    if (r->outcome == JVM_OK) {
        log_debug("async-profiler installed", L_COMPONENT(component_id(j->self)), L_STR("dir", r->text));
        java_show_health(j);
        return;
    }
    log_error("cannot install async-profiler", L_COMPONENT(component_id(j->self)), L_STR("tmp_dir", j->args->tmp_dir),
              L_STR("err", r->reason));
    component_health(j->self, false, "async-profiler cannot be put in place: %s", r->reason);
    uv_timer_start(&j->timer, on_install_retry, INSTALL_RETRY_MS, 0);
}

static void java_install(struct java *j)
{
    if (j->installing)
        priv_forget(j->env->priv, j->install_call);
    struct jvm_request s = {.tmp_dir = j->args->tmp_dir, .dist = j->args->dist, .options = ""};
    j->installing = true;
    j->install_call = jvm_install(j->env->priv, &s, on_installed, j);
}

/* ---- life ---- */

static void java_take_args(struct java *j, const struct java_args *args, char *events)
{
    args_unref(j->args);
    j->args = args_ref(args);
    free(j->events);
    j->events = events;
}

static int java_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    char *events;
    int code = java_profiling_events(&((const struct java_args *)args)->profiling, &events, err);
    if (code < 0)
        return code;
    struct java *j = xcalloc(1, sizeof *j);
    j->self = self;
    j->env = component_env(self);
    list_init(&j->jvms);
    java_ended_init(&j->ended);
    jvm_places_init(&j->places);
    java_take_args(j, args, events);
    *ret_state = j;
    return 0;
}

static int java_update(void *state, const void *args, struct err *err)
{
    struct java *j = state;
    char *events;
    const struct java_args *next = args;
    int code = java_profiling_events(&next->profiling, &events, err);
    if (code < 0)
        return code;
    bool moved = strcmp(j->args->tmp_dir, next->tmp_dir) != 0 || strcmp(j->args->dist, next->dist) != 0;
    java_take_args(j, next, events);
    if (!j->started || j->stopping)
        return 0;
    if (moved)
        java_install(j);
    java_reconcile(j);
    return 0;
}

/* Other JVMs are in containers than before. */
static void java_on_containers(void *arg)
{
    java_reconcile(arg);
}

static void java_start(void *state)
{
    struct java *j = state;
    j->converter = java_converter_new(j->env->loop, j->env->parsers);
    j->containers = java_containers_new(j->env, java_on_containers, j);
    uv_timer_init(j->env->loop, &j->timer);
    uv_timer_init(j->env->loop, &j->listen);
    j->timer.data = j->listen.data = j;
    j->started = true;
    java_install(j);
    java_reconcile(j);
}

static void java_on_timer_closed(uv_handle_t *h)
{
    struct java *j = h->data;
    if (++j->timers_closed == 2)
        component_stopped(j->self);
}

static void maybe_stopped(struct java *j)
{
    if (!list_empty(&j->jvms) || uv_is_closing((uv_handle_t *)&j->timer))
        return;
    uv_close((uv_handle_t *)&j->timer, java_on_timer_closed);
    uv_close((uv_handle_t *)&j->listen, java_on_timer_closed);
}

static void on_hurry(uv_timer_t *t)
{
    struct java *j = t->data;
    java_converter_hurry(j->converter);
}

static void java_stop(void *state)
{
    struct java *j = state;
    if (!j->started) {
        component_stopped(j->self);
        return;
    }
    j->stopping = true;
    java_containers_free(TAKE_PTR(j->containers));
    if (j->installing)
        priv_forget(j->env->priv, j->install_call);
    j->installing = false;
    uv_timer_start(&j->timer, on_hurry, HURRY_MS, 0);
    list_each(&j->jvms, node) close_jvm(list_entry(node, struct jvm, node));
    maybe_stopped(j);
}

static void java_free(void *state)
{
    struct java *j = state;
    if (j->converter)
        java_converter_free(j->converter);
    java_targets_forget(&j->reported);
    java_ended_done(&j->ended);
    java_containers_free(j->containers);
    targets_done(&j->targets);
    args_unref(j->args);
    free(j->events);
    free(j);
}

/* ---- recordings ---- */

static void java_cut(void *of)
{
    struct jvm *v = of;
    if (v->session)
        jvm_session_cut(v->session);
}

static int java_record(void *state, pid_t pid, uint64_t start_time, struct jvm_recorder *r, struct err *err)
{
    struct java *j = state;
    struct jvm *v = java_find_jvm(j, (struct jvm_id){pid, start_time});
    if (!v || v->leaving)
        return -ENOENT;
    if (!v->session || (v->state != JVM_STATE_PROFILING && v->state != JVM_STATE_DEGRADED))
        return err_set(err, -EAGAIN, "the agent does not profile process %d at the moment: %s%s%s", (int)pid,
                       jvm_state_name(v->state), v->reason[0] ? ", " : "", v->reason);
    r->options = j->events;
    r->conversion = java_stream_conversion(v->stream);
    r->cut = java_cut;
    r->of = v;
    list_push(&v->recorders, &r->node);
    return 0;
}

static const char *const no_exports[] = {NULL};

/* Of those that are no JVM none. */
static bool java_reads_label(const void *args, struct str name)
{
    (void)args;
    return !str_has_prefix(name, STR("__"));
}

const struct component_def pyroscope_java = {
    .name = "pyroscope.java",
    .help = "Continuously profiles Java processes running on the local Linux host using async-profiler.",
    .stability = STABILITY_GA,
    .args = &java_schema,
    .exports = no_exports,
    .build = java_build,
    .update = java_update,
    .start = java_start,
    .stop = java_stop,
    .free = java_free,
    .debug_info = java_show_debug_info,
    .jvms = java_show_jvms,
    .jvms_ended = java_show_ended,
    .record = java_record,
    .reads_label = java_reads_label,
};
