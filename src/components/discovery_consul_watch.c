#include "components/discovery_consul_watch.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "lang/json.h"

enum {
    ANSWER_MAX = 4 << 20,
    WAIT_MS = 120000, /* Prometheus, watchTimeout */
    WAIT_LEAST_MS = 1000,
    ANSWER_MS = 15000, /* for an answer, beside the waiting */
    WAIT_JITTER = 16,  /* the server adds up to wait / 16 */
    BACKOFF_MS = 1000, /* doubled by each failure */
    BACKOFF_MAX_MS = 15000,
    BACKOFF_DOUBLINGS = 4,
};

static void consul_watch_next(struct consul_watches *all);

void consul_watches_init(struct consul_watches *all)
{
    list_init(&all->ready);
    all->len = all->calls = 0;
}

/* --- when --- */

static void consul_watch_on_timer(uv_timer_t *timer)
{
    struct consul_watch *w = timer->data;
    list_push(&w->all->ready, &w->ready);
    consul_watch_next(w->all);
}

static int64_t consul_watch_wait(const struct consul_watches *all)
{
    if (all->len <= CONSUL_CALLS_MAX)
        return WAIT_MS;
    const int64_t turn = all->interval_ms * CONSUL_CALLS_MAX / (int64_t)all->len;
    return turn < WAIT_LEAST_MS ? WAIT_LEAST_MS : turn < WAIT_MS ? turn : WAIT_MS;
}

static uint64_t consul_watch_pause(const struct consul_watch *w)
{
    const uint64_t passed = uv_now(w->all->loop) - w->begun, interval = (uint64_t)w->all->interval_ms;
    if (w->failures) {
        const unsigned doubled = w->failures - 1 < BACKOFF_DOUBLINGS ? w->failures - 1 : BACKOFF_DOUBLINGS;
        return BACKOFF_MS << doubled < BACKOFF_MAX_MS ? BACKOFF_MS << doubled : BACKOFF_MAX_MS;
    }
    if (w->index && w->answers == 1)
        return 0;
    return passed < interval ? interval - passed : 0;
}

static void consul_watch_later(struct consul_watch *w, int64_t at_least_ms)
{
    const uint64_t pause = consul_watch_pause(w), least = at_least_ms > 0 ? (uint64_t)at_least_ms : 0;
    uv_timer_start(w->timer, consul_watch_on_timer, pause > least ? pause : least, 0);
}

/* --- answers --- */

/* The next request is to be answered at once: it tells when the server works again. */
static void consul_watch_failed(struct consul_watch *w, const char *why, int64_t retry_after_ms)
{
    w->failures++;
    w->index = w->answers = 0;
    consul_watch_later(w, retry_after_ms);
    w->events->state(w->arg, why);
}

/* Whether the answer has something new. */
static bool consul_watch_advance(struct consul_watch *w, const char *header)
{
    uint64_t index = 0;
    if (!header || !str_to_u64(str_of(header), &index)) {
        w->index = 0;
        return true;
    }
    const uint64_t got = index ? index : 1, had = w->index;
    w->index = got < had ? 0 : got;
    return got != had;
}

/* A proxy does not wait as long as the server, or the server was restarted: the next request shows whether it works. */
static bool consul_watch_was_cut(const struct consul_watch *w, const struct http_response *r)
{
    return w->index &&
           (r->status == 502 || r->status == 504 || r->failure == HTTP_BROKEN || r->failure == HTTP_TIMED_OUT);
}

static void consul_watch_on_answer(void *arg, const struct http_response *r)
{
    struct consul_watch *w = arg;
    struct consul_watches *all = w->all;
    struct err err = {0};
    cleanup_value struct value *answer = NULL;
    w->call = NULL;
    all->calls--;
    if (consul_watch_was_cut(w, r)) {
        w->index = 0;
        consul_watch_later(w, 0);
        consul_watch_next(all);
        return;
    }
    cleanup_free char *why = http_fetch_problem(r, ANSWER_MAX);
    const bool is_new = !why && consul_watch_advance(w, r->header);
    if (is_new && json_read(r->body, JSON_KEEP_INTEGERS | JSON_QUOTE_NOTHING, &answer, &err) < 0)
        why = xstrdup(err.text);
    if (why) {
        consul_watch_failed(w, why, r->retry_after_ms);
    } else {
        w->failures = 0;
        w->answers += w->answers < 2;
        consul_watch_later(w, 0);
        if (answer)
            w->events->answer(w->arg, answer);
        w->events->state(w->arg, NULL);
    }
    consul_watch_next(all);
}

/* --- requests --- */

static void consul_watch_ask(struct consul_watch *w)
{
    struct consul_watches *all = w->all;
    const int64_t wait = w->index ? consul_watch_wait(all) : 0;
    cleanup_free char *waiting =
        w->index ? xasprintf("%s&index=%llu&wait=%lldms", w->url, (unsigned long long)w->index, (long long)wait) : NULL;
    const struct http_fetch_request rq = {.url = waiting ? waiting : w->url,
                                          .headers = all->headers,
                                          .keep_header = "X-Consul-Index",
                                          .timeout_ms = wait + wait / WAIT_JITTER + ANSWER_MS,
                                          .response_max = ANSWER_MAX};
    struct err err = {0};
    w->begun = uv_now(all->loop);
    if (http_fetch_start(all->fetch, &rq, consul_watch_on_answer, w, &w->call, &err) < 0)
        consul_watch_failed(w, err.text, 0);
    else
        all->calls++;
}

static void consul_watch_next(struct consul_watches *all)
{
    while (all->calls < CONSUL_CALLS_MAX && !list_empty(&all->ready)) {
        struct consul_watch *w = list_entry(all->ready.next, struct consul_watch, ready);
        list_del(&w->ready);
        consul_watch_ask(w);
    }
}

/* --- life --- */

void consul_watch_start(struct consul_watch *w, struct consul_watches *all, char *url,
                        const struct consul_watch_events *events, void *arg)
{
    *w = (struct consul_watch){.all = all, .url = url, .events = events, .arg = arg};
    list_init(&w->ready);
    all->len++;
    w->timer = xcalloc(1, sizeof *w->timer);
    uv_timer_init(all->loop, w->timer);
    w->timer->data = w;
    uv_timer_start(w->timer, consul_watch_on_timer, 0, 0);
}

static void consul_watch_on_closed(uv_handle_t *handle)
{
    free(handle);
}

void consul_watch_stop(struct consul_watch *w)
{
    if (!w->all)
        return;
    struct consul_watches *all = TAKE_PTR(w->all);
    all->len--;
    list_del(&w->ready);
    uv_close((uv_handle_t *)TAKE_PTR(w->timer), consul_watch_on_closed);
    if (w->call) {
        http_cancel(TAKE_PTR(w->call));
        all->calls--;
    }
    free(TAKE_PTR(w->url));
}
