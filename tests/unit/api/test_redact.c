#include "api/shared/redact.h"

#include "lang/value_print.h"
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
        "a \"c\" {\n  headers = {\"X-Scope-OrgID\" = \"1\", Authorization = \"Bearer x\", \"api-key\" = \"k\"}\n}",
        "a \"c\" {\n  headers = {\"X-Scope-OrgID\" = \"1\", Authorization = \"(secret)\", \"api-key\" = "
        "\"(secret)\"}\n}");
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
    CHECK_CONFIG("password = \"x", "// Omitted: syntax errors, secrets cannot be identified.\n");
}

static struct value *text(const char *s)
{
    return value_string(str_of(s));
}

static void check_value_(int line, struct value *v, const char *want)
{
    cleanup_value struct value *given = v, *shown = redact_value(given);
    cleanup_buf struct buf out = BUF_INIT(1 << 16);
    value_print(shown, &out);
    if (strcmp(buf_cstr(&out), want) != 0)
        FAIL_("line %d: %s, want %s", line, buf_cstr(&out), want);
}
#define CHECK_VALUE(v, want) check_value_(__LINE__, v, want)

static struct value *object(const char *key, struct value *member)
{
    struct value *o = value_object();
    value_object_put(o, str_of(key), member);
    return o;
}

static struct value *list(struct value *item)
{
    return value_array(&item, 1);
}

static void hides_values_by_name_and_by_form(void)
{
    CHECK_VALUE(object("password", text("x")), "{password = \"(secret)\"}");
    CHECK_VALUE(object("password", value_int(5)), "{password = \"(secret)\"}");
    CHECK_VALUE(object("url", text("http://u:p@h/")), "{url = \"http://(secret)@h/\"}");
    CHECK_VALUE(list(text("java -Dtoken=x")), "[\"java -Dtoken=(secret)\"]");
    CHECK_VALUE(object("password_file", text("/run/p")), "{password_file = \"/run/p\"}");
    CHECK_VALUE(object("tokens", list(object("a", text("x")))), "{tokens = [{a = \"(secret)\"}]}");
    CHECK_VALUE(object("n", value_int(3)), "{n = 3}");
    CHECK(!redact_value(NULL));
}

static void hides_headers_but_for_harmless_ones(void)
{
    struct value *headers = object("X-Scope-OrgID", text("team"));
    value_object_put(headers, STR("X-Anything"), text("x"));
    value_object_put(headers, STR("Cookie"), list(text("y")));
    CHECK_VALUE(object("headers", headers),
                "{headers = {Cookie = [\"(secret)\"], \"X-Anything\" = \"(secret)\", \"X-Scope-OrgID\" = \"team\"}}");
    CHECK_VALUE(object("proxy_connect_header", object("A", list(text("x")))),
                "{proxy_connect_header = {A = [\"(secret)\"]}}");
}

static void shows_what_is_no_secret_in_blocks_of_credentials(void)
{
    struct value *auth = object("type", text("Bearer"));
    value_object_put(auth, STR("credentials"), text("x"));
    CHECK_VALUE(object("authorization", auth), "{authorization = {credentials = \"(secret)\", type = \"Bearer\"}}");
    CHECK_VALUE(object("authorization", text("Bearer x")), "{authorization = \"(secret)\"}");
}

int main(void)
{
    RUN(hides_what_is_named_like_a_secret);
    RUN(shows_where_a_secret_comes_from);
    RUN(hides_keys_urls_and_comments);
    RUN(leaves_out_what_does_not_parse);
    RUN(hides_values_by_name_and_by_form);
    RUN(hides_headers_but_for_harmless_ones);
    RUN(shows_what_is_no_secret_in_blocks_of_credentials);
    return REPORT();
}
