#include "kubernetes/kube_object.h"

#include "kube_fixture.h"

static void reads_what_is_there_and_of_the_type(void)
{
    json_t *o = kube_json("{\"s\":\"x\",\"i\":7,\"b\":true,\"o\":{},\"a\":[1],\"n\":null}");
    struct str s = STR("before");
    int64_t i = 0;
    bool b = false;
    CHECK(kube_has_str(o, "s", &s) && str_is(s, "x"));
    CHECK(!kube_has_str(o, "i", &s) && !kube_has_str(NULL, "s", &s) && str_is(s, "x"));
    CHECK(kube_str(o, "gone").n == 0);
    CHECK(kube_has_int(o, "i", &i) && i == 7);
    CHECK(!kube_has_int(o, "s", &i));
    CHECK(kube_has_bool(o, "b", &b) && b);
    CHECK(!kube_has_bool(o, "n", &b));
    CHECK(kube_get(o, "o") && kube_get(o, "a") && !kube_get(o, "s") && !kube_get(NULL, "o"));
    json_decref(o);
}

static void check_labels(struct labels_builder *b, const char *want)
{
    struct kube_targets t = {0};
    kube_targets_add(&t, b);
    cleanup_free char *text = kube_print(&t);
    CHECK_STR(text, want);
    kube_targets_done(&t);
}

static void names_of_labels_are_made_of_word_characters(void)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    kube_put_key(&b, "pod_label_", STR("app.kubernetes.io/name-x"), STR("v"));
    kube_put_key(&b, "pod_label_", STR("gr\xc3\xbc\xc3\x9f"), STR("v"));
    check_labels(&b, "{pod_label_app_kubernetes_io_name_x=\"v\", pod_label_gr__=\"v\"}\n");
}

static void labels_and_annotations_are_listed_with_their_presence(void)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    json_t *o = kube_json("{\"metadata\":{\"labels\":{\"a\":\"1\"},\"annotations\":{\"b/c\":\"\",\"d\":null}}}");
    kube_put_metadata(&b, "node", o);
    check_labels(&b, "{node_annotation_b_c=\"\", node_annotation_d=\"\", node_annotationpresent_b_c=\"true\", "
                     "node_annotationpresent_d=\"true\", node_label_a=\"1\", node_labelpresent_a=\"true\"}\n");
    json_decref(o);
}

static void addresses_have_ports_and_brackets(void)
{
    static const struct {
        const char *host;
        int64_t port;
        const char *want;
    } cases[] = {{"10.0.0.1", 80, "{__address__=\"10.0.0.1:80\"}\n"},
                 {"fe80::1", 80, "{__address__=\"[fe80::1]:80\"}\n"},
                 {"fe80::1", -1, "{__address__=\"fe80::1\"}\n"},
                 {"", -1, "{__address__=\"\"}\n"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
        kube_put_address(&b, str_of(cases[i].host), cases[i].port);
        check_labels(&b, cases[i].want);
    }
}

int main(void)
{
    RUN(reads_what_is_there_and_of_the_type);
    RUN(names_of_labels_are_made_of_word_characters);
    RUN(labels_and_annotations_are_listed_with_their_presence);
    RUN(addresses_have_ports_and_brackets);
    return REPORT();
}
