/* The `http` block: authentication and TLS of the HTTP API of the agent.
 *
 * Names and defaults are those of the reference (spec alloy-language §6.7, §8.4) but for one: a `filter` without
 * paths selects nothing and so changes nothing, every path stays protected. In the reference an empty `filter { }`
 * opens them all.
 */
#pragma once

#include <stdbool.h>

#include "lang/schema.h"

struct http_server_basic {
    char *username, *password;
};

struct http_server_filter {
    struct string_list paths;         /* prefixes */
    bool authenticate_matching_paths; /* true: only these need it; false: all but these */
};

struct http_server_auth {
    struct http_server_basic basic;
    struct http_server_filter filter;
    bool has_basic;
};

enum http_server_tls_version {
    HTTP_SERVER_TLS_DEFAULT, /* not given */
    HTTP_SERVER_TLS_10,
    HTTP_SERVER_TLS_11,
    HTTP_SERVER_TLS_12,
    HTTP_SERVER_TLS_13,
};
enum http_client_auth {
    HTTP_CLIENT_AUTH_DEFAULT, /* no `tls` block */
    HTTP_CLIENT_AUTH_NONE,
    HTTP_CLIENT_AUTH_REQUEST,
    HTTP_CLIENT_AUTH_REQUIRE_ANY,
    HTTP_CLIENT_AUTH_VERIFY_IF_GIVEN,
    HTTP_CLIENT_AUTH_REQUIRE_AND_VERIFY,
};
/* Their words, which are Go's; option_word(). */
extern const struct option_words http_server_tls_versions, http_server_client_auths;

/* "" = not given. */
struct http_server_tls {
    char *cert_pem, *cert_file, *key_pem, *key_file, *client_ca_pem, *client_ca_file;
    enum http_client_auth client_auth_type;
    enum http_server_tls_version min_version, max_version;
    struct string_list cipher_suites, curve_preferences;
};

struct http_block {
    struct http_server_auth auth;
    struct http_server_tls tls;
    bool has_auth, has_tls;
};
extern const struct schema http_block_schema;
