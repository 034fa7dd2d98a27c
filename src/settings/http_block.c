#include "settings/http_block.h"

#include <errno.h>
#include <stddef.h>

static const struct option basic_options[] = {
    {"username", OPT_STRING, offsetof(struct http_server_basic, username), .required = true, .help = "User name."},
    {"password", OPT_SECRET, offsetof(struct http_server_basic, password), .required = true, .help = "Password."},
    {0},
};
static const struct schema basic_schema = {.size = sizeof(struct http_server_basic), .options = basic_options};

static const struct option filter_options[] = {
    {"paths", OPT_STRING_LIST, offsetof(struct http_server_filter, paths),
     .help = "Path prefixes; if empty, every path requires authentication."},
    {"authenticate_matching_paths", OPT_BOOL, offsetof(struct http_server_filter, authenticate_matching_paths),
     .default_text = "true", .help = "Whether matching paths (true) or all others (false) require authentication."},
    {0},
};
static const struct schema filter_schema = {.size = sizeof(struct http_server_filter), .options = filter_options};

static const struct option auth_options[] = {
    {"basic", OPT_BLOCK, offsetof(struct http_server_auth, basic), .block = &basic_schema,
     .set_offset = offsetof(struct http_server_auth, has_basic), .help = "Basic authentication (RFC 7617)."},
    {"filter", OPT_BLOCK, offsetof(struct http_server_auth, filter), .block = &filter_schema,
     .help = "Paths that require authentication."},
    {0},
};
static const struct schema auth_schema = {.size = sizeof(struct http_server_auth), .options = auth_options};

/* --- tls --- */

const struct option_words http_server_tls_versions = {
    .unknown = "unknown TLS version",
    .words = (const struct option_word[]){{"TLS10", HTTP_SERVER_TLS_10},
                                          {"TLS11", HTTP_SERVER_TLS_11},
                                          {"TLS12", HTTP_SERVER_TLS_12},
                                          {"TLS13", HTTP_SERVER_TLS_13},
                                          {0}},
};
const struct option_words http_server_client_auths = {
    .unknown = "unknown client auth type",
    .words = (const struct option_word[]){{"NoClientCert", HTTP_CLIENT_AUTH_NONE},
                                          {"RequestClientCert", HTTP_CLIENT_AUTH_REQUEST},
                                          {"RequireAnyClientCert", HTTP_CLIENT_AUTH_REQUIRE_ANY},
                                          {"VerifyClientCertIfGiven", HTTP_CLIENT_AUTH_VERIFY_IF_GIVEN},
                                          {"RequireAndVerifyClientCert", HTTP_CLIENT_AUTH_REQUIRE_AND_VERIFY},
                                          {0}},
};

static int tls_not_both(const char *a, const char *b, const char *what, struct err *err)
{
    return *a && *b ? err_set(err, -EINVAL, "cannot specify both %s_pem and %s_file", what, what) : 0;
}

static int tls_not_neither(const char *a, const char *b, const char *what, struct err *err)
{
    return !*a && !*b ? err_set(err, -EINVAL, "must specify either %s_pem or %s_file", what, what) : 0;
}

static int tls_validate(const void *record, struct err *err)
{
    const struct http_server_tls *t = record;
    int code;
    if ((code = tls_not_both(t->client_ca_pem, t->client_ca_file, "client_ca", err)) < 0 ||
        (code = tls_not_both(t->cert_pem, t->cert_file, "cert", err)) < 0 ||
        (code = tls_not_both(t->key_pem, t->key_file, "key", err)) < 0 ||
        (code = tls_not_neither(t->cert_pem, t->cert_file, "cert", err)) < 0 ||
        (code = tls_not_neither(t->key_pem, t->key_file, "key", err)) < 0)
        return code;
    if ((*t->client_ca_pem || *t->client_ca_file) && t->client_auth_type == HTTP_CLIENT_AUTH_NONE)
        return err_set(err, -EINVAL,
                       "cannot specify client_ca_pem or client_ca_file when client_auth_type is NoClientCert");
    return 0;
}

#define TEXT(name, kind_, text)                                                                                        \
    {                                                                                                                  \
#name, kind_, offsetof(struct http_server_tls, name), .help = text                                             \
    }
static const struct option tls_options[] = {
    TEXT(cert_pem, OPT_STRING, "Server certificate, followed by intermediate certificates."),
    TEXT(cert_file, OPT_STRING, "File with the certificate; reloaded when it changes."),
    TEXT(key_pem, OPT_SECRET, "Server key."),
    TEXT(key_file, OPT_STRING, "File with the key; reloaded when it changes."),
    TEXT(client_ca_pem, OPT_STRING, "CA certificates for the verification of clients."),
    TEXT(client_ca_file, OPT_STRING, "File with these CA certificates; reloaded when it changes."),
    {"client_auth_type", OPT_ENUM, offsetof(struct http_server_tls, client_auth_type),
     .words = &http_server_client_auths, .default_text = "\"NoClientCert\"", .help = "Client authentication."},
    {"min_version", OPT_ENUM, offsetof(struct http_server_tls, min_version), .words = &http_server_tls_versions,
     .help = "Minimum TLS version."},
    {"max_version", OPT_ENUM, offsetof(struct http_server_tls, max_version), .words = &http_server_tls_versions,
     .help = "Maximum TLS version."},
    TEXT(cipher_suites, OPT_STRING_LIST, "Cipher suites of TLS 1.2 and earlier, by IANA name."),
    TEXT(curve_preferences, OPT_STRING_LIST,
         "`X25519`, `CurveP256`, `CurveP384`, `CurveP521`, in order of preference."),
    {0},
};
static const struct schema tls_schema = {
    .size = sizeof(struct http_server_tls), .options = tls_options, .validate = tls_validate};

static const struct option http_options[] = {
    {"auth", OPT_BLOCK, offsetof(struct http_block, auth), .block = &auth_schema,
     .set_offset = offsetof(struct http_block, has_auth), .help = "Authentication."},
    {"tls", OPT_BLOCK, offsetof(struct http_block, tls), .block = &tls_schema,
     .set_offset = offsetof(struct http_block, has_tls), .help = "TLS."},
    {0},
};
const struct schema http_block_schema = {.size = sizeof(struct http_block), .options = http_options};
