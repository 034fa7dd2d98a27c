#include "net/url.h"

#include "test.h"

static void takes_http_and_https_with_their_ports(void)
{
    struct err err = {0};
    cleanup_http_url struct http_url a = {0}, b = {0}, c = {0};
    CHECK_INT(http_url_parse("http://localhost:4040", &a, &err), 0);
    CHECK_STR(a.host, "localhost");
    CHECK_INT(a.port, 4040);
    CHECK(!a.tls && !a.query);
    CHECK_INT(http_url_parse("https://profiles.example.com/base/", &b, &err), 0);
    CHECK_INT(b.port, 443);
    CHECK(b.tls);
    CHECK_INT(http_url_parse("http://[2001:db8::1]/x?y=1", &c, &err), 0);
    CHECK_STR(c.host, "[2001:db8::1]");
    CHECK_INT(c.port, 80);
    CHECK(c.query);
}

static void leaves_user_and_password_out_of_labels(void)
{
    cleanup_http_url struct http_url u = {0};
    CHECK_INT(http_url_parse("https://alice:s3cret@example.com/p", &u, NULL), 0);
    CHECK_STR(u.bare, "https://example.com/p");
    cleanup_http_url struct http_url plain = {0}, odd = {0};
    CHECK_INT(http_url_parse("http://localhost:4040", &plain, NULL), 0);
    CHECK_STR(plain.bare, "http://localhost:4040");
    CHECK_INT(http_url_parse("http://a%40b:p%40@h:1/x@y", &odd, NULL), 0);
    CHECK_STR(odd.bare, "http://h:1/x@y");
}

static void refuses_what_is_no_http_url(void)
{
    static const char *const bad[] = {
        "",
        "localhost:4040",
        "ftp://example.com",
        "http://",
        "https://:80",
        "http://a b/",
        "http://x:99999",
        "file:///etc/passwd",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = {0};
        struct http_url u = {0};
        int code = http_url_parse(bad[i], &u, &err);
        if (code != -22)
            printf("  %s\n", bad[i]);
        CHECK_INT(code, -22);
        CHECK(u.host == NULL);
        CHECK_HAS(err.text, "url");
    }
}

static void knows_loopback_by_name(void)
{
    static const struct {
        const char *url;
        bool loopback;
    } cases[] = {
        {"http://localhost/", true}, {"http://LOCALHOST:1/", true},        {"http://127.0.0.1/", true},
        {"http://127.8.9.1/", true}, {"http://[::1]:4040", true},          {"http://a.localhost", true},
        {"http://10.0.0.1/", false}, {"http://localhost.example/", false}, {"http://[::2]/", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cleanup_http_url struct http_url u = {0};
        CHECK_INT(http_url_parse(cases[i].url, &u, NULL), 0);
        CHECK_INT(http_url_is_loopback(&u), cases[i].loopback);
    }
}

static void encodes_what_a_query_cannot_hold(void)
{
    cleanup_buf struct buf out = BUF_INIT(100);
    http_url_encode(&out, (struct str){"aZ09-._~ +&=%/?#{}\0\xc3\xa9", 22 - 1});
    CHECK_STR(buf_cstr(&out), "aZ09-._~%20%2B%26%3D%25%2F%3F%23%7B%7D%00%C3%A9");
}

int main(void)
{
    RUN(takes_http_and_https_with_their_ports);
    RUN(leaves_user_and_password_out_of_labels);
    RUN(refuses_what_is_no_http_url);
    RUN(knows_loopback_by_name);
    RUN(encodes_what_a_query_cannot_hold);
    return REPORT();
}
