/* The arguments of pyroscope.receive_http: those of Alloy's page and of its code (internal/component/common/net).
 *
 * HTTP/2 and gRPC are accepted and have no effect: clients of both protocols use HTTP/1.1 as well, and nothing is
 * served over gRPC there either.
 */
#pragma once

#include "flow/receiver.h"
#include "lang/schema.h"
#include "net/server_tls.h"

enum receive_client_auth {
    RECEIVE_AUTH_NONE,
    RECEIVE_AUTH_REQUEST,
    RECEIVE_AUTH_REQUIRE_ANY,
    RECEIVE_AUTH_VERIFY_IF_GIVEN,
    RECEIVE_AUTH_REQUIRE_AND_VERIFY,
};
enum receive_tls_version { RECEIVE_TLS_DEFAULT, RECEIVE_TLS_10, RECEIVE_TLS_11, RECEIVE_TLS_12, RECEIVE_TLS_13 };

struct receive_tls_args {
    char *cert_pem, *cert_file, *key_pem, *key_file, *client_ca_pem, *client_ca, *client_ca_file, *cipher_suites;
    enum receive_client_auth client_auth;
    enum receive_tls_version min_version;
};

struct receive_http2_args {
    bool enabled, permit_prohibited_ciphers;
    int64_t max_handlers, max_concurrent_streams, max_decoder_header_table_size, max_encoder_header_table_size,
        max_read_frame_size, max_upload_buffer_per_connection, max_upload_buffer_per_stream;
    int64_t idle_timeout, read_idle_timeout, ping_timeout, write_byte_timeout;
};

struct receive_grpc_args {
    char *listen_address;
    int64_t listen_port, conn_limit, server_max_recv_msg_size, server_max_send_msg_size, server_max_concurrent_streams;
    int64_t max_connection_age, max_connection_age_grace, max_connection_idle;
    struct receive_tls_args tls;
    bool has_tls;
};

struct receive_server_args {
    char *listen_address;
    int64_t listen_port, conn_limit;
    int64_t server_read_timeout, server_write_timeout, server_idle_timeout;
    struct receive_tls_args tls;
    struct receive_http2_args http2;
    bool has_tls;
};

struct receive_args {
    struct receivers forward_to;
    struct receive_server_args http;
    struct receive_grpc_args grpc;
    int64_t graceful_shutdown_timeout, debug_info_upload_timeout;
    bool has_grpc;
};

extern const struct schema receive_schema;

/* "127.0.0.1:8080", "[::1]:8080" or ":8080"; to be freed. */
char *receive_listen_address(const struct receive_server_args *a);

/* The `tls` block as the server takes it. Borrows from the block but for the suites, which are to be done. */
struct receive_tls {
    struct server_tls_options options;
    char *suites; /* cut at the commas */
    const char *items[64];
};
/* NULL without the block. */
const struct server_tls_options *receive_tls_of(const struct receive_server_args *a, struct receive_tls *room);
void receive_tls_done(struct receive_tls *room);
#define cleanup_receive_tls __attribute__((cleanup(receive_tls_done)))
