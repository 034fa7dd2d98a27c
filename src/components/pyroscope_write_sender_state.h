/* What the parts of the sender share; for pyroscope_write_sender*.c only. */
#pragma once

#include "components/pyroscope_write_args.h"
#include "components/pyroscope_write_backoff.h"
#include "components/pyroscope_write_fit.h"
#include "components/pyroscope_write_queue.h"
#include "components/pyroscope_write_sender_env.h"
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
    void (*pump)(struct sender *s); /* starts what may be started now */
    char *path;                     /* of the module it is in, for metrics */
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

void sender_publish_queue(struct sender *s);
/* The queue is gone. */
void sender_forget_queue(struct sender *s);
void sender_observe_item(struct sender *s, const struct push_item *item);
/* In the reference's metrics, in smolder_pushes_total, and at the origin of the profile. */
void sender_count_sent(struct sender *s, const struct push_item *item);
void sender_count_dropped(struct sender *s, const struct push_item *item);
void sender_count_retry(struct sender *s);
void sender_count_push(struct sender *s, enum push_result result);
/* NULL: the list is empty. */
struct push_item *sender_first_item(struct list *items);
