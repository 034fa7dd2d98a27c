#include "api/redact.h"

#include "test.h"

static void check_config_(int line, const char *text, const char *want)
{
    cleanup_buf struct buf out = BUF_INIT(1 << 16);
    redact_config("f", str_of(text), &out);
    if (strcmp(buf_cstr(&out), want) != 0)
        FAIL_("line %d: \"%s\", want \"%s\"", line, buf_cstr(&out), want);
}
#define CHECK_CONFIG(text, want) check_config_(__LINE__, text, want)

static void hides_what_is_named_like_a_secret(void)
{
    CHECK_CONFIG("a.b \"c\" {\n  password = \"hunter2\"\n  url = \"http://x/\"\n}\n",
                 "a.b \"c\" {\n  password = \"(secret)\"\n  url = \"http://x/\"\n}\n");
    CHECK_CONFIG("a.b \"c\" {\n  bearer_token = \"x\" + `y`\n  n = 1\n}\n",
                 "a.b \"c\" {\n  bearer_token = \"(secret)\" + \"(secret)\"\n  n = 1\n}\n");
    CHECK_CONFIG("a \"c\" {\n  password = 1234\n}", "a \"c\" {\n  password = \"(secret)\"\n}");
    CHECK_CONFIG(
        "a \"c\" {\n  headers = {\"X-Scope\" = \"1\", Authorization = \"Bearer x\", \"api-key\" = \"k\"}\n}",
        "a \"c\" {\n  headers = {\"X-Scope\" = \"1\", Authorization = \"(secret)\", \"api-key\" = \"(secret)\"}\n}");
    CHECK_CONFIG("argument \"db_password\" {\n  default = string.trim_space(\" x \")\n}",
                 "argument \"db_password\" {\n  default = string.trim_space(\"(secret)\")\n}");
    CHECK_CONFIG("a \"c\" {\n  b {\n    credentials = [[\"x\"], (\"y\")][0]\n  }\n}",
                 "a \"c\" {\n  b {\n    credentials = [[\"(secret)\"], (\"(secret)\")][0]\n  }\n}");
}

static void shows_where_a_secret_comes_from(void)
{
    CHECK_CONFIG("a \"c\" {\n  password = sys.env(\"PASS\")\n  password_file = \"/run/p\"\n  token = env(\"T\")\n}",
                 "a \"c\" {\n  password = sys.env(\"PASS\")\n  password_file = \"/run/p\"\n  token = env(\"T\")\n}");
}

static void hides_keys_urls_and_comments(void)
{
    CHECK_CONFIG("a \"c\" {\n  pem = `-----BEGIN EC PRIVATE KEY-----\nx\n`\n}", "a \"c\" {\n  pem = \"(secret)\"\n}");
    CHECK_CONFIG("a \"c\" {\n  url = \"https://ann:s3@host:1/x?a=b@c\"\n}",
                 "a \"c\" {\n  url = \"https://(secret)@host:1/x?a=b@c\"\n}");
    CHECK_CONFIG("// password = \"old\"\na \"c\" { /* x */ } // y\n", "\na \"c\" {  } \n");
    CHECK_CONFIG("a \"c\" {\n  x = \"// no comment\"\n}", "a \"c\" {\n  x = \"// no comment\"\n}");
}

static void leaves_out_what_does_not_parse(void)
{
    CHECK_CONFIG("password = \"x", "// Left out: it does not parse, so nobody can tell what in it is secret.\n");
}

static void hides_users_in_urls_of_any_text(void)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"http://a:b@h/ and ftp://c@d", "http://(secret)@h/ and ftp://(secret)@d"},
        {"http://h/a@b", "http://h/a@b"},
        {"://", "://"},
        {"x://@", "x://(secret)@"},
        {"http://a:p@ss@h", "http://(secret)@h"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cleanup_buf struct buf out = BUF_INIT(1 << 10);
        redact_urls(str_of(cases[i].text), &out);
        CHECK_STR(buf_cstr(&out), cases[i].want);
    }
}

static void knows_names_of_secrets(void)
{
    static const char *const secret[] = {"password", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "DB_PASS", "key_pem",
                                         "Cookie"};
    static const char *const open[] = {"PATH", "HOME", "key_file", "url", "authenticate_matching_paths", "KEYBOARD"};
    for (size_t i = 0; i < sizeof secret / sizeof secret[0]; i++) {
        if (!redact_is_secret(str_of(secret[i])))
            FAIL_("%s is shown", secret[i]);
    }
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        if (redact_is_secret(str_of(open[i])))
            FAIL_("%s is hidden", open[i]);
    }
}

int main(void)
{
    RUN(hides_what_is_named_like_a_secret);
    RUN(shows_where_a_secret_comes_from);
    RUN(hides_keys_urls_and_comments);
    RUN(leaves_out_what_does_not_parse);
    RUN(hides_users_in_urls_of_any_text);
    RUN(knows_names_of_secrets);
    return REPORT();
}
