#include "components/pyroscope_java_labels.h"

#include "base/cleanup.h"
#include "test.h"

/* name, value, … */
static struct labels *target_of(const char *const *pairs)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    for (; *pairs; pairs += 2)
        labels_set(&b, str_of(pairs[0]), str_of(pairs[1]));
    return labels_build(&b, false);
}

#define ANNOTATION "__meta_kubernetes_pod_annotation_pyroscope_io_service_name"
#define NAMESPACE  "__meta_kubernetes_namespace"
#define CONTAINER  "__meta_kubernetes_pod_container_name"
#define DOCKER     "__meta_docker_container_name"
#define SWARM_OWN  "__meta_dockerswarm_container_label_service_name"
#define SWARM      "__meta_dockerswarm_service_name"

static void infers_the_service_name_in_the_documents_order(void)
{
    static const struct {
        const char *want;
        const char *pairs[16];
    } cases[] = {
        {"mine", {"service_name", "mine", ANNOTATION, "a", SWARM, "s"}},
        {"a", {"service_name", "", ANNOTATION, "a", NAMESPACE, "ns", CONTAINER, "c", DOCKER, "/d", SWARM, "s"}},
        {"java/ns/c", {ANNOTATION, "", NAMESPACE, "ns", CONTAINER, "c", DOCKER, "/d"}},
        {"d", {NAMESPACE, "ns", DOCKER, "/d", SWARM_OWN, "o"}}, /* both halves are needed */
        {"d", {CONTAINER, "c", NAMESPACE, "", DOCKER, "d"}},
        {"o", {DOCKER, "/", SWARM_OWN, "o", SWARM, "s"}},
        {"s", {SWARM_OWN, "", SWARM, "s"}},
        {"unspecified", {"__process_pid__", "7"}},
        {"com.example.Main", {"__meta_process_java_main", "com.example.Main"}},
        {"s", {SWARM, "s", "__meta_process_java_main", "com.example.Main"}},
        {"unspecified", {"__meta_process_java_main", ""}},
        {"unspecified", {ANNOTATION, "", DOCKER, "", SWARM, ""}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct labels *target = target_of(cases[i].pairs), *got = java_profile_labels(target, "wall", "", "");
        CHECK_STR(labels_get(got, STR("service_name")).p, cases[i].want);
        labels_unref(target);
        labels_unref(got);
    }
}

static void keeps_what_is_not_internal_and_adds_its_own(void)
{
    const char *const pairs[] = {"__process_pid__", "7",    "env",      "prod", "_x", "1", "empty", "",
                                 "jfr_event",       "fake", "__name__", "fake", NULL};
    struct labels *target = target_of(pairs), *got = java_profile_labels(target, "process_cpu", "itimer", "1.2");
    cleanup_buf struct buf text = BUF_INIT(1 << 10);
    labels_print(got, &text);
    CHECK_STR(buf_cstr(&text),
              "{__delta__=\"false\", __name__=\"process_cpu\", _x=\"1\", env=\"prod\", "
              "jfr_event=\"itimer\", otel.scope.name=\"com.grafana.alloy/pyroscope.java\", otel.scope.version=\"1.2\", "
              "pyroscope_spy=\"grafana-agent.java\", service_name=\"unspecified\"}");
    labels_unref(target);
    labels_unref(got);
}

static void a_scope_of_the_target_is_kept_and_has_no_version_of_ours(void)
{
    const char *const own[] = {"otel.scope.name", "mine", NULL}, *const versioned[] = {"otel.scope.version", "7", NULL};
    struct labels *target = target_of(own), *got = java_profile_labels(target, "memory", "", "1.2");
    CHECK_STR(labels_get(got, STR("otel.scope.name")).p, "mine");
    CHECK(!labels_has(got, STR("otel.scope.version")));
    labels_unref(target);
    labels_unref(got);
    target = target_of(versioned);
    got = java_profile_labels(target, "memory", "", "1.2");
    CHECK_STR(labels_get(got, STR("otel.scope.version")).p, "7");
    labels_unref(target);
    labels_unref(got);
}

static void leaves_the_event_out_when_there_is_none(void)
{
    const char *const none[] = {NULL};
    struct labels *target = target_of(none), *got = java_profile_labels(target, "memory", "", "");
    CHECK(!labels_has(got, STR("jfr_event")));
    labels_unref(target);
    labels_unref(got);
}

static void a_target_is_known_by_its_main_class_or_jar(void)
{
    static const struct {
        const char *pairs[3], *want;
    } cases[] = {
        {{"__meta_process_java_main", "com.example.Main", NULL}, "com.example.Main"},
        {{"__meta_process_commandline", "java -Xmx1g -jar /srv/shop.jar x", NULL}, "shop"},
        {{"env", "prod", NULL}, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct labels *target = target_of(cases[i].pairs);
        char *room = NULL;
        CHECK(str_is(java_main(target, &room), cases[i].want));
        free(room);
        labels_unref(target);
    }
}

static void cuts_a_service_name_that_would_not_fit(void)
{
    char container[2 * JAVA_SERVICE_MAX], room[JAVA_SERVICE_MAX];
    memset(container, 'c', sizeof container - 1);
    container[sizeof container - 1] = '\0';
    const char *const pairs[] = {NAMESPACE, "ns", CONTAINER, container, NULL};
    struct labels *target = target_of(pairs);
    CHECK_INT(java_service_name(target, room).n, JAVA_SERVICE_MAX - 1);
    labels_unref(target);
}

static void a_recording_has_the_labels_of_its_profiles_and_its_process(void)
{
    const char *const pairs[] = {"__meta_process_cwd", "/", "team", "a", "service_name", "shop", NULL};
    struct labels *target = target_of(pairs), *got = java_recording_labels(target, 77);
    cleanup_buf struct buf text = BUF_INIT(1000);
    labels_print(got, &text);
    CHECK_STR(buf_cstr(&text), "{__name__=\"jfr\", __process_pid__=\"77\", service_name=\"shop\", team=\"a\"}");
    labels_unref(target);
    labels_unref(got);
}

static void a_recording_cannot_make_up_events(void)
{
    struct java_events seen = {0};
    CHECK_STR(java_event_label(&seen, "ctimer", "cpu"),
              "ctimer"); /* what the profiler takes where cpu is not to be had */
    CHECK_STR(java_event_label(&seen, "app.Main.method", "app.Main.method"), "app.Main.method");
    CHECK_STR(java_event_label(&seen, "app.Main.method", "cpu"), "other");
    CHECK_STR(java_event_label(&seen, "ev1\"\n} evil{x=\"\x1b]0;", "cpu"), "other");
    CHECK_STR(java_event_label(&seen, "cpux", "cpu"), "other");
    CHECK_STR(java_event_label(&seen, "", "cpu"), "");
    CHECK_STR(java_event_label(&seen, "wall", "cpu"), "wall");
    CHECK_STR(java_event_label(&seen, "cycles", "cpu"), "cycles");
    CHECK_STR(java_event_label(&seen, "instructions", "cpu"), "other"); /* one too many */
    CHECK_STR(java_event_label(&seen, "ctimer", "cpu"), "ctimer");
    CHECK_STR(java_event_label(&seen, "cpu", "cpu"), "cpu");
}

int main(void)
{
    RUN(infers_the_service_name_in_the_documents_order);
    RUN(keeps_what_is_not_internal_and_adds_its_own);
    RUN(a_scope_of_the_target_is_kept_and_has_no_version_of_ours);
    RUN(leaves_the_event_out_when_there_is_none);
    RUN(a_target_is_known_by_its_main_class_or_jar);
    RUN(cuts_a_service_name_that_would_not_fit);
    RUN(a_recording_has_the_labels_of_its_profiles_and_its_process);
    RUN(a_recording_cannot_make_up_events);
    return REPORT();
}
