/* What the parts of the sender share; for pyroscope_write_sender*.c only. */
#pragma once

#include "components/pyroscope_write_backoff.h"
#include "components/pyroscope_write_fit.h"
#include "components/pyroscope_write_queue.h"
#include "components/pyroscope_write_sender.h"
#include "components/pyroscope_write_spool.h"
#include "components/pyroscope_write_trouble.h"
#include "pyroscope/push_client.h"

/* One request under way; free when it has no items. */
struct flight {
    struct sender *sender;
    struct list items; /* struct push_item */
    size_t len;
    struct push_call *push;
    int64_t begun_ns;
};

/* A profile that is being split. */
struct fitting {
    struct list node;
    struct sender *sender;
    struct push_item *item;
    struct write_fit *fit;
};

struct sender_settings {
    const struct write_endpoint_args *args;
    char *label;    /* URL without user and password */
    char *shown;    /* in messages: with the name, where there is one */
    char **headers; /* of args->headers, NULL-terminated */
    struct http_settings_open http_open;
};

struct sender {
    struct sender_env env;
    char *path; /* of the module it is in, for metrics */
    const char *local_id;
    struct sender_settings *set; /* owned; the next two are its */
    const struct write_endpoint_args *args;
    const char *label;
    struct http_client *http; /* from the first push on */
    uv_timer_t *timer;        /* waits before a probe; while draining, the end of patience */
    uv_prepare_t *gathered;   /* sends what came in this turn of the loop, together */
    struct push_queue queue;
    struct flight flights[SENDER_IN_FLIGHT];
    unsigned in_flight;
    struct list fitting; /* struct fitting */

    struct write_spool *spool; /* NULL: none */
    struct spool_counts spool_told;
    int64_t replay_ns; /* the next profiles are taken then */
    bool is_taking, spool_is_broken;

    enum sender_state state;
    struct push_backoff backoff;
    int64_t wait_until_ns;        /* 0 = the endpoint need not be left alone */
    bool is_down;                 /* different profiles failed: probes only */
    uint64_t suspect;             /* number + 1 of the profile that failed since the last success; 0 = none */
    struct push_limit labels_fit; /* the server's limit, once it rejected a profile for it */

    bool draining;
    size_t lost_at_drain;
    void (*drained)(void *arg);
    void *drained_arg;

    struct write_trouble trouble;
    uint64_t lost; /* profiles */
    int64_t last_success_s;
    size_t published_bytes;
};

/* Starts what may be started now. */
void sender_pump(struct sender *s);
void sender_publish_queue(struct sender *s);
void sender_observe_item(struct sender *s, const struct push_item *item);
double sender_jitter(void);

/* --- pyroscope_write_sender_settle.c: what becomes of the profiles of a request --- */

struct push_item *sender_first_item(struct list *items);
void sender_settle(struct flight *f, const struct push_outcome *o);
void sender_cancel_fitting(struct sender *s);
/* Counts in the reference's metrics. */
void sender_count_sent(struct sender *s, const struct push_item *item);
void sender_count_push(struct sender *s, enum push_result result);

/* --- pyroscope_write_sender_spill.c: the spool --- */

/* By the settings in force. */
void sender_open_spool(struct sender *s);
void sender_close_spool(struct sender *s);
/* Stores what waits for long, or all if the endpoint is down; lets go of what is stored and too much; takes what is
 * due. */
void sender_spill(struct sender *s);
/* When sender_spill() has something to do next: INT64_MAX = nothing. */
int64_t sender_spill_due_ns(const struct sender *s);
/* The copy on disk of a profile that was delivered or dropped; at shutdown it is kept. True: kept. */
bool sender_forget_copy(struct sender *s, const struct push_item *item, bool shutdown);
