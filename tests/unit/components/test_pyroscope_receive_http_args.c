#include "components/pyroscope_receive_http_args.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "flow/config.h"

static void defaults_are_the_pages(void)
{
    struct receive_args a = {0};
    char problem[ERR_MAX];
    struct receive_tls room;
    CHECK(decode_text(&receive_schema, "forward_to = []", &a, problem));
    CHECK_STR(a.http.listen_address, "");
    CHECK_INT(a.http.listen_port, 8080);
    CHECK_INT(a.http.conn_limit, 16384);
    CHECK_INT(a.http.server_read_timeout, 30000000000);
    CHECK_INT(a.http.server_write_timeout, 30000000000);
    CHECK_INT(a.http.server_idle_timeout, 120000000000);
    CHECK_INT(a.graceful_shutdown_timeout, 30000000000);
    CHECK_INT(a.debug_info_upload_timeout, 120000000000);
    CHECK_INT(a.http.http2.max_concurrent_streams, 100);
    CHECK(!a.http.http2.enabled && !a.has_grpc);
    CHECK(receive_tls_of(&a.http, &room) == NULL);
    receive_tls_done(&room);
    schema_done(&receive_schema, &a);
}

static void every_argument_is_known(void)
{
    struct receive_args a = {0};
    char problem[ERR_MAX] = "";
    CHECK(decode_text(
        &receive_schema,
        "forward_to = []\ngraceful_shutdown_timeout = \"1s\"\ndebug_info_upload_timeout = \"1m\"\n"
        "http {\nlisten_address = \"127.0.0.1\"\nlisten_port = 1\nconn_limit = 2\nserver_read_timeout = \"1s\"\n"
        "server_write_timeout = \"2s\"\nserver_idle_timeout = \"3s\"\ntls {\ncert_pem = \"c\"\nkey_pem = \"k\"\n"
        "client_auth_type = \"RequireAndVerifyClientCert\"\nclient_ca = \"ca\"\n"
        "cipher_suites = \"TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384\"\nmin_version = \"VersionTLS12\"\n}\n"
        "http2 {\nenabled = true\nmax_handlers = 1\nmax_concurrent_streams = 2\nmax_decoder_header_table_size = 3\n"
        "max_encoder_header_table_size = 4\nmax_read_frame_size = 5\npermit_prohibited_ciphers = true\n"
        "idle_timeout = \"1s\"\nread_idle_timeout = \"1s\"\nping_timeout = \"1s\"\nwrite_byte_timeout = \"1s\"\n"
        "max_upload_buffer_per_connection = 6\nmax_upload_buffer_per_stream = 7\n}\n}\n"
        "grpc {\nlisten_address = \"::\"\nlisten_port = 1\nconn_limit = 1\nmax_connection_age = \"1s\"\n"
        "max_connection_age_grace = \"1s\"\nmax_connection_idle = \"1s\"\nserver_max_recv_msg_size = 1\n"
        "server_max_send_msg_size = 1\nserver_max_concurrent_streams = 1\n}\n",
        &a, problem));
    CHECK_STR(problem, "");
    cleanup_receive_tls struct receive_tls room;
    const struct server_tls_options *tls = receive_tls_of(&a.http, &room);
    CHECK_STR(tls->client_auth_type, "RequireAndVerifyClientCert");
    CHECK_STR(tls->client_ca_pem, "ca");
    CHECK_STR(tls->min_version, "TLS12");
    CHECK_INT(tls->cipher_suite_count, 2);
    CHECK_STR(tls->cipher_suites[1], "TLS_AES_256_GCM_SHA384");
    schema_done(&receive_schema, &a);
}

static void addresses_become_those_of_the_server(void)
{
    static const struct {
        const char *address, *listen;
    } cases[] = {{"", ":8080"},         {"127.0.0.1", "127.0.0.1:8080"}, {"localhost", "localhost:8080"},
                 {"::1", "[::1]:8080"}, {"[::1]", "[::1]:8080"},         {"0.0.0.0", "0.0.0.0:8080"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct receive_args a = {0};
        char problem[ERR_MAX], text[100];
        snprintf(text, sizeof text, "forward_to = []\nhttp {\nlisten_address = \"%s\"\n}", cases[i].address);
        CHECK(decode_text(&receive_schema, text, &a, problem));
        cleanup_free char *listen = receive_listen_address(&a.http);
        CHECK_STR(listen, cases[i].listen);
        schema_done(&receive_schema, &a);
    }
}

static void impossible_arguments_are_rejected(void)
{
#define HTTP(text) "forward_to = []\nhttp {\n" text "\n}"
#define TLS(text)  HTTP("tls {\n" text "\n}")
#define PAIR       "cert_pem = \"c\"\nkey_pem = \"k\"\n"
    static const struct {
        const char *text, *problem;
    } cases[] = {
        {"", "missing required attribute \"forward_to\""},
        {"forward_to = []\ngraceful_shutdown_timeout = \"-1s\"", "graceful_shutdown_timeout must not be negative"},
        {HTTP("listen_address = \"example.com\""), "listen_address \"example.com\" is not an IP address"},
        {HTTP("listen_address = \"[::1\""), "is not an IP address"},
        {HTTP("listen_port = 65536"), "listen_port must be between 0 and 65535"},
        {HTTP("conn_limit = -1"), "conn_limit must not be negative"},
        {HTTP("server_read_timeout = \"0s\""), "server_read_timeout must be between 1ms and 1h"},
        {HTTP("server_write_timeout = \"-1s\""), "server_write_timeout must be"},
        {HTTP("server_idle_timeout = \"2h\""), "server_idle_timeout must be"},
        {TLS(""), "must specify either cert_pem or cert_file"},
        {TLS("cert_pem = \"c\""), "must specify either key_pem or key_file"},
        {TLS("cert_pem = \"c\"\ncert_file = \"f\"\nkey_pem = \"k\""), "cannot specify both cert_pem and cert_file"},
        {TLS(PAIR "key_file = \"f\""), "cannot specify both key_pem and key_file"},
        {TLS(PAIR "client_ca_file = \"f\""), "need a client_auth_type other than NoClientCert"},
        {TLS(PAIR "client_ca_file = \"f\"\nclient_ca = \"c\""), "more than one of client_ca_pem"},
        {TLS(PAIR "client_auth_type = \"Maybe\""), "unknown client_auth_type \"Maybe\", expected NoClientCert"},
        {TLS(PAIR "min_version = \"SSL3\""), "unknown min_version \"SSL3\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct receive_args a = {0};
        char problem[ERR_MAX] = "";
        CHECK(!decode_text(&receive_schema, cases[i].text, &a, problem));
        CHECK_HAS(problem, cases[i].problem);
    }
}

int main(void)
{
    RUN(defaults_are_the_pages);
    RUN(every_argument_is_known);
    RUN(addresses_become_those_of_the_server);
    RUN(impossible_arguments_are_rejected);
    return REPORT();
}
