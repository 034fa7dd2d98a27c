#include "api/agent/components_json.h"
#include "base/clock.h"
#include "graph/view.h"

#include <time.h>

#include "api/shared/redact.h"
#include "api/shared/value_json.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"

enum { MESSAGE_MAX = 64 << 10 };

static void components_json_time_text(struct buf *out, int64_t ns)
{
    time_t seconds = (time_t)(ns / NS_PER_SEC);
    struct tm tm;
    char text[32];
    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    buf_printf(out, "\"%s.%09dZ\"", text, (int)(ns % NS_PER_SEC));
}

static void components_json_ids(struct buf *out, const char *const *list)
{
    buf_byte(out, '[');
    for (size_t i = 0; list && list[i]; i++) {
        buf_puts(out, i ? "," : "");
        json_string(out, str_of(list[i]));
    }
    buf_byte(out, ']');
}

static bool components_json_exports_receiver(const struct component_view *v)
{
    return v->exports && value_kind(v->exports) == VALUE_OBJECT && value_member(v->exports, STR("receiver"));
}

/* A component of the same module. */
static bool components_json_neighbour(struct controller *c, const struct component_view *v, const char *local_id,
                                      struct component_view *ret)
{
    cleanup_free char *id = *v->module_id ? xasprintf("%s/%s", v->module_id, local_id) : xstrdup(local_id);
    return controller_view(c, id, ret);
}

static void components_json_put_id(struct buf *out, const char *id, bool *any)
{
    buf_puts(out, *any ? "," : "");
    json_string(out, str_of(id));
    *any = true;
}

/* Data goes along a reference to a receiver (java -> write), against every other one (discovery -> java). */
void components_json_flow(struct controller *c, const struct component_view *v, struct buf *out)
{
    struct component_view other;
    bool any = false;
    buf_byte(out, '[');
    for (size_t i = 0; v->references_to && v->references_to[i]; i++) {
        if (components_json_neighbour(c, v, v->references_to[i], &other) && components_json_exports_receiver(&other))
            components_json_put_id(out, v->references_to[i], &any);
    }
    for (size_t i = 0; !components_json_exports_receiver(v) && v->referenced_by && v->referenced_by[i]; i++) {
        if (components_json_neighbour(c, v, v->referenced_by[i], &other))
            components_json_put_id(out, v->referenced_by[i], &any);
    }
    buf_byte(out, ']');
}

bool components_json_has_lists(const struct component_view *v)
{
    for (size_t i = 0; v->exports && i < value_len(v->exports); i++) {
        struct value *member;
        value_key(v->exports, i, &member);
        if (value_kind(member) == VALUE_ARRAY)
            return true;
    }
    return false;
}

bool components_json_is_live(struct controller *c, const struct component_view *v)
{
    struct component_view other;
    bool sends = false;
    for (size_t i = 0; v->references_to && v->references_to[i] && !sends; i++)
        sends =
            components_json_neighbour(c, v, v->references_to[i], &other) && components_json_exports_receiver(&other);
    return sends || components_json_has_lists(v);
}

static void components_json_head(struct controller *c, const struct component_view *v, struct buf *out)
{
    static const char *const health[] = {"unknown", "healthy", "unhealthy", "exited"};
    buf_puts(out, "{\"name\":");
    json_string(out, str_of(v->name));
    buf_puts(out, ",\"type\":\"block\",\"localID\":");
    json_string(out, str_of(v->local_id));
    buf_puts(out, ",\"moduleID\":");
    json_string(out, str_of(v->module_id));
    if (v->label && *v->label) {
        buf_puts(out, ",\"label\":");
        json_string(out, str_of(v->label));
    }
    buf_puts(out, ",\"referencesTo\":");
    components_json_ids(out, v->references_to);
    buf_puts(out, ",\"referencedBy\":");
    components_json_ids(out, v->referenced_by);
    buf_puts(out, ",\"dataFlowEdgesTo\":");
    components_json_flow(c, v, out);
    buf_printf(out, ",\"health\":{\"state\":\"%s\",\"message\":", health[v->health]);
    cleanup_buf struct buf message = BUF_INIT(MESSAGE_MAX);
    secret_hide(str_of(v->message), &message);
    json_string(out, buf_slice(&message));
    buf_puts(out, ",\"updatedTime\":");
    components_json_time_text(out, v->updated_ns);
    buf_puts(out, "},\"original\":\"\"");
}

enum detail { NO_BODIES, FULL };

static void components_json_body(const char *name, struct value *v, const struct schema *schema, enum detail detail,
                                 struct buf *out)
{
    cleanup_value struct value *redacted = detail == NO_BODIES ? NULL : redact_value(v);
    buf_printf(out, ",\"%s\":", name);
    value_json_body(redacted, schema, out);
}

static void components_json_debug_info(struct controller *c, const char *id, enum detail detail, struct buf *out)
{
    cleanup_value struct value *info = detail == NO_BODIES ? NULL : controller_debug_info(c, id);
    cleanup_value struct value *redacted = redact_value(info);
    buf_puts(out, ",\"debugInfo\":");
    value_json_debug(redacted, out);
}

static void components_json_bodies(struct controller *c, const struct component_view *v, enum detail detail,
                                   struct buf *out)
{
    components_json_body("arguments", v->arguments, v->schema, detail, out);
    components_json_body("exports", v->exports, NULL, detail, out);
    components_json_debug_info(c, v->id, detail, out);
    if (v->created_modules && v->created_modules[0]) {
        buf_puts(out, ",\"createdModuleIDs\":");
        components_json_ids(out, v->created_modules);
    }
    buf_printf(out, ",\"liveDebuggingEnabled\":%s}", components_json_is_live(c, v) ? "true" : "false");
}

struct component_listing {
    struct controller *controller;
    struct buf *out;
    enum detail detail;
    bool any;
};

static bool components_json_list_one(void *arg, const struct component_view *v)
{
    struct component_listing *l = arg;
    buf_puts(l->out, l->any ? "," : "");
    l->any = true;
    components_json_head(l->controller, v, l->out);
    components_json_bodies(l->controller, v, l->detail, l->out);
    return true;
}

bool components_json_list(struct controller *c, const char *module_id, struct buf *out)
{
    struct component_listing l = {.controller = c, .out = out};
    buf_byte(out, '[');
    const bool found = controller_each_in(c, module_id, components_json_list_one, &l);
    buf_byte(out, ']');
    return found;
}

bool components_json_one(struct controller *c, const char *id, struct buf *out)
{
    struct component_view v;
    if (!controller_view(c, id, &v))
        return false;
    components_json_head(c, &v, out);
    components_json_bodies(c, &v, FULL, out);
    return true;
}

void components_json_all(struct controller *c, struct buf *out)
{
    struct component_listing l = {.controller = c, .out = out, .detail = FULL};
    buf_byte(out, '[');
    controller_each_deep(c, components_json_list_one, &l);
    buf_byte(out, ']');
}
