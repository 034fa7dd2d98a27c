#include "components/discovery_kubernetes_args.h"

#include <errno.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "components/kubernetes_access.h"
#include "net/url.h"

/* --- tables --- */

static const struct option_words role_words = {
    .unknown = "unknown Kubernetes SD role",
    .form = UNKNOWN_LISTED,
    .words = (const struct option_word[]){{"pod", KUBE_POD},
                                          {"node", KUBE_NODE},
                                          {"service", KUBE_SERVICE},
                                          {"endpoints", KUBE_ENDPOINTS},
                                          {"endpointslice", KUBE_ENDPOINTSLICE},
                                          {"ingress", KUBE_INGRESS},
                                          {0}},
};

static const struct option namespaces_options[] = {
    {"own_namespace", OPT_BOOL, offsetof(struct kubernetes_namespaces_args, own_namespace), .default_text = "false",
     .help = "Search the namespace of the pod that smolder runs in."},
    {"names", OPT_STRING_LIST, offsetof(struct kubernetes_namespaces_args, names), .help = "Namespaces to search."},
    {0},
};
static const struct schema namespaces_schema = {.size = sizeof(struct kubernetes_namespaces_args),
                                                .options = namespaces_options};

static const struct option selector_options[] = {
    {"role", OPT_ENUM, offsetof(struct kubernetes_selector_args, role), .required = true, .words = &role_words,
     .help = "Objects to select."},
    {"label", OPT_STRING, offsetof(struct kubernetes_selector_args, label),
     .help = "Label selector, such as `app=shop`."},
    {"field", OPT_STRING, offsetof(struct kubernetes_selector_args, field),
     .help = "Field selector, such as `spec.nodeName=node-1`."},
    {0},
};
static const struct schema selector_schema = {.size = sizeof(struct kubernetes_selector_args),
                                              .options = selector_options};

static const struct option metadata_options[] = {
    {"node", OPT_BOOL, offsetof(struct kubernetes_metadata_args, node), .default_text = "false",
     .help = "Attach the name, labels and annotations of the node. Roles `pod`, `endpoints` and `endpointslice`."},
    {"namespace", OPT_BOOL, offsetof(struct kubernetes_metadata_args, namespace), .default_text = "false",
     .help = "Attach the labels and annotations of the namespace. All roles but `node`."},
    {0},
};
static const struct schema metadata_schema = {.size = sizeof(struct kubernetes_metadata_args),
                                              .options = metadata_options};

static const struct option options[] = {
    {"role", OPT_ENUM, offsetof(struct discovery_kubernetes_args, role), .required = true, .words = &role_words,
     .help = "Objects to discover."},
    {"api_server", OPT_STRING, offsetof(struct discovery_kubernetes_args, api_server),
     .help = "URL of the API server. Without it and `kubeconfig_file`, the service account of the pod is used."},
    {"kubeconfig_file", OPT_STRING, offsetof(struct discovery_kubernetes_args, kubeconfig_file),
     .help = "Path of a kubeconfig file; read when the component is loaded."},
    HTTP_SETTINGS_OPTIONS(struct discovery_kubernetes_args, http),
    {"namespaces", OPT_BLOCK, offsetof(struct discovery_kubernetes_args, namespaces), .block = &namespaces_schema,
     .help = "Namespaces to search; all by default."},
    {"selectors", OPT_BLOCKS, offsetof(struct discovery_kubernetes_args, selectors), .block = &selector_schema,
     .help = "Objects to leave out at the server; one block per role."},
    {"attach_metadata", OPT_BLOCK, offsetof(struct discovery_kubernetes_args, attach_metadata),
     .block = &metadata_schema, .help = "Metadata of other objects to attach."},
    {0},
};

/* --- rules between arguments --- */

static int kubernetes_check_access(const struct discovery_kubernetes_args *a, struct err *err)
{
    cleanup_http_url struct http_url url = {0};
    const bool is_custom = kubernetes_access_is_custom(&a->http);
    int code = http_settings_check(&a->http, err);
    if (code < 0)
        return code;
    if (*a->api_server && *a->kubeconfig_file)
        return err_set(err, -EINVAL, "cannot use 'kubeconfig_file' and 'api_server' simultaneously");
    if (*a->kubeconfig_file && is_custom)
        return err_set(err, -EINVAL, "cannot use a custom HTTP client configuration together with 'kubeconfig_file'");
    if (!*a->api_server && is_custom)
        return err_set(err, -EINVAL,
                       "to use custom HTTP client configuration please provide the 'api_server' URL explicitly");
    if (*a->api_server && a->namespaces.own_namespace)
        return err_set(err, -EINVAL, "cannot use 'api_server' and 'namespaces.own_namespace' simultaneously");
    if (*a->kubeconfig_file && a->namespaces.own_namespace)
        return err_set(err, -EINVAL, "cannot use 'kubeconfig_file' and 'namespaces.own_namespace' simultaneously");
    code = *a->api_server ? http_url_parse(a->api_server, &url, err) : 0;
    return code < 0 ? err_wrap(err, code, "api_server") : 0;
}

/* Roles of selectors that a role may have: a bit per kind, and how the error lists them. */
static const struct {
    unsigned kinds;
    const char *text;
} kubernetes_selector_roles[KUBE_KINDS] = {
    [KUBE_POD] = {1u << KUBE_POD | 1u << KUBE_NODE, "pod, node"},
    [KUBE_NODE] = {1u << KUBE_NODE, "node"},
    [KUBE_SERVICE] = {1u << KUBE_SERVICE, "service"},
    [KUBE_ENDPOINTS] = {1u << KUBE_POD | 1u << KUBE_SERVICE | 1u << KUBE_ENDPOINTS, "pod, service, endpoints"},
    [KUBE_ENDPOINTSLICE] = {1u << KUBE_POD | 1u << KUBE_SERVICE | 1u << KUBE_ENDPOINTSLICE,
                            "pod, service, endpointslice"},
    [KUBE_INGRESS] = {1u << KUBE_INGRESS, "ingress"},
};

static int kubernetes_check_selectors(const struct discovery_kubernetes_args *a, struct err *err)
{
    const struct kubernetes_selector_args *selectors = a->selectors.items;
    unsigned seen = 0;
    for (size_t i = 0; i < a->selectors.len; i++) {
        const unsigned kind = 1u << selectors[i].role;
        if (seen & kind)
            return err_set(err, -EINVAL, "duplicated selector role: %s", kube_kinds[selectors[i].role].role);
        if (!(kubernetes_selector_roles[a->role].kinds & kind))
            return err_set(err, -EINVAL, "%s role supports only %s selectors", kube_kinds[a->role].role,
                           kubernetes_selector_roles[a->role].text);
        seen |= kind;
    }
    return 0;
}

static int kubernetes_check(const void *record, struct err *err)
{
    const int code = kubernetes_check_access(record, err);
    return code < 0 ? code : kubernetes_check_selectors(record, err);
}

const struct schema discovery_kubernetes_schema = {
    .size = sizeof(struct discovery_kubernetes_args), .options = options, .validate = kubernetes_check};

const struct kubernetes_selector_args *discovery_kubernetes_selector(const struct discovery_kubernetes_args *a,
                                                                     enum kube_kind kind)
{
    const struct kubernetes_selector_args *selectors = a->selectors.items;
    for (size_t i = 0; i < a->selectors.len; i++) {
        if (selectors[i].role == kind)
            return &selectors[i];
    }
    return NULL;
}
