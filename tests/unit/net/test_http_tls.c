#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <unistd.h>

#include "net/fault_server.h"
#include "net/http_client.h"
#include "net/server_library.h"
#include "net/tls_fixture.h"
#include "test.h"

static uv_loop_t loop;
static char cert_path[32], key_path[32];

/* Whether the client showed a certificate. */
static bool client_has_certificate(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    unsigned n = 0;
    return info && gnutls_certificate_get_peers(info->tls_session, &n) && n > 0;
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *c, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **state)
{
    (void)arg, (void)url, (void)method, (void)version, (void)data, (void)size, (void)state;
    char text[256];
    const char *host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host");
    snprintf(text, sizeof text, "%s %s", client_has_certificate(c) ? "known" : "unknown", host ? host : "");
    struct MHD_Response *r = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result queued = MHD_queue_response(c, 200, r);
    MHD_destroy_response(r);
    return queued;
}

static struct MHD_Daemon *serve(char *url, size_t room)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct MHD_OptionItem options[] = {{MHD_OPTION_SOCK_ADDR, 0, &any},
                                             {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)tls_cert},
                                             {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)tls_key},
                                             {MHD_OPTION_HTTPS_MEM_TRUST, 0, (void *)tls_cert},
                                             {MHD_OPTION_END, 0, NULL}};
    struct err err = {0};
    CHECK_INT(server_library_open(&err), 0);
    struct MHD_Daemon *d = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TLS, 0, NULL, NULL, answer, NULL,
                                            MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    const union MHD_DaemonInfo *info = d ? MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    CHECK(info != NULL);
    snprintf(url, room, "https://127.0.0.1:%d/", info ? info->port : 0);
    return d;
}

static void put(const char *pem, char *path, size_t room)
{
    int fd = memfd_create("pem", MFD_CLOEXEC);
    CHECK_INT(write(fd, pem, strlen(pem)), strlen(pem));
    snprintf(path, room, "/proc/self/fd/%d", fd);
}

struct result {
    bool done;
    int status;
    enum http_failure failure;
    char body[128];
};

static void keep(void *arg, const struct http_response *r)
{
    struct result *k = arg;
    k->status = r->status;
    k->failure = r->failure;
    snprintf(k->body, sizeof k->body, "%s", r->body.n ? r->body.p : "");
    k->done = true;
}

/* A client of its own each time, so that no connection of another case is reused. */
static struct result ask(const char *url, const struct http_tls *tls)
{
    struct http_client *c = http_client_get(&loop);
    struct http_request req = {
        .method = "GET", .url = url, .timeout_ms = 5000, .http2 = true, .response_max = 127, .tls = *tls};
    struct result r = {0};
    struct http_call *call;
    struct err err = {0};
    CHECK_INT(http_start(c, &req, keep, &r, &call, &err), 0);
    CHECK(fault_run_until(&loop, &r.done, 8000));
    http_client_put(c);
    return r;
}

static void trusts_only_what_it_is_told_to(void)
{
    char url[64];
    struct MHD_Daemon *d = serve(url, sizeof url);
    struct result r = ask(url, &(struct http_tls){0});
    CHECK_INT(r.status, 0);
    CHECK_INT(r.failure, HTTP_NO_TLS);
    /* The authority is known, but the certificate is for another name. */
    r = ask(url, &(struct http_tls){.ca_file = cert_path});
    CHECK_INT(r.failure, HTTP_NO_TLS);
    r = ask(url, &(struct http_tls){.insecure_skip_verify = true});
    CHECK_INT(r.status, 200);
    r = ask(url, &(struct http_tls){.ca_file = cert_path, .server_name = "other.test"});
    CHECK_INT(r.failure, HTTP_NO_TLS);
    MHD_stop_daemon(d);
}

static void verifies_another_name_than_that_of_the_url(void)
{
    char url[64], want[80];
    struct MHD_Daemon *d = serve(url, sizeof url);
    struct result r = ask(url, &(struct http_tls){.ca_file = cert_path, .server_name = "profiles.test"});
    CHECK_INT(r.status, 200);
    snprintf(want, sizeof want, "unknown %.*s", (int)strcspn(url + 8, "/"), url + 8);
    CHECK_STR(r.body, want);
    MHD_stop_daemon(d);
}

static void shows_its_certificate(void)
{
    char url[64];
    struct MHD_Daemon *d = serve(url, sizeof url);
    struct result r = ask(url, &(struct http_tls){.ca_file = cert_path,
                                                  .server_name = "profiles.test",
                                                  .cert_file = cert_path,
                                                  .key_file = key_path,
                                                  .min_version = HTTP_TLS_13});
    CHECK_INT(r.status, 200);
    CHECK_HAS(r.body, "known 127.0.0.1:");
    CHECK(!strstr(r.body, "unknown"));
    MHD_stop_daemon(d);
}

static void plain_http_is_not_taken_for_tls(void)
{
    struct fault_server s;
    fault_server_open(&s, &loop);
    char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%d/", s.port);
    s.answer.status = 400;
    struct http_client *c = http_client_get(&loop);
    struct http_request req = {.method = "GET", .url = url, .timeout_ms = 500, .response_max = 16};
    struct result r = {0};
    struct http_call *call;
    struct err err = {0};
    CHECK_INT(http_start(c, &req, keep, &r, &call, &err), 0);
    CHECK(fault_run_until(&loop, &r.done, 8000));
    CHECK_INT(r.status, 0);
    http_client_put(c);
    fault_server_close(&s);
}

int main(void)
{
    uv_loop_init(&loop);
    put(tls_cert, cert_path, sizeof cert_path);
    put(tls_key, key_path, sizeof key_path);
    RUN(trusts_only_what_it_is_told_to);
    RUN(verifies_another_name_than_that_of_the_url);
    RUN(shows_its_certificate);
    RUN(plain_http_is_not_taken_for_tls);
    if (!fault_loop_close(&loop)) {
        puts("FAIL a handle is left open");
        return 1;
    }
    return REPORT();
}
