/* remote.kubernetes.configmap and remote.kubernetes.secret: the data of one object, polled. What they have in common.
 *
 * Startup does not wait for the first answer: what refers to the data is built when it is there. After a failed request
 * the data stays and the component is unhealthy. Source: spec components §5.6.
 */
#pragma once

#include "components/kubernetes_access.h"
#include "graph/component.h"
#include "lang/schema.h"

struct remote_object_kind {
    const char *plural; /* "secrets" */
    const char *got;    /* health: "got secret" */
    bool is_secret;     /* its values are, and are coded in base64 */
};

extern const struct schema remote_object_schema;
extern const char *const remote_object_exports[];

/* For a component's build; the rest are its callbacks as they are. */
must_check int remote_object_build(struct component *self, const struct remote_object_kind *kind, const void *args,
                                   void **ret_state, struct err *err);
int remote_object_update(void *state, const void *args, struct err *err);
void remote_object_start(void *state);
void remote_object_stop(void *state);
void remote_object_free(void *state);
