/* Follows queries of Consul's HTTP API by blocking queries: the server answers when the result changes, so that waiting
 * costs one open request for each query, and a change costs one answer.
 *
 * A query is repeated with the index of the last answer. As Consul's documentation requires, an index that goes
 * backwards is forgotten, 0 counts as 1, and the rate is limited: one request per interval, but for the first two,
 * since the first is answered at once. An answer with the same index has nothing new and is not parsed. Without an
 * index, which a proxy may have removed, the query is polled at the interval. After a failure it is repeated with a
 * backoff of 1 to 15 s, or as Retry-After says. A wait that is cut off (502, 504, a lost connection) is none yet: the
 * next request does not wait, and tells.
 *
 * At most CONSUL_CALLS_MAX requests are open at once, because a Consul agent accepts 200 connections of one host. If
 * there are more queries, they take turns: each waits for a change as long as all get their turn within an interval.
 * Loop thread only. Source: Consul HTTP API, "Blocking Queries"; Prometheus, consul_sd_config.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/list.h"
#include "components/http_fetch.h"
#include "lang/value.h"

enum { CONSUL_CALLS_MAX = 100 };

struct consul_watch;

struct consul_watches {
    uv_loop_t *loop;
    struct http_fetch *fetch;
    const char *headers[3]; /* borrowed; NULL-terminated */
    int64_t interval_ms;
    struct list ready; /* struct consul_watch, in the order in which they are to be asked */
    size_t len;        /* of all watches */
    size_t calls;      /* that are open */
};

/* Callbacks, which may start and stop any other watch. */
struct consul_watch_events {
    void (*answer)(void *arg, const struct value *answer); /* a new one; borrowed */
    /* Why the request failed; NULL: it did not, after `answer`, if that is called. */
    void (*state)(void *arg, const char *why);
};

struct consul_watch {
    struct consul_watches *all;
    char *url; /* with a query, to which more can be appended */
    const struct consul_watch_events *events;
    void *arg;
    struct list ready;
    uv_timer_t *timer;
    struct http_call *call;
    uint64_t index; /* 0: ask without waiting */
    uint64_t begun; /* uv_now */
    unsigned failures, answers;
};

/* The fields up to `interval_ms` are the caller's. */
void consul_watches_init(struct consul_watches *all);
/* Starts it; takes `url`. Callbacks come later. */
void consul_watch_start(struct consul_watch *w, struct consul_watches *all, char *url,
                        const struct consul_watch_events *events, void *arg);
/* No callback any more. All zero, or stopped already: nothing. */
void consul_watch_stop(struct consul_watch *w);
