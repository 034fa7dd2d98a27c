/* discovery.process: all processes of the host as targets.
 *
 * Two intervals. Every refresh_interval all processes are scanned and the targets rebuilt. In between, once a second, a
 * cheap check (components/process_table.h) detects new JVMs and exited processes, and only these are scanned:
 * users that profile JVMs need not wait for the refresh, and users that list processes are not notified of each
 * short-lived one.
 *
 * Scans run in the helper (jvm/operation/scan.h), separately for each user, so that processes which block their reader
 * delay only processes of the same user. A process that cannot be read is reported once; one that blocks its reader is
 * then read alone. Exports survive updates.
 * Source: spec components §2; the user's document.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "components/discovery_process_labels.h"
#include "components/env.h"
#include "components/process_join.h"
#include "components/process_watch.h"
#include "flow/targets.h"
#include "graph/component.h"
#include "jvm/operation/scan.h"
#include "jvm/operation/users.h"
#include "jvm/probe/user.h"
#include "os/procfs.h"

enum {
    POLL_MS = 1000,
    POLL_LEAST_MS = 100, /* for a refresh_interval below POLL_MS */
    SCAN_MS = 2000,      /* for JVM_SCAN_MAX processes, which take some ms */
    SCAN_ALONE_MS = 3000,
    SCANS_AT_ONCE = 2,   /* of one user: the helper has other things to do, too */
    QUIET_MS = 5000,     /* between exports that are no JVM's doing */
    NAME_READS = 5,      /* full reads in which a JVM is asked for the service name that its SDK publishes */
    USERS_AT_ONCE = 256, /* processes whose users are found out in one turn of the loop, each with some system calls */
    REPORTS_MAX = 10,    /* unreadable processes named per full read */
    COMMAND_SHORT = 512, /* what is kept of a command line beyond the budget */
    LABELS_BUDGET = 8 << 20,
};

struct discovery_process_args {
    struct targets join;
    int64_t refresh_interval;
    struct discover_config discover_config;
};

#define FACT(field, default_value, text)                                                                               \
    {                                                                                                                  \
#field, OPT_BOOL, offsetof(struct discover_config, field), .default_text = default_value, .help = text         \
    }
static const struct option discover_options[] = {
    FACT(exe, "true", "Set `__meta_process_exe`: the path of the executable."),
    FACT(cwd, "true", "Set `__meta_process_cwd`: the working directory."),
    FACT(commandline, "true", "Set `__meta_process_commandline`: the arguments, separated by spaces."),
    FACT(username, "true", "Set `__meta_process_username`: the user's name in the agent's user database."),
    FACT(uid, "true", "Set `__meta_process_uid`: the user ID."),
    FACT(container_id, "true", "Set `__container_id__`: the container ID, from the cgroup."),
    FACT(cgroup_path, "false", "Set `__meta_process_cgroup_path`: the lines of the cgroup file, separated by `|`."),
    FACT(
        systemd, "false",
        "Set `__meta_process_systemd_unit`, and `__meta_process_machine` in a systemd-nspawn container. Not in Grafana "
        "Alloy."),
    FACT(java, "false",
         "Set `__meta_process_java_vm` (`hotspot` or `openj9`, by the mapped libjvm), `__meta_process_java_main` (main "
         "class or jar), `__meta_process_java_jar`, `__meta_process_java_version` and `__meta_process_profiling` (the "
         "variable `SMOLDER_PROFILING`) for JVMs. Not in Grafana Alloy."),
    FACT(service_name, "true", "Set `service_name` for JVMs that declare one for OpenTelemetry. Not in Grafana Alloy."),
    {0},
};
static const struct schema discover_schema = {.size = sizeof(struct discover_config), .options = discover_options};

static int discovery_validate(const void *record, struct err *err)
{
    const struct discovery_process_args *a = record;
    if (a->refresh_interval <= 0)
        return err_set(err, -EINVAL, "refresh_interval must be greater than 0");
    return 0;
}

static const struct option options[] = {
    {"join", OPT_CUSTOM, offsetof(struct discovery_process_args, join), .custom = &targets_option,
     .help = "Targets of containers; their labels are added to the processes with the same `__container_id__`."},
    {"refresh_interval", OPT_DURATION, offsetof(struct discovery_process_args, refresh_interval),
     .default_text = "\"60s\"",
     .help = "Interval of a full scan. A new process is discovered within about a second regardless."},
    {"discover_config", OPT_BLOCK, offsetof(struct discovery_process_args, discover_config), .block = &discover_schema,
     .help = "Labels to set."},
    {0},
};
static const struct schema schema = {
    .size = sizeof(struct discovery_process_args), .options = options, .validate = discovery_validate};

struct discovery;
/* One running scan. */
struct process_reader {
    struct list node;
    struct discovery *discovery;
    struct jvm_scan *scan;
    uint64_t user; /* whose processes it reads */
    bool stuck;    /* it reads one process known to hold up its reader */
};

struct discovery {
    struct component *self;
    const struct component_env *env;
    const struct discovery_process_args *args; /* one reference */
    struct discover_config config;             /* that of args, and what the program's flags ask for */
    struct discover_config read;               /* of that, what something reads of processes that are no JVMs */
    uint64_t readers_seen;                     /* component_readers() then */
    struct process_join join;                  /* borrows from args->join */
    struct process_watch watch;
    bool looks_at_all; /* the look at the moment */
    struct list readers;
    unsigned reader_count; /* but for those that read what is stuck */
    pid_t *asked;          /* processes whose users the helper is asked for, 0 after the last; owned; NULL = none */
    uint64_t users_call;   /* that call */
    uv_timer_t timer;
    bool started, lost;                 /* lost: there is no helper at the moment */
    int64_t refresh_at_ms, exported_ms; /* loop time; exported: -1 = never */
    bool dirty, dirty_java;             /* the exports are behind; a JVM is concerned */
    bool full;                          /* a full read is under way */
    size_t label_bytes;                 /* of all targets together */
    unsigned reports;                   /* since the last full read */
    int poll_code;                      /* of the last poll, to report a failure once */
};

static int64_t to_ms(int64_t ns)
{
    return ns < 1000000 ? 1 : ns / 1000000;
}

static bool discovery_wants_java(const struct discovery *d)
{
    return d->config.java || d->config.service_name;
}

/* Whether the address space is another one than when this was asked last. A name is published in a mapping of its own.
 */
static bool discovery_has_grown(struct process *p)
{
    const uint64_t before = p->asked_vsize;
    p->asked_vsize = procfs_vsize(p->pid);
    return before == 0 || p->asked_vsize != before;
}

/* A process that runs the same program as before is no other JVM than before: its maps need not be read again. But the
 * SDK in it publishes its name a while after the start. */
static bool discovery_reads_java(const struct discovery *d, struct process *p, enum process_read asked)
{
    if (!discovery_wants_java(d))
        return false;
    const bool may_be_named = d->config.service_name && p->is_java && p->name_reads < NAME_READS &&
                              !labels_has(p->labels, STR("service_name"));
    const bool known = p->java_known && asked == READ_ALL;
    return (!known || may_be_named) && (discovery_has_grown(p) || !known);
}

static unsigned discovery_wanted_by(const struct discover_config *c)
{
    return (c->exe ? JVM_WANT_EXE : 0) | (c->cwd ? JVM_WANT_CWD : 0) | (c->commandline ? JVM_WANT_CMDLINE : 0) |
           (c->uid ? JVM_WANT_UID : 0) | (c->username ? JVM_WANT_USERNAME : 0) |
           (c->container_id || c->cgroup_path || c->systemd ? JVM_WANT_CGROUP : 0);
}

static unsigned discovery_wanted(const struct discovery *d, struct process *p)
{
    p->java_asked = discovery_reads_java(d, p, p->pending);
    const unsigned all = discovery_wanted_by(&d->config),
                   about_java = d->config.java ? JVM_WANT_JAVA : JVM_WANT_SERVICE,
                   java = p->java_asked ? about_java : 0;
    if (p->pending == READ_IF_JAVA)
        return all | java | JVM_WANT_IF_JAVA;
    return p->is_java ? all | java : discovery_wanted_by(&d->read) | java | JVM_WANT_OF_JVM(all);
}

/* Whether one of the labels of the block `discover_config` is read. */
static bool discovery_is_read(const struct discovery *d, const char *label)
{
    return component_label_is_read(d->self, "targets", str_of(label));
}

/* What is read of processes that are no JVMs. Without knowing which are, it is everything. */
static struct discover_config discovery_read_config(const struct discovery *d)
{
    struct discover_config c = d->config;
    if (d->env->all_labels || !discovery_wants_java(d))
        return c;
    c.exe = c.exe && discovery_is_read(d, "__meta_process_exe");
    c.cwd = c.cwd && discovery_is_read(d, "__meta_process_cwd");
    c.commandline = c.commandline && discovery_is_read(d, "__meta_process_commandline");
    c.username = c.username && discovery_is_read(d, "__meta_process_username");
    c.uid = c.uid && discovery_is_read(d, "__meta_process_uid");
    /* An ID that somebody else's container has is not believed: so that of every process counts for a JVM, too. */
    c.container_id = c.container_id && (d->join.by_id.len || discovery_is_read(d, "__container_id__"));
    c.cgroup_path = c.cgroup_path && discovery_is_read(d, "__meta_process_cgroup_path");
    c.systemd = c.systemd &&
                (discovery_is_read(d, "__meta_process_systemd_unit") || discovery_is_read(d, "__meta_process_machine"));
    return c;
}

/* True if other labels are to be read than before: then all processes are to be read again. */
static bool discovery_look_for_readers(struct discovery *d, bool always)
{
    const uint64_t readers = component_readers(d->self);
    if (readers == d->readers_seen && !always)
        return false;
    d->readers_seen = readers;
    const struct discover_config read = discovery_read_config(d);
    const bool other = memcmp(&read, &d->read, sizeof read) != 0;
    d->read = read;
    return other;
}

static size_t size_of(const struct labels *ls)
{
    size_t n = 0;
    for (size_t i = 0; i < labels_len(ls); i++)
        n += labels_at(ls, i)->name.n + labels_at(ls, i)->value.n;
    return n;
}

/* Takes the reference; NULL for no target any more. */
static void discovery_set_labels(struct discovery *d, struct process *p, struct labels *labels)
{
    if (p->labels ? labels && labels_equal(p->labels, labels) : !labels) {
        labels_unref(labels);
        return;
    }
    d->label_bytes += size_of(labels);
    d->label_bytes -= size_of(p->labels);
    d->dirty = true;
    d->dirty_java |= p->is_java;
    labels_unref(p->labels);
    p->labels = labels;
}

static struct labels *labels_of(const struct discovery *d, const struct process *p, const struct jvm_scan_record *f)
{
    const size_t command_max = d->label_bytes > LABELS_BUDGET ? COMMAND_SHORT : SIZE_MAX;
    /* The JVM is not asked for again while the program is the same. */
    const bool known = p->java_known && !f->vm.n;
    return process_labels(p->is_java ? &d->config : &d->read, f, known ? p->labels : NULL, command_max);
}

/* Once per process: who cannot be read today cannot be read tomorrow either. */
static void discovery_report(struct discovery *d, struct process *p, const struct jvm_scan_record *f)
{
    if (p->reported)
        return;
    p->reported = true;
    cleanup_free char *what = str_dup(f->what);
    if (d->reports++ < REPORTS_MAX)
        log_warn("cannot read a process", L_COMPONENT(component_id(d->self)), L_INT("pid", p->pid), L_STR("err", what));
    else
        log_debug("cannot read a process", L_COMPONENT(component_id(d->self)), L_INT("pid", p->pid),
                  L_STR("err", what));
}

static void on_unreadable(struct discovery *d, struct process *p, const struct jvm_scan_record *f,
                          enum process_read asked)
{
    if (f->start_time) {
        p->start_time = f->start_time;
        p->program = f->program;
    }
    switch (f->code) {
    case -ENOENT:
    case -ESRCH: /* it has ended, or never had a program: a kernel thread */
        p->complete = asked == READ_ALL;
        discovery_set_labels(d, p, NULL);
        break;
    case -ETIMEDOUT:
    case -EIO:
        /* The machine may just be slow: one more chance, alone. What is known of it stays. */
        if (!p->stuck)
            p->pending = asked;
        else
            discovery_report(d, p, f);
        p->stuck = true;
        break;
    default:
        if (asked == READ_IF_JAVA)
            break;          /* the next full read says so */
        p->complete = true; /* and as it is, so it stays */
        discovery_set_labels(d, p, NULL);
        discovery_report(d, p, f);
    }
}

static void on_record(void *arg, const struct jvm_scan_record *f)
{
    struct process_reader *r = arg;
    struct discovery *d = r->discovery;
    struct process *p = process_table_find(&d->watch.table, f->pid);
    if (!p || !p->reading)
        return; /* it ended meanwhile */
    const enum process_read asked = p->reading;
    p->reading = READ_NOTHING;
    if (f->code < 0) {
        on_unreadable(d, p, f, asked);
        return;
    }
    const bool same = p->start_time == f->start_time && p->program == f->program;
    p->user_known = p->user_known && same;
    const bool maps_read = p->java_asked;
    p->start_time = f->start_time;
    p->program = f->program;
    p->stuck = p->reported = false;
    p->complete |= asked == READ_ALL;
    p->delegated = jvm_scan_container(f).delegated;
    if (!same && !maps_read && p->java_known) {
        p->java_known = p->complete = false; /* another program than the one whose maps were read */
        p->pending = asked;
        return;
    }
    const bool was_java = p->is_java;
    p->is_java = f->is_java || (same && was_java && asked == READ_ALL);
    p->name_reads += maps_read && p->name_reads < NAME_READS;
    if (maps_read)
        p->java_known = f->vm.n || !f->is_java;
    p->settled = p->is_java && (p->java_known || !discovery_wants_java(d));
    if (asked == READ_ALL || p->is_java)
        discovery_set_labels(d, p, labels_of(d, p, f));
    else if (was_java) {
        discovery_set_labels(d, p, NULL); /* a JVM that became something else */
        d->dirty_java = true;
    }
}

/* The ids of containers that root's runtimes made: one that is claimed as well is not believed (procfs_container). */
static void put_own_ids(const struct discovery *d, struct strmap *own)
{
    bool needed = false;
    for (size_t i = 0; i < d->watch.table.len && !needed; i++)
        needed = d->watch.table.items[i].delegated;
    for (size_t i = 0; needed && i < d->watch.table.len; i++) {
        const struct process *p = &d->watch.table.items[i];
        const struct str id = p->labels && !p->delegated ? labels_get(p->labels, STR("__container_id__")) : STR("");
        if (id.n)
            strmap_put(own, id, p->labels);
    }
}

static struct labels *target_of(const struct discovery *d, const struct process *p, const struct strmap *own)
{
    if (!p->delegated)
        return process_join_apply(&d->join, p->labels, false);
    const struct str id = labels_get(p->labels, STR("__container_id__"));
    if (!id.n || !strmap_has(own, id))
        return process_join_apply(&d->join, p->labels, true);
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    labels_builder_from(&b, p->labels);
    labels_set(&b, STR("__container_id__"), STR(""));
    return labels_build(&b, true);
}

static void discovery_publish(struct discovery *d)
{
    cleanup_strmap struct strmap own = STRMAP_INIT;
    put_own_ids(d, &own);
    cleanup_free struct labels **items = xcalloc(d->watch.table.len ? d->watch.table.len : 1, sizeof *items);
    size_t n = 0;
    d->label_bytes = 0;
    for (size_t i = 0; i < d->watch.table.len; i++) {
        struct labels *labels = d->watch.table.items[i].labels;
        if (!labels)
            continue;
        d->label_bytes += size_of(labels);
        items[n++] = target_of(d, &d->watch.table.items[i], &own);
    }
    struct value *exports = value_object();
    value_object_put(exports, STR("targets"), targets_value(items, n));
    for (size_t i = 0; i < n; i++)
        labels_unref(items[i]);
    d->dirty = d->dirty_java = false;
    d->exported_ms = (int64_t)uv_now(d->env->loop);
    component_export(d->self, exports);
}

static void discovery_settle(struct discovery *d)
{
    const bool idle = !d->reader_count && !d->asked;
    const bool quiet = (int64_t)uv_now(d->env->loop) - d->exported_ms >= QUIET_MS;
    if (d->dirty_java || (d->dirty && idle && (d->full || quiet)))
        discovery_publish(d);
    if (idle)
        d->full = false;
}

static void read_pending(struct discovery *d);

/* What was being read is read when there is a helper again. */
static void discovery_helper_lost(struct discovery *d)
{
    for (size_t i = 0; i < d->watch.table.len; i++) {
        struct process *p = &d->watch.table.items[i];
        if (p->reading)
            p->pending = p->reading;
        p->reading = READ_NOTHING;
    }
    d->lost = true;
    component_health(d->self, false, "the privileged helper is not available");
}

static void on_scan_done(void *arg, int code)
{
    struct process_reader *r = arg;
    struct discovery *d = r->discovery;
    list_del(&r->node);
    d->reader_count -= !r->stuck;
    free(r);
    if (code < 0) {
        discovery_helper_lost(d);
        return;
    }
    read_pending(d);
    discovery_settle(d);
}

static void discovery_keep_user(struct process *p, uint64_t user)
{
    p->user = user;
    p->user_known = true;
}

/* The rest is on the account of whoever owns their /proc entry. */
static void discovery_on_users(void *arg, const uint64_t *users, size_t n)
{
    struct discovery *d = arg;
    cleanup_free pid_t *asked = TAKE_PTR(d->asked);
    for (size_t i = 0; asked[i]; i++) {
        struct process *p = process_table_find(&d->watch.table, asked[i]);
        if (p && !p->user_known)
            discovery_keep_user(p, i < n ? users[i] : jvm_user_of(p->pid));
    }
    read_pending(d);
    discovery_settle(d);
}

/* Of what is to be read: nothing is read on nobody's account. Some of it; what is found then is read, and the end of
 * that read goes on. */
static void discovery_find_users(struct discovery *d)
{
    cleanup_free pid_t *unseen = NULL;
    size_t n = 0, cap = 0, asked = 0;
    for (size_t i = 0; !d->asked && i < d->watch.table.len && asked < USERS_AT_ONCE; i++) {
        struct process *p = &d->watch.table.items[i];
        if (!p->pending || p->reading || p->user_known)
            continue;
        asked++;
        if (jvm_user_is_visible(p->pid)) {
            discovery_keep_user(p, jvm_user_of(p->pid));
            continue;
        }
        xgrow(&unseen, &cap, n + 2, sizeof *unseen);
        unseen[n++] = p->pid;
        unseen[n] = 0;
    }
    if (n == 0)
        return;
    d->asked = TAKE_PTR(unseen);
    d->users_call = jvm_users(d->env->priv, d->asked, n, discovery_on_users, d);
}

static unsigned readers_of(const struct discovery *d, uint64_t user, bool stuck)
{
    unsigned n = 0;
    list_each(&d->readers, node)
    {
        const struct process_reader *r = list_entry(node, struct process_reader, node);
        n += r->user == user && r->stuck == stuck;
    }
    return n;
}

static bool is_to_be_read(const struct process *p, bool stuck)
{
    return p->pending && !p->reading && p->stuck == stuck && p->user_known;
}

/* Of the user of process number `from`, what is pending from there on. */
static void read_some(struct discovery *d, size_t from, bool stuck)
{
    struct jvm_scan_item items[JVM_SCAN_MAX];
    const size_t most = stuck ? 1 : JVM_SCAN_MAX;
    const uint64_t user = d->watch.table.items[from].user;
    size_t n = 0;
    for (size_t i = from; i < d->watch.table.len && n < most; i++) {
        struct process *p = &d->watch.table.items[i];
        if (!is_to_be_read(p, stuck) || p->user != user)
            continue;
        items[n++] = (struct jvm_scan_item){p->pid, discovery_wanted(d, p)};
        p->reading = p->pending;
        p->pending = READ_NOTHING;
    }
    struct process_reader *r = xcalloc(1, sizeof *r);
    r->discovery = d;
    r->user = user;
    r->stuck = stuck;
    list_push(&d->readers, &r->node);
    d->reader_count += !stuck;
    r->scan = jvm_scan(d->env->priv, user, items, n, stuck ? SCAN_ALONE_MS : SCAN_MS, on_record, on_scan_done, r);
}

/* Reads what is pending as far as more readers are allowed. Those known to be stuck are read one by one beside the
 * others. */
static void read_pending(struct discovery *d)
{
    if (!d->lost)
        discovery_find_users(d);
    for (size_t i = 0; !d->lost && i < d->watch.table.len; i++) {
        const struct process *p = &d->watch.table.items[i];
        if (is_to_be_read(p, p->stuck) && readers_of(d, p->user, p->stuck) < (p->stuck ? 1 : SCANS_AT_ONCE))
            read_some(d, i, p->stuck);
    }
}

/* At the next refresh, whether they have run since or not. */
static void discovery_read_again(struct discovery *d)
{
    for (size_t i = 0; i < d->watch.table.len; i++)
        d->watch.table.items[i].complete = false;
}

/* What a look found. The helper may be back. */
static void discovery_take_look(struct discovery *d, bool all, const struct process_poll *poll)
{
    const bool found = d->lost && priv_healthy(d->env->priv);
    d->lost = d->lost && !found;
    if ((d->poll_code || found) && !d->lost)
        component_health(d->self, true, "%s", "");
    d->poll_code = 0;
    if (all) {
        d->full = true;
        d->dirty |= d->exported_ms < 0;
        d->reports = 0;
    }
    d->dirty |= poll->lost;
    d->dirty_java |= poll->lost_java;
    if (poll->changed || found)
        read_pending(d);
    discovery_settle(d);
}

static void discovery_on_look(void *arg, int code, const struct process_poll *poll, const char *why)
{
    struct discovery *d = arg;
    const bool all = d->looks_at_all;
    d->looks_at_all = false;
    if (code == 0) {
        discovery_take_look(d, all, poll);
        return;
    }
    if (all)
        d->refresh_at_ms = 0; /* it is still to come */
    if (code != d->poll_code)
        log_error("cannot list processes; keeping the previous targets", L_COMPONENT(component_id(d->self)),
                  L_STR("err", why));
    d->poll_code = code;
    component_health(d->self, false, "%s", why);
}

static void discovery_on_poll(uv_timer_t *timer)
{
    struct discovery *d = timer->data;
    const int64_t now = (int64_t)uv_now(d->env->loop);
    if (d->watch.job)
        return; /* a slow machine */
    const bool other = discovery_look_for_readers(d, now >= d->refresh_at_ms), all = other || now >= d->refresh_at_ms;
    if (other)
        discovery_read_again(d);
    d->looks_at_all = all;
    if (all)
        d->refresh_at_ms = now + to_ms(d->args->refresh_interval);
    process_watch_look(&d->watch, all);
}

static void discovery_poll_from_now_on(struct discovery *d)
{
    int64_t period = to_ms(d->args->refresh_interval);
    period = period > POLL_MS ? POLL_MS : period < POLL_LEAST_MS ? POLL_LEAST_MS : period;
    uv_timer_start(&d->timer, discovery_on_poll, 0, (uint64_t)period);
}

static void discovery_take_args(struct discovery *d, const struct discovery_process_args *a)
{
    process_join_done(&d->join);
    args_unref(d->args);
    d->args = args_ref(a);
    d->config = a->discover_config;
    d->config.java |= d->env->names_by_main;
    process_join_init(&d->join, &a->join);
    d->readers_seen = UINT64_MAX;
}

static int discovery_process_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    (void)err;
    struct discovery *d = xcalloc(1, sizeof *d);
    d->self = self;
    d->env = component_env(self);
    d->exported_ms = -1;
    d->watch = (struct process_watch){.loop = d->env->loop, .looked = discovery_on_look, .arg = d};
    list_init(&d->readers);
    discovery_take_args(d, args);
    *ret_state = d;
    return 0;
}

static int discovery_process_update(void *state, const void *args, struct err *err)
{
    (void)err;
    struct discovery *d = state;
    const struct discovery_process_args *a = args;
    const bool other_labels = memcmp(&a->discover_config, &d->args->discover_config, sizeof a->discover_config) != 0;
    const bool other_period = a->refresh_interval != d->args->refresh_interval;
    discovery_take_args(d, args);
    if (!d->started)
        return 0;
    if (other_labels || other_period)
        d->refresh_at_ms = 0;
    for (size_t i = 0; other_labels && i < d->watch.table.len; i++)
        d->watch.table.items[i].java_known = d->watch.table.items[i].settled = false;
    if (other_labels)
        discovery_read_again(d);
    /* The processes known stay the targets while they are read again; other containers count at once. */
    discovery_publish(d);
    discovery_poll_from_now_on(d);
    return 0;
}

static void discovery_process_start(void *state)
{
    struct discovery *d = state;
    uv_timer_init(d->env->loop, &d->timer);
    d->timer.data = d;
    d->started = true;
    discovery_poll_from_now_on(d);
}

static void discovery_on_timer_closed(uv_handle_t *timer)
{
    struct discovery *d = timer->data;
    component_stopped(d->self);
}

static void discovery_process_stop(void *state)
{
    struct discovery *d = state;
    list_each(&d->readers, node)
    {
        struct process_reader *r = list_entry(node, struct process_reader, node);
        jvm_scan_cancel(r->scan);
        list_del(&r->node);
        free(r);
    }
    if (d->asked)
        priv_forget(d->env->priv, d->users_call);
    process_watch_done(&d->watch);
    uv_close((uv_handle_t *)&d->timer, discovery_on_timer_closed);
}

static void discovery_process_free(void *state)
{
    struct discovery *d = state;
    process_join_done(&d->join);
    args_unref(d->args);
    free(d->asked);
    free(d);
}

static const char *const exports[] = {"targets", NULL};

const struct component_def discovery_process = {
    .name = "discovery.process",
    .help = "Discovers the processes of the local Linux host.",
    .stability = STABILITY_GA,
    .args = &schema,
    .exports = exports,
    .build = discovery_process_build,
    .update = discovery_process_update,
    .start = discovery_process_start,
    .stop = discovery_process_stop,
    .free = discovery_process_free,
};
