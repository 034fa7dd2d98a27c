/* How a component is doing: three opinions - does it run, did its last evaluation work, what it says of itself - and
 * the worst of them, which is what people see. Source: spec alloy-language §9.
 */
#pragma once

#include <stdint.h>

enum health_state { HEALTH_UNKNOWN, HEALTH_HEALTHY, HEALTH_UNHEALTHY, HEALTH_EXITED };

struct health {
    enum health_state state;
    char *message;      /* owned, NULL = "" */
    int64_t updated_ns; /* since the epoch, when state or message last changed */
};

/* Takes message. Nothing changes, the time included, if it says the same as before. */
void health_set(struct health *h, enum health_state state, char *message);
void health_done(struct health *h);
/* The more severe: healthy < unknown < unhealthy < exited; of equals the later, of those the first. */
const struct health *health_worse(const struct health *a, const struct health *b);
