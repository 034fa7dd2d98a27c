#include "components/pyroscope_java_containers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/list.h"
#include "base/mem.h"
#include "components/process_join.h"
#include "components/process_watch.h"
#include "jvm/operation/scan.h"
#include "jvm/probe/user.h"

enum {
    POLL_MS = 1000,
    REFRESH_MS = 60000, /* what could not be read is read again */
    SCAN_MS = 2000,
    USERS_AT_ONCE = 256, /* processes whose users are found out in one turn of the loop */
};

/* One running scan; the processes of one user. */
struct container_scan {
    struct list node;
    struct java_containers *containers;
    struct jvm_scan *scan;
    uint64_t user;
};

struct java_containers {
    const struct component_env *env;
    void (*changed)(void *arg);
    void *arg;
    struct process_watch watch; /* labels of JVMs in containers: what is added to their targets, and __container_id__ */
    struct list scans;
    uv_timer_t *timer; /* NULL: nothing is watched */
    uint64_t refresh_at_ms;
    bool is_changed;
};

static const struct str container_label = {"__container_id__", 16}, service_label = {"service_name", 12};

/* --- what processes are --- */

static struct labels *containers_jvm_labels(const struct java_container_jvm *j)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    char number[24];
    snprintf(number, sizeof number, "%d", (int)j->pid);
    labels_set(&b, STR("__process_pid__"), str_of(number));
    snprintf(number, sizeof number, "%" PRIu64, j->start_time);
    labels_set(&b, STR("__process_start_time__"), str_of(number));
    labels_set(&b, service_label, j->service);
    labels_set(&b, STR("__meta_process_java_main"), j->main);
    labels_set(&b, container_label, j->container);
    return labels_build(&b, true);
}

static struct labels *containers_labels(const struct java_containers *c, const struct jvm_scan_record *r)
{
    const struct procfs_container in = jvm_scan_container(r);
    if (!r->is_java || !in.id.n || in.delegated)
        return NULL;
    const struct java_container_jvm j = {r->pid, r->start_time, in.id, r->service,
                                         c->env->names_by_main ? r->main : STR("")};
    return containers_jvm_labels(&j);
}

static void containers_on_record(void *arg, const struct jvm_scan_record *r)
{
    const struct container_scan *scan = arg;
    struct java_containers *c = scan->containers;
    struct process *p = process_table_find(&c->watch.table, r->pid);
    if (!p || !p->reading)
        return; /* it ended meanwhile */
    p->reading = READ_NOTHING;
    p->user_known = p->user_known && p->start_time == r->start_time && p->program == r->program;
    if (r->start_time) {
        p->start_time = r->start_time;
        p->program = r->program;
    }
    p->stuck = r->code == -ETIMEDOUT;
    p->reported = r->code < 0;
    if (r->code < 0)
        return; /* the next refresh reads it again */
    p->is_java = r->is_java;
    p->settled = r->vm.n > 0; /* until then there is more to find out about a starting one */
    struct labels *labels = containers_labels(c, r);
    c->is_changed |= p->labels ? !labels || !labels_equal(p->labels, labels) : labels != NULL;
    labels_unref(p->labels);
    p->labels = labels;
}

static void containers_read(struct java_containers *c);

static void containers_tell(struct java_containers *c)
{
    const bool is_changed = c->is_changed;
    c->is_changed = false;
    if (is_changed)
        c->changed(c->arg);
}

static void containers_on_done(void *arg, int code)
{
    struct container_scan *scan = arg;
    struct java_containers *c = scan->containers;
    list_del(&scan->node);
    free(scan);
    for (size_t i = 0; code < 0 && i < c->watch.table.len; i++) {
        struct process *p = &c->watch.table.items[i];
        if (p->reading)
            p->pending = p->reading; /* the helper is gone: at the next poll */
        p->reading = READ_NOTHING;
    }
    if (code == 0)
        containers_read(c);
    containers_tell(c);
}

/* Of some of what is to be read; when that has been read, of more. */
static void containers_find_users(struct java_containers *c)
{
    unsigned found = 0;
    for (size_t i = 0; i < c->watch.table.len && found < USERS_AT_ONCE; i++) {
        struct process *p = &c->watch.table.items[i];
        if (!p->pending || p->reading || p->user_known)
            continue;
        p->user = jvm_user_of(p->pid);
        p->user_known = true;
        found++;
    }
}

static bool containers_may_read(const struct process *p)
{
    return p->pending && !p->reading && p->user_known;
}

static bool containers_scans(const struct java_containers *c, uint64_t user)
{
    list_each(&c->scans, node)
    {
        if (list_entry(node, struct container_scan, node)->user == user)
            return true;
    }
    return false;
}

/* Of the user of process number `from`, what is pending from there on. */
static void containers_scan(struct java_containers *c, size_t from, uint64_t user)
{
    struct jvm_scan_item items[JVM_SCAN_MAX];
    size_t n = 0;
    for (size_t i = from; i < c->watch.table.len && n < JVM_SCAN_MAX; i++) {
        struct process *p = &c->watch.table.items[i];
        if (!containers_may_read(p) || p->user != user)
            continue;
        items[n++] = (struct jvm_scan_item){p->pid, JVM_WANT_CGROUP | JVM_WANT_JAVA | JVM_WANT_IF_JAVA};
        p->reading = p->pending;
        p->pending = READ_NOTHING;
    }
    struct container_scan *scan = xcalloc(1, sizeof *scan);
    scan->containers = c;
    scan->user = user;
    list_push(&c->scans, &scan->node);
    scan->scan = jvm_scan(c->env->priv, user, items, n, SCAN_MS, containers_on_record, containers_on_done, scan);
}

/* One scan per user at a time: whose processes hang delays nobody else's. */
static void containers_read(struct java_containers *c)
{
    containers_find_users(c);
    for (size_t i = 0; i < c->watch.table.len; i++) {
        const struct process *p = &c->watch.table.items[i];
        if (containers_may_read(p) && !containers_scans(c, p->user))
            containers_scan(c, i, p->user);
    }
}

/* What could not be read: a process that had just started, or one that hung. */
static void containers_read_again(struct java_containers *c)
{
    for (size_t i = 0; i < c->watch.table.len; i++) {
        struct process *p = &c->watch.table.items[i];
        if (p->reported && !p->reading)
            p->pending = READ_IF_JAVA;
    }
}

static void containers_on_look(void *arg, int code, const struct process_poll *poll, const char *why)
{
    struct java_containers *c = arg;
    const uint64_t now = uv_now(c->env->loop);
    const bool again = now >= c->refresh_at_ms;
    (void)why; /* discovery.process says so */
    if (code < 0)
        return;
    if (again) {
        containers_read_again(c);
        c->refresh_at_ms = now + REFRESH_MS;
    }
    c->is_changed |= poll->lost;
    if (poll->changed || again)
        containers_read(c);
    containers_tell(c);
}

static void containers_on_poll(uv_timer_t *timer)
{
    struct java_containers *c = timer->data;
    if (priv_healthy(c->env->priv))
        process_watch_look(&c->watch, c->watch.table.len == 0);
}

static void containers_start(struct java_containers *c)
{
    if (c->timer)
        return;
    c->timer = xcalloc(1, sizeof *c->timer);
    uv_timer_init(c->env->loop, c->timer);
    c->timer->data = c;
    c->refresh_at_ms = 0;
    uv_timer_start(c->timer, containers_on_poll, 0, POLL_MS);
}

static void containers_on_timer_closed(uv_handle_t *timer)
{
    free(timer);
}

static void containers_stop(struct java_containers *c)
{
    list_each(&c->scans, node)
    {
        struct container_scan *scan = list_entry(node, struct container_scan, node);
        jvm_scan_cancel(scan->scan);
        list_del(&scan->node);
        free(scan);
    }
    process_watch_done(&c->watch);
    if (c->timer)
        uv_close((uv_handle_t *)TAKE_PTR(c->timer), containers_on_timer_closed);
}

/* --- targets --- */

bool java_container_is_named(const struct labels *target)
{
    return !labels_get(target, STR("__process_pid__")).n &&
           (labels_has(target, container_label) || labels_has(target, STR("__meta_kubernetes_pod_container_id")) ||
            labels_has(target, STR("__meta_docker_container_id")) ||
            labels_has(target, STR("__meta_dockerswarm_task_container_id")));
}

static void containers_add(struct targets *ret, size_t *cap, struct labels *target)
{
    xgrow(&ret->items, cap, ret->len + 1, sizeof *ret->items);
    ret->items[ret->len++] = target;
}

static struct labels *containers_target(const struct labels *target, const struct labels *process)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    labels_builder_from(&b, target);
    for (size_t i = 0; i < labels_len(process); i++) {
        const struct label *l = labels_at(process, i);
        if (!str_eq(l->name, service_label) || !labels_get(target, service_label).n)
            labels_set(&b, l->name, l->value);
    }
    return labels_build(&b, false);
}

struct labels *java_container_target(const struct labels *target, const struct java_container_jvm *j)
{
    struct labels *process = containers_jvm_labels(j);
    struct labels *resolved = containers_target(target, process);
    labels_unref(process);
    return resolved;
}

/* The JVMs of containers, by container: chains through `next`, which begin at the map's index. */
struct container_index {
    struct strmap first; /* container ID -> number of a process, plus one */
    size_t *next;        /* the same, of the process before; 0 = none */
};

static void containers_index(const struct java_containers *c, struct container_index *index)
{
    index->next = xcalloc(c->watch.table.len + 1, sizeof *index->next);
    for (size_t i = c->watch.table.len; i > 0; i--) {
        const struct labels *labels = c->watch.table.items[i - 1].labels;
        if (!labels)
            continue;
        void *before = strmap_put(&index->first, labels_get(labels, container_label), (void *)i);
        index->next[i] = (size_t)before;
    }
}

static void containers_resolve_one(const struct java_containers *c, const struct container_index *index,
                                   const struct labels *target, struct targets *ret, size_t *cap)
{
    const struct str id = process_join_id(target);
    for (size_t i = id.n ? (size_t)strmap_get(&index->first, id) : 0; i > 0; i = index->next[i])
        containers_add(ret, cap, containers_target(target, c->watch.table.items[i - 1].labels));
}

void java_containers_resolve(struct java_containers *c, const struct targets *targets, struct targets *ret)
{
    struct targets resolved = {0};
    struct container_index index = {.first = STRMAP_INIT};
    size_t cap = 0;
    bool is_needed = false;
    containers_index(c, &index);
    for (size_t i = 0; i < targets->len; i++) {
        if (!java_container_is_named(targets->items[i])) {
            containers_add(&resolved, &cap, labels_ref(targets->items[i]));
            continue;
        }
        is_needed = true;
        containers_resolve_one(c, &index, targets->items[i], &resolved, &cap);
    }
    strmap_done(&index.first);
    free(index.next);
    targets_done(ret);
    *ret = resolved;
    if (is_needed)
        containers_start(c);
    else
        containers_stop(c);
}

struct java_containers *java_containers_new(const struct component_env *env, void (*changed)(void *arg), void *arg)
{
    struct java_containers *c = xcalloc(1, sizeof *c);
    *c = (struct java_containers){.env = env, .changed = changed, .arg = arg};
    c->watch = (struct process_watch){.loop = env->loop, .looked = containers_on_look, .arg = c};
    list_init(&c->scans);
    return c;
}

void java_containers_free(struct java_containers *c)
{
    if (!c)
        return;
    containers_stop(c);
    free(c);
}
