#include "jvm/session/exit_watch.h"

#include "jvm/operation/ending.h"
#include "jvm/probe/exit_status.h"

static void exit_watch_told(void *arg, bool known, int status)
{
    struct exit_watch *w = arg;
    w->call = 0;
    /* Its parent was faster than the helper: now the pidfd may have it. */
    known = known || exit_status_of(&w->process, &status);
    w->ended(w->arg, known, status);
}

static void exit_watch_seen(uv_poll_t *h, int status, int events)
{
    struct exit_watch *w = h->data;
    (void)events;
    uv_poll_stop(h);
    aftercare_look(w->care);
    const bool known = exit_status_of(&w->process, &status);
    if (known || (!w->care->since_ns && !w->care->attached))
        w->ended(w->arg, known, status);
    else
        w->call = jvm_ending(w->priv, w->user, w->id, exit_watch_told, w);
}

static void exit_watch_closed(uv_handle_t *h)
{
    const struct exit_watch *w = h->data;
    w->closed(w->arg);
}

bool exit_watch_begin(struct exit_watch *w, uv_loop_t *loop, struct priv *priv, struct jvm_id id, uint64_t user)
{
    w->priv = priv;
    w->id = id;
    w->user = user;
    if (pidref_open(id.pid, id.start_time, &w->process, NULL) < 0)
        return false;
    if (uv_poll_init(loop, &w->poll, w->process.fd) < 0)
        return true; /* operations will say that it is gone */
    w->poll.data = w;
    w->polling = true;
    uv_poll_start(&w->poll, UV_READABLE, exit_watch_seen);
    return true;
}

bool exit_watch_close(struct exit_watch *w)
{
    if (w->call)
        priv_forget(w->priv, w->call);
    w->call = 0;
    if (w->polling)
        uv_close((uv_handle_t *)&w->poll, exit_watch_closed);
    return w->polling;
}
