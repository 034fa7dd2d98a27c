#include "net/server_tls.h"

#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "http_probe.h"
#include "net/fault_server.h"
#include "net/http_client.h"
#include "net/server.h"
#include "net/tls_fixture.h"
#include "test.h"

static uv_loop_t loop;
static char dir[] = "/tmp/smolder-test-XXXXXX";
static char cert_path[64], key_path[64], other_cert_path[64], other_key_path[64];
static struct server *server;
static char last_problem[512];
static unsigned problems;

static void hello(void *ctx, struct request *rq)
{
    (void)ctx;
    request_reply_text(rq, 200, "hello");
}

static const char *changes_to; /* what `change` does: "plain" or "tls" */
static void change(void *ctx, struct request *rq)
{
    (void)ctx;
    const struct server_tls_options tls = {.cert_pem = tls_cert, .key_pem = tls_key};
    struct err err = {0};
    CHECK_INT(server_prepare(server, strcmp(changes_to, "tls") == 0 ? &tls : NULL, &err), 0);
    server_commit(server);
    request_reply_text(rq, 200, "changed");
}

static void problem(void *ctx, const char *what)
{
    (void)ctx;
    problems++;
    snprintf(last_problem, sizeof last_problem, "%s", what);
}

static const struct server_route routes[] = {{"GET", "/", hello}, {"GET", "/change", change}, {0}};

static void set(bool *flag)
{
    *flag = true;
}

static void on_closed(void *arg)
{
    set(arg);
}

static void put(const char *path, const char *pem)
{
    FILE *f = fopen(path, "w");
    if (!f || fputs(pem, f) < 0)
        abort();
    fclose(f);
}

static void open_server(const struct server_tls_options *tls)
{
    struct err err = {0};
    const struct server_options options = {
        .loop = &loop, .listen = "127.0.0.1:0", .routes = routes, .problem = problem};
    CHECK_INT(server_open(&options, &server, &err), 0);
    CHECK_INT(server_prepare(server, tls, &err), 0);
    CHECK_STR(err.text, "");
    server_commit(server);
    problems = 0;
}

static void close_server(void)
{
    bool closed = false;
    server_close(server, on_closed, &closed);
    CHECK(fault_run_until(&loop, &closed, 8000));
}

struct result {
    bool done;
    int status;
    enum http_failure failure;
};

static void keep(void *arg, const struct http_response *r)
{
    struct result *k = arg;
    k->status = r->status;
    k->failure = r->failure;
    k->done = true;
}

/* A client of its own each time, so that no connection of another case is reused. */
static struct result ask_path(const char *path, const struct http_tls *tls)
{
    char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%d%s", server_port(server), path);
    struct http_client *c = http_client_get(&loop);
    struct http_request req = {.method = "GET", .url = url, .timeout_ms = 5000, .response_max = 127, .tls = *tls};
    struct result r = {0};
    struct http_call *call;
    struct err err = {0};
    CHECK_INT(http_start(c, &req, keep, &r, &call, &err), 0);
    CHECK(fault_run_until(&loop, &r.done, 8000));
    http_client_put(c);
    return r;
}

static int status_for(struct http_tls tls)
{
    tls.ca_file = cert_path;
    tls.server_name = "profiles.test";
    return ask_path("/", &tls).status;
}

static int status_from_other(void)
{
    return ask_path("/", &(struct http_tls){.ca_file = other_cert_path, .server_name = "other.test"}).status;
}

static void speaks_tls_and_nothing_else(void)
{
    open_server(&(struct server_tls_options){.cert_file = cert_path, .key_file = key_path});
    CHECK_INT(status_for((struct http_tls){0}), 200);
    CHECK_INT(status_from_other(), 0);
    cleanup_probe struct probe_reply plain = probe(&loop, server_port(server), "GET", "/", "", NULL, 0);
    CHECK_INT(plain.status, 0);
    close_server();
}

static void is_turned_on_and_off_under_way(void)
{
    open_server(NULL);
    const uint16_t port = server_port(server);
    /* A connection that is kept open over the change ends. */
    int idle = probe_connect(port);
    static const char rq[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    CHECK(probe_send(&loop, idle, rq, sizeof rq - 1));
    for (int i = 0; i < 200; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    changes_to = "tls";
    cleanup_probe struct probe_reply reply = probe(&loop, port, "GET", "/change", "", NULL, 0);
    CHECK_INT(reply.status, 200);
    cleanup_buf struct buf rest = BUF_INIT(1 << 16);
    CHECK(probe_receive(&loop, idle, &rest));
    CHECK_HAS(buf_cstr(&rest), "hello");
    close(idle);
    CHECK_INT(status_for((struct http_tls){0}), 200);
    changes_to = "plain";
    const struct http_tls trust = {.ca_file = cert_path, .server_name = "profiles.test"};
    CHECK_INT(ask_path("/change", &trust).status, 200);
    CHECK_INT(status_for((struct http_tls){0}), 0);
    cleanup_probe struct probe_reply again = probe(&loop, port, "GET", "/", "", NULL, 0);
    CHECK_INT(again.status, 200);
    close_server();
}

static void what_was_only_prepared_changes_nothing(void)
{
    open_server(NULL);
    struct err err = {0};
    const struct server_tls_options tls = {.cert_pem = tls_cert, .key_pem = tls_key};
    CHECK_INT(server_prepare(server, &tls, &err), 0);
    CHECK_INT(server_prepare(server, &(struct server_tls_options){.cert_pem = "x", .key_pem = "y"}, &err), -EINVAL);
    server_commit(server);
    CHECK_INT(server_prepare(server, &tls, &err), 0); /* and left at that when the server closes */
    cleanup_probe struct probe_reply plain = probe(&loop, server_port(server), "GET", "/", "", NULL, 0);
    CHECK_INT(plain.status, 200);
    close_server();
}

static void reads_changed_files_again(void)
{
    char cert[64], key[64];
    snprintf(cert, sizeof cert, "%s/live-cert", dir);
    snprintf(key, sizeof key, "%s/live-key", dir);
    put(cert, tls_cert);
    put(key, tls_key);
    open_server(&(struct server_tls_options){.cert_file = cert, .key_file = key});
    CHECK_INT(status_for((struct http_tls){0}), 200);
    /* Half of the change: the pair does not fit, so the old one stays and the operator hears of it. */
    put(cert, tls_other_cert);
    usleep(1100000); /* files are looked at once a second, by the clock */
    CHECK_INT(status_for((struct http_tls){0}), 200);
    CHECK_INT(problems, 1);
    CHECK_HAS(last_problem, "live-cert");
    put(key, tls_other_key);
    usleep(1100000);
    CHECK_INT(status_from_other(), 200);
    CHECK_INT(status_for((struct http_tls){0}), 0);
    CHECK_INT(problems, 1);
    close_server();
}

static void asks_clients_for_certificates(void)
{
    enum { NONE, KNOWN, UNKNOWN, WHO };
    const struct http_tls who[WHO] = {[NONE] = {0},
                                      [KNOWN] = {.cert_file = cert_path, .key_file = key_path},
                                      [UNKNOWN] = {.cert_file = other_cert_path, .key_file = other_key_path}};
    static const struct {
        const char *type;
        int want[WHO];
    } cases[] = {
        {"NoClientCert", {200, 200, 200}},          {"RequestClientCert", {200, 200, 200}},
        {"VerifyClientCertIfGiven", {200, 200, 0}}, {"RequireAndVerifyClientCert", {0, 200, 0}},
        {"RequireAnyClientCert", {0, 200, 200}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const bool needs_ca = strstr(cases[i].type, "Verify") != NULL;
        open_server(&(struct server_tls_options){.cert_pem = tls_cert,
                                                 .key_pem = tls_key,
                                                 .client_ca_pem = needs_ca ? tls_cert : "",
                                                 .client_auth_type = cases[i].type});
        for (size_t k = 0; k < WHO; k++) {
            int got = status_for(who[k]);
            if (got != cases[i].want[k])
                FAIL_("%s, client %zu: %d, want %d", cases[i].type, k, got, cases[i].want[k]);
        }
        close_server();
    }
}

static void keeps_to_versions_suites_and_curves(void)
{
    const char *suite = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", *curve = "CurveP384";
    open_server(&(struct server_tls_options){.cert_pem = tls_cert, .key_pem = tls_key, .max_version = "TLS12"});
    CHECK_INT(status_for((struct http_tls){.min_version = HTTP_TLS_13}), 0);
    CHECK_INT(status_for((struct http_tls){0}), 200);
    close_server();
    open_server(&(struct server_tls_options){.cert_pem = tls_cert,
                                             .key_pem = tls_key,
                                             .min_version = "TLS12",
                                             .cipher_suites = &suite,
                                             .cipher_suite_count = 1,
                                             .curves = &curve,
                                             .curve_count = 1});
    CHECK_INT(status_for((struct http_tls){0}), 200);
    CHECK_INT(status_for((struct http_tls){.min_version = HTTP_TLS_13}), 200);
    close_server();
    /* The key is no RSA key. */
    suite = "TLS_RSA_WITH_AES_128_GCM_SHA256";
    open_server(&(struct server_tls_options){.cert_pem = tls_cert,
                                             .key_pem = tls_key,
                                             .max_version = "TLS12",
                                             .cipher_suites = &suite,
                                             .cipher_suite_count = 1});
    CHECK_INT(status_for((struct http_tls){0}), 0);
    close_server();
}

static void says_what_is_wrong(void)
{
    static const char *const bad_suite[] = {"TLS_NULL_WITH_NULL_NULL"}, *const bad_curve[] = {"P-256"};
    const struct {
        struct server_tls_options options;
        const char *why;
    } cases[] = {
        {{.cert_file = "/nonexistent/cert", .key_pem = tls_key}, "read /nonexistent/cert: No such file or directory"},
        {{.cert_file = "/tmp", .key_pem = tls_key}, "read /tmp: not a regular file"},
        {{.cert_pem = tls_cert, .key_pem = tls_other_key}, "certificate cert_pem with key key_pem: "},
        {{.cert_pem = "nonsense", .key_pem = tls_key}, "certificate cert_pem with key key_pem: "},
        {{.cert_pem = tls_cert, .key_pem = tls_key, .client_ca_pem = "x", .client_auth_type = "RequestClientCert"},
         "client_ca_pem contains no certificate"},
        {{.cert_pem = tls_cert, .key_pem = tls_key, .client_auth_type = "Maybe"}, "unknown client auth type \"Maybe\""},
        {{.cert_pem = tls_cert, .key_pem = tls_key, .min_version = "SSL3"}, "unknown TLS version \"SSL3\""},
        {{.cert_pem = tls_cert, .key_pem = tls_key, .min_version = "TLS13", .max_version = "TLS12"},
         "no TLS version between min_version TLS13 and max_version TLS12"},
        {{.cert_pem = tls_cert, .key_pem = tls_key, .cipher_suites = bad_suite, .cipher_suite_count = 1},
         "unknown cipher \"TLS_NULL_WITH_NULL_NULL\""},
        {{.cert_pem = tls_cert, .key_pem = tls_key, .curves = bad_curve, .curve_count = 1}, "unknown curve \"P-256\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct server_tls *t = NULL;
        struct err err = {0};
        CHECK(server_tls_new(&cases[i].options, &t, &err) < 0);
        CHECK_HAS(err.text, cases[i].why);
        CHECK(!t);
    }
}

static void name(char *path, size_t room, const char *file, const char *pem)
{
    snprintf(path, room, "%s/%s", dir, file);
    put(path, pem);
}

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    uv_loop_init(&loop);
    name(cert_path, sizeof cert_path, "cert", tls_cert);
    name(key_path, sizeof key_path, "key", tls_key);
    name(other_cert_path, sizeof other_cert_path, "other-cert", tls_other_cert);
    name(other_key_path, sizeof other_key_path, "other-key", tls_other_key);
    RUN(speaks_tls_and_nothing_else);
    RUN(is_turned_on_and_off_under_way);
    RUN(what_was_only_prepared_changes_nothing);
    RUN(reads_changed_files_again);
    RUN(asks_clients_for_certificates);
    RUN(keeps_to_versions_suites_and_curves);
    RUN(says_what_is_wrong);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    if (system(command) != 0)
        puts("cannot remove the test's directory");
    if (!fault_loop_close(&loop)) {
        puts("FAIL a handle is left open");
        return 1;
    }
    return REPORT();
}
