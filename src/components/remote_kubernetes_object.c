#include "components/remote_kubernetes_object.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "components/content_poll.h"
#include "components/env.h"
#include "components/kubernetes_watch.h"
#include "kubernetes/kube_object.h"
#include "net/url.h"

/* An object has at most 1 MiB of data. */
enum { ANSWER_MAX = 8 << 20, STATUS_OK = 200 };

/* --- arguments --- */

struct remote_object_client_args {
    char *api_server, *kubeconfig_file;
    struct http_settings http;
};
struct remote_object_args {
    char *namespace, *name;
    int64_t poll_frequency, poll_timeout;
    struct remote_object_client_args client;
};

static int remote_check_client(const void *record, struct err *err)
{
    const struct remote_object_client_args *a = record;
    cleanup_http_url struct http_url url = {0};
    const bool is_custom = kubernetes_access_is_custom(&a->http);
    int code = http_settings_check(&a->http, err);
    if (code < 0)
        return code;
    if (*a->api_server && *a->kubeconfig_file)
        return err_set(err, -EINVAL, "only one of api_server and kubeconfig_file can be set");
    if (*a->kubeconfig_file && is_custom)
        return err_set(err, -EINVAL, "custom HTTP client configuration is not allowed when kubeconfig_file is set");
    if (!*a->api_server && is_custom)
        return err_set(err, -EINVAL, "api_server must be set when custom HTTP client configuration is provided");
    code = *a->api_server ? http_url_parse(a->api_server, &url, err) : 0;
    return code < 0 ? err_wrap(err, code, "api_server") : 0;
}

static const struct option client_options[] = {
    {"api_server", OPT_STRING, offsetof(struct remote_object_client_args, api_server),
     .help = "URL of the API server. Without it and `kubeconfig_file`, the service account of the pod is used."},
    {"kubeconfig_file", OPT_STRING, offsetof(struct remote_object_client_args, kubeconfig_file),
     .help = "Path of a kubeconfig file; read when the component is loaded."},
    HTTP_SETTINGS_OPTIONS(struct remote_object_client_args, http),
    {0},
};
static const struct schema client_schema = {
    .size = sizeof(struct remote_object_client_args), .options = client_options, .validate = remote_check_client};

static int remote_check_args(const void *record, struct err *err)
{
    const struct remote_object_args *a = record;
    if (!*a->namespace || !*a->name)
        return err_set(err, -EINVAL, "namespace and name must not be empty");
    if (a->poll_frequency < NS_PER_MS)
        return err_set(err, -EINVAL, "poll_frequency must be greater than 0");
    if (a->poll_timeout < NS_PER_MS)
        return err_set(err, -EINVAL, "poll_timeout must be greater than 0");
    return 0;
}

static const struct option options[] = {
    {"namespace", OPT_STRING, offsetof(struct remote_object_args, namespace), .required = true,
     .help = "Namespace of the object."},
    {"name", OPT_STRING, offsetof(struct remote_object_args, name), .required = true, .help = "Name of the object."},
    {"poll_frequency", OPT_DURATION, offsetof(struct remote_object_args, poll_frequency), .default_text = "\"1m\"",
     .help = "Polling interval."},
    {"poll_timeout", OPT_DURATION, offsetof(struct remote_object_args, poll_timeout), .default_text = "\"15s\"",
     .help = "Timeout of a request."},
    {"client", OPT_BLOCK, offsetof(struct remote_object_args, client), .block = &client_schema,
     .help = "Access to the API; the service account of the pod by default."},
    {0},
};
const struct schema remote_object_schema = {
    .size = sizeof(struct remote_object_args), .options = options, .validate = remote_check_args};
const char *const remote_object_exports[] = {"data", NULL};

/* --- the component --- */

struct remote_object {
    struct component *self;
    const struct component_env *env;
    const struct remote_object_kind *kind;
    const struct remote_object_args *args; /* one reference */
    struct kubernetes_access *access;      /* borrows from args */
    struct http_client *client;
    struct content_poll poll;
};

static void remote_on_failure(void *arg, const char *why, bool is_new)
{
    const struct remote_object *o = arg;
    component_health(o->self, false, "polling failed: %s", why);
    if (is_new)
        log_warn(o->poll.has_content ? "cannot get a Kubernetes object; keeping the previous data"
                                     : "cannot get a Kubernetes object",
                 L_COMPONENT(component_id(o->self)), L_STR("namespace", o->args->namespace),
                 L_STR("name", o->args->name), L_STR("err", why));
}

/* New reference; NULL: the value cannot be decoded. */
static struct value *remote_value_of(const struct remote_object *o, const json_t *v)
{
    const struct str text = {json_string_value(v), json_string_length(v)};
    cleanup_buf struct buf plain = BUF_INIT(ANSWER_MAX);
    if (!text.p)
        return NULL;
    if (!o->kind->is_secret)
        return value_optional_secret(text, false);
    return base64_decode(text, base64_standard, &plain, NULL) < 0 ? NULL
                                                                  : value_optional_secret(buf_slice(&plain), true);
}

static void remote_export(struct remote_object *o, json_t *data)
{
    struct value *map = value_object(), *exports = value_object();
    const char *key;
    json_t *v;
    json_object_foreach(data, key, v)
    {
        struct value *value = remote_value_of(o, v);
        if (value)
            value_object_put(map, str_of(key), value);
    }
    value_object_put(exports, STR("data"), map);
    component_export(o->self, exports);
}

static void remote_on_answer(void *arg, const struct http_response *r)
{
    struct remote_object *o = arg;
    json_t *object = r->status == STATUS_OK ? json_loadb(r->body.p, r->body.n, 0, NULL) : NULL;
    if (!json_is_object(object)) {
        cleanup_free char *why =
            r->status == STATUS_OK ? xstrdup("the answer is not an object") : kubernetes_access_failure(r);
        json_decref(object);
        content_poll_failed(&o->poll, why);
        return;
    }
    if (content_poll_succeeded(&o->poll))
        log_info("getting the Kubernetes object works again", L_COMPONENT(component_id(o->self)));
    component_health(o->self, true, "%s", o->kind->got);
    remote_export(o, kube_get(object, "data"));
    json_decref(object);
}

static int remote_ask(struct content_poll *poll, struct err *err)
{
    struct remote_object *o = poll->arg;
    cleanup_buf struct buf path = BUF_INIT(4096);
    buf_puts(&path, "/api/v1/namespaces/");
    kubernetes_query(&path, o->args->namespace);
    buf_printf(&path, "/%s/", o->kind->plural);
    kubernetes_query(&path, o->args->name);
    const struct kubernetes_request req = {.path = buf_cstr(&path),
                                           .version = o->env->version,
                                           .timeout_ms = o->args->poll_timeout / NS_PER_MS,
                                           .response_max = ANSWER_MAX,
                                           .done = remote_on_answer,
                                           .arg = o};
    return kubernetes_access_get(o->access, o->client, &req, &poll->call, err);
}

static void remote_free_access(struct kubernetes_access *a)
{
    if (a)
        kubernetes_access_close(a);
    free(a);
}

/* Keeps the arguments, on success only. */
static int remote_set_args(struct remote_object *o, const struct remote_object_args *a, struct err *err)
{
    struct kubernetes_access *access = xcalloc(1, sizeof *access);
    const struct remote_object_client_args *c = &a->client;
    const int code = kubernetes_access_open(access, c->api_server, c->kubeconfig_file, &c->http, err);
    if (code < 0) {
        free(access);
        return code;
    }
    content_poll_cancel(&o->poll);
    remote_free_access(o->access);
    o->access = access;
    args_unref(o->args);
    o->args = args_ref(a);
    o->poll.frequency_ms = a->poll_frequency / NS_PER_MS;
    return 0;
}

int remote_object_build(struct component *self, const struct remote_object_kind *kind, const void *args,
                        void **ret_state, struct err *err)
{
    struct remote_object *o = xcalloc(1, sizeof *o);
    *o = (struct remote_object){.self = self, .env = component_env(self), .kind = kind};
    o->poll = (struct content_poll){.loop = o->env->loop, .ask = remote_ask, .failed = remote_on_failure, .arg = o};
    const int code = remote_set_args(o, args, err);
    if (code < 0) {
        free(o);
        return code;
    }
    *ret_state = o;
    return 0;
}

int remote_object_update(void *state, const void *args, struct err *err)
{
    struct remote_object *o = state;
    const int code = remote_set_args(o, args, err);
    if (code == 0)
        content_poll_now(&o->poll);
    return code;
}

void remote_object_start(void *state)
{
    struct remote_object *o = state;
    o->client = http_client_get(o->env->loop);
    content_poll_start(&o->poll);
}

static void remote_end(struct remote_object *o)
{
    content_poll_end(&o->poll);
    http_client_put(TAKE_PTR(o->client));
}

void remote_object_stop(void *state)
{
    struct remote_object *o = state;
    remote_end(o);
    component_stopped(o->self);
}

void remote_object_free(void *state)
{
    struct remote_object *o = state;
    remote_end(o);
    remote_free_access(o->access);
    args_unref(o->args);
    free(o);
}
