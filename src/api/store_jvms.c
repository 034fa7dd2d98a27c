/* GET /api/jvms: what the pyroscope.java components of this process know of their targets. */
#include <string.h>
#include <time.h>

#include "api/redact.h"
#include "api/store_http_internal.h"
#include "api/value_json.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/secret.h"
#include "graph/view.h"

enum { ANSWER_MAX = 16 << 20, MESSAGE_MAX = 64 << 10 };

struct listing {
    struct controller *controller;
    struct buf out, components;
    bool any;
};

/* Every entry of the component's list, with the component's id in front of its own members. */
static void add_targets(struct listing *l, const char *id, const struct value *info)
{
    const struct value *list =
        info && value_kind(info) == VALUE_OBJECT ? value_member(info, STR("profiled_targets")) : NULL;
    for (size_t i = 0; list && value_kind(list) == VALUE_ARRAY && i < value_len(list); i++) {
        const struct value *target = value_item(list, i);
        if (value_kind(target) != VALUE_OBJECT)
            continue;
        buf_puts(&l->out, l->any ? ",{\"component\":" : "{\"component\":");
        json_string(&l->out, str_of(id));
        for (size_t k = 0; k < value_len(target); k++) {
            struct value *m;
            buf_byte(&l->out, ',');
            json_string(&l->out, value_key(target, k, &m));
            buf_byte(&l->out, ':');
            value_json_plain(m, &l->out);
        }
        buf_byte(&l->out, '}');
        l->any = true;
    }
}

static bool visit(void *arg, const struct component_view *v)
{
    static const char *const health[] = {"unknown", "healthy", "unhealthy", "exited"};
    struct listing *l = arg;
    buf_printf(&l->components, "%s{\"id\":", l->components.len ? "," : "");
    json_string(&l->components, str_of(v->id));
    buf_printf(&l->components, ",\"health\":\"%s\",\"message\":", health[v->health]);
    cleanup_buf struct buf message = BUF_INIT(MESSAGE_MAX);
    secret_hide(str_of(v->message), &message);
    json_string(&l->components, buf_slice(&message));
    buf_byte(&l->components, '}');
    if (strcmp(v->name, "pyroscope.java") == 0) {
        cleanup_value struct value *info = controller_debug_info(l->controller, v->id);
        cleanup_value struct value *redacted = redact_value(info);
        add_targets(l, v->id, redacted);
    }
    return true;
}

void store_http_jvms(void *ctx, struct request *rq)
{
    struct store_http *http = ctx;
    struct listing l = {
        .controller = http->controller, .out = BUF_INIT(ANSWER_MAX), .components = BUF_INIT(ANSWER_MAX)};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    buf_printf(&l.out, "{\"agent\":%s,\"now_ms\":%lld,\"jvms\":[", http->controller ? "true" : "false",
               (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000);
    if (http->controller)
        controller_each(http->controller, visit, &l);
    buf_puts(&l.out, "],\"components\":[");
    buf_str(&l.out, buf_slice(&l.components));
    buf_puts(&l.out, "]}");
    request_set_header(rq, "Cache-Control", "no-store");
    request_reply_buf(rq, 200, "application/json", &l.out);
    buf_done(&l.out);
    buf_done(&l.components);
}
