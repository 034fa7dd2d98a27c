#include "components/pyroscope_write_args.h"

#include "base/cleanup.h"
#include "flow/config.h"
#include "lang/value_print.h"
#include "test.h"

static void defaults_are_the_documented_ones(void)
{
    struct write_args a = {0};
    char problem[ERR_MAX];
    CHECK(decode_text(&write_schema, "endpoint {\n url = \"http://localhost:4040\"\n}", &a, problem));
    CHECK_STR(problem, "");
    CHECK_INT(a.endpoints.len, 1);
    const struct write_endpoint_args *e = a.endpoints.items;
    CHECK_STR(e->url, "http://localhost:4040");
    CHECK_STR(e->name, "");
    CHECK_INT(e->remote_timeout, 10000000000);
    CHECK_INT(e->min_backoff_period, 500000000);
    CHECK_INT(e->max_backoff_period, 300000000000);
    CHECK_INT(e->max_backoff_retries, 10);
    CHECK(e->retry_on_http_429 && e->http.follow_redirects && e->http.enable_http2);
    CHECK(!e->http.has_basic_auth && !e->http.has_authorization && !e->http.has_oauth2);
    schema_done(&write_schema, &a);
    CHECK(decode_text(&write_schema, "", &a, problem));
    CHECK_INT(a.endpoints.len, 0);
    schema_done(&write_schema, &a);
}

static void takes_every_argument(void)
{
    static const char text[] =
        "external_labels = { env = \"prod\" }\n"
        "tracing {\n jaeger_propagator = false\n}\n"
        "endpoint {\n url = \"https://a.example/base\"\n name = \"one\"\n remote_timeout = \"3s\"\n"
        " headers = { \"X-Scope-OrgID\" = \"team\" }\n min_backoff_period = \"1s\"\n max_backoff_period = \"2s\"\n"
        " max_backoff_retries = 0\n retry_on_http_429 = false\n debug_info_upload_timeout = \"1m\"\n"
        " proxy_url = \"http://proxy:3128\"\n no_proxy = \"10.0.0.0/8\"\n follow_redirects = false\n"
        " enable_http2 = false\n proxy_connect_header = { \"X-P\" = [\"1\", \"2\"] }\n"
        " http_headers = { \"X-A\" = [\"1\"], \"X-B\" = [] }\n"
        " basic_auth {\n username = \"u\"\n password = \"p\"\n }\n"
        " tls_config {\n ca_pem = \"x\"\n server_name = \"b\"\n min_version = \"TLS13\"\n }\n}\n"
        "endpoint {\n url = \"http://b\"\n authorization {\n credentials = \"c\"\n }\n}\n"
        "endpoint {\n url = \"http://c\"\n bearer_token = \"t\"\n}\n";
    struct write_args a = {0}, b = {0};
    char problem[ERR_MAX];
    CHECK(decode_text(&write_schema, text, &a, problem));
    CHECK_STR(problem, "");
    CHECK(decode_text(&write_schema, text, &b, problem));
    CHECK(schema_equal(&write_schema, &a, &b));
    CHECK_INT(a.endpoints.len, 3);
    const struct write_endpoint_args *e = a.endpoints.items;
    CHECK_INT(e[0].http.proxy_connect_header.len, 2);
    CHECK_STR(e[0].http.proxy_connect_header.lines[1], "X-P: 2");
    CHECK(e[0].http.has_basic_auth && !e[1].http.has_basic_auth && e[1].http.has_authorization);
    CHECK_STR(e[1].http.authorization.type, "Bearer");
    struct value *v = schema_to_value(&write_schema, &a);
    cleanup_buf struct buf out = BUF_INIT(65536);
    value_print(v, &out);
    CHECK(!strstr(buf_cstr(&out), "\"p\"") && !strstr(buf_cstr(&out), "\"t\"") && !strstr(buf_cstr(&out), "\"c\""));
    CHECK_HAS(buf_cstr(&out), "X-P");
    value_unref(v);
    schema_done(&write_schema, &a);
    schema_done(&write_schema, &b);
}

static void refuses_at_load_what_cannot_work(void)
{
    static const struct {
        const char *config, *said;
    } cases[] = {
        {"", "url"},
        {"url = \"localhost:4040\"", "url must start with http:// or https://"},
        {"url = \"http://\"", "malformed url"},
        {"url = \"http://x/?a=b\"", "must not have a query"},
        {"url = \"http://u:secret@x/#f\"", "url \"http://x/#f\" must not have"},
        {"url = \"http://x\"\nremote_timeout = \"0s\"", "remote_timeout must be at least 1ms"},
        {"url = \"http://x\"\nmin_backoff_period = \"0s\"", "min_backoff_period must be at least 1ms"},
        {"url = \"http://x\"\nmax_backoff_period = \"1ms\"", "max_backoff_period must not be less"},
        {"url = \"http://x\"\nmax_backoff_retries = -1", "max_backoff_retries must not be negative"},
        {"url = \"http://x\"\nheaders = { \"a b\" = \"c\" }", "\"a b\" is not a valid header name"},
        {"url = \"http://x\"\nheaders = { \"a\" = \"c\\r\\nEvil: 1\" }", "control characters"},
        {"url = \"http://x\"\nbearer_token = \"t\"\nbearer_token_file = \"f\"",
         "at most one of basic_auth, authorization, oauth2, bearer_token & bearer_token_file must be configured"},
        {"url = \"http://x\"\nbearer_token = \"t\"\nbasic_auth {\n}", "at most one of basic_auth, authorization"},
        {"url = \"http://x\"\nbasic_auth {\n password = \"a\"\n password_file = \"b\"\n}",
         "at most one of basic_auth password & password_file must be configured"},
        {"url = \"http://x\"\nauthorization {\n credentials = \"a\"\n credentials_file = \"b\"\n}",
         "at most one of authorization credentials & credentials_file must be configured"},
        {"url = \"http://x\"\nauthorization {\n type = \" BASIC \"\n}",
         "authorization type cannot be set to \"basic\", use \"basic_auth\" block instead"},
        {"url = \"http://x\"\noauth2 {\n}", "oauth2 client_id must be configured"},
        {"url = \"http://x\"\noauth2 {\n client_id = \"a\"\n}",
         "either oauth2 client_secret or client_secret_file must be configured"},
        {"url = \"http://x\"\noauth2 {\n client_id = \"a\"\n client_secret = \"b\"\n}",
         "oauth2 token_url must be configured"},
        {"url = \"http://x\"\noauth2 {\n client_id = \"a\"\n client_secret = \"b\"\n client_secret_file = \"c\"\n "
         "token_url = \"http://y\"\n}",
         "at most one of oauth2 client_secret & client_secret_file must be configured"},
        {"url = \"http://x\"\ntls_config {\n ca_pem = \"a\"\n ca_file = \"b\"\n}",
         "at most one of ca_pem and ca_file must be configured"},
        {"url = \"http://x\"\ntls_config {\n cert_pem = \"a\"\n}",
         "exactly one of key_pem or key_file must be configured when a client certificate is configured"},
        {"url = \"http://x\"\ntls_config {\n key_file = \"a\"\n}",
         "exactly one of cert_pem or cert_file must be configured when a client key is configured"},
        {"url = \"http://x\"\ntls_config {\n min_version = \"SSL3\"\n}", "unknown TLS version: SSL3"},
        {"url = \"http://x\"\nproxy_connect_header = { \"a\" = [\"b\"] }",
         "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured"},
        {"url = \"http://x\"\nproxy_url = \"http://p\"\nproxy_from_environment = true",
         "if proxy_from_environment is configured, proxy_url must not be configured"},
        {"url = \"http://x\"\nno_proxy = \"a\"\nproxy_from_environment = true",
         "if proxy_from_environment is configured, no_proxy must not be configured"},
        {"url = \"http://x\"\nno_proxy = \"a\"", "if no_proxy is configured, proxy_url must also be configured"},
        {"url = \"http://x\"\nproxy_url = \"p:1\"", "proxy_url"},
        {"url = \"http://x\"\nhttp_headers = { \"user-agent\" = [\"b\"] }",
         "setting header \"user-agent\" is not allowed"},
        {"url = \"http://x\"\nhttp_headers = { \"a\" = \"b\" }", "expected array"},
        {"url = \"http://x\"\nhttp_headers = { \"a\" = [1] }", "expected string or secret"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct write_args a = {0};
        char problem[ERR_MAX], text[1024];
        snprintf(text, sizeof text, "endpoint {\n%s\n}\n", cases[i].config);
        if (decode_text(&write_schema, text, &a, problem)) {
            FAIL_("accepted: %s", cases[i].config);
            schema_done(&write_schema, &a);
        }
        CHECK_HAS(problem, cases[i].said);
        CHECK(!strstr(problem, "secret@"));
    }
}

int main(void)
{
    RUN(defaults_are_the_documented_ones);
    RUN(takes_every_argument);
    RUN(refuses_at_load_what_cannot_work);
    return REPORT();
}
