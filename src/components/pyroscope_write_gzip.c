#include "components/pyroscope_write_gzip.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/gzip.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/work.h"

enum { LEVEL = 6 };

struct gzip_item {
    struct list node;
    struct labels *labels; /* one reference each */
    struct encoded_profile *profile;
    struct write_latency *latency; /* one reference, or NULL */
};

/* Outlives its owner while it runs. */
struct gzip_job {
    uv_work_t work;
    struct write_gzip *owner; /* NULL: nobody waits for it */
    struct gzip_item *item;
    struct buf packed;
    int code;
};

struct write_gzip {
    uv_loop_t *loop;
    write_gzip_done *done;
    void *ctx;
    struct list waiting; /* struct gzip_item */
    size_t bytes;        /* of those, and of the job's */
    struct gzip_job *job;
};

static void gzip_item_free(struct gzip_item *i)
{
    list_del(&i->node);
    labels_unref(i->labels);
    encoded_profile_unref(i->profile);
    write_latency_unref(i->latency);
    free(i);
}

static void gzip_job_run(uv_work_t *w)
{
    struct gzip_job *j = w->data;
    const struct encoded_profile *p = j->item->profile;
    j->code = gzip_deflate((struct str){(const char *)p->pprof, p->len}, LEVEL, &j->packed);
}

/* The same profile in fewer bytes; a new reference. */
static struct encoded_profile *gzip_job_profile(struct gzip_job *j)
{
    struct encoded_profile *from = j->item->profile;
    if (j->code < 0 || j->packed.len >= from->len)
        return encoded_profile_ref(from);
    size_t len;
    uint8_t *bytes = buf_take(&j->packed, &len);
    struct encoded_profile *p = encoded_profile_new(bytes, len, from->samples, from->time_nanos, from->duration_nanos);
    memcpy(p->id, from->id, sizeof p->id);
    p->origin = from->origin ? profile_origin_ref(from->origin) : NULL;
    return p;
}

static void write_gzip_start(struct write_gzip *g);

static void gzip_job_after(uv_work_t *w, int status)
{
    struct gzip_job *j = w->data;
    struct write_gzip *g = j->owner;
    if (status < 0)
        j->code = status;
    if (g) {
        struct encoded_profile *p = gzip_job_profile(j);
        g->job = NULL;
        g->bytes -= j->item->profile->len;
        write_gzip_start(g);
        g->done(g->ctx, j->item->labels, p, j->item->latency);
        encoded_profile_unref(p);
    }
    gzip_item_free(j->item);
    buf_done(&j->packed);
    free(j);
}

static void write_gzip_start(struct write_gzip *g)
{
    if (g->job || list_empty(&g->waiting))
        return;
    struct gzip_job *j = g->job = xcalloc(1, sizeof *j);
    j->item = list_entry(g->waiting.next, struct gzip_item, node);
    list_del(&j->item->node);
    j->owner = g;
    j->packed = BUF_INIT(2 * WRITE_GZIP_BYTES); /* more than the longest result that is possible */
    j->work.data = j;
    work_queue(g->loop, &j->work, gzip_job_run, gzip_job_after);
}

static bool write_gzip_wants(const struct write_gzip *g, const struct encoded_profile *p)
{
    return p->len >= WRITE_GZIP_LEAST && g->bytes + p->len <= WRITE_GZIP_BYTES &&
           !gzip_is((struct str){(const char *)p->pprof, p->len});
}

void write_gzip_append(struct write_gzip *g, const struct labels *labels, struct encoded_profile *p,
                       struct write_latency *latency)
{
    if (!write_gzip_wants(g, p)) {
        g->done(g->ctx, labels, p, latency);
        return;
    }
    struct gzip_item *i = xcalloc(1, sizeof *i);
    i->labels = labels_ref(labels);
    i->profile = encoded_profile_ref(p);
    i->latency = latency ? write_latency_ref(latency) : NULL;
    list_push(&g->waiting, &i->node);
    g->bytes += p->len;
    write_gzip_start(g);
}

/* The worker reads bytes that do not change, so they may be passed on meanwhile. */
static void write_gzip_leave_job(struct write_gzip *g, bool pass_on)
{
    struct gzip_job *j = TAKE_PTR(g->job);
    if (!j)
        return;
    j->owner = NULL;
    if (pass_on)
        g->done(g->ctx, j->item->labels, j->item->profile, j->item->latency);
}

void write_gzip_flush(struct write_gzip *g)
{
    write_gzip_leave_job(g, true);
    list_each(&g->waiting, node)
    {
        struct gzip_item *i = list_entry(node, struct gzip_item, node);
        g->done(g->ctx, i->labels, i->profile, i->latency);
        gzip_item_free(i);
    }
    g->bytes = 0;
}

void write_gzip_free(struct write_gzip *g)
{
    if (!g)
        return;
    write_gzip_leave_job(g, false);
    list_each(&g->waiting, node) gzip_item_free(list_entry(node, struct gzip_item, node));
    free(g);
}

struct write_gzip *write_gzip_new(uv_loop_t *loop, write_gzip_done *done, void *ctx)
{
    struct write_gzip *g = xcalloc(1, sizeof *g);
    *g = (struct write_gzip){.loop = loop, .done = done, .ctx = ctx};
    list_init(&g->waiting);
    return g;
}
