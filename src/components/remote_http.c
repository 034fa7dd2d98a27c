/* remote.http: the answer of an HTTP server as a value, asked for again every poll_frequency.
 *
 * Unlike in the reference a load does not wait for the server, which may be one that this program profiles, and does
 * not fail with it: whoever refers to the content is built when the first answer arrives, and until then its health
 * says what it waits for. After a failed request the previous content stays and the component is unhealthy; before the
 * first answer requests are more frequent.
 * Source: spec components §5.6.
 */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "components/http_content.h"
#include "graph/component.h"

enum { CONTENT_MAX = (4 << 20) + 1 };

struct remote_http_args {
    struct http_content_args content;
    bool is_secret;
};

static const struct option options[] = {
    HTTP_CONTENT_OPTIONS(struct remote_http_args, content, "URL to ask."),
    {"is_secret", OPT_BOOL, offsetof(struct remote_http_args, is_secret), .default_text = "false",
     .help = "Whether the content is a secret."},
    HTTP_CONTENT_CLIENT(struct remote_http_args, content),
    {0},
};

static int remote_http_check(const void *record, struct err *err)
{
    return http_content_check(&((const struct remote_http_args *)record)->content, err);
}
static const struct schema schema = {
    .size = sizeof(struct remote_http_args), .options = options, .validate = remote_http_check};

struct remote_http {
    struct component *self;
    struct http_content content;
};

static void remote_http_publish(const struct remote_http *r, struct str content)
{
    const struct remote_http_args *a = r->content.record;
    struct value *exports = value_object();
    value_object_put(exports, STR("content"), value_optional_secret(content, a->is_secret));
    component_export(r->self, exports);
}

static void remote_http_on_failure(void *arg, const char *why, bool is_new)
{
    const struct remote_http *r = arg;
    component_health(r->self, false, "polling failed: %s", why);
    if (is_new)
        log_warn(r->content.poll.has_content ? "cannot fetch content; keeping the previous one"
                                             : "cannot fetch content",
                 L_COMPONENT(component_id(r->self)), L_STR("err", why));
}

static void remote_http_on_answer(void *arg, const struct http_response *response)
{
    struct remote_http *r = arg;
    cleanup_free char *why = response->status && response->status != 200
                                 ? xasprintf("unexpected status code %d", response->status)
                                 : http_fetch_problem(response, CONTENT_MAX);
    if (why) {
        content_poll_failed(&r->content.poll, why);
        return;
    }
    if (content_poll_succeeded(&r->content.poll))
        log_info("fetching content works again", L_COMPONENT(component_id(r->self)));
    component_health(r->self, true, "polled endpoint");
    remote_http_publish(r, str_trim(response->body));
}

static void remote_http_free(void *state)
{
    struct remote_http *r = state;
    http_content_done(&r->content);
    free(r);
}

static int remote_http_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    struct remote_http *r = xcalloc(1, sizeof *r);
    r->self = self;
    http_content_init(&r->content, component_env(self), CONTENT_MAX, remote_http_on_answer, remote_http_on_failure, r);
    const struct remote_http_args *a = args;
    const int code = http_content_set_args(&r->content, a, &a->content, err);
    if (code < 0) {
        remote_http_free(r);
        return code;
    }
    *ret_state = r;
    return 0;
}

static int remote_http_update(void *state, const void *args, struct err *err)
{
    struct remote_http *r = state;
    content_poll_cancel(&r->content.poll);
    const struct remote_http_args *a = args;
    const int code = http_content_set_args(&r->content, a, &a->content, err);
    content_poll_now(&r->content.poll);
    return code;
}

static void remote_http_start(void *state)
{
    content_poll_start(&((struct remote_http *)state)->content.poll);
}

static void remote_http_stop(void *state)
{
    struct remote_http *r = state;
    content_poll_end(&r->content.poll);
    component_stopped(r->self);
}

static const char *const exports[] = {"content", NULL};

const struct component_def remote_http = {
    .name = "remote.http",
    .help = "Exports the answer of an HTTP server, and polls it for changes.",
    .stability = STABILITY_GA,
    .args = &schema,
    .exports = exports,
    .exports_late = true,
    .build = remote_http_build,
    .update = remote_http_update,
    .start = remote_http_start,
    .stop = remote_http_stop,
    .free = remote_http_free,
};
