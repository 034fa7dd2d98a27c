#include "components/http_settings.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "flow/config.h"
#include "test.h"

struct args {
    struct http_settings http;
};
static const struct option options[] = {HTTP_SETTINGS_OPTIONS(struct args, http), {0}};
static const struct schema schema = {.size = sizeof(struct args), .options = options};

static void authorization_is(const char *config, const char *want)
{
    struct args a = {0};
    char problem[ERR_MAX];
    cleanup_free char *got = NULL;
    struct err err = {0};
    CHECK(decode_text(&schema, config, &a, problem));
    CHECK_INT(http_settings_authorization(&a.http, &got, &err), 0);
    CHECK_STR(got ? got : "none", want);
    schema_done(&schema, &a);
}

static void makes_the_authorization_header(void)
{
    authorization_is("", "none");
    authorization_is("bearer_token = \"t\"", "Bearer t");
    authorization_is("authorization {\n credentials = \"c\"\n}", "Bearer c");
    authorization_is("authorization {\n type = \" Token \"\n credentials = \"c\"\n}", "Token c");
    authorization_is("authorization {\n}", "none");
    /* RFC 7617 §2 and RFC 4648 §10 */
    authorization_is("basic_auth {\n username = \"Aladdin\"\n password = \"open sesame\"\n}",
                     "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    authorization_is("basic_auth {\n username = \"foo\"\n password = \"ba\"\n}", "Basic Zm9vOmJh");
    authorization_is("basic_auth {\n username = \"foob\"\n}", "Basic Zm9vYjo=");
}

/* sys.env() of a variable that was filled from a file. */
static void the_newline_at_the_end_of_a_secret_is_none_of_it(void)
{
    authorization_is("basic_auth {\n username = \"foo\\n\"\n password = \"ba\\r\\n\"\n}", "Basic Zm9vOmJh");
    authorization_is("basic_auth {\n username = \"foo\"\n password = \" ba \\n\\n\"\n}", "Basic Zm9vOiBiYSA=");
    authorization_is("bearer_token = \"t\\n\"", "Bearer t");
    authorization_is("authorization {\n credentials = \"c\\r\\n\"\n}", "Bearer c");
}

static void says_which_file_cannot_be_used(void)
{
    static const char *const configs[] = {
        "bearer_token_file = \"/nonexistent/x\"",
        "authorization {\n credentials_file = \"/nonexistent/x\"\n}",
        "basic_auth {\n password_file = \"/nonexistent/x\"\n}",
    };
    for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
        struct args a = {0};
        char problem[ERR_MAX];
        char *got = NULL;
        struct err err = {0};
        CHECK(decode_text(&schema, configs[i], &a, problem));
        CHECK(http_settings_authorization(&a.http, &got, &err) < 0);
        CHECK_HAS(err.text, "_file: open /nonexistent/x");
        CHECK(got == NULL);
        schema_done(&schema, &a);
    }
}

static void a_fifo_does_not_hold_it_and_line_ends_do_not_get_into_headers(void)
{
    char path[] = "/tmp/test-settings-XXXXXX", config[128], problem[ERR_MAX];
    struct args a = {0};
    char *got = NULL;
    struct err err = {0};
    close(mkstemp(path));
    unlink(path);
    CHECK_INT(mkfifo(path, 0600), 0);
    snprintf(config, sizeof config, "bearer_token_file = \"%s\"", path);
    CHECK(decode_text(&schema, config, &a, problem));
    CHECK_INT(http_settings_authorization(&a.http, &got, &err), 0); /* nobody writes: empty */
    free(got);
    got = NULL;
    unlink(path);
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK_INT(write(fd, "a\r\nEvil: 1\n", 11), 11);
    CHECK(http_settings_authorization(&a.http, &got, &err) < 0);
    CHECK_HAS(err.text, "control characters");
    unlink(path);
    schema_done(&schema, &a);
}

static void a_secret_that_is_too_large_is_refused_and_not_cut(void)
{
    char path[] = "/tmp/test-settings-XXXXXX", config[128], problem[ERR_MAX];
    struct args a = {0};
    char *got = NULL;
    struct err err = {0};
    cleanup_close int fd = mkstemp(path);
    for (size_t i = 0; i <= 64; i++) {
        char kib[1024];
        memset(kib, 'x', sizeof kib);
        CHECK_INT(write(fd, kib, sizeof kib), sizeof kib);
    }
    snprintf(config, sizeof config, "bearer_token_file = \"%s\"", path);
    CHECK(decode_text(&schema, config, &a, problem));
    CHECK_INT(http_settings_authorization(&a.http, &got, &err), -EFBIG);
    CHECK_HAS(err.text, "larger than 64 KiB");
    unlink(path);
    schema_done(&schema, &a);
}

static void pem_texts_become_files_of_their_own(void)
{
    struct args a = {0};
    char problem[ERR_MAX], text[32] = "";
    struct http_settings_open open_ = HTTP_SETTINGS_OPEN_INIT;
    struct err err = {0};
    CHECK(decode_text(
        &schema,
        "proxy_url = \"http://p:1\"\nno_proxy = \"a\"\n"
        "tls_config {\n ca_pem = \"CA\"\n cert_file = \"/c\"\n key_pem = \"KEY\"\n min_version = \"TLS11\"\n}",
        &a, problem));
    CHECK_INT(http_settings_open(&a.http, &open_, &err), 0);
    CHECK_STR(open_.tls.cert_file, "/c");
    CHECK_INT(open_.tls.min_version, HTTP_TLS_11);
    CHECK_STR(open_.proxy.url, "http://p:1");
    CHECK_STR(open_.proxy.no_proxy, "a");
    cleanup_close int fd = open(open_.tls.key_file, O_RDONLY | O_CLOEXEC);
    CHECK_INT(read(fd, text, sizeof text - 1), 3);
    CHECK_STR(text, "KEY");
    CHECK(strcmp(open_.tls.ca_file, open_.tls.key_file) != 0);
    http_settings_close(&open_);
    schema_done(&schema, &a);
}

static void oauth2_has_its_own_tls_and_proxy(void)
{
    static const char base[] = "oauth2 {\n client_id = \"a\"\n client_secret = \"b\"\n scopes = [\"x\", \"y\"]\n"
                               " endpoint_params = { audience = \"z\" }\n token_url = \"https://t\"\n%s}\n";
    static const struct {
        const char *more, *problem;
    } cases[] = {
        {"", ""},
        {"tls_config {\n ca_pem = \"CA\"\n}\nproxy_url = \"http://p:1\"\nno_proxy = \"a\"\n", ""},
        {"no_proxy = \"a\"\n", "if no_proxy is configured, proxy_url must also be configured"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct args a = {0};
        char problem[ERR_MAX], text[512];
        struct http_settings_open open_ = HTTP_SETTINGS_OPEN_INIT;
        struct err err = {0};
        snprintf(text, sizeof text, base, cases[i].more);
        if (!decode_text(&schema, text, &a, problem)) {
            CHECK(*cases[i].problem);
            CHECK_HAS(problem, cases[i].problem);
            continue;
        }
        CHECK_STR(cases[i].problem, "");
        CHECK_INT(http_settings_check(&a.http, &err), 0);
        CHECK_INT(http_settings_open(&a.http, &open_, &err), 0);
        CHECK(open_.oauth2 && oauth2_authorizer(open_.oauth2));
        CHECK_INT(open_.oauth2_pem.ca_fd >= 0, i == 1);
        http_settings_close(&open_);
        CHECK(!open_.oauth2);
        schema_done(&schema, &a);
    }
    CHECK(!oauth2_authorizer(NULL));
}

int main(void)
{
    RUN(makes_the_authorization_header);
    RUN(the_newline_at_the_end_of_a_secret_is_none_of_it);
    RUN(says_which_file_cannot_be_used);
    RUN(a_fifo_does_not_hold_it_and_line_ends_do_not_get_into_headers);
    RUN(a_secret_that_is_too_large_is_refused_and_not_cut);
    RUN(oauth2_has_its_own_tls_and_proxy);
    RUN(pem_texts_become_files_of_their_own);
    return REPORT();
}
