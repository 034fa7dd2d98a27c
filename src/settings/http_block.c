#include "settings/http_block.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "lang/coerce.h"

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

/* --- words, found out when the file is checked and not when the server is told --- */

static int http_word_decode(struct value *v, void *field, const char *what, const char *const *words, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(ERR_MAX), expected = BUF_INIT(ERR_MAX);
    const int code = coerce_text(v, &text, err);
    if (code < 0)
        return code;
    for (size_t i = 0; words[i]; i++) {
        if (strcmp(buf_cstr(&text), words[i]) == 0) {
            *(char **)field = xstrdup(words[i]);
            return 0;
        }
        buf_printf(&expected, "%s%s", i == 0 ? "" : words[i + 1] ? ", " : " or ", words[i]);
    }
    return err_set(err, -EINVAL, "unknown %s \"%s\", expected %s", what, buf_cstr(&text), buf_cstr(&expected));
}

static void http_word_done(void *field)
{
    free(*(char **)field);
    *(char **)field = NULL;
}

static const char *http_word(const void *field)
{
    const char *text = *(char *const *)field;
    return text ? text : "";
}

static bool http_word_equal(const void *a, const void *b)
{
    return strcmp(http_word(a), http_word(b)) == 0;
}

static struct value *http_word_value(const void *field)
{
    return value_string(str_of(http_word(field)));
}

static int tls_version_decode(struct value *v, void *field, struct err *err)
{
    static const char *const words[] = {"TLS10", "TLS11", "TLS12", "TLS13", NULL};
    return http_word_decode(v, field, "TLS version", words, err);
}

static int client_auth_decode(struct value *v, void *field, struct err *err)
{
    static const char *const words[] = {"NoClientCert",
                                        "RequestClientCert",
                                        "RequireAnyClientCert",
                                        "VerifyClientCertIfGiven",
                                        "RequireAndVerifyClientCert",
                                        NULL};
    return http_word_decode(v, field, "client auth type", words, err);
}

#define WORD(decode_)                                                                                                  \
    {                                                                                                                  \
        .name = "string", .decode = decode_, .done = http_word_done, .equal = http_word_equal,                         \
        .to_value = http_word_value                                                                                    \
    }
static const struct option_type version_option = WORD(tls_version_decode),
                                client_auth_option = WORD(client_auth_decode);

/* --- tls --- */

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
    if ((*t->client_ca_pem || *t->client_ca_file) && strcmp(http_word(&t->client_auth_type), "NoClientCert") == 0)
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
    {"client_auth_type", OPT_CUSTOM, offsetof(struct http_server_tls, client_auth_type), .custom = &client_auth_option,
     .default_text = "\"NoClientCert\"",
     .help = "`NoClientCert`, `RequestClientCert`, `RequireAnyClientCert`, `VerifyClientCertIfGiven` or "
             "`RequireAndVerifyClientCert`."},
    {"min_version", OPT_CUSTOM, offsetof(struct http_server_tls, min_version), .custom = &version_option,
     .help = "Minimum TLS version: `TLS10`, `TLS11`, `TLS12` or `TLS13`."},
    {"max_version", OPT_CUSTOM, offsetof(struct http_server_tls, max_version), .custom = &version_option,
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
