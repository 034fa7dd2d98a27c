#include "pyroscope/ingest_name.h"

#include "test.h"

static void names_are_an_application_and_its_labels(void)
{
    static const struct {
        const char *text, *labels;
    } cases[] = {
        {"shop", "{__name__=\"shop\"}"},
        {"shop.cpu{}", "{__name__=\"shop.cpu\"}"},
        {" a/b-c_d.cpu {region=eu, pod.name = a b }", "{__name__=\"a/b-c_d.cpu\", pod.name=\"a b\", region=\"eu\"}"},
        {"shop{a=1,a=2}", "{__name__=\"shop\", a=\"2\"}"},
        {"shop{a=x=y,zone=\"z\"}", "{__name__=\"shop\", a=\"x=y\", zone=\"\\\"z\\\"\"}"},
        {"shop{a=1,}", "{__name__=\"shop\", a=\"1\"}"},
        {"shop{a=1", "{__name__=\"shop\", a=\"1\"}"},
        {"shop{a=1}b=2", "{__name__=\"shop\", a=\"1\"}"},
        {"shop{a}", "{__name__=\"shop\"}"},
        {"shop{", "{__name__=\"shop\"}"},
        {"shop{service_name=bank}", "{__name__=\"shop\", service_name=\"bank\"}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct labels *ls = NULL;
        struct err err = {0};
        cleanup_buf struct buf text = BUF_INIT(1000);
        CHECK_INT(ingest_name_parse(str_of(cases[i].text), &ls, &err), 0);
        CHECK_STR(err.text, "");
        labels_print(ls, &text);
        CHECK_STR(buf_cstr(&text), cases[i].labels);
        labels_unref(ls);
    }
}

static void what_the_server_would_refuse_is_refused(void)
{
    static const struct {
        const char *text, *problem;
    } cases[] = {
        {"", "service name is required"},
        {"{a=1}", "service name is required"},
        {"sh op", "invalid service name: sh op: character is not allowed: ' '"},
        {"shop{a-b=1}", "invalid label name: a-b: character is not allowed: '-'"},
        {"shop{=1}", "label name is required"},
        {"caf\xc3\xa9", "character is not allowed: '?'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct labels *ls = NULL;
        struct err err = {0};
        CHECK(ingest_name_parse(str_of(cases[i].text), &ls, &err) < 0);
        CHECK_HAS(err.text, cases[i].problem);
        CHECK(ls == NULL);
    }
    cleanup_buf struct buf many = BUF_INIT(1 << 16);
    buf_puts(&many, "shop{");
    for (int i = 0; i < 300; i++)
        buf_printf(&many, "l%d=1,", i);
    struct labels *ls;
    struct err err = {0};
    CHECK(ingest_name_parse(buf_slice(&many), &ls, &err) < 0);
    CHECK_HAS(err.text, "more than 200 labels");
}

int main(void)
{
    RUN(names_are_an_application_and_its_labels);
    RUN(what_the_server_would_refuse_is_refused);
    return REPORT();
}
