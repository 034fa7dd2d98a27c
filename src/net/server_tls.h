/* TLS of the HTTP server: certificate, key, CA certificates, and client authentication.
 *
 * libmicrohttpd does the handshake with GnuTLS; this provides credentials that can change at run time, and verifies
 * client certificates inside the handshake. Files are checked for changes when a connection arrives, at most once a
 * second; new contents apply to new connections, and if they do not match (a new certificate whose key has not arrived
 * yet), the previous ones stay in use. Loop thread.
 *
 * Option values are those of the reference, which are Go's: "TLS12", "CurveP256", "RequireAndVerifyClientCert", and the
 * IANA names of cipher suites. GnuTLS enables key exchanges, ciphers and MACs separately, so a list of suites also
 * enables their combinations, and the TLS 1.3 ciphers, which cannot be selected.
 */
#pragma once

#include <gnutls/gnutls.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* "" or NULL = not given. Of each pair of text and file at most one; certificate and key are needed. */
struct server_tls_options {
    const char *cert_pem, *cert_file, *key_pem, *key_file, *client_ca_pem, *client_ca_file;
    const char *client_auth_type, *min_version, *max_version;
    const char *const *cipher_suites, *const *curves;
    size_t cipher_suite_count, curve_count;
};

struct server_tls;
struct tls_credentials; /* what one connection uses; shared */

/* Reads and checks everything; the error names the file or the word. */
must_check int server_tls_new(const struct server_tls_options *options, struct server_tls **ret, struct err *err);
/* Credentials stay with the connections that use them. NULL is fine. */
void server_tls_free(struct server_tls *t);

/* Reads changed files again. `now_ms`: a steady clock. An error says why the old credentials stay. */
must_check int server_tls_refresh(struct server_tls *t, uint64_t now_ms, struct err *err);
/* Before the handshake. What it returns must be kept until the session is over. */
struct tls_credentials *server_tls_attach(struct server_tls *t, gnutls_session_t session);
void tls_credentials_unref(struct tls_credentials *c);
