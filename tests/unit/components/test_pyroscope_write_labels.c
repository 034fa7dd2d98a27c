#include "components/pyroscope_write_labels.h"

#include "base/cleanup.h"
#include "test.h"

/* "a=1 b=" to a label set; `n` bytes, so that a value may hold anything but a blank. */
static struct labels *labels_of(const char *text)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    struct str rest = str_of(text), pair;
    while (str_split(&rest, ' ', &pair)) {
        const char *eq = memchr(pair.p, '=', pair.n);
        if (eq)
            labels_set(&b, (struct str){pair.p, (size_t)(eq - pair.p)},
                       (struct str){eq + 1, (size_t)(pair.p + pair.n - eq - 1)});
    }
    return labels_build(&b, false);
}

static void leaves_out_overlays_and_deletes(void)
{
    char env[] = "env", service_name[] = "service_name", forced[] = "forced", empty[] = "";
    char region_name[] = "region", eu[] = "eu", hidden_name[] = "__x__", kept[] = "kept";
    struct string_pair region[] = {{region_name, eu}}, both[] = {{env, empty}, {service_name, forced}},
                       hidden[] = {{hidden_name, kept}};
    static const struct string_map none = {0};
    const struct string_map add_region = {region, 1}, replace = {both, 2}, internal = {hidden, 1};
    const struct {
        const char *in;
        const struct string_map *external;
        const char *want;
    } cases[] = {
        {"__name__=cpu service_name=a", &none, "{__name__=\"cpu\", service_name=\"a\"}"},
        {"__name__=cpu __delta__=false __meta_x=1 __session_id__=2 b=", &none,
         "{__delta__=\"false\", __name__=\"cpu\", b=\"\"}"},
        {"z=1 a=2", &add_region, "{a=\"2\", region=\"eu\", z=\"1\"}"},
        {"env=prod service_name=a", &replace, "{service_name=\"forced\"}"},
        {"a=1", &internal, "{__x__=\"kept\", a=\"1\"}"},
        {"a.b=1 _c9=2", &none, "{_c9=\"2\", a.b=\"1\"}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct labels *in = labels_of(cases[i].in), *out = NULL;
        struct err err = {0};
        cleanup_buf struct buf text = BUF_INIT(4096);
        CHECK_INT(write_labels(in, cases[i].external, &out, &err), 0);
        labels_print(out, &text);
        CHECK_STR(buf_cstr(&text), cases[i].want);
        labels_unref(in);
        labels_unref(out);
    }
}

static void refuses_labels_the_server_would_refuse(void)
{
    static const struct {
        const char *in, *why;
    } cases[] = {
        {"", "invalid labels in profile: service name is required"},
        {"a-b=1", "invalid labels in profile: invalid label name: a-b: character is not allowed: '-'"},
        {"\xc3\xa9=1", "invalid label name"},
        {"=1", "invalid label name"},
        {"a=\xff", "invalid label value for a"},
        {"__meta-x=1", "character is not allowed: '-'"},
    };
    static const struct string_map none = {0};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct labels *in = labels_of(cases[i].in), *out = NULL;
        struct err err = {0};
        CHECK_INT(write_labels(in, &none, &out, &err), -22);
        CHECK(out == NULL);
        CHECK_HAS(err.text, cases[i].why);
        labels_unref(in);
    }
}

int main(void)
{
    RUN(leaves_out_overlays_and_deletes);
    RUN(refuses_labels_the_server_would_refuse);
    return REPORT();
}
