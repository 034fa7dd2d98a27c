#include "components/kubernetes_watch.h"

#include <signal.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "net/fault_server.h"
#include "test.h"

static uv_loop_t loop;
static struct fault_server server;
static struct kubernetes_access access_here;
static const struct http_settings plain = {.follow_redirects = true, .enable_http2 = true};

/* What happened, in one line: "begin a=1 synced". */
struct heard {
    struct buf text;
    const char *until;
    bool is_there;
};

static void note(struct heard *h, const char *fmt, const char *a, const char *b)
{
    if (h->text.len)
        buf_byte(&h->text, ' ');
    buf_puts(&h->text, a);
    if (b)
        buf_printf(&h->text, fmt, b);
    h->is_there = h->until && strstr(buf_cstr(&h->text), h->until);
}

static void on_begin(void *arg)
{
    note(arg, "", "begin", NULL);
}

static void on_object(void *arg, json_t *object, bool exists)
{
    const char *name = json_string_value(json_object_get(json_object_get(object, "metadata"), "name"));
    note(arg, "%s", exists ? "+" : "-", name ? name : "?");
}

static void on_synced(void *arg)
{
    note(arg, "", "synced", NULL);
}

static void on_health(void *arg, const char *why)
{
    note(arg, "(%s)", why ? "bad" : "good", why);
}

static const struct kubernetes_watch_events events = {on_begin, on_object, on_synced, on_health};

static struct kubernetes_watch *follow(struct heard *h, struct fault_answer (*decide)(struct fault_server *, size_t))
{
    struct err err = {0};
    fault_server_open(&server, &loop);
    server.decide = decide;
    h->text = BUF_INIT(1 << 16);
    CHECK_INT(kubernetes_access_open(&access_here, server.url, "", &plain, &err), 0);
    return kubernetes_watch_new(&(struct kubernetes_watch_options){.loop = &loop,
                                                                   .access = &access_here,
                                                                   .version = "test",
                                                                   .path = "/api/v1/pods",
                                                                   .label = "a=b,c!=d",
                                                                   .field = "",
                                                                   .events = &events,
                                                                   .arg = h});
}

static void end(struct heard *h, struct kubernetes_watch *w)
{
    kubernetes_watch_free(w);
    kubernetes_access_close(&access_here);
    fault_server_close(&server);
    buf_done(&h->text);
}

static void wait_until(struct heard *h, const char *what)
{
    h->until = what;
    h->is_there = strstr(buf_cstr(&h->text), what);
    CHECK(fault_run_until(&loop, &h->is_there, 20000));
}

#define OBJECT(name, version)      "{\"metadata\":{\"name\":\"" name "\",\"resourceVersion\":\"" version "\"}}"
#define EVENT(type, name, version) "{\"type\":\"" type "\",\"object\":" OBJECT(name, version) "}\n"
#define LIST(version, next, items)                                                                                     \
    {                                                                                                                  \
        .body = "{\"metadata\":{\"resourceVersion\":\"" version "\",\"continue\":\"" next "\"},\"items\":[" items "]}" \
    }
#define HANGS                                                                                                          \
    {                                                                                                                  \
        .fault = FAULT_HANG                                                                                            \
    }

/* The answers of a table, then one that hangs. */
static const struct fault_answer *answers;
static size_t answer_count;

static struct fault_answer next_answer(struct fault_server *s, size_t n)
{
    (void)s;
    return n < answer_count ? answers[n] : (struct fault_answer)HANGS;
}

static void run(const struct fault_answer *table, size_t n, const char *until, const char *want)
{
    struct heard h = {0};
    answers = table;
    answer_count = n;
    struct kubernetes_watch *w = follow(&h, next_answer);
    wait_until(&h, until);
    while (server.len <= n)
        uv_run(&loop, UV_RUN_ONCE); /* the question that hangs, too */
    CHECK_STR(buf_cstr(&h.text), want);
    end(&h, w);
}

static void lists_in_pages_and_resumes_after_each_end(void)
{
    static const struct fault_answer table[] = {
        LIST("5", "next page", OBJECT("a", "1")),
        LIST("6", "", OBJECT("b", "2")),
        {.body = EVENT("ADDED", "c", "7") EVENT("BOOKMARK", "", "9")},
        {.body = EVENT("MODIFIED", "a", "10") EVENT("DELETED", "b", "11")},
    };
    struct heard h = {0};
    answers = table;
    answer_count = ARRAY_LEN(table);
    struct kubernetes_watch *w = follow(&h, next_answer);
    wait_until(&h, "-b");
    while (server.len < 5)
        uv_run(&loop, UV_RUN_ONCE);
    CHECK_STR(buf_cstr(&h.text), "begin +a +b synced +c +a -b");
    CHECK_HAS(server.requests[0].head, "GET /api/v1/pods?limit=500&resourceVersion=0&labelSelector=a%3Db%2Cc%21%3Dd H");
    CHECK_HAS(server.requests[1].head, "?limit=500&continue=next%20page&labelSelector=");
    CHECK_HAS(server.requests[2].head, "?watch=true&allowWatchBookmarks=true&timeoutSeconds=");
    CHECK_HAS(server.requests[2].head, "&resourceVersion=6&labelSelector=");
    CHECK_HAS(server.requests[3].head, "&resourceVersion=9&");
    CHECK_HAS(server.requests[4].head, "&resourceVersion=11&");
    CHECK_HAS(server.requests[4].head, "User-Agent: smolder/test");
    end(&h, w);
}

#define EXPIRED "{\"type\":\"ERROR\",\"object\":{\"code\":410,\"reason\":\"Expired\",\"message\":\"too old\"}}\n"

static void lists_again_what_the_server_has_forgotten(void)
{
    static const struct fault_answer event[] = {
        LIST("5", "", OBJECT("a", "1")), {.body = EXPIRED}, LIST("8", "", OBJECT("b", "7"))};
    run(event, ARRAY_LEN(event), "+b synced", "begin +a synced begin +b synced");
    static const struct fault_answer status[] = {
        LIST("5", "", ""), {.status = 410, .body = "{}"}, LIST("8", "", OBJECT("b", "7"))};
    run(status, ARRAY_LEN(status), "+b synced", "begin synced begin +b synced");
}

static void a_page_that_has_expired_begins_the_list_anew(void)
{
    static const struct fault_answer table[] = {
        LIST("5", "p", OBJECT("a", "1")), {.status = 410, .body = "{}"}, LIST("8", "", OBJECT("b", "7"))};
    struct heard h = {0};
    answers = table;
    answer_count = ARRAY_LEN(table);
    struct kubernetes_watch *w = follow(&h, next_answer);
    wait_until(&h, "synced");
    CHECK_STR(buf_cstr(&h.text), "begin +a begin +b synced");
    CHECK_HAS(server.requests[2].head, "GET /api/v1/pods?limit=500&labelSelector="); /* not from the cache */
    end(&h, w);
}

static void a_lost_connection_is_resumed(void)
{
    static const struct fault_answer table[] = {LIST("5", "", OBJECT("a", "1")),
                                                {.fault = FAULT_CLOSE},
                                                {.status = 429, .body = "{\"message\":\"slow down\"}"},
                                                {.body = EVENT("ADDED", "b", "6")}};
    struct heard h = {0};
    answers = table;
    answer_count = ARRAY_LEN(table);
    struct kubernetes_watch *w = follow(&h, next_answer);
    wait_until(&h, "+b");
    CHECK_HAS(buf_cstr(&h.text), "begin +a synced bad(");
    CHECK_HAS(buf_cstr(&h.text), " bad(HTTP status 429: slow down) +b good");
    CHECK_HAS(server.requests[3].head, "&resourceVersion=5&");
    end(&h, w);
}

static void other_errors_are_reported_and_listed_again(void)
{
    static const struct fault_answer table[] = {
        {.status = 403, .body = "{\"message\":\"pods is forbidden\"}"},
        LIST("5", "", ""),
        {.body = "{\"type\":\"ERROR\",\"object\":{\"code\":500,\"message\":\"etcd is unwell\"}}\n"},
        LIST("6", "", OBJECT("a", "1")),
        {.body = EVENT("ADDED", "b", "7")},
    };
    run(table, ARRAY_LEN(table), "good",
        "begin bad(HTTP status 403: pods is forbidden) begin synced bad(watch: etcd is unwell) begin +a synced +b "
        "good");
}

static void a_list_that_is_cut_off_does_not_count(void)
{
    static const struct fault_answer table[] = {{.body = "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{}"},
                                                {.body = "]"},
                                                LIST("6", "", OBJECT("a", "1"))};
    run(table, ARRAY_LEN(table), "synced",
        "begin +? bad(the list is incomplete) begin bad(the answer is not JSON) begin +a synced");
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&loop);
    RUN(lists_in_pages_and_resumes_after_each_end);
    RUN(lists_again_what_the_server_has_forgotten);
    RUN(a_page_that_has_expired_begins_the_list_anew);
    RUN(a_lost_connection_is_resumed);
    RUN(other_errors_are_reported_and_listed_again);
    RUN(a_list_that_is_cut_off_does_not_count);
    if (!fault_loop_close(&loop)) {
        puts("FAIL a handle is left open");
        return 1;
    }
    return REPORT();
}
