#include "graph/health.h"

#include "base/clock.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void health_set(struct health *h, enum health_state state, char *message)
{
    const bool same_text = h->message && message ? strcmp(h->message, message) == 0 : h->message == message;
    if (h->updated_ns && h->state == state && same_text) {
        free(message);
        return;
    }
    free(h->message);
    *h = (struct health){.state = state, .message = message, .updated_ns = clock_wall_ns()};
}

void health_done(struct health *h)
{
    free(h->message);
    *h = (struct health){0};
}

static int severity(enum health_state s)
{
    static const int severities[] = {
        [HEALTH_HEALTHY] = 0, [HEALTH_UNKNOWN] = 1, [HEALTH_UNHEALTHY] = 2, [HEALTH_EXITED] = 3};
    return severities[s];
}

const struct health *health_worse(const struct health *a, const struct health *b)
{
    const int by_severity = severity(b->state) - severity(a->state);
    if (by_severity != 0)
        return by_severity > 0 ? b : a;
    return b->updated_ns > a->updated_ns ? b : a;
}
