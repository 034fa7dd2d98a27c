#include "components/content_poll.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"

enum { POLL_FIRST_RETRY_MS = 1000 };

static void content_poll_on_timer(uv_timer_t *timer)
{
    content_poll_now(timer->data);
}

static void content_poll_later(struct content_poll *p)
{
    const bool soon = !p->has_content && p->frequency_ms >= POLL_FIRST_RETRY_MS;
    uv_timer_start(p->timer, content_poll_on_timer, (uint64_t)(soon ? POLL_FIRST_RETRY_MS : p->frequency_ms), 0);
}

void content_poll_now(struct content_poll *p)
{
    struct err err = {0};
    if (p->timer && !p->call && p->ask(p, &err) < 0)
        content_poll_failed(p, err.text);
}

bool content_poll_succeeded(struct content_poll *p)
{
    const bool was_troubled = p->is_troubled;
    p->call = NULL;
    p->has_content = true;
    p->is_troubled = false;
    content_poll_later(p);
    return was_troubled;
}

void content_poll_failed(struct content_poll *p, const char *why)
{
    p->call = NULL;
    p->failed(p->arg, why, !p->is_troubled);
    p->is_troubled = true;
    content_poll_later(p);
}

void content_poll_start(struct content_poll *p)
{
    p->timer = xcalloc(1, sizeof *p->timer);
    uv_timer_init(p->loop, p->timer);
    p->timer->data = p;
    content_poll_now(p);
}

void content_poll_cancel(struct content_poll *p)
{
    if (p->call)
        http_cancel(TAKE_PTR(p->call));
    if (p->timer)
        uv_timer_stop(p->timer);
}

static void content_poll_on_closed(uv_handle_t *handle)
{
    free(handle);
}

void content_poll_end(struct content_poll *p)
{
    content_poll_cancel(p);
    if (p->timer)
        uv_close((uv_handle_t *)TAKE_PTR(p->timer), content_poll_on_closed);
}
