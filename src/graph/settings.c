#include "graph/settings.h"

#include <errno.h>
#include <stddef.h>

#include "lang/coerce.h"
#include "lang/schema.h"

const struct settings settings_default = {.log_level = LOG_INFO, .log_format = LOG_LOGFMT};

/* --- words as option types --- */

static int level_decode(struct value *v, void *field, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(ERR_MAX);
    const int code = coerce_text(v, &text, err);
    if (code < 0)
        return code;
    if (!log_level_parse(buf_cstr(&text), field))
        return err_set(err, -EINVAL, "unrecognized log level \"%s\"", buf_cstr(&text));
    return 0;
}

static struct value *level_to_value(const void *field)
{
    static const char *const names[] = {
        [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};
    return value_string(str_of(names[*(const enum log_level *)field]));
}

static bool level_equal(const void *a, const void *b)
{
    return *(const enum log_level *)a == *(const enum log_level *)b;
}

static void level_done(void *field)
{
    *(enum log_level *)field = LOG_DEBUG;
}

static const struct option_type level_option = {
    .name = "string", .decode = level_decode, .done = level_done, .equal = level_equal, .to_value = level_to_value};

static int format_decode(struct value *v, void *field, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(ERR_MAX);
    const int code = coerce_text(v, &text, err);
    if (code < 0)
        return code;
    const bool json = strcmp(buf_cstr(&text), "json") == 0;
    if (!json && strcmp(buf_cstr(&text), "logfmt") != 0)
        return err_set(err, -EINVAL, "unrecognized log format \"%s\"", buf_cstr(&text));
    *(enum log_format *)field = json ? LOG_JSON : LOG_LOGFMT;
    return 0;
}

static struct value *format_to_value(const void *field)
{
    return value_string(*(const enum log_format *)field == LOG_JSON ? STR("json") : STR("logfmt"));
}

static bool format_equal(const void *a, const void *b)
{
    return *(const enum log_format *)a == *(const enum log_format *)b;
}

static void format_done(void *field)
{
    *(enum log_format *)field = LOG_LOGFMT;
}

static const struct option_type format_option = {
    .name = "string", .decode = format_decode, .done = format_done, .equal = format_equal, .to_value = format_to_value};

/* --- logging --- */

struct logging {
    enum log_level level;
    enum log_format format;
    char *destination;
    struct value *write_to;
};

static int logging_validate(const void *record, struct err *err)
{
    const struct logging *l = record;
    if (strcmp(l->destination, "stderr") != 0)
        return err_set(err, -EINVAL, "unrecognized log destination \"%s\"", l->destination);
    return 0;
}

static const struct option logging_options[] = {
    {"level", OPT_CUSTOM, offsetof(struct logging, level), .custom = &level_option, .default_text = "\"info\"",
     .help = "Least severity to log: debug, info, warn or error."},
    {"format", OPT_CUSTOM, offsetof(struct logging, format), .custom = &format_option, .default_text = "\"logfmt\"",
     .help = "logfmt or json."},
    {"destination", OPT_STRING, offsetof(struct logging, destination), .default_text = "\"stderr\"",
     .help = "stderr is the only one."},
    {"write_to", OPT_ANY, offsetof(struct logging, write_to), .help = "Accepted; there are no log receivers."},
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
    {"url", OPT_STRING, offsetof(struct jaeger_remote, url), .help = "Where the sampling strategy comes from."},
    {"max_operations", OPT_FLOAT, offsetof(struct jaeger_remote, max_operations), .default_text = "256",
     .help = "Operations sampled apart."},
    {"refresh_interval", OPT_DURATION, offsetof(struct jaeger_remote, refresh_interval), .default_text = "\"1m\"",
     .help = "How often the strategy is read."},
    {0},
};
static const struct schema jaeger_remote_schema = {.size = sizeof(struct jaeger_remote),
                                                   .options = jaeger_remote_options};

struct sampler {
    struct jaeger_remote jaeger_remote;
};
static const struct option sampler_options[] = {
    {"jaeger_remote", OPT_BLOCK, offsetof(struct sampler, jaeger_remote), .block = &jaeger_remote_schema,
     .help = "A remote sampler."},
    {0},
};
static const struct schema sampler_schema = {.size = sizeof(struct sampler), .options = sampler_options};

struct tracing {
    double sampling_fraction;
    bool send_traceparent;
    struct value *write_to;
    struct sampler sampler;
};
static const struct option tracing_options[] = {
    {"sampling_fraction", OPT_FLOAT, offsetof(struct tracing, sampling_fraction), .default_text = "0.1",
     .help = "Accepted without effect: smolder writes no traces of itself."},
    {"send_traceparent", OPT_BOOL, offsetof(struct tracing, send_traceparent), .help = "Accepted without effect."},
    {"write_to", OPT_ANY, offsetof(struct tracing, write_to), .help = "Accepted without effect."},
    {"sampler", OPT_BLOCK, offsetof(struct tracing, sampler), .block = &sampler_schema,
     .help = "Accepted without effect."},
    {0},
};
static const struct schema tracing_schema = {.size = sizeof(struct tracing), .options = tracing_options};

/* --- http --- */

struct http_basic {
    char *username, *password;
};
static const struct option http_basic_options[] = {
    {"username", OPT_STRING, offsetof(struct http_basic, username), .required = true, .help = "User name."},
    {"password", OPT_SECRET, offsetof(struct http_basic, password), .required = true, .help = "Password."},
    {0},
};
static const struct schema http_basic_schema = {.size = sizeof(struct http_basic), .options = http_basic_options};

struct http_filter {
    struct string_list paths;
    bool authenticate_matching_paths;
};
static const struct option http_filter_options[] = {
    {"paths", OPT_STRING_LIST, offsetof(struct http_filter, paths), .help = "Prefixes of paths."},
    {"authenticate_matching_paths", OPT_BOOL, offsetof(struct http_filter, authenticate_matching_paths),
     .default_text = "true", .help = "Whether the listed paths, or all others, need authentication."},
    {0},
};
static const struct schema http_filter_schema = {.size = sizeof(struct http_filter), .options = http_filter_options};

struct http_auth {
    struct block_list basic, filter;
};
static const struct option http_auth_options[] = {
    {"basic", OPT_BLOCKS, offsetof(struct http_auth, basic), .block = &http_basic_schema,
     .help = "Basic authentication."},
    {"filter", OPT_BLOCKS, offsetof(struct http_auth, filter), .block = &http_filter_schema,
     .help = "Which paths need it."},
    {0},
};
static const struct schema http_auth_schema = {.size = sizeof(struct http_auth), .options = http_auth_options};

struct http_tls {
    char *cert_pem, *cert_file, *key_pem, *key_file, *client_ca_pem, *client_ca_file, *client_auth_type, *min_version,
        *max_version;
    struct string_list cipher_suites, curve_preferences;
};
#define TLS_TEXT(name, kind_, text)                                                                                    \
    {                                                                                                                  \
#name, kind_, offsetof(struct http_tls, name), .help = text                                                    \
    }
static const struct option http_tls_options[] = {
    TLS_TEXT(cert_pem, OPT_STRING, "Certificate of the server."),
    TLS_TEXT(cert_file, OPT_STRING, "File with the certificate of the server."),
    TLS_TEXT(key_pem, OPT_SECRET, "Key of the server."),
    TLS_TEXT(key_file, OPT_STRING, "File with the key of the server."),
    TLS_TEXT(client_ca_pem, OPT_STRING, "Who signs certificates of clients."),
    TLS_TEXT(client_ca_file, OPT_STRING, "File with who signs certificates of clients."),
    TLS_TEXT(client_auth_type, OPT_STRING, "Whether clients need a certificate."),
    TLS_TEXT(min_version, OPT_STRING, "Least version of TLS."),
    TLS_TEXT(max_version, OPT_STRING, "Highest version of TLS."),
    TLS_TEXT(cipher_suites, OPT_STRING_LIST, "Cipher suites of TLS 1.2."),
    TLS_TEXT(curve_preferences, OPT_STRING_LIST, "Curves of the key exchange."),
    {0},
};
static const struct schema http_tls_schema = {.size = sizeof(struct http_tls), .options = http_tls_options};

struct http {
    struct block_list auth, tls;
};
static const struct option http_options[] = {
    {"auth", OPT_BLOCKS, offsetof(struct http, auth), .block = &http_auth_schema, .help = "Who may ask."},
    {"tls", OPT_BLOCKS, offsetof(struct http, tls), .block = &http_tls_schema, .help = "Encryption of the server."},
    {0},
};
static const struct schema http_schema = {.size = sizeof(struct http), .options = http_options};

/* --- livedebugging --- */

struct livedebugging {
    bool enabled;
};
static const struct option livedebugging_options[] = {
    {"enabled", OPT_BOOL, offsetof(struct livedebugging, enabled), .help = "Accepted without effect."},
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
    {"http", &http_schema},
    {"livedebugging", &livedebugging_schema},
};
enum { BLOCK_COUNT = sizeof blocks / sizeof blocks[0] };

static const struct schema *schema_of(struct str name)
{
    for (size_t i = 0; i < BLOCK_COUNT; i++) {
        if (str_is(name, blocks[i].name))
            return blocks[i].schema;
    }
    return NULL;
}

bool settings_has(struct str block_name)
{
    return schema_of(block_name) != NULL;
}

union record {
    struct logging logging;
    struct tracing tracing;
    struct http http;
    struct livedebugging livedebugging;
};

int settings_decode(const struct ast_stmt *block, const struct scope *scope, struct settings *s, struct diags *ds)
{
    const struct schema *schema = schema_of(block->name);
    union record record;
    memset(&record, 0, sizeof record);
    const int code = schema_decode(schema, &block->body, block->range, scope, &record, ds);
    if (code < 0)
        return code;
    if (schema == &logging_schema) {
        s->log_level = record.logging.level;
        s->log_format = record.logging.format;
    } else if (schema == &http_schema && record.http.auth.len + record.http.tls.len > 0) {
        diag_warn(ds, block->name_range,
                  "http: auth and tls are not applied; the server stays open to all who reach it");
    }
    schema_done(schema, &record);
    return 0;
}

void settings_apply(const struct settings *s)
{
    log_setup(s->log_level, s->log_format);
}
