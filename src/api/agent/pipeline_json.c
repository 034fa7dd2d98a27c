#include "api/agent/pipeline_json.h"

#include "api/agent/components_json.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/metric.h"
#include "base/secret.h"

enum { PIPELINE_MESSAGE_MAX = 64 << 10 };

struct pipeline_listing {
    struct controller *controller;
    struct buf *out;
    bool some; /* the list has a member already */
};

/* What says how the agent itself is: what waits, what was lost, what it costs. */
static const char *const pipeline_metrics[] = {
    "smolder_sessions",
    "smolder_queue_bytes",
    "smolder_spool_bytes",
    "smolder_pushes_total",
    "smolder_dropped_profiles_total",
    "smolder_chunks_total",
    "smolder_gap_seconds",
    "smolder_attach_seconds",
    "smolder_cpu_coverage_ratio",
    "smolder_parser_restarts_total",
    "smolder_jfr_bytes_total",
    "smolder_heap_bytes",
    "smolder_resources_process_cpu_seconds_total",
    "smolder_resources_process_resident_memory_bytes",
    "smolder_resources_process_start_time_seconds",
    "smolder_config_last_load_successful",
    "smolder_config_load_failures_total",
    "smolder_store_bytes",
};

static void pipeline_json_separate(struct pipeline_listing *l)
{
    if (l->some)
        buf_byte(l->out, ',');
    l->some = true;
}

static void pipeline_json_member(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, "\"%s\":", name);
    json_string(out, str_of(text ? text : ""));
    buf_byte(out, ',');
}

static void pipeline_json_head(struct buf *out, const struct component_view *v)
{
    static const char *const health[] = {"unknown", "healthy", "unhealthy", "exited"};
    cleanup_buf struct buf message = BUF_INIT(PIPELINE_MESSAGE_MAX);
    secret_hide(str_of(v->message), &message);
    buf_byte(out, '{');
    pipeline_json_member(out, "id", v->id);
    pipeline_json_member(out, "module", v->module_id);
    pipeline_json_member(out, "name", v->name);
    pipeline_json_member(out, "label", v->label);
    pipeline_json_member(out, "health", health[v->health]);
    buf_puts(out, "\"message\":");
    json_string(out, buf_slice(&message));
    buf_printf(out, ",\"updated_ms\":%lld", (long long)(v->updated_ns / NS_PER_MS));
}

static bool pipeline_json_component(void *arg, const struct component_view *v)
{
    struct pipeline_listing *l = arg;
    pipeline_json_separate(l);
    pipeline_json_head(l->out, v);
    buf_printf(l->out, ",\"sent\":%llu,\"kind\":\"%s\",\"to\":", (unsigned long long)v->sent,
               components_json_has_lists(v) ? "target" : "profile");
    components_json_flow(l->controller, v, l->out);
    buf_puts(l->out, ",\"modules\":[");
    for (size_t i = 0; v->created_modules && v->created_modules[i]; i++) {
        buf_puts(l->out, i ? "," : "");
        json_string(l->out, str_of(v->created_modules[i]));
    }
    buf_puts(l->out, "]}");
    return true;
}

static bool pipeline_json_import(void *arg, const struct component_view *v)
{
    struct pipeline_listing *l = arg;
    pipeline_json_separate(l);
    pipeline_json_head(l->out, v);
    buf_byte(l->out, '}');
    return true;
}

static void pipeline_json_reading(void *arg, const struct metric_reading *r)
{
    struct pipeline_listing *l = arg;
    pipeline_json_separate(l);
    buf_puts(l->out, "{\"labels\":{");
    for (size_t i = 0; i < r->label_count; i++) {
        cleanup_buf struct buf value = BUF_INIT(PIPELINE_MESSAGE_MAX);
        secret_hide(str_of(r->values[i]), &value);
        buf_printf(l->out, "%s\"%s\":", i ? "," : "", r->names[i]);
        json_string(l->out, buf_slice(&value));
    }
    buf_puts(l->out, "},\"value\":");
    json_double(l->out, r->value);
    if (r->count > 0)
        buf_printf(l->out, ",\"count\":%.0f", r->count);
    buf_byte(l->out, '}');
}

static void pipeline_json_own(struct pipeline_listing *l)
{
    buf_puts(l->out, "\"own\":{\"version\":\"" SMOLDER_VERSION "\",\"metrics\":{");
    for (size_t i = 0; i < ARRAY_LEN(pipeline_metrics); i++) {
        buf_printf(l->out, "%s\"%s\":[", i ? "," : "", pipeline_metrics[i]);
        l->some = false;
        metric_each(pipeline_metrics[i], pipeline_json_reading, l);
        buf_byte(l->out, ']');
    }
    buf_puts(l->out, "}}");
}

void pipeline_json_put(struct controller *c, struct buf *out)
{
    struct pipeline_listing l = {.controller = c, .out = out};
    buf_printf(out, "{\"now_ms\":%lld,\"components\":[", (long long)(clock_wall_ns() / NS_PER_MS));
    controller_each_deep(c, pipeline_json_component, &l);
    buf_puts(out, "],\"imports\":[");
    l.some = false;
    controller_each_import(c, pipeline_json_import, &l);
    buf_puts(out, "],");
    pipeline_json_own(&l);
    buf_byte(out, '}');
}
