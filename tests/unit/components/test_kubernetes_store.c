#include "components/kubernetes_store.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "test.h"

static json_t *json(const char *text)
{
    json_t *o = json_loads(text, 0, NULL);
    if (!o)
        abort();
    return o;
}

static enum kubernetes_change put(struct kubernetes_store *s, enum kube_kind kind, unsigned source, const char *text)
{
    json_t *o = json(text);
    const enum kubernetes_change change = kubernetes_store_put(s, kind, source, o);
    json_decref(o);
    return change;
}

static void gone(struct kubernetes_store *s, enum kube_kind kind, const char *text)
{
    json_t *o = json(text);
    CHECK_INT(kubernetes_store_delete(s, kind, o), KUBERNETES_DELETED);
    json_decref(o);
}

/* A pod with one port; its address tells versions apart. */
static char *pod_text(const char *space, const char *name, const char *ip, int version)
{
    return xasprintf("{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\",\"uid\":\"u\",\"resourceVersion\":\"%d\"},"
                     "\"spec\":{\"nodeName\":\"n\",\"containers\":[{\"name\":\"c\"}]},\"status\":{\"podIP\":\"%s\"}}",
                     name, space, version, ip);
}

static enum kubernetes_change put_pod(struct kubernetes_store *s, unsigned source, const char *space, const char *name,
                                      const char *ip, int version)
{
    cleanup_free char *text = pod_text(space, name, ip, version);
    return put(s, KUBE_POD, source, text);
}

/* A label of all targets, separated by spaces; "-" where it is missing. */
static char *values_of(const struct kubernetes_store *s, const char *name)
{
    cleanup_buf struct buf out = BUF_INIT(1 << 16);
    size_t n;
    cleanup_free struct labels **targets = kubernetes_store_targets(s, &n);
    for (size_t i = 0; i < n; i++) {
        const struct str value = labels_get(targets[i], str_of(name));
        buf_printf(&out, "%s%.*s", i ? " " : "", STR_ARG(value.n ? value : STR("-")));
    }
    return xstrdup(buf_cstr(&out));
}
#define CHECK_VALUES(s, name, want)                                                                                    \
    do {                                                                                                               \
        cleanup_free char *values_ = values_of(s, name);                                                               \
        CHECK_STR(values_, want);                                                                                      \
    } while (0)

static void targets_are_in_the_order_of_names(void)
{
    struct kubernetes_store *s = kubernetes_store_new(KUBE_POD, false, false);
    CHECK_INT(put_pod(s, 0, "b", "x", "3", 1), KUBERNETES_ADDED);
    CHECK_INT(put_pod(s, 0, "a", "y", "2", 1), KUBERNETES_ADDED);
    CHECK_INT(put_pod(s, 0, "a", "x", "1", 1), KUBERNETES_ADDED);
    CHECK(kubernetes_store_settle(s));
    CHECK_VALUES(s, "__address__", "1 2 3");
    CHECK_INT(kubernetes_store_len(s), 3);
    kubernetes_store_free(s);
}

static void what_does_not_change_is_no_change(void)
{
    struct kubernetes_store *s = kubernetes_store_new(KUBE_POD, false, false);
    put_pod(s, 0, "a", "x", "1", 1);
    CHECK(kubernetes_store_settle(s));
    CHECK_INT(put_pod(s, 0, "a", "x", "other, but of the same version", 1), KUBERNETES_SAME);
    CHECK(!kubernetes_store_settle(s));
    CHECK_INT(put_pod(s, 0, "a", "x", "1", 2), KUBERNETES_UPDATED);
    CHECK(!kubernetes_store_settle(s));
    put_pod(s, 0, "a", "x", "2", 3);
    CHECK(kubernetes_store_settle(s));
    CHECK_VALUES(s, "__address__", "2");
    cleanup_free char *text = pod_text("a", "x", "", 4);
    gone(s, KUBE_POD, text);
    CHECK(kubernetes_store_settle(s));
    CHECK_VALUES(s, "__address__", "");
    kubernetes_store_free(s);
}

static void a_list_removes_what_is_not_in_it_of_its_source(void)
{
    struct kubernetes_store *s = kubernetes_store_new(KUBE_POD, false, false);
    kubernetes_store_begin(s, 0);
    kubernetes_store_begin(s, 1);
    put_pod(s, 0, "a", "x", "1", 1);
    put_pod(s, 0, "a", "y", "2", 1);
    put_pod(s, 1, "b", "z", "3", 1);
    kubernetes_store_end(s, KUBE_POD, 0);
    kubernetes_store_end(s, KUBE_POD, 1);
    CHECK_VALUES(s, "__address__", "1 2 3");
    kubernetes_store_begin(s, 0);
    kubernetes_store_begin(s, 1);
    put_pod(s, 0, "a", "y", "2", 1);
    kubernetes_store_end(s, KUBE_POD, 0);
    CHECK_VALUES(s, "__address__", "2 3");
    kubernetes_store_end(s, KUBE_POD, 1);
    CHECK_VALUES(s, "__address__", "2");
    kubernetes_store_free(s);
}

#define NODE(version, zone)                                                                                            \
    "{\"metadata\":{\"name\":\"n\",\"uid\":\"u\",\"resourceVersion\":\"" version "\",\"labels\":{\"zone\":\"" zone     \
    "\"}}}"

static void pods_of_unknown_nodes_are_left_out_and_nodes_change_them(void)
{
    static const char zone[] = "__meta_kubernetes_node_label_zone";
    struct kubernetes_store *s = kubernetes_store_new(KUBE_POD, true, true);
    put_pod(s, 0, "a", "x", "1", 1);
    (void)kubernetes_store_settle(s);
    CHECK_VALUES(s, "__address__", "");
    put(s, KUBE_NODE, 1, NODE("1", "north"));
    CHECK(kubernetes_store_settle(s));
    CHECK_VALUES(s, zone, "north");
    put(s, KUBE_NODE, 1, NODE("2", "north")); /* a heartbeat */
    CHECK(!kubernetes_store_settle(s));
    put(s, KUBE_NODE, 1, NODE("3", "south"));
    put(s, KUBE_NAMESPACE, 2, "{\"metadata\":{\"name\":\"a\",\"annotations\":{\"team\":\"red\"}}}");
    CHECK(kubernetes_store_settle(s));
    CHECK_VALUES(s, zone, "south");
    CHECK_VALUES(s, "__meta_kubernetes_namespace_annotation_team", "red");
    put(s, KUBE_NAMESPACE, 2, "{\"metadata\":{\"name\":\"a\"}}");
    CHECK(kubernetes_store_settle(s));
    CHECK_VALUES(s, "__meta_kubernetes_namespace_annotation_team", "-");
    put_pod(s, 0, "a", "x", "2", 2);
    CHECK_VALUES(s, zone, "south");
    gone(s, KUBE_NODE, NODE("4", ""));
    CHECK(kubernetes_store_settle(s));
    CHECK_VALUES(s, "__address__", "");
    kubernetes_store_free(s);
}

static void endpoints_follow_their_pods_and_services(void)
{
    struct kubernetes_store *s = kubernetes_store_new(KUBE_ENDPOINTS, false, false);
    put(s, KUBE_ENDPOINTS, 0,
        "{\"metadata\":{\"name\":\"e\",\"namespace\":\"a\"},\"subsets\":[{\"addresses\":[{\"ip\":\"1\","
        "\"targetRef\":{\"kind\":\"Pod\",\"namespace\":\"a\",\"name\":\"x\"}}],\"ports\":[{\"port\":80}]}]}");
    CHECK(kubernetes_store_settle(s));
    CHECK_VALUES(s, "__meta_kubernetes_pod_ip", "-");
    put_pod(s, 2, "a", "x", "1", 1);
    put_pod(s, 2, "a", "other", "9", 1);
    CHECK(kubernetes_store_settle(s));
    CHECK_VALUES(s, "__meta_kubernetes_pod_ip", "1");
    put_pod(s, 2, "a", "other", "8", 2);
    CHECK(!kubernetes_store_settle(s));
    put_pod(s, 2, "a", "x", "1", 2); /* nothing that is read */
    CHECK(!kubernetes_store_settle(s));
    put(s, KUBE_SERVICE, 1, "{\"metadata\":{\"name\":\"e\",\"namespace\":\"a\",\"labels\":{\"l\":\"v\"}}}");
    CHECK(kubernetes_store_settle(s));
    CHECK_VALUES(s, "__meta_kubernetes_service_label_l", "v");
    cleanup_free char *pod = pod_text("a", "x", "1", 3);
    gone(s, KUBE_POD, pod);
    CHECK(kubernetes_store_settle(s));
    CHECK_VALUES(s, "__meta_kubernetes_pod_ip", "-");
    kubernetes_store_free(s);
}

static void a_known_text_is_not_read_again(void)
{
    struct kubernetes_store *s = kubernetes_store_new(KUBE_POD, false, false);
    cleanup_free char *one = pod_text("a", "x", "1", 1), *two = pod_text("a", "x", "2", 1);
    json_t *first = json(one), *second = json(two);
    kubernetes_store_begin(s, 0);
    CHECK(!kubernetes_store_known(s, 0, str_of(one)));
    kubernetes_store_put_text(s, KUBE_POD, 0, first, str_of(one));
    kubernetes_store_end(s, KUBE_POD, 0);
    kubernetes_store_begin(s, 0);
    CHECK(kubernetes_store_known(s, 0, str_of(one)));
    kubernetes_store_end(s, KUBE_POD, 0);
    CHECK_VALUES(s, "__address__", "1");
    kubernetes_store_begin(s, 0);
    CHECK(!kubernetes_store_known(s, 0, str_of(two)));
    kubernetes_store_put_text(s, KUBE_POD, 0, second, str_of(two)); /* of the same version */
    CHECK(!kubernetes_store_known(s, 0, str_of(one)));
    kubernetes_store_end(s, KUBE_POD, 0);
    CHECK_VALUES(s, "__address__", "2");
    kubernetes_store_begin(s, 0);
    kubernetes_store_end(s, KUBE_POD, 0);
    CHECK(!kubernetes_store_known(s, 0, str_of(two)));
    CHECK_VALUES(s, "__address__", "");
    json_decref(first);
    json_decref(second);
    kubernetes_store_free(s);
}

int main(void)
{
    RUN(targets_are_in_the_order_of_names);
    RUN(what_does_not_change_is_no_change);
    RUN(a_list_removes_what_is_not_in_it_of_its_source);
    RUN(pods_of_unknown_nodes_are_left_out_and_nodes_change_them);
    RUN(endpoints_follow_their_pods_and_services);
    RUN(a_known_text_is_not_read_again);
    return REPORT();
}
