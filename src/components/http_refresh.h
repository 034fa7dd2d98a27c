/* The life of a component that asks an HTTP server for targets at an interval: components/refresh.h for when, and
 * components/http_fetch.h for how. One list is asked for at a time.
 *
 * The component's state begins with a struct http_refresh. http_refresh_update(), _start(), _stop() and _free() can be
 * its functions as they are. An update cancels what is under way and asks again, with the new arguments or, where they
 * cannot be used, with the ones before. Loop thread only.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "components/http_fetch.h"
#include "components/refresh.h"
#include "lang/value.h"

struct http_refresh_kind {
    const char *mechanism; /* refresh_init() */
    size_t state_size;
    void (*ask)(void *state);
    /* Calls http_refresh_take(). On failure all is as before. */
    int (*set_args)(void *state, const void *args, struct err *err);
    void (*forget)(void *state); /* what belongs to the refresh that is cancelled; NULL: nothing */
    void (*done)(void *state);   /* what else it owns, at its end; NULL: nothing */
};

struct http_refresh {
    const struct http_refresh_kind *kind;
    struct refresh refresh;
    struct http_fetch fetch;
    struct http_call *call; /* NULL: none */
    const void *args;       /* one reference */
};

must_check int http_refresh_build(struct component *self, const struct http_refresh_kind *kind, const void *args,
                                  void **ret_state, struct err *err);
/* Keeps `args`, to which `settings` belong, on success only. `interval` in ns. */
must_check int http_refresh_take(struct http_refresh *h, const void *args, const struct http_settings *settings,
                                 int64_t interval, struct err *err);
int http_refresh_update(void *state, const void *args, struct err *err);
void http_refresh_start(void *state);
void http_refresh_stop(void *state);
void http_refresh_free(void *state);

/* The answer to `call`, which is over, as a value. NULL, or why there is none, to be freed. */
must_check char *http_refresh_json(struct http_refresh *h, const struct http_response *r, size_t response_max,
                                   struct value **ret);
