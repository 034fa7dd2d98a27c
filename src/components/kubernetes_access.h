/* Where the Kubernetes API is and how to authenticate there: an address with HTTP client settings, a kubeconfig file,
 * or the service account of the pod that this runs in.
 *
 * A kubeconfig is read once; files that it or the service account names (tokens, which are rotated, and certificates)
 * are read for every request or connection. Credential plugins (`exec`, `auth-provider`) are rejected.
 * Source: spec components §5.2; Kubernetes, "Organizing Cluster Access Using kubeconfig Files", "Accessing the
 * Kubernetes API from a Pod".
 */
#pragma once

#include <stdint.h>

#include "components/http_settings.h"
#include "net/http_client.h"

/* Must not be moved: TLS settings point into it. */
struct kubernetes_access {
    char *server;                     /* without a slash at the end */
    struct http_settings own;         /* of a kubeconfig or service account */
    const struct http_settings *http; /* `own` or the caller's */
    struct http_settings_open opened;
};
#define KUBERNETES_ACCESS_INIT ((struct kubernetes_access){.opened = HTTP_SETTINGS_OPEN_INIT})

/* Whether any of them differs from its default. */
bool kubernetes_access_is_custom(const struct http_settings *http);

/* "" for what is not configured; both: the kubeconfig. `http` is used with api_server only and must outlive the access.
 */
must_check int kubernetes_access_open(struct kubernetes_access *a, const char *api_server, const char *kubeconfig,
                                      const struct http_settings *http, struct err *err);
void kubernetes_access_close(struct kubernetes_access *a);

/* The namespace of the pod that this runs in; to be freed. */
must_check int kubernetes_access_namespace(char **ret, struct err *err);

/* A GET; callbacks as of http_start(). */
struct kubernetes_request {
    const char *path;    /* with its query: "/api/v1/pods?limit=1" */
    const char *version; /* of this program, for User-Agent */
    int64_t timeout_ms;
    size_t response_max;
    void (*piece)(void *arg, int status, struct str bytes);
    http_done *done;
    void *arg;
};
must_check int kubernetes_access_get(const struct kubernetes_access *a, struct http_client *client,
                                     const struct kubernetes_request *req, struct http_call **ret, struct err *err);

/* What went wrong: the server's words (a Status object), the HTTP status, or the client's error. To be freed. */
char *kubernetes_access_failure(const struct http_response *r);
