#include "ui/report.h"

#include <errno.h>
#include <jansson.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/gzip.h"
#include "pprof/decode.h"
#include "pprof_maker.h"
#include "test.h"
#include "ui/ui.h"

enum { PAGE_MAX = 16 << 20, BYTES_MAX = 16 << 20 };

static const char data_open[] = "<script id=\"data\" type=\"application/octet-stream\">";

static void add(struct profile_set *set, const struct made_sample *samples, size_t n)
{
    cleanup_buf struct buf pprof = make_profile(&(struct made_profile){.types = {{"cpu", "nanoseconds"}},
                                                                       .period = {"cpu", "nanoseconds"},
                                                                       .samples = samples,
                                                                       .n = n,
                                                                       .time_ns = 1700000000000000000,
                                                                       .duration_ns = 5});
    struct symbols symbols;
    struct profile p;
    struct err err = {0};
    symbols_init(&symbols, BYTES_MAX);
    CHECK_INT(pprof_decode((const char *)pprof.p, pprof.len, BYTES_MAX, &symbols, &p, &err), 0);
    CHECK_INT(profile_set_add(set, "process_cpu", &p, &err), 0);
    profile_done(&p);
    symbols_done(&symbols);
}

/* What the page's script unpacks; new reference. */
static json_t *data_of(const struct buf *page)
{
    cleanup_buf struct buf packed = BUF_INIT(PAGE_MAX), text = BUF_INIT(PAGE_MAX);
    const char *at = memmem(page->p, page->len, data_open, strlen(data_open));
    CHECK(at);
    if (!at)
        return NULL;
    at += strlen(data_open);
    struct err err = {0};
    CHECK_INT(base64_decode((struct str){at, strcspn(at, "<")}, base64_standard, &packed, &err), 0);
    CHECK_INT(gzip_inflate(buf_slice(&packed), &text, &err), 0);
    return json_loadb((const char *)text.p, text.len, 0, NULL);
}

static void the_data_of_the_page_is_a_table_of_nodes(void)
{
    static const struct made_sample samples[] = {{"main;work", {30}, NULL}, {"main", {12}, NULL}};
    cleanup_profile_set struct profile_set set;
    cleanup_buf struct buf page = BUF_INIT(PAGE_MAX);
    struct err err = {0};
    profile_set_init(&set, BYTES_MAX);
    add(&set, samples, 2);
    CHECK_INT(report_put(&(struct report){.title = "a.jfr", .set = &set}, &page, &err), 0);
    json_t *data = data_of(&page);
    CHECK_STR(json_string_value(json_object_get(data, "title")), "a.jfr");
    CHECK(json_is_false(json_object_get(data, "compare")));
    const json_t *p = json_array_get(json_object_get(data, "profiles"), 0);
    CHECK_STR(json_string_value(json_object_get(p, "name")), "process_cpu");
    CHECK_INT(json_integer_value(json_object_get(p, "time_ns")), 1700000000000000000);
    cleanup_free char *names = json_dumps(json_object_get(p, "names"), JSON_COMPACT);
    cleanup_free char *up = json_dumps(json_object_get(p, "up"), JSON_COMPACT);
    cleanup_free char *node = json_dumps(json_object_get(p, "node"), JSON_COMPACT);
    cleanup_free char *self = json_dumps(json_object_get(p, "self"), JSON_COMPACT);
    cleanup_free char *types = json_dumps(json_object_get(p, "types"), JSON_COMPACT);
    CHECK_STR(types, "[[\"cpu\",\"nanoseconds\"]]");
    CHECK_STR(names, "[\"total\",\"main\",\"work\"]");
    CHECK_STR(up, "[0,1,1]");
    CHECK_STR(node, "[0,1,2]");
    CHECK_STR(self, "[[0,12,30]]");
    json_decref(data);
}

static void nothing_foreign_is_in_the_page_but_as_base64(void)
{
    static const struct made_sample samples[] = {{"</script><script>alert(1)</script>", {1}, NULL}};
    cleanup_profile_set struct profile_set set;
    cleanup_buf struct buf page = BUF_INIT(PAGE_MAX);
    struct err err = {0};
    profile_set_init(&set, BYTES_MAX);
    add(&set, samples, 1);
    const struct report r = {.title = "</script><img src=x onerror=alert(2)>@DATA@", .set = &set};
    CHECK_INT(report_put(&r, &page, &err), 0);
    const struct str template = ui_report_page();
    CHECK(!strstr(buf_cstr(&page), "alert(") && !strstr(buf_cstr(&page), "@DATA@"));
    /* The template, with one place filled. */
    const char *mark = memmem(template.p, template.n, "@DATA@", 6);
    const size_t before = (size_t)(mark - template.p), after = template.n - before - 6;
    CHECK(memcmp(page.p, template.p, before) == 0);
    CHECK(memcmp(page.p + page.len - after, mark + 6, after) == 0);
    json_t *data = data_of(&page);
    CHECK_STR(json_string_value(json_object_get(data, "title")), r.title);
    json_decref(data);
}

static void a_page_that_does_not_fit_is_an_error(void)
{
    static const struct made_sample samples[] = {{"main", {1}, NULL}};
    cleanup_profile_set struct profile_set set;
    cleanup_buf struct buf page = BUF_INIT(1000);
    struct err err = {0};
    profile_set_init(&set, BYTES_MAX);
    add(&set, samples, 1);
    CHECK_INT(report_put(&(struct report){.title = "", .set = &set}, &page, &err), -E2BIG);
    CHECK_HAS(err.text, "larger than");
}

static void both_pages_load_nothing(void)
{
    const struct str pages[] = {ui_page(), ui_report_page()};
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        CHECK(!memmem(pages[i].p, pages[i].n, " src=\"", 6));
        CHECK(!memmem(pages[i].p, pages[i].n, "<link rel=\"stylesheet\"", 22));
        CHECK(!memmem(pages[i].p, pages[i].n, "@SCRIPTS@", 9) && !memmem(pages[i].p, pages[i].n, "@STYLES@", 8));
        CHECK(!memmem(pages[i].p, pages[i].n, "unsafe-inline", 13));
    }
}

int main(void)
{
    RUN(the_data_of_the_page_is_a_table_of_nodes);
    RUN(nothing_foreign_is_in_the_page_but_as_base64);
    RUN(a_page_that_does_not_fit_is_an_error);
    RUN(both_pages_load_nothing);
    return REPORT();
}
