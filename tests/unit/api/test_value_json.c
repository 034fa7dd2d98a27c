#include "api/shared/value_json.h"

#include <math.h>

#include "base/cleanup.h"
#include "test.h"

static void check_(int line, struct value *v, void (*put)(const struct value *v, struct buf *out), const char *want)
{
    cleanup_buf struct buf out = BUF_INIT(1 << 20);
    put(v, &out);
    if (strcmp(buf_cstr(&out), want) != 0)
        FAIL_("line %d: %s, want %s", line, buf_cstr(&out), want);
    value_unref(v);
}

/* The tagged form, out of the body that has the value as its only attribute. */
static void tagged_(const struct value *v, struct buf *out)
{
    cleanup_value struct value *body = value_object();
    value_object_put(body, STR("v"), value_ref((struct value *)v));
    cleanup_buf struct buf text = BUF_INIT(1 << 20);
    value_json_body(body, NULL, &text);
    const struct str start = STR("[{\"name\":\"v\",\"type\":\"attr\",\"value\":"), end = STR("}]"),
                     whole = buf_slice(&text);
    CHECK(str_has_prefix(whole, start));
    buf_append(out, whole.p + start.n, whole.n - start.n - end.n);
}

/* Takes the value. */
#define CHECK_PLAIN(v, want)  check_(__LINE__, v, value_json_plain, want)
#define CHECK_TAGGED(v, want) check_(__LINE__, v, tagged_, want)
#define CHECK_DEBUG(v, want)  check_(__LINE__, v, value_json_debug, want)

static struct value *object(const char *name, struct value *member)
{
    struct value *o = value_object();
    value_object_put(o, str_of(name), member);
    return o;
}

static struct value *pair(struct value *a, struct value *b)
{
    struct value *items[] = {a, b};
    return value_array(items, 2);
}

static void every_kind_has_its_plain_form(void)
{
    CHECK_PLAIN(value_null(), "null");
    CHECK_PLAIN(value_bool(true), "true");
    CHECK_PLAIN(value_int(-3), "-3");
    CHECK_PLAIN(value_uint(UINT64_MAX), "18446744073709551615");
    CHECK_PLAIN(value_float(0.5), "0.5");
    CHECK_PLAIN(value_string(STR("a\"\n\xff")), "\"a\\\"\\u000a\xef\xbf\xbd\"");
    CHECK_PLAIN(pair(value_int(1), value_object()), "[1,{}]");
    CHECK_PLAIN(object("k", pair(value_null(), value_string(STR("x")))), "{\"k\":[null,\"x\"]}");
}

static void no_number_makes_broken_json(void)
{
    static const double odd[] = {INFINITY, -INFINITY, NAN, 1e300, 1e-300};
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        cleanup_buf struct buf out = BUF_INIT(1024);
        cleanup_value struct value *v = value_float(odd[i]);
        value_json_plain(v, &out);
        const char *text = buf_cstr(&out);
        CHECK(text[0] == '"' || text[0] == '-' || text[0] == 'n' || (text[0] >= '0' && text[0] <= '9'));
        CHECK(!strstr(text, "inf") || text[0] == '"');
        CHECK(!strstr(text, "nan") || text[0] == '"');
    }
}

static void every_kind_has_its_tagged_form(void)
{
    CHECK_TAGGED(value_null(), "{\"type\":\"null\",\"value\":null}");
    CHECK_TAGGED(value_int(3), "{\"type\":\"number\",\"value\":3}");
    CHECK_TAGGED(
        pair(value_bool(false), value_string(STR(""))),
        "{\"type\":\"array\",\"value\":[{\"type\":\"bool\",\"value\":false},{\"type\":\"string\",\"value\":\"\"}]}");
    CHECK_TAGGED(object("k", value_int(1)), "{\"type\":\"object\",\"value\":[{\"key\":\"k\",\"value\":{\"type\":"
                                            "\"number\",\"value\":1}}]}");
}

static void depth_has_an_end(void)
{
    struct value *v = value_int(1);
    for (int i = 0; i < 100; i++)
        v = object("k", v);
    cleanup_value struct value *deep = v;
    cleanup_buf struct buf plain = BUF_INIT(1 << 20), tagged = BUF_INIT(1 << 20);
    value_json_plain(deep, &plain);
    CHECK_HAS(buf_cstr(&plain), "{\"k\":null}");
    tagged_(deep, &tagged);
    CHECK_HAS(buf_cstr(&tagged), "{\"type\":\"null\",\"value\":null}");
}

static void a_body_has_blocks_where_the_schema_says_so(void)
{
    static const struct option inner[] = {{"a", OPT_INT, 0}, {0}};
    static const struct schema block = {.options = inner};
    static const struct option outer[] = {
        {"one", OPT_BLOCK, 0, .block = &block}, {"many", OPT_BLOCKS, 0, .block = &block}, {0}};
    static const struct schema schema = {.options = outer};
    struct value *v = object("one", object("a", value_int(1)));
    value_object_put(v, STR("many"), pair(object("a", value_int(2)), object("a", value_int(3))));
    value_object_put(v, STR("plain"), value_bool(true));
    cleanup_value struct value *all = v;
    cleanup_buf struct buf out = BUF_INIT(4096), attributes = BUF_INIT(4096), none = BUF_INIT(4096);
    value_json_body(all, &schema, &out);
#define ATTR(n) "{\"name\":\"a\",\"type\":\"attr\",\"value\":{\"type\":\"number\",\"value\":" n "}}"
    CHECK_STR(buf_cstr(&out), "[{\"name\":\"one\",\"type\":\"block\",\"body\":[" ATTR(
                                  "1") "]},"
                                       "{\"name\":\"many\",\"type\":\"block\",\"body\":[" ATTR(
                                           "2") "]},"
                                                "{\"name\":\"many\",\"type\":\"block\",\"body\":[" ATTR(
                                                    "3") "]},"
                                                         "{\"name\":\"plain\",\"type\":\"attr\",\"value\":{\"type\":"
                                                         "\"bool\",\"value\":true}}]");
    value_json_body(all, NULL, &attributes);
    CHECK(!strstr(buf_cstr(&attributes), "block"));
    value_json_body(NULL, &schema, &none);
    CHECK_STR(buf_cstr(&none), "[]");
}

static void debug_information_has_a_block_for_each_object_of_a_list(void)
{
    CHECK_DEBUG(object("list", pair(object("a", value_int(1)), object("a", value_int(2)))),
                "[{\"name\":\"list\",\"type\":\"block\",\"body\":[" ATTR(
                    "1") "]},"
                         "{\"name\":\"list\",\"type\":\"block\",\"body\":[" ATTR("2") "]}]");
    CHECK_DEBUG(object("a", value_int(1)), "[" ATTR("1") "]");
}

int main(void)
{
    RUN(every_kind_has_its_plain_form);
    RUN(no_number_makes_broken_json);
    RUN(every_kind_has_its_tagged_form);
    RUN(depth_has_an_end);
    RUN(a_body_has_blocks_where_the_schema_says_so);
    RUN(debug_information_has_a_block_for_each_object_of_a_list);
    return REPORT();
}
