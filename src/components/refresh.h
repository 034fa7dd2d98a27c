/* Discovery by asking again at an interval: of an HTTP server, Docker, DNS and the like.
 *
 * The component says how to ask (`begin`), and reports the answer with refresh_targets() or refresh_failed(); then it
 * is asked again after the interval. After a failure the previous targets stay, the component is unhealthy, and the
 * reason is logged once. Before the first answer it is asked again sooner, because nothing is profiled until then. An
 * update keeps the targets until the next answer. Metrics have the names of the reference.
 * Source: spec components §5.0. Loop thread only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "flow/targets.h"
#include "graph/component.h"

struct refresh {
    struct component *self;
    uv_loop_t *loop;
    const char *mechanism; /* "docker": label of the metrics */
    void (*begin)(void *arg);
    void *arg;
    int64_t interval_ms, begun_ns;
    uv_timer_t *timer;                    /* NULL: not started, or stopped */
    unsigned failures;                    /* since the last answer */
    size_t count;                         /* of the targets last exported */
    bool has_targets, is_asking, is_late; /* late: to be asked again as soon as the answer is there */
    char *component_path;
    const char *component_id;
};

/* Embedded in the component's state. `interval` in ns, at least 1 ms. */
void refresh_init(struct refresh *r, struct component *self, uv_loop_t *loop, const char *mechanism,
                  void (*begin)(void *arg), void *arg);
void refresh_set_interval(struct refresh *r, int64_t interval);
void refresh_start(struct refresh *r);
/* Asks now; while it is asking, again afterwards. Not started: nothing. */
void refresh_now(struct refresh *r);
/* The answer: exports `targets` in this order, and takes them. */
void refresh_targets(struct refresh *r, struct targets *targets);
/* The answer is that of the last time, which was exported. */
void refresh_unchanged(struct refresh *r);
void refresh_failed(struct refresh *r, const char *why);
/* Of several sources some have failed: exports `targets`, which have the previous ones of those, and is unhealthy. */
void refresh_partly(struct refresh *r, struct targets *targets, const char *why);
/* What was asked is forgotten: the caller has cancelled it. */
void refresh_cancelled(struct refresh *r);
void refresh_stop(struct refresh *r);
/* After refresh_stop(), or if it was never started. */
void refresh_done(struct refresh *r);

/* The export of all components of this kind, and NULL. */
extern const char *const refresh_exports[];

/* -EINVAL with the reference's words. */
must_check int refresh_check_interval(int64_t interval, struct err *err);
