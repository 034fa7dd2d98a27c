/* import.http: a module from an HTTP server, polled every poll_frequency.
 *
 * Startup does not wait for the first response: instances of the module start once it arrives. After a failed request
 * the previous module stays in use and the import is unhealthy; before the first success requests are more frequent.
 * Source: spec alloy-language §6.8.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "components/http_content.h"
#include "components/import_source.h"
#include "graph/component.h"
#include "lang/source.h"
#include "net/url.h"

enum { STATUS_OK = 200 };

/* --- arguments --- */

struct import_http_args {
    struct http_content_args content;
};

static const struct option options[] = {
    HTTP_CONTENT_OPTIONS(struct import_http_args, content, "URL of the module."),
    HTTP_CONTENT_CLIENT(struct import_http_args, content),
    {0},
};

static int import_http_check_args(const void *record, struct err *err)
{
    return http_content_check(&((const struct import_http_args *)record)->content, err);
}
static const struct schema schema = {
    .size = sizeof(struct import_http_args), .options = options, .validate = import_http_check_args};

/* --- the component --- */

struct http_import {
    struct component *self;
    struct http_content content;
    char *shown; /* the URL without user and password */
};

static void import_http_on_failure(void *arg, const char *why, bool is_new)
{
    const struct http_import *i = arg;
    component_health(i->self, false, "%s: %s", i->shown, why);
    if (is_new)
        log_warn(i->content.poll.has_content ? "cannot fetch module; keeping the previous content"
                                             : "cannot fetch module",
                 L_COMPONENT(component_id(i->self)), L_STR("url", i->shown), L_STR("err", why));
}

/* The URL up to its last slash, as the reference has it. */
static void import_http_publish(const struct http_import *i, struct str text)
{
    const char *slash = strrchr(i->shown, '/');
    cleanup_free char *folder = xstrndup(i->shown, slash ? (size_t)(slash - i->shown) + 1 : strlen(i->shown));
    import_source_export_text(i->self, i->shown, text, folder);
}

static void import_http_on_answer(void *arg, const struct http_response *r)
{
    struct http_import *i = arg;
    if (r->status != STATUS_OK || r->body.n > SOURCE_MAX) {
        cleanup_free char *why = !r->status               ? xstrdup(r->error)
                                 : r->status == STATUS_OK ? xasprintf("response larger than %d MiB", SOURCE_MAX >> 20)
                                                          : xasprintf("HTTP status %d", r->status);
        content_poll_failed(&i->content.poll, why);
        return;
    }
    if (content_poll_succeeded(&i->content.poll))
        log_info("fetching the module works again", L_COMPONENT(component_id(i->self)), L_STR("url", i->shown));
    component_health(i->self, true, "fetched %zu bytes", r->body.n);
    import_http_publish(i, r->body);
}

static int import_http_set_args(struct http_import *i, const struct import_http_args *a, struct err *err)
{
    cleanup_http_url struct http_url url = {0};
    int code = http_url_parse(a->content.url, &url, err);
    if (code == 0)
        code = http_content_set_args(&i->content, a, &a->content, err);
    if (code < 0)
        return code;
    free(i->shown);
    i->shown = TAKE_PTR(url.bare);
    return 0;
}

static void import_http_free(void *state)
{
    struct http_import *i = state;
    http_content_done(&i->content);
    free(i->shown);
    free(i);
}

static int import_http_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    struct http_import *i = xcalloc(1, sizeof *i);
    i->self = self;
    http_content_init(&i->content, component_env(self), SOURCE_MAX + 1, import_http_on_answer, import_http_on_failure,
                      i);
    const int code = import_http_set_args(i, args, err);
    if (code < 0) {
        import_http_free(i);
        return code;
    }
    *ret_state = i;
    return 0;
}

static int import_http_update(void *state, const void *args, struct err *err)
{
    struct http_import *i = state;
    content_poll_cancel(&i->content.poll);
    const int code = import_http_set_args(i, args, err);
    content_poll_now(&i->content.poll);
    return code;
}

static void import_http_start(void *state)
{
    content_poll_start(&((struct http_import *)state)->content.poll);
}

static void import_http_stop(void *state)
{
    struct http_import *i = state;
    content_poll_end(&i->content.poll);
    component_stopped(i->self);
}

const struct component_def import_http = {
    .name = "import.http",
    .help = "Imports custom components from an HTTP server, and polls it for changes.",
    .stability = STABILITY_GA,
    .args = &schema,
    .exports = import_source_exports,
    .imports = true,
    .remote = true,
    .build = import_http_build,
    .update = import_http_update,
    .start = import_http_start,
    .stop = import_http_stop,
    .free = import_http_free,
};
