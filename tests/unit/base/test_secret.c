#include "base/secret.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "test.h"

static void check_hidden_(int line, const char *text, const char *want)
{
    cleanup_buf struct buf out = BUF_INIT(1 << 16);
    secret_hide(str_of(text), &out);
    if (strcmp(buf_cstr(&out), want) != 0)
        FAIL_("line %d: \"%s\", want \"%s\"", line, buf_cstr(&out), want);
}
#define CHECK_HIDDEN(text, want) check_hidden_(__LINE__, text, want)
#define CHECK_SHOWN(text)        check_hidden_(__LINE__, text, text)

static void knows_names_of_secrets(void)
{
    static const char *const secret[] = {"password",       "AWS_SECRET_ACCESS_KEY",
                                         "GITHUB_TOKEN",   "DB_PASS",
                                         "key_pem",        "Cookie",
                                         "X-Api-Key",      "ENCRYPTION_KEY",
                                         "GITHUB_PAT",     "PASSPHRASE",
                                         "CREDS",          "JWT",
                                         "Authorization",  "proxy_auth",
                                         "auth_header",    "username",
                                         "client-secret",  "MYSQL_PWD",
                                         "session_id",     "Set-Cookie",
                                         "apikey",         "bearer",
                                         "db.credentials", "signature"};
    static const char *const open[] = {
        "PATH", "HOME", "key_file",         "url",           "authenticate_matching_paths", "KEYBOARD", "author",
        "team", "host", "compass",          "password_file", "__meta_process_username",     "targets",  "bypass_x",
        "key",  "keys", "client_auth_type", "token_url"};
    for (size_t i = 0; i < ARRAY_LEN(secret); i++) {
        if (!secret_name(str_of(secret[i])))
            FAIL_("%s is shown", secret[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(open); i++) {
        if (secret_name(str_of(open[i])))
            FAIL_("%s is hidden", open[i]);
    }
}

static void takes_headers_for_secret_but_for_harmless_ones(void)
{
    CHECK(!secret_header(STR("X-Scope-OrgID")));
    CHECK(!secret_header(STR("x-scope-orgid")));
    CHECK(!secret_header(STR("User-Agent")));
    CHECK(secret_header(STR("X-Api-Key")));
    CHECK(secret_header(STR("X-Grafana-Id")));
    CHECK(secret_is_headers(STR("headers")));
    CHECK(secret_is_headers(STR("proxy_connect_header")));
    CHECK(!secret_is_headers(STR("header_count")));
}

static void hides_users_in_urls_of_any_text(void)
{
    CHECK_HIDDEN("http://a:b@h/ and ftp://c@d", "http://(secret)@h/ and ftp://(secret)@d");
    CHECK_HIDDEN("http://a:p@ss@h", "http://(secret)@h");
    CHECK_SHOWN("http://h/a@b");
    CHECK_SHOWN("://");
    CHECK_SHOWN("x://@");
    CHECK_SHOWN("");
}

static void hides_values_behind_secret_names(void)
{
    CHECK_HIDDEN("java -Ddb.password=hunter2 -jar x.jar", "java -Ddb.password=(secret) -jar x.jar");
    CHECK_HIDDEN("x --api-token=abc --n=1", "x --api-token=(secret) --n=1");
    CHECK_HIDDEN("x --password hunter2 y", "x --password (secret) y");
    CHECK_SHOWN("x --password --force");
    CHECK_HIDDEN("keytool -storepass hunter2 -alias a", "keytool -storepass (secret) -alias a");
    CHECK_SHOWN("x -p y the password is z");
    CHECK_HIDDEN("http://h/?n=1&key=abc", "http://h/?n=1&key=(secret)");
    CHECK_SHOWN("key=abc");
    CHECK_HIDDEN("password = \"hun ter2\" # x", "password = \"(secret)\" # x");
    CHECK_HIDDEN("http://h/?token=abc&n=1", "http://h/?token=(secret)&n=1");
    CHECK_HIDDEN("{\"password\": \"a b\", \"n\": 1}", "{\"password\": \"(secret)\", \"n\": 1}");
    CHECK_HIDDEN("{\\\"password\\\":\\\"ab\\\"}", "{\\\"password\\\":\\\"(secret)\\\"}");
    CHECK_HIDDEN("X-Api-Key: abc def", "X-Api-Key: (secret)");
    CHECK_HIDDEN("Authorization: Token abc\r\nHost: h", "Authorization: (secret)\r\nHost: h");
    CHECK_HIDDEN("GITHUB_PAT=abc", "GITHUB_PAT=(secret)");
    /* Prose and comparisons. */
    CHECK_SHOWN("password: expected string, got number");
    CHECK_SHOWN("token == other");
    CHECK_SHOWN("n=1 m=2 a b c");
    CHECK_SHOWN("password=");
}

static void hides_credentials_behind_their_scheme(void)
{
    CHECK_HIDDEN("got Bearer eyJhbGciOi.x.y today", "got Bearer (secret) today");
    CHECK_HIDDEN("Basic dTpw1234", "Basic (secret)");
    CHECK_SHOWN("Basic authentication");
    CHECK_SHOWN("basic Authentication is needed");
}

static void hides_values_of_the_environment_wherever_they_are(void)
{
    CHECK_HIDDEN("label team is s3cr3t-of-team, twice s3cr3t-of-team", "label team is (secret), twice (secret)");
    CHECK_SHOWN("short /run/agent.sock graphics-session");
}

static void hides_what_it_has_learned(void)
{
    CHECK_SHOWN("the server says: no such key k3y-of-mine");
    secret_learn(STR("Token k3y-of-mine"));
    secret_learn(STR("password"));
    secret_learn(STR("Sh0rt"));
    CHECK_HIDDEN("the server says: no such key k3y-of-mine", "the server says: no such key (secret)");
    CHECK_SHOWN("the password of Sh0rt is a Token");
    char one[32];
    for (int i = 0; i < 1000; i++) {
        snprintf(one, sizeof one, "S3cret-number-%d", i);
        secret_learn(str_of(one));
    }
    CHECK_HIDDEN("S3cret-number-999 S3cret-number-900", "(secret) (secret)");
    CHECK_HIDDEN("s3cr3t-of-team", "(secret)"); /* the environment's stay */
}

static void leaves_alone_what_is_hidden_already(void)
{
    CHECK_SHOWN("token=(secret) http://(secret)@h \"password\": \"(secret)\" Bearer (secret) X-Api-Key: (secret)");
}

static void takes_time_in_proportion_to_the_text(void)
{
    enum { LARGE = 1 << 20 };
    static const char *const parts[] = {" ", "=", "://", "\"", "a", "token=", "Basic ", "\\\"", "--token ", "x-key:"};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        cleanup_buf struct buf text = BUF_INIT(2 * LARGE), out = BUF_INIT(16 * LARGE);
        while (text.len < LARGE)
            buf_puts(&text, parts[i]);
        secret_hide(buf_slice(&text), &out);
        CHECK(buf_ok(&out));
    }
}

int main(void)
{
    /* Before the first text is looked at. */
    setenv("TEAM_TOKEN", "s3cr3t-of-team", 1);
    setenv("SHORT_TOKEN", "short", 1);
    setenv("SSH_AUTH_SOCK", "/run/agent.sock", 1);
    setenv("DESKTOP_SESSION", "graphics-session", 1);
    RUN(knows_names_of_secrets);
    RUN(takes_headers_for_secret_but_for_harmless_ones);
    RUN(hides_users_in_urls_of_any_text);
    RUN(hides_values_behind_secret_names);
    RUN(hides_credentials_behind_their_scheme);
    RUN(hides_values_of_the_environment_wherever_they_are);
    RUN(hides_what_it_has_learned);
    RUN(leaves_alone_what_is_hidden_already);
    RUN(takes_time_in_proportion_to_the_text);
    return REPORT();
}
