#include "pyroscope/multipart.h"

#include "base/buf.h"
#include "test.h"

static void check_parts(struct str body, const char *boundary, const char *want)
{
    cleanup_buf struct buf got = BUF_INIT(4096);
    struct multipart m = multipart_of(body, str_of(boundary));
    struct str name, bytes;
    while (multipart_next(&m, &name, &bytes))
        buf_printf(&got, "%.*s=%.*s|", STR_ARG(name), STR_ARG(bytes));
    CHECK_STR(buf_cstr(&got), want);
}

static void parts_are_read_by_name(void)
{
    check_parts(STR("preamble\r\n--x1\r\nContent-Disposition: form-data; name=\"jfr\"; filename=\"jfr\"\r\n"
                    "Content-Type: application/octet-stream\r\n\r\none\r\n--two\r\n--x1\r\n"
                    "content-disposition: form-data; name=labels\r\n\r\n\r\n--x1--\r\n"),
                "x1", "jfr=one\r\n--two|labels=|");
}

static void what_is_not_whole_is_no_part(void)
{
    check_parts(STR(""), "x", "");
    check_parts(STR("--x"), "x", "");
    check_parts(STR("--x\r\n\r\nno end"), "x", "");
    check_parts(STR("--x\r\nno empty line\r\n--x--"), "x", "");
    check_parts(STR("--x--x--"), "x", "");
    check_parts(STR("--x\r\n\r\nunnamed\r\n--x--"), "x", "=unnamed|");
    check_parts(STR("no boundary"), "", "");
}

static void the_boundary_is_in_the_type(void)
{
    CHECK(str_is(multipart_boundary(STR("multipart/form-data; boundary=abc")), "abc"));
    CHECK(str_is(multipart_boundary(STR("Multipart/Form-Data;charset=x; Boundary=\"a b\"")), "a b"));
    CHECK(str_is(multipart_boundary(STR("multipart/form-data")), ""));
    CHECK(str_is(multipart_boundary(STR("text/plain; boundary=abc")), ""));
    CHECK(str_is(multipart_boundary(STR("")), ""));
    CHECK(str_is(multipart_boundary(STR("multipart/form-data; boundary="
                                        "01234567890123456789012345678901234567890123456789012345678901234567890")),
                 ""));
}

int main(void)
{
    RUN(parts_are_read_by_name);
    RUN(what_is_not_whole_is_no_part);
    RUN(the_boundary_is_in_the_type);
    return REPORT();
}
