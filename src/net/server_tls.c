#include "net/server_tls.h"

#include <errno.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "conf/file.h"

enum { PEM_MAX = 1 << 20, PRIORITIES_MAX = 4096, LOOK_AGAIN_MS = 1000 };
enum part { CERT, KEY, CLIENT_CA, PARTS };

struct tls_credentials {
    unsigned refs;
    gnutls_certificate_credentials_t x509;
};

struct server_tls {
    char *pem[PARTS], *file[PARTS]; /* owned, NULL = not given */
    struct conf_stamp stamps[PARTS];
    uint64_t looked_ms;
    const struct client_auth *client_auth;
    gnutls_priority_t priorities; /* NULL: those of the library */
    struct tls_credentials *credentials;
};

/* --- certificates of clients --- */

/* Valid, signed by one of the authorities, and for clients. Runs inside the handshake. */
static int tls_verify_if_given(gnutls_session_t session)
{
    unsigned n = 0, status = 0;
    if (!gnutls_certificate_get_peers(session, &n) || n == 0)
        return 0;
    gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                     .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT};
    if (gnutls_certificate_verify_peers(session, &purpose, 1, &status) < 0 || status)
        return GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
    return 0;
}

static const struct client_auth {
    const char *name;
    gnutls_certificate_request_t request;
    bool verify;
} client_auths[] = {
    {"NoClientCert", GNUTLS_CERT_IGNORE, false},
    {"RequestClientCert", GNUTLS_CERT_REQUEST, false},
    {"RequireAnyClientCert", GNUTLS_CERT_REQUIRE, false},
    {"VerifyClientCertIfGiven", GNUTLS_CERT_REQUEST, true},
    {"RequireAndVerifyClientCert", GNUTLS_CERT_REQUIRE, true},
};

static int tls_find_client_auth(const char *name, const struct client_auth **ret, struct err *err)
{
    if (!name || !*name)
        name = "NoClientCert";
    for (size_t i = 0; i < ARRAY_LEN(client_auths); i++) {
        if (strcmp(client_auths[i].name, name) == 0) {
            *ret = &client_auths[i];
            return 0;
        }
    }
    return err_set(err, -EINVAL, "unknown client auth type \"%s\"", name);
}

/* --- versions, suites and curves as a priority string --- */

static const char *const versions[] = {"TLS10", "TLS11", "TLS12", "TLS13"};

static int tls_find_version(const char *name, size_t otherwise, size_t *ret, struct err *err)
{
    if (!name || !*name) {
        *ret = otherwise;
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        if (strcmp(versions[i], name) == 0) {
            *ret = i;
            return 0;
        }
    }
    return err_set(err, -EINVAL, "unknown TLS version \"%s\"", name);
}

static int tls_put_versions(const struct server_tls_options *o, struct buf *out, struct err *err)
{
    static const char *const names[] = {"TLS1.0", "TLS1.1", "TLS1.2", "TLS1.3"};
    enum { TLS12 = 2, TLS13 = 3 };
    size_t least, most;
    int code;
    if ((code = tls_find_version(o->min_version, TLS12, &least, err)) < 0 ||
        (code = tls_find_version(o->max_version, TLS13, &most, err)) < 0)
        return code;
    if (least > most)
        return err_set(err, -EINVAL, "no TLS version between min_version %s and max_version %s", versions[least],
                       versions[most]);
    buf_puts(out, ":-VERS-ALL");
    for (size_t i = most + 1; i-- > least;)
        buf_printf(out, ":+VERS-%s", names[i]);
    return 0;
}

/* Key exchange, then cipher: together a suite's name in the IANA registry. */
static const struct {
    const char *prefix, *words;
} key_exchanges[] = {
    {"TLS_ECDHE_ECDSA_WITH_", ":+ECDHE-ECDSA"}, {"TLS_ECDHE_RSA_WITH_", ":+ECDHE-RSA"}, {"TLS_RSA_WITH_", ":+RSA"}};
static const struct {
    const char *name, *words;
} ciphers[] = {
    {"AES_128_CBC_SHA", ":+AES-128-CBC:+SHA1"},
    {"AES_256_CBC_SHA", ":+AES-256-CBC:+SHA1"},
    {"AES_128_GCM_SHA256", ":+AES-128-GCM:+AEAD"},
    {"AES_256_GCM_SHA384", ":+AES-256-GCM:+AEAD"},
    {"CHACHA20_POLY1305_SHA256", ":+CHACHA20-POLY1305:+AEAD"},
};

static const char *tls_cipher_words(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(ciphers); i++) {
        if (strcmp(ciphers[i].name, name) == 0)
            return ciphers[i].words;
    }
    return NULL;
}

static int tls_put_suite(const char *name, struct buf *out, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(key_exchanges); i++) {
        const size_t n = strlen(key_exchanges[i].prefix);
        const char *words = strncmp(name, key_exchanges[i].prefix, n) == 0 ? tls_cipher_words(name + n) : NULL;
        if (words) {
            buf_puts(out, key_exchanges[i].words);
            buf_puts(out, words);
            return 0;
        }
    }
    /* TLS 1.3 has no key exchange in the name, and its suites are not to be chosen. */
    if (strncmp(name, "TLS_", 4) == 0 && tls_cipher_words(name + 4) && !strstr(name, "_CBC_"))
        return 0;
    return err_set(err, -EINVAL, "unknown cipher \"%s\"", name);
}

static int tls_put_suites(const struct server_tls_options *o, struct buf *out, struct err *err)
{
    if (o->cipher_suite_count == 0)
        return 0;
    cleanup_buf struct buf chosen = BUF_INIT(PRIORITIES_MAX);
    for (size_t i = 0; i < o->cipher_suite_count; i++) {
        int code = tls_put_suite(o->cipher_suites[i], &chosen, err);
        if (code < 0)
            return code;
    }
    if (chosen.len == 0)
        return 0;
    buf_puts(out, ":-KX-ALL:-CIPHER-ALL:-MAC-ALL");
    buf_str(out, buf_slice(&chosen));
    /* Those of TLS 1.3 are not to be chosen. */
    buf_puts(out, ":+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:+AEAD");
    return 0;
}

static int tls_put_curves(const struct server_tls_options *o, struct buf *out, struct err *err)
{
    static const struct {
        const char *name, *word;
    } curves[] = {{"X25519", ":+GROUP-X25519"},
                  {"CurveP256", ":+GROUP-SECP256R1"},
                  {"CurveP384", ":+GROUP-SECP384R1"},
                  {"CurveP521", ":+GROUP-SECP521R1"}};
    if (o->curve_count > 0)
        buf_puts(out, ":-GROUP-ALL");
    for (size_t i = 0; i < o->curve_count; i++) {
        size_t k = 0;
        while (k < ARRAY_LEN(curves) && strcmp(curves[k].name, o->curves[i]) != 0)
            k++;
        if (k == ARRAY_LEN(curves))
            return err_set(err, -EINVAL, "unknown curve \"%s\"", o->curves[i]);
        buf_puts(out, curves[k].word);
    }
    return 0;
}

static int tls_make_priorities(const struct server_tls_options *o, gnutls_priority_t *ret, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(PRIORITIES_MAX);
    int code;
    if ((code = tls_put_versions(o, &text, err)) < 0 || (code = tls_put_suites(o, &text, err)) < 0 ||
        (code = tls_put_curves(o, &text, err)) < 0)
        return code;
    const char *at;
    code = gnutls_priority_init2(ret, buf_cstr(&text) + 1, &at, GNUTLS_PRIORITY_INIT_DEF_APPEND);
    return code < 0 ? err_set(err, -EINVAL, "TLS settings \"%s\": %s", at, gnutls_strerror(code)) : 0;
}

/* --- credentials --- */

static int tls_read_part(struct server_tls *t, enum part part, struct buf *out, struct err *err)
{
    if (t->file[part]) {
        const int code = conf_file_read(t->file[part], PEM_MAX, CONF_REGULAR, out, &t->stamps[part], err);
        return code < 0 ? err_wrap(err, code, "read %s", t->file[part]) : 0;
    }
    buf_puts(out, t->pem[part] ? t->pem[part] : "");
    return 0;
}

static gnutls_datum_t tls_datum(struct buf *b)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)buf_cstr(b), (unsigned)b->len};
}

static const char *tls_part_name(const struct server_tls *t, enum part part)
{
    static const char *const names[PARTS] = {"cert_pem", "key_pem", "client_ca_pem"};
    return t->file[part] ? t->file[part] : names[part];
}

static int tls_fill_credentials(struct server_tls *t, gnutls_certificate_credentials_t x509, struct err *err)
{
    cleanup_buf struct buf cert = BUF_INIT(PEM_MAX), key = BUF_INIT(PEM_MAX), ca = BUF_INIT(PEM_MAX);
    int code;
    if ((code = tls_read_part(t, CERT, &cert, err)) < 0 || (code = tls_read_part(t, KEY, &key, err)) < 0 ||
        (code = tls_read_part(t, CLIENT_CA, &ca, err)) < 0)
        return code;
    const gnutls_datum_t c = tls_datum(&cert), k = tls_datum(&key), a = tls_datum(&ca);
    code = gnutls_certificate_set_x509_key_mem2(x509, &c, &k, GNUTLS_X509_FMT_PEM, NULL, 0);
    memset(key.p, 0, key.len);
    if (code < 0)
        return err_set(err, -EINVAL, "certificate %s with key %s: %s", tls_part_name(t, CERT), tls_part_name(t, KEY),
                       gnutls_strerror(code));
    if (ca.len > 0 && gnutls_certificate_set_x509_trust_mem(x509, &a, GNUTLS_X509_FMT_PEM) <= 0)
        return err_set(err, -EINVAL, "%s contains no certificate", tls_part_name(t, CLIENT_CA));
    if (ca.len == 0 && t->client_auth->verify)
        gnutls_certificate_set_x509_system_trust(x509);
    return 0;
}

static int tls_make_credentials(struct server_tls *t, struct err *err)
{
    struct tls_credentials *c = xcalloc(1, sizeof *c);
    c->refs = 1;
    if (gnutls_certificate_allocate_credentials(&c->x509) < 0)
        abort();
    int code = tls_fill_credentials(t, c->x509, err);
    if (code < 0) {
        tls_credentials_unref(c);
        return code;
    }
    tls_credentials_unref(t->credentials);
    t->credentials = c;
    return 0;
}

void tls_credentials_unref(struct tls_credentials *c)
{
    if (!c || --c->refs)
        return;
    gnutls_certificate_free_credentials(c->x509);
    free(c);
}

/* --- the whole --- */

static char *tls_copy(const char *s)
{
    return s && *s ? xstrdup(s) : NULL;
}

int server_tls_new(const struct server_tls_options *o, struct server_tls **ret, struct err *err)
{
    struct server_tls *t = xcalloc(1, sizeof *t);
    t->pem[CERT] = tls_copy(o->cert_pem);
    t->pem[KEY] = tls_copy(o->key_pem);
    t->pem[CLIENT_CA] = tls_copy(o->client_ca_pem);
    t->file[CERT] = tls_copy(o->cert_file);
    t->file[KEY] = tls_copy(o->key_file);
    t->file[CLIENT_CA] = tls_copy(o->client_ca_file);
    int code = tls_find_client_auth(o->client_auth_type, &t->client_auth, err);
    if (code == 0)
        code = tls_make_priorities(o, &t->priorities, err);
    if (code == 0)
        code = tls_make_credentials(t, err);
    if (code < 0)
        server_tls_free(t);
    else
        *ret = t;
    return code;
}

static void tls_free_secret(char *s)
{
    if (s)
        explicit_bzero(s, strlen(s));
    free(s);
}

void server_tls_free(struct server_tls *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < PARTS; i++) {
        tls_free_secret(t->pem[i]);
        free(t->file[i]);
    }
    if (t->priorities)
        gnutls_priority_deinit(t->priorities);
    tls_credentials_unref(t->credentials);
    free(t);
}

static bool tls_files_changed(const struct server_tls *t)
{
    for (size_t i = 0; i < PARTS; i++) {
        if (!t->file[i])
            continue;
        const struct conf_stamp now = conf_stamp_of(t->file[i]);
        if (!conf_stamp_equal(&now, &t->stamps[i]))
            return true;
    }
    return false;
}

int server_tls_refresh(struct server_tls *t, uint64_t now_ms, struct err *err)
{
    if (t->looked_ms && now_ms < t->looked_ms + LOOK_AGAIN_MS)
        return 0;
    t->looked_ms = now_ms;
    return tls_files_changed(t) ? tls_make_credentials(t, err) : 0;
}

struct tls_credentials *server_tls_attach(struct server_tls *t, gnutls_session_t session)
{
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, t->credentials->x509);
    gnutls_priority_set(session, t->priorities);
    gnutls_certificate_server_set_request(session, t->client_auth->request);
    if (t->client_auth->verify)
        gnutls_session_set_verify_function(session, tls_verify_if_given);
    t->credentials->refs++;
    return t->credentials;
}
