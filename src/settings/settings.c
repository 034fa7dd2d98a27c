#include "settings/settings.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "lang/coerce.h"
#include "lang/schema.h"

const struct settings settings_default = {.log_level = LOG_INFO, .log_format = LOG_LOGFMT};

static const struct option_words level_words = {
    .unknown = "unrecognized log level",
    .form = UNKNOWN_QUOTED,
    .words =
        (const struct option_word[]){
            {"debug", LOG_DEBUG}, {"info", LOG_INFO}, {"warn", LOG_WARN}, {"error", LOG_ERROR}, {0}},
};
static const struct option_words format_words = {
    .unknown = "unrecognized log format",
    .form = UNKNOWN_QUOTED,
    .words = (const struct option_word[]){{"logfmt", LOG_LOGFMT}, {"json", LOG_JSON}, {0}},
};

/* --- lists of receivers that nothing here can be: what they may hold are references to components that were left out
 * --- */

static int nobody_decode(const struct value *v, size_t *ret, const char *wanted, struct err *err)
{
    if (value_kind(v) == VALUE_NULL)
        return 0;
    if (value_kind(v) != VALUE_ARRAY)
        return coerce_refuse(v, VALUE_ARRAY, err);
    for (size_t i = 0; i < value_len(v); i++) {
        if (value_kind(value_item(v, i)) == VALUE_NULL)
            continue;
        struct err why = {0};
        const int code = coerce_refuse_capsule(value_item(v, i), wanted, &why);
        return err_set(err, code, "[%zu] %s", i, why.text);
    }
    *ret = value_len(v);
    return 0;
}

static int log_receivers_decode(struct value *v, void *field, struct err *err)
{
    return nobody_decode(v, field, "loki.LogsReceiver", err);
}

static int trace_receivers_decode(struct value *v, void *field, struct err *err)
{
    return nobody_decode(v, field, "otelcol.Consumer", err);
}

static void nobody_done(void *field)
{
    *(size_t *)field = 0;
}

static bool nobody_equal(const void *a, const void *b)
{
    return *(const size_t *)a == *(const size_t *)b;
}

static struct value *nobody_value(const void *field)
{
    (void)field;
    return value_array(NULL, 0);
}

#define NOBODY(name_, decode_)                                                                                         \
    {                                                                                                                  \
        .name = name_, .decode = decode_, .done = nobody_done, .equal = nobody_equal, .to_value = nobody_value         \
    }
static const struct option_type log_receivers_option = NOBODY("list(LogsReceiver)", log_receivers_decode),
                                trace_receivers_option = NOBODY("list(otelcol.Consumer)", trace_receivers_decode);

/* --- logging --- */

struct logging {
    enum log_level level;
    enum log_format format;
    char *destination;
    size_t write_to; /* how many */
};

static int logging_validate(const void *record, struct err *err)
{
    const struct logging *l = record;
    if (strcmp(l->destination, "stderr") != 0)
        return err_set(err, -EINVAL, "unrecognized log destination \"%s\"", l->destination);
    return 0;
}

static const struct option logging_options[] = {
    {"level", OPT_ENUM, offsetof(struct logging, level), .words = &level_words, .default_text = "\"info\"",
     .help = "Minimum level."},
    {"format", OPT_ENUM, offsetof(struct logging, format), .words = &format_words, .default_text = "\"logfmt\"",
     .help = "Format of the log."},
    {"destination", OPT_STRING, offsetof(struct logging, destination), .default_text = "\"stderr\"",
     .help = "Only stderr is supported."},
    {"write_to", OPT_CUSTOM, offsetof(struct logging, write_to), .custom = &log_receivers_option,
     .help = "Accepted without effect; there are no log receivers."},
    {0},
};
static const struct schema logging_schema = {
    .size = sizeof(struct logging), .options = logging_options, .validate = logging_validate};

/* --- tracing --- */

struct jaeger_remote {
    char *url;
    double max_operations;
    int64_t refresh_interval;
};
static const struct option jaeger_remote_options[] = {
    {"url", OPT_STRING, offsetof(struct jaeger_remote, url), .help = "Source of the sampling strategy."},
    {"max_operations", OPT_FLOAT, offsetof(struct jaeger_remote, max_operations), .default_text = "256",
     .help = "Strategies per operation."},
    {"refresh_interval", OPT_DURATION, offsetof(struct jaeger_remote, refresh_interval), .default_text = "\"1m\"",
     .help = "Refresh interval of the strategy."},
    {0},
};
static const struct schema jaeger_remote_schema = {.size = sizeof(struct jaeger_remote),
                                                   .options = jaeger_remote_options};

struct sampler {
    struct jaeger_remote jaeger_remote;
};
static const struct option sampler_options[] = {
    {"jaeger_remote", OPT_BLOCK, offsetof(struct sampler, jaeger_remote), .block = &jaeger_remote_schema,
     .help = "Remote sampler."},
    {0},
};
static const struct schema sampler_schema = {.size = sizeof(struct sampler), .options = sampler_options};

struct tracing {
    double sampling_fraction;
    bool send_traceparent;
    size_t write_to;
    struct sampler sampler;
};
static const struct option tracing_options[] = {
    {"sampling_fraction", OPT_FLOAT, offsetof(struct tracing, sampling_fraction), .default_text = "0.1",
     .help = "Accepted without effect: smolder emits no traces."},
    {"send_traceparent", OPT_BOOL, offsetof(struct tracing, send_traceparent), .help = "Accepted without effect."},
    {"write_to", OPT_CUSTOM, offsetof(struct tracing, write_to), .custom = &trace_receivers_option,
     .help = "Accepted without effect."},
    {"sampler", OPT_BLOCK, offsetof(struct tracing, sampler), .block = &sampler_schema,
     .help = "Accepted without effect."},
    {0},
};
static const struct schema tracing_schema = {.size = sizeof(struct tracing), .options = tracing_options};

/* --- livedebugging --- */

struct livedebugging {
    bool enabled;
};
static const struct option livedebugging_options[] = {
    {"enabled", OPT_BOOL, offsetof(struct livedebugging, enabled),
     .help = "Enable `/api/v0/web/debug/ID` and `/api/v0/web/graph`."},
    {0},
};
static const struct schema livedebugging_schema = {.size = sizeof(struct livedebugging),
                                                   .options = livedebugging_options};

/* --- all of them --- */

static const struct {
    const char *name;
    const struct schema *schema;
} blocks[] = {
    {"logging", &logging_schema},
    {"tracing", &tracing_schema},
    {"http", &http_block_schema},
    {"livedebugging", &livedebugging_schema},
};
enum { BLOCK_COUNT = sizeof blocks / sizeof blocks[0] };

const struct schema *settings_schema(struct str name)
{
    for (size_t i = 0; i < BLOCK_COUNT; i++) {
        if (str_is(name, blocks[i].name))
            return blocks[i].schema;
    }
    return NULL;
}

bool settings_can_fail(struct str block_name)
{
    return settings_schema(block_name) == &http_block_schema;
}

bool settings_has(struct str block_name)
{
    return settings_schema(block_name) != NULL;
}

union record {
    struct logging logging;
    struct tracing tracing;
    struct http_block http;
    struct livedebugging livedebugging;
};

static void take_logging(const struct ast_stmt *block, struct logging *l, struct settings *s, struct diags *ds)
{
    s->log_level = l->level;
    s->log_format = l->format;
    if (l->write_to > 0)
        diag_warn(ds, block->name_range,
                  "logging: write_to has no effect, there are no receivers of logs; lines go to stderr");
}

static void take_http(const struct ast_stmt *block, struct http_block *h, struct settings *s, struct diags *ds)
{
    if (h->has_auth && !h->auth.has_basic)
        diag_warn(ds, block->name_range, "http: auth without a basic block disables authentication");
    s->http = *h;
    memset(h, 0, sizeof *h);
}

int settings_decode(const struct ast_stmt *block, const struct scope *scope, struct settings *s, struct diags *ds)
{
    const struct schema *schema = settings_schema(block->name);
    union record record;
    memset(&record, 0, sizeof record);
    const int code = schema_decode(schema, &block->body, block->range, scope, &record, ds);
    if (code < 0)
        return code;
    if (schema == &logging_schema)
        take_logging(block, &record.logging, s, ds);
    else if (schema == &http_block_schema)
        take_http(block, &record.http, s, ds);
    else if (schema == &livedebugging_schema)
        s->live_debugging = record.livedebugging.enabled;
    else
        diag_warn(ds, block->name_range, "tracing has no effect: smolder emits no traces");
    schema_done(schema, &record);
    return 0;
}

void settings_apply(const struct settings *s)
{
    log_setup(s->log_level, s->log_format);
}

void settings_done(struct settings *s)
{
    schema_done(&http_block_schema, &s->http);
    *s = settings_default;
}
