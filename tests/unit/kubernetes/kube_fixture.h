/* Targets of objects as text: "{…}\n{…}\n", without the prefix __meta_kubernetes_ of their labels. Header only. */
#pragma once

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "kubernetes/kube_role.h"
#include "test.h"

static inline json_t *kube_json(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);
    if (!json) {
        printf("  %s in %s\n", error.text, text);
        abort();
    }
    return json;
}

/* To be freed. */
static inline char *kube_print(const struct kube_targets *targets)
{
    static const char prefix[] = "__meta_kubernetes_";
    cleanup_buf struct buf all = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);
    for (size_t i = 0; i < targets->len; i++) {
        labels_print(targets->items[i], &all);
        buf_byte(&all, '\n');
    }
    for (const char *c = buf_cstr(&all); *c;) {
        if (strncmp(c, prefix, sizeof prefix - 1) == 0)
            c += sizeof prefix - 1;
        else
            buf_byte(&out, (uint8_t)*c++);
    }
    return xstrdup(buf_cstr(&out));
}

/* The objects that a look-up finds. */
struct kube_known {
    const char *pods, *services; /* JSON objects: "space/name" -> object; NULL = none */
};

static inline json_t *kube_find(void *arg, enum kube_kind kind, struct str space, struct str name)
{
    const struct kube_known *known = arg;
    const char *text = kind == KUBE_POD ? known->pods : known->services;
    cleanup_free char *key = xasprintf("%.*s/%.*s", STR_ARG(space), STR_ARG(name));
    json_t *all = text ? kube_json(text) : NULL, *found = json_incref(json_object_get(all, key));
    json_decref(all);
    return found;
}

static inline char *kube_targets_text(enum kube_kind kind, const char *text, struct kube_known known)
{
    cleanup_kube_targets struct kube_targets targets = {0};
    json_t *object = kube_json(text);
    kube_role_targets(kind, object, kube_find, &known, &targets);
    /* What is pruned is not read. */
    cleanup_kube_targets struct kube_targets again = {0};
    if (kind == KUBE_POD || kind == KUBE_ENDPOINTS || kind == KUBE_ENDPOINTSLICE) {
        kube_role_prune(kind, object);
        kube_role_targets(kind, object, kube_find, &known, &again);
        CHECK_INT(again.len, targets.len);
        /* Only container IDs are in the part of a pod's status that is pruned. */
        for (size_t i = 0; i < again.len && kind != KUBE_POD; i++)
            CHECK(labels_equal(again.items[i], targets.items[i]));
    }
    json_decref(object);
    return kube_print(&targets);
}

#define CHECK_TARGETS(kind, text, known, want)                                                                         \
    do {                                                                                                               \
        cleanup_free char *got_targets_ = kube_targets_text(kind, text, known);                                        \
        CHECK_STR(got_targets_, want);                                                                                 \
    } while (0)
#define KNOWS_NOTHING ((struct kube_known){0})
