#include "api/components_json.h"

#include <string.h>
#include <time.h>

#include "api/value_json.h"
#include "base/json.h"

static void time_text(struct buf *out, int64_t ns)
{
    time_t seconds = (time_t)(ns / 1000000000);
    struct tm tm;
    char text[32];
    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    buf_printf(out, "\"%s.%09dZ\"", text, (int)(ns % 1000000000));
}

static void ids(struct buf *out, const char *const *list)
{
    buf_byte(out, '[');
    for (size_t i = 0; list && list[i]; i++) {
        buf_puts(out, i ? "," : "");
        json_string(out, str_of(list[i]));
    }
    buf_byte(out, ']');
}

struct edges {
    const char *const *among; /* NULL-terminated ids */
    bool receivers_only;
    struct buf *out;
    bool any;
};

static bool exports_receiver(const struct component_view *v)
{
    return v->exports && value_kind(v->exports) == VALUE_OBJECT && value_member(v->exports, STR("receiver"));
}

static bool add_edge(void *arg, const struct component_view *v)
{
    struct edges *e = arg;
    for (size_t i = 0; e->among && e->among[i]; i++) {
        if (strcmp(e->among[i], v->id) != 0 || (e->receivers_only && !exports_receiver(v)))
            continue;
        buf_puts(e->out, e->any ? "," : "");
        json_string(e->out, str_of(v->id));
        e->any = true;
    }
    return true;
}

/* Data goes along a reference to a receiver (java -> write), against every other one (discovery -> java). */
static void data_flow(struct controller *c, const struct component_view *v, struct buf *out)
{
    struct edges e = {.among = v->references_to, .receivers_only = true, .out = out};
    buf_byte(out, '[');
    controller_each(c, add_edge, &e);
    if (!exports_receiver(v)) {
        e.among = v->referenced_by;
        e.receivers_only = false;
        controller_each(c, add_edge, &e);
    }
    buf_byte(out, ']');
}

static void head(struct controller *c, const struct component_view *v, struct buf *out)
{
    static const char *const health[] = {"unknown", "healthy", "unhealthy", "exited"};
    buf_puts(out, "{\"name\":");
    json_string(out, str_of(v->name));
    buf_puts(out, ",\"type\":\"block\",\"localID\":");
    json_string(out, str_of(v->id));
    buf_puts(out, ",\"moduleID\":\"\"");
    if (v->label && *v->label) {
        buf_puts(out, ",\"label\":");
        json_string(out, str_of(v->label));
    }
    buf_puts(out, ",\"referencesTo\":");
    ids(out, v->references_to);
    buf_puts(out, ",\"referencedBy\":");
    ids(out, v->referenced_by);
    buf_puts(out, ",\"dataFlowEdgesTo\":");
    data_flow(c, v, out);
    buf_printf(out, ",\"health\":{\"state\":\"%s\",\"message\":", health[v->health]);
    json_string(out, str_of(v->message));
    buf_puts(out, ",\"updatedTime\":");
    time_text(out, v->updated_ns);
    buf_puts(out, "},\"original\":\"\"");
}

struct listing {
    struct controller *controller;
    struct buf *out;
    const char *id; /* the wanted one; NULL = all */
    bool any;
};

static bool list_one(void *arg, const struct component_view *v)
{
    struct listing *l = arg;
    buf_puts(l->out, l->any ? "," : "");
    l->any = true;
    head(l->controller, v, l->out);
    buf_puts(l->out, ",\"arguments\":[],\"exports\":[],\"debugInfo\":[],\"liveDebuggingEnabled\":false}");
    return true;
}

void components_json_list(struct controller *c, struct buf *out)
{
    struct listing l = {.controller = c, .out = out};
    buf_byte(out, '[');
    controller_each(c, list_one, &l);
    buf_byte(out, ']');
}

static bool detail(void *arg, const struct component_view *v)
{
    struct listing *l = arg;
    if (strcmp(v->id, l->id) != 0)
        return true;
    cleanup_value struct value *info = controller_debug_info(l->controller, v->id);
    head(l->controller, v, l->out);
    buf_puts(l->out, ",\"arguments\":");
    value_json_body(v->arguments, l->out);
    buf_puts(l->out, ",\"exports\":");
    value_json_body(v->exports, l->out);
    buf_puts(l->out, ",\"debugInfo\":");
    value_json_body(info, l->out);
    buf_puts(l->out, ",\"liveDebuggingEnabled\":false}");
    l->any = true;
    return false;
}

bool components_json_one(struct controller *c, const char *id, struct buf *out)
{
    struct listing l = {.controller = c, .out = out, .id = id};
    controller_each(c, detail, &l);
    return l.any;
}
