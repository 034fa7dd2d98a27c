/* Asks for the content of a component again every poll_frequency: of an HTTP server, of the Kubernetes API.
 *
 * After a failure the previous content stays and the reason is told once; before the first content it is asked again
 * sooner, because something waits for it. Loop thread only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "net/http_client.h"

struct content_poll {
    uv_loop_t *loop;
    int64_t frequency_ms;
    /* Starts `call`, which ends with content_poll_succeeded() or content_poll_failed(). */
    int (*ask)(struct content_poll *p, struct err *err);
    /* `is_new`: the first failure after a success. */
    void (*failed)(void *arg, const char *why, bool is_new);
    void *arg;
    struct http_call *call; /* NULL: none is under way */
    uv_timer_t *timer;      /* NULL: not started, or ended */
    bool has_content, is_troubled;
};

/* Embedded in the component's state, all zero but the first five, which may change while nothing is under way. */
void content_poll_start(struct content_poll *p);
/* Asks now, if it was started and does not ask already. */
void content_poll_now(struct content_poll *p);
/* The call is over. True: the call before failed. */
bool content_poll_succeeded(struct content_poll *p);
void content_poll_failed(struct content_poll *p, const char *why);
/* Nothing is under way any more, until content_poll_now(). */
void content_poll_cancel(struct content_poll *p);
/* For good; more than once is fine. */
void content_poll_end(struct content_poll *p);
