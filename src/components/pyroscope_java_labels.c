#include "components/pyroscope_java_labels.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "components/pyroscope_java_args.h"
#include "flow/receiver.h"
#include "jvm/probe/command_line.h"
#include "pprof/settings.h"

static struct str java_labels_get(const struct labels *ls, const char *name)
{
    return labels_get(ls, str_of(name));
}

struct str java_service_name(const struct labels *target, char room[JAVA_SERVICE_MAX])
{
    struct str own = java_labels_get(target, "service_name");
    if (own.n)
        return own;
    struct str annotation = java_labels_get(target, "__meta_kubernetes_pod_annotation_pyroscope_io_service_name");
    if (annotation.n)
        return annotation;
    struct str ns = java_labels_get(target, "__meta_kubernetes_namespace");
    struct str container = java_labels_get(target, "__meta_kubernetes_pod_container_name");
    if (ns.n && container.n) {
        /* Kubernetes' own limits are 63 bytes each. */
        snprintf(room, JAVA_SERVICE_MAX, "java/%.*s/%.*s", STR_ARG(ns), STR_ARG(container));
        return str_of(room);
    }
    /* Docker's names begin with a slash, which is no part of what people call the container. */
    struct str docker = java_labels_get(target, "__meta_docker_container_name");
    while (docker.n && docker.p[0] == '/')
        docker = (struct str){docker.p + 1, docker.n - 1};
    if (docker.n)
        return docker;
    struct str swarm = java_labels_get(target, "__meta_dockerswarm_container_label_service_name");
    if (swarm.n)
        return swarm;
    swarm = java_labels_get(target, "__meta_dockerswarm_service_name");
    if (swarm.n)
        return swarm;
    const struct str main = java_labels_get(target, "__meta_process_java_main");
    return main.n ? main : STR("unspecified");
}

const char *java_event_label(struct java_events *seen, const char *event, const char *configured)
{
    /* The configured one may have been cut to fit. */
    if (strncmp(event, configured, JAVA_EVENT_MAX - 1) == 0)
        return configured;
    const char *own = settings_own_event(event);
    for (size_t i = 0; own && i < JAVA_EVENTS_MAX; i++) {
        if (!seen->own[i])
            seen->own[i] = own;
        if (seen->own[i] == own)
            return own;
    }
    return JAVA_EVENT_OTHER;
}

/* A version belongs to the scope it is of. */
static void java_set_scope(struct labels_builder *b, const char *version)
{
    const struct str name = STR("otel.scope.name"), ours = STR("com.grafana.alloy/pyroscope.java");
    if (!labels_builder_get(b, name).n)
        labels_set(b, name, ours);
    const struct str key = STR("otel.scope.version");
    if (version && *version && str_eq(labels_builder_get(b, name), ours) && !labels_builder_get(b, key).n)
        labels_set(b, key, str_of(version));
}

static void java_public_labels(struct labels_builder *b, const struct labels *target)
{
    char room[JAVA_SERVICE_MAX];
    for (size_t i = 0; i < labels_len(target); i++) {
        const struct label *l = labels_at(target, i);
        if (!str_has_prefix(l->name, STR("__")))
            labels_set(b, l->name, l->value);
    }
    labels_set(b, STR("service_name"), java_service_name(target, room));
}

struct labels *java_profile_labels(const struct labels *target, const char *name, const char *event,
                                   const char *version)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    java_public_labels(&b, target);
    labels_set(&b, STR("pyroscope_spy"), STR("grafana-agent.java"));
    labels_set(&b, STR("__delta__"), STR("false"));
    labels_set(&b, STR("jfr_event"), str_of(event));
    labels_set(&b, STR("__name__"), str_of(name));
    java_set_scope(&b, version);
    return labels_build(&b, true);
}

struct labels *java_recording_labels(const struct labels *target, pid_t pid)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    char text[16];
    snprintf(text, sizeof text, "%d", (int)pid);
    java_public_labels(&b, target);
    labels_set(&b, STR("__process_pid__"), str_of(text));
    labels_set(&b, STR("__name__"), STR(RECORDING_NAME));
    return labels_build(&b, true);
}

struct str java_main(const struct labels *target, char **room)
{
    const struct str known = labels_get(target, STR("__meta_process_java_main"));
    const struct str joined = labels_get(target, STR("__meta_process_commandline"));
    if (known.n || !joined.n)
        return known;
    *room = str_dup(joined);
    for (char *c = *room; *c; c++)
        if (*c == ' ')
            *c = '\0';
    return command_line_main((struct str){*room, joined.n});
}

struct str java_container(const struct labels *target)
{
    static const char *const names[] = {"__container_id__", "__meta_kubernetes_pod_container_id",
                                        "__meta_docker_container_id", "__meta_dockerswarm_task_container_id"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct str id = java_labels_get(target, names[i]);
        const char *scheme = id.n ? memmem(id.p, id.n, "://", 3) : NULL; /* "containerd://…" of Kubernetes */
        if (scheme)
            return (struct str){scheme + 3, id.n - (size_t)(scheme + 3 - id.p)};
        if (id.n)
            return id;
    }
    return STR("");
}
