#include "cli/discover_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "components/process_join.h"
#include "components/pyroscope_java_containers.h"
#include "components/pyroscope_java_labels.h"
#include "flow/relabel.h"
#include "flow/targets.h"
#include "graph/view.h"

enum { VALUE_MAX = 64 << 10 };

/* --- whether everything is there --- */

struct discover_check {
    uint64_t state;
    char *waiting;
    bool complete;
};

static bool discover_is_source(const char *name)
{
    static const char *const kinds[] = {"discovery.", "local.", "remote."};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strncmp(name, kinds[i], strlen(kinds[i])) == 0)
            return true;
    return false;
}

static bool discover_check_one(void *arg, const struct component_view *v)
{
    struct discover_check *c = arg;
    const uint64_t seen[] = {c->state, (uintptr_t)v->exports, v->sent};
    c->state = hash_bytes(seen, sizeof seen);
    bool has_result = !v->is_queued;
    for (size_t i = 0; discover_is_source(v->name) && v->exports && i < value_len(v->exports); i++) {
        struct value *member;
        value_key(v->exports, i, &member);
        has_result = has_result && value_kind(member) != VALUE_NULL;
    }
    if (!has_result && c->complete)
        snprintf(c->waiting, 256, "%s", v->id);
    c->complete = c->complete && has_result;
    return true;
}

bool discover_is_complete(struct controller *c, uint64_t *state, char waiting[256])
{
    struct discover_check check = {.waiting = waiting, .complete = true};
    waiting[0] = '\0';
    controller_each_deep(c, discover_check_one, &check);
    *state = check.state;
    return check.complete;
}

/* --- targets --- */

static const struct labels *discover_target(const struct value *list, size_t i)
{
    return value_capsule_data(value_item(list, i), &target_capsule);
}

/* The member of an object, if it is a list of targets; else NULL. */
static const struct value *discover_list(const struct value *object, const char *name)
{
    const struct value *list = object ? value_member(object, str_of(name)) : NULL;
    return list && value_kind(list) == VALUE_ARRAY ? list : NULL;
}

static pid_t discover_pid(const struct labels *target)
{
    uint64_t pid;
    return str_to_u64(str_trim(labels_get(target, STR("__process_pid__"))), &pid) && pid <= INT32_MAX ? (pid_t)pid : 0;
}

/* By its process ID, or by its container if the target names a container and no process. */
static bool discover_is_target(const struct labels *target, const struct local_jvm *j)
{
    if (java_container_is_named(target))
        return *j->container && !j->delegated && str_is(process_join_id(target), j->container);
    return discover_pid(target) == j->pid;
}

/* The target of a JVM: of several the last, which is the one that pyroscope.java takes. */
static const struct labels *discover_find(const struct value *list, const struct local_jvm *j)
{
    for (size_t i = list ? value_len(list) : 0; i-- > 0;) {
        const struct labels *target = discover_target(list, i);
        if (discover_is_target(target, j))
            return target;
    }
    return NULL;
}

/* --- one JVM --- */

struct discover_drop {
    char *component; /* owned; NULL: it is no target of any component that could drop it */
    size_t rule;     /* from 1 */
    const char *action;
    char *labels, *regex, *value; /* owned */
};

struct discover_fate {
    const struct local_jvm *jvm;
    bool names_by_main;
    struct labels *target; /* one reference; NULL: not profiled */
    char *component;       /* what profiles it, or the last one that has it */
    struct discover_drop drop;
};

static void discover_fate_done(struct discover_fate *f)
{
    labels_unref(f->target);
    free(f->component);
    free(f->drop.component);
    free(f->drop.labels);
    free(f->drop.regex);
    free(f->drop.value);
}

static void discover_set(char **field, const char *text)
{
    free(*field);
    *field = xstrdup(text);
}

/* "__meta_process_exe;__container_id__" */
static char *discover_source_labels(const struct relabel_rule *r)
{
    cleanup_buf struct buf names = BUF_INIT(VALUE_MAX);
    for (size_t i = 0; i < r->source_labels.len; i++)
        buf_printf(&names, "%s%s", i ? ", " : "", r->source_labels.items[i]);
    return xstrdup(buf_cstr(&names));
}

static void discover_note_drop(struct discover_fate *f, const struct component_view *v, const struct labels *target)
{
    struct value *capsule = value_member(v->exports, STR("rules"));
    struct relabel_rules *rules = capsule ? value_capsule_data(capsule, &relabel_rules_capsule) : NULL;
    cleanup_buf struct buf value = BUF_INIT(VALUE_MAX);
    size_t at = 0;
    if (!rules || !relabel_rejects(rules, target, &at, &value))
        return;
    const struct relabel_rule *r = relabel_rules_at(rules, at);
    const bool equal = r->action == RELABEL_KEEPEQUAL || r->action == RELABEL_DROPEQUAL;
    f->drop = (struct discover_drop){.component = xstrdup(v->id),
                                     .rule = at + 1,
                                     .action = relabel_action_word(r->action),
                                     .labels = discover_source_labels(r),
                                     .regex = equal      ? xstrdup(r->target_label)
                                              : r->regex ? str_dup(regex_pattern(r->regex))
                                                         : xstrdup(""),
                                     .value = xstrdup(buf_cstr(&value))};
}

/* As pyroscope.java has it: of a container with the process in it. */
static struct labels *discover_resolve(const struct discover_fate *f, const struct labels *target)
{
    const struct local_jvm *j = f->jvm;
    const struct java_container_jvm in = {j->pid, j->start_time, str_of(j->container), str_of(j->service),
                                          f->names_by_main ? str_of(j->main) : STR("")};
    return java_container_is_named(target) ? java_container_target(target, &in) : labels_ref((struct labels *)target);
}

static bool discover_follow(void *arg, const struct component_view *v)
{
    struct discover_fate *f = arg;
    const struct labels *in = discover_find(discover_list(v->arguments, "targets"), f->jvm);
    const struct labels *out = discover_find(discover_list(v->exports, "targets"), f->jvm);
    if (!out)
        out = discover_find(discover_list(v->exports, "output"), f->jvm);
    if (strcmp(v->name, "pyroscope.java") == 0 && in) {
        f->target = discover_resolve(f, in);
        discover_set(&f->component, v->id);
        return false;
    }
    if (out)
        discover_set(&f->component, v->id);
    else if (in && !f->drop.component && strcmp(v->name, "discovery.relabel") == 0)
        discover_note_drop(f, v, in);
    return true;
}

/* Which rule, and what it compared. */
static void discover_put_reason(const struct discover_fate *f, struct buf *out)
{
    const struct discover_drop *d = &f->drop;
    const char *against = d->action && strstr(d->action, "equal") ? "target_label" : "regex";
    if (d->component)
        buf_printf(out, "dropped by rule %zu of %s: %s, source_labels = [%s], %s = \"%s\", value \"%s\"", d->rule,
                   d->component, d->action, d->labels, against, d->regex, d->value);
    else if (f->component)
        buf_printf(out, "a target of %s, but of no pyroscope.java", f->component);
    else
        buf_puts(out, "no target of any component");
}

/* --- the report --- */

struct discover_output {
    const struct discover_result *result;
    struct buf *out;
    bool comma;
};

typedef void discover_visit(struct discover_output *o, const struct discover_fate *f);

static void discover_each(struct discover_output *o, discover_visit *visit)
{
    const struct local_list *jvms = &o->result->jvms;
    for (size_t i = 0; i < jvms->len; i++) {
        struct discover_fate f = {.jvm = &jvms->items[i], .names_by_main = o->result->names_by_main};
        controller_each_deep(o->result->controller, discover_follow, &f);
        visit(o, &f);
        discover_fate_done(&f);
    }
}

static const char *discover_main(const struct local_jvm *j)
{
    return *j->main ? j->main : j->exe;
}

static void discover_text_of_target(struct discover_output *o, const struct discover_fate *f)
{
    char room[JAVA_SERVICE_MAX];
    if (!f->target)
        return;
    const struct str service = java_service_name(f->target, room);
    buf_printf(o->out, "%d %s: profiled by %s as \"%.*s\"\n", (int)f->jvm->pid, discover_main(f->jvm), f->component,
               STR_ARG(service));
    for (size_t i = 0; i < labels_len(f->target); i++) {
        const struct label *l = labels_at(f->target, i);
        buf_printf(o->out, "    %.*s = \"%.*s\"\n", STR_ARG(l->name), STR_ARG(l->value));
    }
}

static void discover_text_of_rest(struct discover_output *o, const struct discover_fate *f)
{
    if (f->target)
        return;
    buf_printf(o->out, "%d %s: not profiled: ", (int)f->jvm->pid, discover_main(f->jvm));
    discover_put_reason(f, o->out);
    buf_byte(o->out, '\n');
}

struct discover_counts {
    const struct local_list *jvms;
    size_t others;
};

static bool discover_is_jvm(const struct local_list *jvms, const struct labels *target)
{
    for (size_t i = 0; i < jvms->len; i++)
        if (discover_is_target(target, &jvms->items[i]))
            return true;
    return false;
}

static bool discover_count(void *arg, const struct component_view *v)
{
    struct discover_counts *c = arg;
    const struct value *list = strcmp(v->name, "pyroscope.java") == 0 ? discover_list(v->arguments, "targets") : NULL;
    for (size_t i = 0; list && i < value_len(list); i++)
        c->others += !discover_is_jvm(c->jvms, discover_target(list, i));
    return true;
}

size_t discover_other_targets(const struct discover_result *r)
{
    struct discover_counts counts = {.jvms = &r->jvms};
    controller_each_deep(r->controller, discover_count, &counts);
    return counts.others;
}

void discover_put_text(const struct discover_result *r, struct buf *out)
{
    struct discover_output o = {.result = r, .out = out};
    discover_each(&o, discover_text_of_target);
    discover_each(&o, discover_text_of_rest);
}

static void discover_put_member(struct buf *out, const char *name, struct str value)
{
    buf_byte(out, ',');
    json_name(out, name);
    json_string(out, value);
}

static void discover_put_jvm(struct discover_output *o, const struct discover_fate *f)
{
    buf_printf(o->out, "%s{\"pid\":%d", o->comma ? "," : "", (int)f->jvm->pid);
    discover_put_member(o->out, "main", str_of(discover_main(f->jvm)));
    o->comma = true;
}

static void discover_json_of_target(struct discover_output *o, const struct discover_fate *f)
{
    char room[JAVA_SERVICE_MAX];
    if (!f->target)
        return;
    discover_put_jvm(o, f);
    discover_put_member(o->out, "component", str_of(f->component));
    discover_put_member(o->out, "service_name", java_service_name(f->target, room));
    buf_puts(o->out, ",\"labels\":{");
    for (size_t i = 0; i < labels_len(f->target); i++) {
        const struct label *l = labels_at(f->target, i);
        buf_puts(o->out, i ? "," : "");
        json_string(o->out, l->name);
        buf_byte(o->out, ':');
        json_string(o->out, l->value);
    }
    buf_puts(o->out, "}}");
}

static void discover_json_of_rest(struct discover_output *o, const struct discover_fate *f)
{
    cleanup_buf struct buf reason = BUF_INIT(VALUE_MAX);
    if (f->target)
        return;
    discover_put_jvm(o, f);
    discover_put_reason(f, &reason);
    discover_put_member(o->out, "reason", buf_slice(&reason));
    if (f->drop.component) {
        discover_put_member(o->out, "component", str_of(f->drop.component));
        buf_printf(o->out, ",\"rule\":%zu", f->drop.rule);
        discover_put_member(o->out, "action", str_of(f->drop.action));
        discover_put_member(o->out, "value", str_of(f->drop.value));
    }
    buf_byte(o->out, '}');
}

void discover_put_json(const struct discover_result *r, struct buf *out)
{
    struct discover_output o = {.result = r, .out = out};
    buf_puts(out, "{\"targets\":[");
    discover_each(&o, discover_json_of_target);
    buf_puts(out, "],\"dropped\":[");
    o.comma = false;
    discover_each(&o, discover_json_of_rest);
    buf_puts(out, "]}\n");
}
