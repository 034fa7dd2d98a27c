#include "api/shared/jvms_json.h"
#include "base/clock.h"
#include "graph/view.h"

#include "api/shared/redact.h"
#include "api/shared/value_json.h"
#include "base/json.h"
#include "base/secret.h"

enum { ANSWER_MAX = 32 << 20, MESSAGE_MAX = 64 << 10 };

struct jvm_listing {
    struct controller *controller;
    struct buf out;
    const char *component; /* whose JVMs are listed */
    bool some;             /* the list has a member already */
};

static void jvms_json_separate(struct jvm_listing *l)
{
    if (l->some)
        buf_byte(&l->out, ',');
    l->some = true;
}

static void jvms_json_text(struct jvm_listing *l, const char *name, struct str text)
{
    cleanup_buf struct buf shown = BUF_INIT(MESSAGE_MAX);
    secret_hide(text, &shown);
    buf_printf(&l->out, ",\"%s\":", name);
    json_string(&l->out, buf_slice(&shown));
}

/* Milliseconds since the epoch; null = never. */
static void jvms_json_time(struct jvm_listing *l, const char *name, int64_t ns)
{
    if (ns)
        buf_printf(&l->out, ",\"%s\":%lld", name, (long long)(ns / NS_PER_MS));
    else
        buf_printf(&l->out, ",\"%s\":null", name);
}

/* What debug information does not have. */
static void jvms_json_details(struct jvm_listing *l, const struct jvm_status *s)
{
    jvms_json_text(l, "version", str_of(s->version ? s->version : ""));
    jvms_json_text(l, "vendor", str_of(s->vendor ? s->vendor : ""));
    jvms_json_text(l, "options", str_of(s->options ? s->options : ""));
    jvms_json_text(l, "container", s->container);
    jvms_json_time(l, "profiled_since_ms", s->profiled_since_ns);
    jvms_json_time(l, "last_delivered_ms", s->last_delivered_ns);
    jvms_json_time(l, "ended_ms", s->ended_ns);
    buf_printf(&l->out, ",\"recorded_bytes\":%llu,\"lost\":%llu", (unsigned long long)s->recorded_bytes,
               (unsigned long long)s->lost);
    buf_printf(&l->out, ",\"delivered\":%llu,\"dropped\":%llu,\"agent_cpu_ms\":%.3f", (unsigned long long)s->delivered,
               (unsigned long long)s->dropped, (double)s->agent_cpu_ns / NS_PER_MS);
}

/* The component's id in front of the members of the status. */
static void jvms_json_put(void *arg, const struct jvm_status *status)
{
    struct jvm_listing *l = arg;
    cleanup_value struct value *all = jvm_status_value(status), *shown = redact_value(all);
    jvms_json_separate(l);
    buf_puts(&l->out, "{\"component\":");
    json_string(&l->out, str_of(l->component));
    for (size_t i = 0; i < value_len(shown); i++) {
        struct value *member;
        buf_byte(&l->out, ',');
        json_string(&l->out, value_key(shown, i, &member));
        buf_byte(&l->out, ':');
        value_json_plain(member, &l->out);
    }
    jvms_json_details(l, status);
    buf_byte(&l->out, '}');
}

static bool jvms_json_put_ended(void *arg, const struct component_view *v)
{
    struct jvm_listing *l = arg;
    l->component = v->id;
    controller_jvms_ended(l->controller, v->id, jvms_json_put, l);
    return true;
}

static bool jvms_json_put_all(void *arg, const struct component_view *v)
{
    struct jvm_listing *l = arg;
    l->component = v->id;
    (void)controller_jvms(l->controller, v->id, jvms_json_put, l);
    return true;
}

static bool jvms_json_put_component(void *arg, const struct component_view *v)
{
    static const char *const health[] = {"unknown", "healthy", "unhealthy", "exited"};
    struct jvm_listing *l = arg;
    cleanup_buf struct buf message = BUF_INIT(MESSAGE_MAX);
    secret_hide(str_of(v->message), &message);
    jvms_json_separate(l);
    buf_puts(&l->out, "{\"id\":");
    json_string(&l->out, str_of(v->id));
    buf_printf(&l->out, ",\"health\":\"%s\",\"message\":", health[v->health]);
    json_string(&l->out, buf_slice(&message));
    buf_byte(&l->out, '}');
    return true;
}

void jvms_json_reply(struct controller *controller, struct request *rq)
{
    struct jvm_listing l = {.controller = controller, .out = BUF_INIT(ANSWER_MAX)};
    buf_printf(&l.out, "{\"agent\":%s,\"now_ms\":%lld,\"jvms\":[", controller ? "true" : "false",
               (long long)(clock_wall_ns() / NS_PER_MS));
    if (controller)
        controller_each_deep(controller, jvms_json_put_all, &l);
    buf_puts(&l.out, "],\"ended\":[");
    l.some = false;
    if (controller)
        controller_each_deep(controller, jvms_json_put_ended, &l);
    buf_puts(&l.out, "],\"components\":[");
    l.some = false;
    if (controller)
        controller_each(controller, jvms_json_put_component, &l);
    buf_puts(&l.out, "]}");
    request_set_header(rq, "Cache-Control", "no-store");
    request_reply_buf(rq, 200, "application/json", &l.out);
    buf_done(&l.out);
}
