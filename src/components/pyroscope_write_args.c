#include "components/pyroscope_write_args.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "net/url.h"

enum { SPOOL_BYTES_MIN = 1 << 20 };

static int write_args_check_url(const char *text, struct err *err)
{
    cleanup_http_url struct http_url url = {0};
    int code = http_url_parse(text, &url, err);
    if (code < 0)
        return err_wrap(err, code, "endpoint");
    if (url.query)
        return err_set(err, -EINVAL, "endpoint url \"%s\" must not have a query or a fragment", url.bare);
    return 0;
}

static int write_args_check_headers(const struct string_map *headers, struct err *err)
{
    for (size_t i = 0; i < headers->len; i++) {
        cleanup_free char *line = NULL;
        int code = header_line(str_of(headers->items[i].name), str_of(headers->items[i].value), &line, err);
        if (code < 0)
            return err_wrap(err, code, "headers");
    }
    return 0;
}

static int write_args_check_spool(const void *record, struct err *err)
{
    const struct write_spool_args *a = record;
    if (a->max_bytes && a->max_bytes < SPOOL_BYTES_MIN)
        return err_set(err, -EINVAL, "spool max_bytes must be at least %d, or 0 for no spool", SPOOL_BYTES_MIN);
    if (a->max_age < 1000000000)
        return err_set(err, -EINVAL, "spool max_age must be at least 1s");
    return 0;
}

static const struct schema write_spool_schema = {
    .size = sizeof(struct write_spool_args),
    .options =
        (const struct option[]){
            {"max_bytes", OPT_UINT, offsetof(struct write_spool_args, max_bytes), .default_text = "268435456",
             .help = "Maximum size on disk; beyond it the oldest profiles are dropped; 0 = none."},
            {"max_age", OPT_DURATION, offsetof(struct write_spool_args, max_age), .default_text = "\"1h\"",
             .help = "Maximum age; older profiles are dropped. Pyroscope accepts one hour."},
            {0}},
    .validate = write_args_check_spool,
};

static int write_args_check_endpoint(const void *record, struct err *err)
{
    const struct write_endpoint_args *e = record;
    int code = write_args_check_url(e->url, err);
    if (code == 0 && e->remote_timeout < 1000000)
        code = err_set(err, -EINVAL, "remote_timeout must be at least 1ms");
    if (code == 0 && e->min_backoff_period < 1000000)
        code = err_set(err, -EINVAL, "min_backoff_period must be at least 1ms");
    if (code == 0 && e->max_backoff_period < e->min_backoff_period)
        code = err_set(err, -EINVAL, "max_backoff_period must not be less than min_backoff_period");
    if (code == 0 && e->max_backoff_retries < 0)
        code = err_set(err, -EINVAL, "max_backoff_retries must not be negative; 0 means no limit");
    if (code == 0)
        code = write_args_check_headers(&e->headers, err);
    return code < 0 ? code : http_settings_check(&e->http, err);
}

const struct schema write_endpoint_schema = {
    .size = sizeof(struct write_endpoint_args),
    .options =
        (const struct option[]){
            {"url", OPT_STRING, offsetof(struct write_endpoint_args, url), .required = true,
             .help = "Base URL of a Pyroscope server."},
            {"name", OPT_STRING, offsetof(struct write_endpoint_args, name), .help = "Name of the endpoint in logs."},
            {"remote_timeout", OPT_DURATION, offsetof(struct write_endpoint_args, remote_timeout),
             .default_text = "\"10s\"", .help = "Timeout of one request."},
            {"headers", OPT_STRING_MAP, offsetof(struct write_endpoint_args, headers),
             .help = "Headers of every request, such as `X-Scope-OrgID`."},
            {"min_backoff_period", OPT_DURATION, offsetof(struct write_endpoint_args, min_backoff_period),
             .default_text = "\"500ms\"", .help = "Initial backoff; doubled after each failure."},
            {"max_backoff_period", OPT_DURATION, offsetof(struct write_endpoint_args, max_backoff_period),
             .default_text = "\"5m\"", .help = "Maximum backoff."},
            {"max_backoff_retries", OPT_INT, offsetof(struct write_endpoint_args, max_backoff_retries),
             .default_text = "10", .help = "Maximum number of attempts per profile; 0 = no limit."},
            {"retry_on_http_429", OPT_BOOL, offsetof(struct write_endpoint_args, retry_on_http_429),
             .default_text = "true", .help = "Retry on HTTP status 429."},
            {"debug_info_upload_timeout", OPT_DURATION, offsetof(struct write_endpoint_args, debug_info_upload_timeout),
             .default_text = "\"2m\"", .help = "Accepted for compatibility; Java profiles need no debug information."},
            {"spool", OPT_BLOCK, offsetof(struct write_endpoint_args, spool), .block = &write_spool_schema,
             .help = "Profiles that wait for the endpoint, on disk. Not in Grafana Alloy."},
            HTTP_SETTINGS_OPTIONS(struct write_endpoint_args, http),
            {0}},
    .validate = write_args_check_endpoint,
};

static const struct schema tracing_schema = {
    .size = sizeof(struct write_tracing_args),
    .options =
        (const struct option[]){{"jaeger_propagator", OPT_BOOL, offsetof(struct write_tracing_args, jaeger_propagator),
                                 .default_text = "true", .help = "Accepted for compatibility; pushes are not traced."},
                                {"trace_context_propagator", OPT_BOOL,
                                 offsetof(struct write_tracing_args, trace_context_propagator), .default_text = "true",
                                 .help = "Accepted for compatibility; pushes are not traced."},
                                {0}},
};

const struct schema write_schema = {
    .size = sizeof(struct write_args),
    .options = (const struct option[]){{"external_labels", OPT_STRING_MAP, offsetof(struct write_args, external_labels),
                                        .help = "Labels to add to every profile; an empty value removes the label."},
                                       {"endpoint", OPT_BLOCKS, offsetof(struct write_args, endpoints),
                                        .block = &write_endpoint_schema, .help = "Server to push profiles to."},
                                       {"tracing", OPT_BLOCK, offsetof(struct write_args, tracing),
                                        .block = &tracing_schema, .help = "Accepted for compatibility."},
                                       {0}},
};
