#include "api/page/page_index.h"

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/sha256.h"
#include "http_probe.h"
#include "test.h"
#include "ui/ui.h"

static uv_loop_t loop;
static struct server *server;

static void handle(void *ctx, struct request *rq)
{
    (void)ctx;
    page_index(rq);
}

static const struct server_route routes[] = {{"GET", "/", handle}, {0}};

/* The whole header: what probe_header() gives is cut. */
static struct str policy_of(const struct probe_reply *r)
{
    static const char name[] = "Content-Security-Policy: ";
    const char *at = strcasestr((const char *)r->raw.p, name);
    return at && at < r->body ? (struct str){at + strlen(name), strcspn(at, "\r") - strlen(name)} : STR("");
}

static bool has(struct str text, const char *part)
{
    return memmem(text.p, text.n, part, strlen(part)) != NULL;
}

/* Every element that opens with `tag` has its text's hash in the policy. */
static int elements_allowed(const char *page, const char *open, const char *close, struct str policy)
{
    int n = 0;
    for (const char *at = page; (at = strstr(at, open)); n++) {
        at += strlen(open);
        const char *end = strstr(at, close);
        uint8_t digest[SHA256_SIZE];
        sha256((struct str){at, (size_t)(end - at)}, digest);
        cleanup_free char *coded = base64_encode((struct str){(const char *)digest, sizeof digest});
        char source[80];
        snprintf(source, sizeof source, "'sha256-%s'", coded);
        CHECK(has(policy, source));
        at = end;
    }
    return n;
}

static void the_policy_lets_what_the_build_put_in_run_and_nothing_else(void)
{
    cleanup_probe struct probe_reply r = probe(&loop, server_port(server), "GET", "/", "", NULL, 0);
    CHECK_INT(r.status, 200);
    CHECK_STR(probe_header(&r, "Content-Type"), "text/html; charset=utf-8");
    CHECK_STR(probe_header(&r, "Cache-Control"), "no-cache");
    const struct str policy = policy_of(&r);
    CHECK(has(policy, "default-src 'none'"));
    CHECK(has(policy, "frame-ancestors 'none'"));
    CHECK(!has(policy, "unsafe"));
    CHECK_INT(elements_allowed(r.body, "<script>", "</script>", policy), 1);
    CHECK_INT(elements_allowed(r.body, "<style>", "</style>", policy), 1);
    /* No other script or style is in the page: neither loaded, nor as an attribute, which a policy of hashes
     * refuses. */
    CHECK(!strstr(r.body, "<script ") && !strstr(r.body, "<style ") && !strstr(r.body, "<link rel=\"stylesheet\""));
    CHECK(!strstr(r.body, " style=\"") && !strstr(r.body, " onclick=") && !strstr(r.body, "javascript:"));
}

static void the_page_itself_has_the_policy_too(void)
{
    /* frame-ancestors works in a header only. */
    const char *meta = strstr(ui_page().p, "<meta http-equiv=\"Content-Security-Policy\" content=\"");
    CHECK(meta);
    const size_t n = strlen(ui_page_policy()) - strlen("; frame-ancestors 'none'");
    CHECK(meta && strncmp(strstr(meta, "content=\"") + strlen("content=\""), ui_page_policy(), n) == 0);
}

int main(void)
{
    struct err err = {0};
    uv_loop_init(&loop);
    if (server_open(&(struct server_options){.loop = &loop, .listen = "127.0.0.1:0", .routes = routes}, &server, &err) <
        0)
        return 1;
    RUN(the_policy_lets_what_the_build_put_in_run_and_nothing_else);
    RUN(the_page_itself_has_the_policy_too);
    server_close(server, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return REPORT();
}
