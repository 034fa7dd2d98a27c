#include "components/pyroscope_receive_http_args.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"

enum { PORT_MAX = 65535 };

/* --- tls --- */

static const struct option_words client_auths = {
    .unknown = "unknown client_auth_type",
    .words = (const struct option_word[]){{"", RECEIVE_AUTH_NONE},
                                          {"NoClientCert", RECEIVE_AUTH_NONE},
                                          {"RequestClientCert", RECEIVE_AUTH_REQUEST},
                                          {"RequireAnyClientCert", RECEIVE_AUTH_REQUIRE_ANY},
                                          {"VerifyClientCertIfGiven", RECEIVE_AUTH_VERIFY_IF_GIVEN},
                                          {"RequireAndVerifyClientCert", RECEIVE_AUTH_REQUIRE_AND_VERIFY},
                                          {0}},
};
/* Each version by two words: those of the page's examples, and those of the server's flags. */
static const struct option_words tls_versions = {
    .unknown = "unknown min_version",
    .words = (const struct option_word[]){{"", RECEIVE_TLS_DEFAULT},
                                          {"TLS10", RECEIVE_TLS_10},
                                          {"TLS11", RECEIVE_TLS_11},
                                          {"TLS12", RECEIVE_TLS_12},
                                          {"TLS13", RECEIVE_TLS_13},
                                          {"VersionTLS10", RECEIVE_TLS_10},
                                          {"VersionTLS11", RECEIVE_TLS_11},
                                          {"VersionTLS12", RECEIVE_TLS_12},
                                          {"VersionTLS13", RECEIVE_TLS_13},
                                          {0}},
};

#define AT(name) offsetof(struct receive_tls_args, name)
static const struct option tls_options[] = {
    {"cert_pem", OPT_STRING, AT(cert_pem), .help = "Server certificate, followed by intermediate certificates."},
    {"cert_file", OPT_STRING, AT(cert_file), .help = "File with the certificate; reloaded when it changes."},
    {"key_pem", OPT_SECRET, AT(key_pem), .help = "Server key."},
    {"key_file", OPT_STRING, AT(key_file), .help = "File with the key; reloaded when it changes."},
    {"client_auth_type", OPT_ENUM, AT(client_auth), .words = &client_auths, .default_text = "\"NoClientCert\"",
     .help = "Client authentication."},
    {"client_ca_file", OPT_STRING, AT(client_ca_file),
     .help = "File with CA certificates for the verification of clients; reloaded when it changes."},
    {"client_ca_pem", OPT_STRING, AT(client_ca_pem), .help = "CA certificates for the verification of clients."},
    {"client_ca", OPT_STRING, AT(client_ca), .help = "Another name of `client_ca_pem`."},
    {"cipher_suites", OPT_STRING, AT(cipher_suites),
     .help = "Cipher suites of TLS 1.2 and earlier, by IANA name, separated by commas."},
    {"min_version", OPT_ENUM, AT(min_version), .words = &tls_versions, .help = "Minimum TLS version."},
    {0},
};
#undef AT

static int receive_tls_one_of(const char *pem, const char *file, const char *what, struct err *err)
{
    if (*pem && *file)
        return err_set(err, -EINVAL, "cannot specify both %s_pem and %s_file", what, what);
    return *pem || *file ? 0 : err_set(err, -EINVAL, "must specify either %s_pem or %s_file", what, what);
}

static int receive_tls_check(const void *record, struct err *err)
{
    const struct receive_tls_args *t = record;
    int code = receive_tls_one_of(t->cert_pem, t->cert_file, "cert", err);
    if (code == 0)
        code = receive_tls_one_of(t->key_pem, t->key_file, "key", err);
    if (code < 0)
        return code;
    const unsigned given = (*t->client_ca_pem != '\0') + (*t->client_ca != '\0') + (*t->client_ca_file != '\0');
    if (given > 1)
        return err_set(err, -EINVAL, "cannot specify more than one of client_ca_pem, client_ca and client_ca_file");
    if (given && t->client_auth == RECEIVE_AUTH_NONE)
        return err_set(err, -EINVAL, "client CA certificates need a client_auth_type other than NoClientCert");
    return 0;
}
static const struct schema tls_schema = {
    .size = sizeof(struct receive_tls_args), .options = tls_options, .validate = receive_tls_check};

/* --- http2 and grpc, which have no effect --- */

#define AT(name) offsetof(struct receive_http2_args, name)
#define UNUSED   "Has no effect: connections use HTTP/1.1."
static const struct option http2_options[] = {
    {"enabled", OPT_BOOL, AT(enabled), .default_text = "false", .help = UNUSED},
    {"max_handlers", OPT_INT, AT(max_handlers), .default_text = "0", .help = UNUSED},
    {"max_concurrent_streams", OPT_INT, AT(max_concurrent_streams), .default_text = "100", .help = UNUSED},
    {"max_decoder_header_table_size", OPT_INT, AT(max_decoder_header_table_size), .default_text = "4096",
     .help = UNUSED},
    {"max_encoder_header_table_size", OPT_INT, AT(max_encoder_header_table_size), .default_text = "4096",
     .help = UNUSED},
    {"max_read_frame_size", OPT_INT, AT(max_read_frame_size), .default_text = "0", .help = UNUSED},
    {"permit_prohibited_ciphers", OPT_BOOL, AT(permit_prohibited_ciphers), .default_text = "false", .help = UNUSED},
    {"idle_timeout", OPT_DURATION, AT(idle_timeout), .default_text = "\"0s\"", .help = UNUSED},
    {"read_idle_timeout", OPT_DURATION, AT(read_idle_timeout), .default_text = "\"0s\"", .help = UNUSED},
    {"ping_timeout", OPT_DURATION, AT(ping_timeout), .default_text = "\"15s\"", .help = UNUSED},
    {"write_byte_timeout", OPT_DURATION, AT(write_byte_timeout), .default_text = "\"0s\"", .help = UNUSED},
    {"max_upload_buffer_per_connection", OPT_INT, AT(max_upload_buffer_per_connection), .default_text = "0",
     .help = UNUSED},
    {"max_upload_buffer_per_stream", OPT_INT, AT(max_upload_buffer_per_stream), .default_text = "0", .help = UNUSED},
    {0},
};
#undef AT
#undef UNUSED
static const struct schema http2_schema = {.size = sizeof(struct receive_http2_args), .options = http2_options};

#define AT(name) offsetof(struct receive_grpc_args, name)
#define UNUSED   "Has no effect: no profiles are received over gRPC."
static const struct option grpc_options[] = {
    {"listen_address", OPT_STRING, AT(listen_address), .help = UNUSED},
    {"listen_port", OPT_INT, AT(listen_port), .default_text = "0", .help = UNUSED},
    {"conn_limit", OPT_INT, AT(conn_limit), .default_text = "0", .help = UNUSED},
    {"max_connection_age", OPT_DURATION, AT(max_connection_age), .help = UNUSED},
    {"max_connection_age_grace", OPT_DURATION, AT(max_connection_age_grace), .help = UNUSED},
    {"max_connection_idle", OPT_DURATION, AT(max_connection_idle), .help = UNUSED},
    {"server_max_recv_msg_size", OPT_INT, AT(server_max_recv_msg_size), .default_text = "4194304", .help = UNUSED},
    {"server_max_send_msg_size", OPT_INT, AT(server_max_send_msg_size), .default_text = "4194304", .help = UNUSED},
    {"server_max_concurrent_streams", OPT_INT, AT(server_max_concurrent_streams), .default_text = "100",
     .help = UNUSED},
    {"tls", OPT_BLOCK, AT(tls), .block = &tls_schema, .set_offset = AT(has_tls), .help = UNUSED},
    {0},
};
#undef AT
#undef UNUSED
static const struct schema grpc_schema = {.size = sizeof(struct receive_grpc_args), .options = grpc_options};

/* --- http --- */

#define AT(name) offsetof(struct receive_server_args, name)
static const struct option server_options[] = {
    {"listen_address", OPT_STRING, AT(listen_address),
     .help = "IP address to listen on, or `localhost`; all if empty."},
    {"listen_port", OPT_INT, AT(listen_port), .default_text = "8080", .help = "Port to listen on; 0: a free one."},
    {"conn_limit", OPT_INT, AT(conn_limit), .default_text = "16384",
     .help = "Maximum number of connections; at most 512, which is also meant by 0."},
    {"server_read_timeout", OPT_DURATION, AT(server_read_timeout), .default_text = "\"30s\"",
     .help = "Time a client may take to send a request; 5s of it for the header."},
    {"server_write_timeout", OPT_DURATION, AT(server_write_timeout), .default_text = "\"30s\"",
     .help = "Time a client may take to read the response."},
    {"server_idle_timeout", OPT_DURATION, AT(server_idle_timeout), .default_text = "\"120s\"",
     .help = "Time a connection may be open without a request."},
    {"tls", OPT_BLOCK, AT(tls), .block = &tls_schema, .set_offset = AT(has_tls), .help = "TLS."},
    {"http2", OPT_BLOCK, AT(http2), .block = &http2_schema, .help = "Accepted for compatibility."},
    {0},
};
#undef AT

static bool receive_is_address(const char *text)
{
    struct in6_addr address;
    char host[INET6_ADDRSTRLEN + 2];
    const size_t n = strlen(text);
    if (!*text || strcmp(text, "localhost") == 0 || inet_pton(AF_INET, text, &address) == 1 ||
        inet_pton(AF_INET6, text, &address) == 1)
        return true;
    if (text[0] != '[' || text[n - 1] != ']' || n >= sizeof host)
        return false;
    memcpy(host, text + 1, n - 2);
    host[n - 2] = '\0';
    return inet_pton(AF_INET6, host, &address) == 1;
}

static int receive_check_timeout(int64_t ns, const char *name, struct err *err)
{
    const int64_t most = 3600 * NS_PER_SEC;
    return ns >= NS_PER_MS && ns <= most ? 0 : err_set(err, -EINVAL, "%s must be between 1ms and 1h", name);
}

static int receive_check_server(const void *record, struct err *err)
{
    const struct receive_server_args *a = record;
    if (!receive_is_address(a->listen_address))
        return err_set(err, -EINVAL, "listen_address \"%s\" is not an IP address", a->listen_address);
    if (a->listen_port < 0 || a->listen_port > PORT_MAX)
        return err_set(err, -EINVAL, "listen_port must be between 0 and %d", PORT_MAX);
    if (a->conn_limit < 0)
        return err_set(err, -EINVAL, "conn_limit must not be negative");
    int code = receive_check_timeout(a->server_read_timeout, "server_read_timeout", err);
    if (code == 0)
        code = receive_check_timeout(a->server_write_timeout, "server_write_timeout", err);
    return code < 0 ? code : receive_check_timeout(a->server_idle_timeout, "server_idle_timeout", err);
}
static const struct schema receive_server_schema = {
    .size = sizeof(struct receive_server_args), .options = server_options, .validate = receive_check_server};

/* --- all --- */

#define AT(name) offsetof(struct receive_args, name)
static const struct option options[] = {
    {"forward_to", OPT_CUSTOM, AT(forward_to), .required = true, .custom = &receivers_option,
     .help = "Receivers of the profiles."},
    {"graceful_shutdown_timeout", OPT_DURATION, AT(graceful_shutdown_timeout), .default_text = "\"30s\"",
     .help = "Time for requests in progress when the component stops; at most 3s are used."},
    {"debug_info_upload_timeout", OPT_DURATION, AT(debug_info_upload_timeout), .default_text = "\"2m\"",
     .help = "Accepted for compatibility; debug information is not received."},
    {"http", OPT_BLOCK, AT(http), .block = &receive_server_schema, .help = "HTTP server."},
    {"grpc", OPT_BLOCK, AT(grpc), .block = &grpc_schema, .set_offset = AT(has_grpc),
     .help = "Accepted for compatibility."},
    {0},
};
#undef AT

static int receive_check_args(const void *record, struct err *err)
{
    const struct receive_args *a = record;
    return a->graceful_shutdown_timeout >= 0 ? 0
                                             : err_set(err, -EINVAL, "graceful_shutdown_timeout must not be negative");
}
const struct schema receive_schema = {
    .size = sizeof(struct receive_args), .options = options, .validate = receive_check_args};

/* --- as the server takes them --- */

char *receive_listen_address(const struct receive_server_args *a)
{
    const bool bare_v6 = strchr(a->listen_address, ':') && a->listen_address[0] != '[';
    return xasprintf(bare_v6 ? "[%s]:%d" : "%s:%d", a->listen_address, (int)a->listen_port);
}

static size_t receive_tls_split(struct receive_tls *room, const char *text)
{
    size_t n = 0;
    room->suites = xstrdup(text);
    char *save = NULL;
    for (char *suite = strtok_r(room->suites, ", ", &save); suite && n < ARRAY_LEN(room->items);
         suite = strtok_r(NULL, ", ", &save))
        room->items[n++] = suite;
    return n;
}

const struct server_tls_options *receive_tls_of(const struct receive_server_args *a, struct receive_tls *room)
{
    *room = (struct receive_tls){0};
    if (!a->has_tls)
        return NULL;
    const struct receive_tls_args *t = &a->tls;
    const size_t suites = receive_tls_split(room, t->cipher_suites);
    static const char *const auths[] = {"NoClientCert", "RequestClientCert", "RequireAnyClientCert",
                                        "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"};
    static const char *const versions[] = {"", "TLS10", "TLS11", "TLS12", "TLS13"};
    room->options = (struct server_tls_options){
        .cert_pem = t->cert_pem,
        .cert_file = t->cert_file,
        .key_pem = t->key_pem,
        .key_file = t->key_file,
        .client_ca_pem = *t->client_ca ? t->client_ca : t->client_ca_pem,
        .client_ca_file = t->client_ca_file,
        .client_auth_type = auths[t->client_auth],
        .min_version = versions[t->min_version],
        .cipher_suites = room->items,
        .cipher_suite_count = suites,
    };
    return &room->options;
}

void receive_tls_done(struct receive_tls *room)
{
    free(room->suites);
    *room = (struct receive_tls){0};
}
