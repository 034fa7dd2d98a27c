#include "components/http_refresh.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "components/env.h"
#include "lang/json.h"

static void http_refresh_cancel(struct http_refresh *h)
{
    if (h->call)
        http_cancel(TAKE_PTR(h->call));
    if (h->kind->forget)
        h->kind->forget(h);
    refresh_cancelled(&h->refresh);
}

int http_refresh_build(struct component *self, const struct http_refresh_kind *kind, const void *args, void **ret_state,
                       struct err *err)
{
    const struct component_env *env = component_env(self);
    struct http_refresh *h = xcalloc(1, kind->state_size);
    h->kind = kind;
    h->fetch = HTTP_FETCH_INIT;
    refresh_init(&h->refresh, self, env->loop, kind->mechanism, kind->ask, h);
    const int code = kind->set_args(h, args, err);
    if (code < 0) {
        http_refresh_free(h);
        return code;
    }
    *ret_state = h;
    return 0;
}

int http_refresh_take(struct http_refresh *h, const void *args, const struct http_settings *settings, int64_t interval,
                      struct err *err)
{
    const struct component_env *env = component_env(h->refresh.self);
    const int code = http_fetch_open(&h->fetch, env->loop, settings, env->version, err);
    if (code < 0)
        return code;
    args_unref(h->args);
    h->args = args_ref(args);
    refresh_set_interval(&h->refresh, interval);
    return 0;
}

int http_refresh_update(void *state, const void *args, struct err *err)
{
    struct http_refresh *h = state;
    http_refresh_cancel(h);
    const int code = h->kind->set_args(h, args, err);
    refresh_now(&h->refresh);
    return code;
}

void http_refresh_start(void *state)
{
    refresh_start(&((struct http_refresh *)state)->refresh);
}

void http_refresh_stop(void *state)
{
    struct http_refresh *h = state;
    http_refresh_cancel(h);
    refresh_stop(&h->refresh);
    component_stopped(h->refresh.self);
}

void http_refresh_free(void *state)
{
    struct http_refresh *h = state;
    http_refresh_cancel(h);
    if (h->kind->done)
        h->kind->done(h);
    refresh_done(&h->refresh);
    http_fetch_close(&h->fetch);
    args_unref(h->args);
    free(h);
}

char *http_refresh_json(struct http_refresh *h, const struct http_response *r, size_t response_max, struct value **ret)
{
    struct err err = {0};
    h->call = NULL;
    char *why = http_fetch_problem(r, response_max);
    if (!why && json_read(r->body, JSON_KEEP_INTEGERS | JSON_QUOTE_NOTHING, ret, &err) < 0)
        why = xstrdup(err.text);
    return why;
}
