#include "api/shared/server_settings.h"

#include "net/server_tls.h"

int server_settings_prepare(struct server *s, const struct http_block *block, struct err *err)
{
    const struct http_server_tls *t = &block->tls;
    const struct server_tls_options tls = {
        .cert_pem = t->cert_pem,
        .cert_file = t->cert_file,
        .key_pem = t->key_pem,
        .key_file = t->key_file,
        .client_ca_pem = t->client_ca_pem,
        .client_ca_file = t->client_ca_file,
        .client_auth_type = option_word(&http_server_client_auths, t->client_auth_type),
        .min_version = option_word(&http_server_tls_versions, t->min_version),
        .max_version = option_word(&http_server_tls_versions, t->max_version),
        .cipher_suites = (const char *const *)t->cipher_suites.items,
        .cipher_suite_count = t->cipher_suites.len,
        .curves = (const char *const *)t->curve_preferences.items,
        .curve_count = t->curve_preferences.len,
    };
    return server_prepare(s, block->has_tls ? &tls : NULL, err);
}

unsigned server_settings_guard(const struct access *access, struct request *rq)
{
    return server_settings_guard_as(access, rq, request_path(rq));
}

unsigned server_settings_guard_as(const struct access *access, struct request *rq, const char *path)
{
    if (access_admits(access, path, request_header(rq, "Authorization")))
        return 0;
    request_set_header(rq, "WWW-Authenticate", "Basic realm=\"Restricted\"");
    return 401;
}

bool server_settings_leave_open(const struct server *s, const struct http_block *block, const struct access *access,
                                const char *path)
{
    const bool verifies_clients = block->has_tls && block->tls.client_auth_type == HTTP_CLIENT_AUTH_REQUIRE_AND_VERIFY;
    return !server_is_local(s) && access_admits(access, path, NULL) && !verifies_clients;
}
