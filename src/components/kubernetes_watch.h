/* Follows one collection of the Kubernetes API: lists it, then watches for changes, for ever.
 *
 * An ended watch is resumed from the last resource version, which bookmarks advance. Where the server does not know
 * that version any more (410 Gone), the collection is listed again; what is not in the list is gone. After a failure
 * the request is repeated with a backoff of 0.8 to 30 s, doubled by a random factor of up to 2, or as Retry-After says.
 *
 * At most one object is held (kubernetes/kube_items.h); objects are passed on parsed. Loop thread only.
 * Source: Kubernetes API concepts, "Efficient detection of changes"; spec components §5.2.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "components/kubernetes_access.h"

struct kubernetes_watch;

struct kubernetes_watch_events {
    /* A list begins: whatever does not come until `synced` is gone. */
    void (*begin)(void *arg);
    /* It exists, new or changed, or is gone. `object` is the callee's for the time of the call, and may be changed. */
    void (*object)(void *arg, json_t *object, bool exists);
    void (*synced)(void *arg);
    /* Why it does not work at the moment; NULL: it works again. */
    void (*health)(void *arg, const char *why);
};

struct kubernetes_watch_options {
    uv_loop_t *loop;
    const struct kubernetes_access *access; /* outlives the watch */
    const char *version;                    /* of this program; static */
    const char *path;                       /* "/api/v1/namespaces/x/pods" */
    const char *label, *field;              /* selectors; "" = none */
    const struct kubernetes_watch_events *events;
    void *arg;
};

/* Texts are copied. No callback before the loop runs. */
struct kubernetes_watch *kubernetes_watch_new(const struct kubernetes_watch_options *options);
/* No callback any more. */
void kubernetes_watch_free(struct kubernetes_watch *w);

/* Appends the text as part of a query: what RFC 3986 §2.3 does not call unreserved becomes %XX. */
void kubernetes_query(struct buf *out, const char *text);
