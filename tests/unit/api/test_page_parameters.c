#include "api/page/page_parameters.h"

#include "base/buf.h"
#include "http_probe.h"
#include "net/server.h"
#include "test.h"

static uv_loop_t loop;
static struct server *server;

static void put_value(void *arg, const char *value)
{
    buf_printf(arg, "[%s]", value);
}

static void handle(void *ctx, struct request *rq)
{
    struct page_parameters p;
    struct err err = {0};
    cleanup_buf struct buf out = BUF_INIT(1 << 20);
    (void)ctx;
    if (page_parameters_read(&p, rq, &err) < 0) {
        request_reply_text(rq, 400, "%s", err.text);
    } else {
        const char *b = page_parameter(&p, "b");
        page_parameters_each(&p, "a", put_value, &out);
        buf_printf(&out, " %s %zu", b ? b : "-", p.len);
        request_reply_text(rq, 200, "%s", buf_cstr(&out));
    }
    page_parameters_done(&p);
}

static const struct server_route routes[] = {{"GET", "/p", handle}, {"POST", "/p", handle}, {0}};

static void check(int line, const char *method, const char *target, const char *headers, const char *body, int status,
                  const char *want)
{
    cleanup_probe struct probe_reply r =
        probe(&loop, server_port(server), method, target, headers, body, body ? strlen(body) : 0);
    if (r.status != status || strcmp(r.body, want) != 0)
        FAIL_("line %d: %d %s, want %d %s", line, r.status, r.body, status, want);
}
#define FORM                         "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n"
#define CHECK_GET(target, want)      check(__LINE__, "GET", target, "", NULL, 200, want)
#define CHECK_FORM(body, want)       check(__LINE__, "POST", "/p?a=ignored", FORM, body, 200, want)
#define CHECK_POST(headers, s, want) check(__LINE__, "POST", "/p", headers, "a=1", s, want)

static void those_of_an_address_and_of_a_form_are_the_same(void)
{
    CHECK_GET("/p?a=1&b=2%2F3&a=x+y&a", "[1][x y][] 2/3 4");
    CHECK_FORM("a=1&b=2%2F3&a=x+y&a", "[1][x y][] 2/3 4");
    CHECK_FORM("&&=x&a=%e2%82%AC=%&b=%4", "[\xE2\x82\xAC=%] %4 2");
    CHECK_FORM("a%3Db=1&a=%00cut&b=%zz", "[] %zz 3");
    CHECK_FORM("", " - 0");
}

static void another_body_is_none(void)
{
    CHECK_POST("Content-Type: application/json\r\n", 400, "the body must be application/x-www-form-urlencoded");
    CHECK_POST("", 400, "the body must be application/x-www-form-urlencoded");
}

static void a_long_stack_fits_into_a_form(void)
{
    cleanup_buf struct buf body = BUF_INIT(1 << 20), many = BUF_INIT(2 << 20);
    for (int i = 0; i < 4000; i++)
        buf_printf(&body, "%sb=java%%2Flang%%2Freflect%%2FMethod.invoke%d", i ? "&" : "", i);
    CHECK_FORM(buf_cstr(&body), " java/lang/reflect/Method.invoke0 4000");
    for (int i = 0; i < PAGE_PARAMETERS_MAX; i++)
        buf_puts(&many, "c=1&");
    check(__LINE__, "POST", "/p", FORM, buf_cstr(&many), 400, "more than 8191 parameters");
    while (many.len <= PAGE_FORM_MAX)
        buf_puts(&many, "c=1111111111111111111111111111111111111111111&");
    check(__LINE__, "POST", "/p", FORM, buf_cstr(&many), 400, "the body is larger than 1024 KiB");
}

static void flag_up(void *arg)
{
    *(bool *)arg = true;
}

int main(void)
{
    struct err err = {0};
    bool closed = false;
    uv_loop_init(&loop);
    CHECK_INT(
        server_open(&(struct server_options){.loop = &loop, .listen = "127.0.0.1:0", .routes = routes}, &server, &err),
        0);
    RUN(those_of_an_address_and_of_a_form_are_the_same);
    RUN(another_body_is_none);
    RUN(a_long_stack_fits_into_a_form);
    server_close(server, flag_up, &closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(closed);
    uv_loop_close(&loop);
    return REPORT();
}
