/* What the parts of the ingest forwarder share; for pyroscope_write_ingest*.c only. */
#pragma once

#include "components/pyroscope_write_args.h"
#include "components/pyroscope_write_backoff.h"
#include "components/pyroscope_write_queue.h"
#include "components/pyroscope_write_sender_env.h"
#include "components/pyroscope_write_spool.h"
#include "flow/receiver.h"

/* Labels of what stands beside a body, so that a spool keeps it, too. */
#define INGEST_LABEL_TYPE  "__ingest_type__"
#define INGEST_LABEL_QUERY "__ingest_query__"

struct ingest_item {
    struct list node;
    struct labels *labels;           /* one reference each */
    struct encoded_profile *profile; /* the body */
    char *name;                      /* the parameter, encoded */
    struct spooled *copy;            /* on disk, or NULL */
    int64_t since_ns, wait_until_ns;
    int64_t attempts;
    int64_t judged, pending, failed_ns; /* as in struct push_item */
};

struct ingest_endpoint {
    const struct sender_env *env;
    void (*pump)(struct ingest_endpoint *e); /* starts what may be started now */
    struct ingest_forwarder *owner;
    const struct write_endpoint_args *args; /* of the owner's */
    char *label;                            /* URL without user and password */
    struct list queue;                      /* struct ingest_item, oldest first */
    size_t bytes;
    struct http_call *call;   /* NULL: none is under way */
    struct ingest_item *sent; /* the one of the call */
    int64_t begun_ns;         /* of the call */
    struct http_settings_open opened;
    struct str piece; /* the body of the call */
    struct push_backoff backoff;
    uv_timer_t *timer;          /* NULL: was never needed */
    int64_t wait_until_ns;      /* 0 = the endpoint need not be left alone */
    struct ingest_item *failed; /* since the last success; NULL: none, or gone */
    bool is_down, is_troubled, is_draining;

    struct write_spool *spool; /* NULL: none */
    struct spool_counts spool_told;
    int64_t replay_ns; /* the next bodies are taken then */
    bool is_taking, spool_is_broken;
};

/* In its place by age. Takes over all but the texts and the profile, of which it takes new references. NULL: the labels
 * are too long for a name. */
struct ingest_item *ingest_item_add(struct ingest_endpoint *e, const struct labels *labels, struct encoded_profile *p,
                                    int64_t since_ns);
void ingest_item_free(struct ingest_endpoint *e, struct ingest_item *i);
