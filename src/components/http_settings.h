/* HTTP client settings shared by all components with an HTTP client: authentication, TLS, proxies.
 *
 *     struct args { …; struct http_settings http; };
 *     static const struct option options[] = {…, HTTP_SETTINGS_OPTIONS(struct args, http), {0}};
 *     …and call http_settings_check() from the schema's validate.
 *
 * Source: spec components §4.2 (names, defaults, error texts).
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "lang/schema.h"
#include "net/http_client.h"
#include "net/oauth2.h"

/* map(list(secret)) as "Name: value" lines, in the order of the names. */
struct header_lines {
    char **lines; /* NULL-terminated; NULL when empty */
    size_t len;
};

struct basic_auth_args {
    char *username, *password, *password_file;
};
struct authorization_args {
    char *type, *credentials, *credentials_file;
};
struct tls_args {
    char *ca_pem, *ca_file, *cert_pem, *cert_file, *key_pem, *key_file, *server_name;
    enum http_tls_version min_version;
    bool insecure_skip_verify;
};
struct oauth2_args {
    char *client_id, *client_secret, *client_secret_file, *token_url, *proxy_url, *no_proxy;
    bool proxy_from_environment;
    struct header_lines proxy_connect_header;
    struct string_list scopes;
    struct string_map endpoint_params;
    struct tls_args tls_config;
};
struct http_settings {
    char *bearer_token, *bearer_token_file, *proxy_url, *no_proxy;
    bool proxy_from_environment, follow_redirects, enable_http2;
    struct header_lines proxy_connect_header, http_headers;
    struct basic_auth_args basic_auth;
    struct authorization_args authorization;
    struct oauth2_args oauth2;
    struct tls_args tls_config;
    bool has_basic_auth, has_authorization, has_oauth2; /* whether the configuration has the block */
};

extern const struct option_type header_lines_option;
extern const struct schema basic_auth_schema, authorization_schema, oauth2_schema, tls_config_schema;

#define HTTP_SETTINGS_AT_(record, member, field) offsetof(record, member.field)
#define HTTP_SETTINGS_OPTIONS(record, member)                                                                          \
    {"bearer_token", OPT_SECRET, HTTP_SETTINGS_AT_(record, member, bearer_token), .help = "Bearer token."},            \
        {"bearer_token_file", OPT_STRING, HTTP_SETTINGS_AT_(record, member, bearer_token_file),                        \
         .help = "File with the bearer token; read for every request."},                                               \
        {"proxy_url", OPT_STRING, HTTP_SETTINGS_AT_(record, member, proxy_url), .help = "HTTP proxy."},                \
        {"no_proxy", OPT_STRING, HTTP_SETTINGS_AT_(record, member, no_proxy),                                          \
         .help = "Comma-separated addresses, CIDR ranges and domain names that bypass the proxy."},                    \
        {"proxy_from_environment", OPT_BOOL, HTTP_SETTINGS_AT_(record, member, proxy_from_environment),                \
         .default_text = "false", .help = "Use the proxy from the environment (`HTTP_PROXY` etc.)."},                  \
        {"proxy_connect_header", OPT_CUSTOM, HTTP_SETTINGS_AT_(record, member, proxy_connect_header),                  \
         .custom = &header_lines_option, .help = "Headers of CONNECT requests to the proxy."},                         \
        {"follow_redirects", OPT_BOOL, HTTP_SETTINGS_AT_(record, member, follow_redirects), .default_text = "true",    \
         .help = "Follow redirects."},                                                                                 \
        {"enable_http2", OPT_BOOL, HTTP_SETTINGS_AT_(record, member, enable_http2), .default_text = "true",            \
         .help = "Use HTTP/2 over TLS if the server supports it."},                                                    \
        {"http_headers", OPT_CUSTOM, HTTP_SETTINGS_AT_(record, member, http_headers), .custom = &header_lines_option,  \
         .help = "Additional headers of every request; a list of values per name."},                                   \
        {"basic_auth",                                                                                                 \
         OPT_BLOCK,                                                                                                    \
         HTTP_SETTINGS_AT_(record, member, basic_auth),                                                                \
         .block = &basic_auth_schema,                                                                                  \
         .set_offset = HTTP_SETTINGS_AT_(record, member, has_basic_auth),                                              \
         .help = "Basic authentication."},                                                                             \
        {"authorization",                                                                                              \
         OPT_BLOCK,                                                                                                    \
         HTTP_SETTINGS_AT_(record, member, authorization),                                                             \
         .block = &authorization_schema,                                                                               \
         .set_offset = HTTP_SETTINGS_AT_(record, member, has_authorization),                                           \
         .help = "Authorization header of any type."},                                                                 \
        {"oauth2",                                                                                                     \
         OPT_BLOCK,                                                                                                    \
         HTTP_SETTINGS_AT_(record, member, oauth2),                                                                    \
         .block = &oauth2_schema,                                                                                      \
         .set_offset = HTTP_SETTINGS_AT_(record, member, has_oauth2),                                                  \
         .help = "OAuth 2.0 client credentials."},                                                                     \
    {                                                                                                                  \
        "tls_config", OPT_BLOCK, HTTP_SETTINGS_AT_(record, member, tls_config), .block = &tls_config_schema,           \
                                                                                .help = "TLS of the connection."       \
    }

/* The rules between the options, in the words of the spec. */
must_check int http_settings_check(const struct http_settings *s, struct err *err);

/* The value for the Authorization header, with files read now (64 KiB at most, white space around them removed, and a
 * newline at the end of a text); NULL when none is configured, or OAuth 2.0. To be freed. */
must_check int http_settings_authorization(const struct http_settings *s, char **ret, struct err *err);

/* PEM texts as memory files, as not every TLS back end of libcurl takes them by value. */
struct http_settings_pem {
    int ca_fd, cert_fd, key_fd;
    char *ca_path, *cert_path, *key_path; /* owned, so that the struct can be copied */
};

/* What the client takes, for every request with these settings:
 *
 *     .proxy = o.proxy, .tls = o.tls, .authorizer = oauth2_authorizer(o.oauth2)
 *
 * Everything is borrowed from `s` and `o`, which outlive the calls. When `o` is closed, calls that wait for a token of
 * OAuth 2.0 fail. */
struct http_settings_open {
    struct http_settings_pem pem, oauth2_pem;
    struct http_proxy proxy;
    struct http_tls tls;
    struct oauth2 *oauth2; /* NULL: not configured */
};
#define HTTP_SETTINGS_PEM_INIT                                                                                         \
    {                                                                                                                  \
        .ca_fd = -1, .cert_fd = -1, .key_fd = -1                                                                       \
    }
#define HTTP_SETTINGS_OPEN_INIT                                                                                        \
    ((struct http_settings_open){.pem = HTTP_SETTINGS_PEM_INIT, .oauth2_pem = HTTP_SETTINGS_PEM_INIT})
must_check int http_settings_open(const struct http_settings *s, struct http_settings_open *o, struct err *err);
void http_settings_close(struct http_settings_open *o);

/* For header lines of other options: "Name: value" to be freed, or -EINVAL where one of them cannot be in a header. */
must_check int header_line(struct str name, struct str value, char **ret, struct err *err);
