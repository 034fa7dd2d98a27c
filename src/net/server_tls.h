/* TLS of the HTTP server: certificate, key, authorities, and what is asked of clients.
 *
 * libmicrohttpd does the handshake with GnuTLS, which it brings along; here is what it asks for: credentials that can
 * change while the server runs, and a verdict on certificates of clients inside the handshake. Files are looked at
 * again when a connection comes, at most once a second; new contents count for new connections, and contents that do
 * not fit together (a new certificate whose key has not come yet) leave the old ones in force. Loop thread.
 *
 * The words for options are those of the reference, which are Go's: "TLS12", "CurveP256",
 * "RequireAndVerifyClientCert", and the IANA registry's names of cipher suites. GnuTLS enables key exchanges, ciphers
 * and MACs apart, so a list of suites admits their combinations, too, also with the ciphers of TLS 1.3, which are not
 * to be chosen.
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
