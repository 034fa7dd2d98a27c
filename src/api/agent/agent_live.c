#include "api/agent/agent_live.h"

#include <stdlib.h>

#include "api/agent/components_json.h"
#include "api/shared/redact.h"
#include "api/shared/value_json.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "graph/view.h"

enum { PIECE_MAX = 1 << 20, WINDOW_S = 5, WINDOW_MOST_S = 60, DEBUG_EVERY_S = 1 };

struct agent_live {
    uv_loop_t *loop;
    struct controller *controller;
    struct list watchers;
    size_t count;
    bool enabled;
};

struct watcher {
    struct list link;
    struct agent_live *owner;
    uv_timer_t timer;
    struct reply_stream *stream;
    bool is_graph;
    char *id; /* of a module or a component */
    unsigned window_s;
    double probability; /* debug: of showing a piece */
    struct strmap sent; /* graph: component id -> struct live_count */
    uint64_t sent_before;
    struct value *shown; /* debug: exports as last shown */
};

/* What a component had handed on when last looked at. */
struct live_count {
    char *id;
    uint64_t sent;
};

struct agent_live *agent_live_new(uv_loop_t *loop, struct controller *c)
{
    struct agent_live *l = xcalloc(1, sizeof *l);
    *l = (struct agent_live){.loop = loop, .controller = c};
    list_init(&l->watchers);
    return l;
}

static void agent_live_on_timer_closed(uv_handle_t *handle)
{
    struct watcher *w = handle->data;
    strmap_each(&w->sent, e)
    {
        struct live_count *c = e->value;
        free(c->id);
        free(c);
    }
    strmap_done(&w->sent);
    value_unref(w->shown);
    free(w->id);
    free(w);
}

/* The stream is over. */
static void agent_live_watcher_free(void *arg)
{
    struct watcher *w = arg;
    list_del(&w->link);
    w->owner->count--;
    uv_close((uv_handle_t *)&w->timer, agent_live_on_timer_closed);
}

static void agent_live_end(struct watcher *w)
{
    stream_end(w->stream);
    agent_live_watcher_free(w);
}

void agent_live_enable(struct agent_live *l, bool enabled)
{
    l->enabled = enabled;
    list_each(&l->watchers, node)
    {
        if (!enabled)
            agent_live_end(list_entry(node, struct watcher, link));
    }
}

void agent_live_free(struct agent_live *l)
{
    if (!l)
        return;
    agent_live_enable(l, false);
    free(l);
}

/* --- graph --- */

static uint64_t agent_live_since_last(struct watcher *w, const struct component_view *v)
{
    struct live_count *c = strmap_get(&w->sent, str_of(v->id));
    if (!c) {
        c = xcalloc(1, sizeof *c);
        *c = (struct live_count){xstrdup(v->id), v->sent};
        strmap_put(&w->sent, str_of(c->id), c);
        return 0;
    }
    /* One that was built anew counts from nothing. */
    const uint64_t n = v->sent >= c->sent ? v->sent - c->sent : v->sent;
    c->sent = v->sent;
    return n;
}

struct rates_text {
    struct watcher *watcher;
    struct buf *out; /* NULL: only count */
    bool any;
};

static bool agent_live_put_rate(void *arg, const struct component_view *v)
{
    struct rates_text *p = arg;
    const uint64_t n = agent_live_since_last(p->watcher, v);
    if (!p->out || n == 0)
        return true;
    buf_puts(p->out, p->any ? ",{\"componentID\":" : "{\"componentID\":");
    json_string(p->out, str_of(v->local_id));
    buf_puts(p->out, ",\"targetComponentIDs\":");
    components_json_flow(p->watcher->owner->controller, v, p->out);
    buf_printf(p->out, ",\"type\":\"%s\",\"rate\":", components_json_has_lists(v) ? "target" : "profile");
    json_double(p->out, (double)n / p->watcher->window_s);
    buf_byte(p->out, '}');
    p->any = true;
    return true;
}

static void agent_live_show_graph(struct watcher *w, struct buf *out)
{
    struct rates_text p = {.watcher = w, .out = out};
    buf_byte(out, '[');
    controller_each_in(w->owner->controller, w->id, agent_live_put_rate, &p);
    buf_byte(out, ']');
}

/* --- debug --- */

static void agent_live_show_component(struct watcher *w, struct buf *out)
{
    struct component_view v;
    if (!controller_view(w->owner->controller, w->id, &v))
        return;
    const uint64_t n = v.sent >= w->sent_before ? v.sent - w->sent_before : v.sent;
    w->sent_before = v.sent;
    if (components_json_has_lists(&v)) {
        if (w->shown && value_equal(w->shown, v.exports))
            return;
        value_unref(w->shown);
        w->shown = value_ref(v.exports);
        cleanup_value struct value *redacted = redact_value(v.exports);
        value_json_plain(redacted, out);
    } else if (n) {
        buf_printf(out, "%llu profiles passed on", (unsigned long long)n);
    }
}

/* --- both --- */

static void agent_live_on_timer(uv_timer_t *timer)
{
    struct watcher *w = timer->data;
    cleanup_buf struct buf out = BUF_INIT(PIECE_MAX);
    if (w->is_graph)
        agent_live_show_graph(w, &out);
    else
        agent_live_show_component(w, &out);
    if (out.len == 0 || (w->probability < 1 && (double)random() / (double)RAND_MAX >= w->probability))
        return;
    if (!buf_ok(&out)) {
        buf_reset(&out);
        buf_printf(&out, "more than %d bytes", PIECE_MAX);
    }
    buf_puts(&out, "|;|");
    if (buf_ok(&out))
        stream_send(w->stream, buf_slice(&out)); /* left out for who cannot keep up */
}

/* NULL after answering. */
static struct watcher *agent_live_begin(struct agent_live *l, struct request *rq, const char *id, unsigned window_s)
{
    if (!l->enabled) {
        request_reply_text(rq, 500,
                           "the live debugging service is disabled. Check the documentation to find out how to enable "
                           "it\n");
        return NULL;
    }
    if (l->count == LIVE_MAX) {
        request_reply_text(rq, 503, "too many streams: %d are open\n", LIVE_MAX);
        return NULL;
    }
    struct watcher *w = xcalloc(1, sizeof *w);
    *w = (struct watcher){.owner = l, .id = xstrdup(id), .window_s = window_s, .probability = 1};
    uv_timer_init(l->loop, &w->timer);
    w->timer.data = w;
    list_push(&l->watchers, &w->link);
    l->count++;
    return w;
}

static void agent_live_go(struct watcher *w, struct request *rq)
{
    w->stream = request_stream(rq, "text/plain; charset=utf-8", agent_live_watcher_free, w);
    if (w->stream)
        uv_timer_start(&w->timer, agent_live_on_timer, w->is_graph ? w->window_s * 1000 : 0, w->window_s * 1000);
    else
        agent_live_watcher_free(w);
}

void agent_live_graph(struct agent_live *l, struct request *rq, const char *module_id)
{
    const char *said = request_query(rq, "window");
    uint64_t window = WINDOW_S;
    if (said && (!str_to_u64(str_of(said), &window) || window < 1 || window > WINDOW_MOST_S)) {
        request_reply_text(rq, 400, "Invalid window: must be an integer between 1 and 60\n");
        return;
    }
    struct watcher *w = agent_live_begin(l, rq, module_id, (unsigned)window);
    if (!w)
        return;
    struct rates_text before = {.watcher = w};
    w->is_graph = true;
    if (controller_each_in(l->controller, module_id, agent_live_put_rate, &before)) {
        agent_live_go(w, rq);
        return;
    }
    agent_live_watcher_free(w);
    request_reply_text(rq, 500, "module not found\n");
}

static bool agent_live_parse_probability(const char *text, double *ret)
{
    char *end;
    *ret = strtod(text, &end);
    return end != text && *end == '\0' && *ret >= 0 && *ret <= 1;
}

void agent_live_debug(struct agent_live *l, struct request *rq, const char *component_id)
{
    const char *said = request_query(rq, "sampleProb");
    double probability = 1;
    struct component_view v;
    if (said && !agent_live_parse_probability(said, &probability)) {
        request_reply_text(rq, 400, "Invalid sample probability\n");
        return;
    }
    struct watcher *w = agent_live_begin(l, rq, component_id, DEBUG_EVERY_S);
    if (!w)
        return;
    if (!controller_view(l->controller, component_id, &v) || !components_json_is_live(l->controller, &v)) {
        agent_live_watcher_free(w);
        request_reply_text(rq, 500, "the component \"%.200s\" does not support live debugging\n", component_id);
        return;
    }
    w->sent_before = v.sent;
    w->probability = probability;
    agent_live_go(w, rq);
}
