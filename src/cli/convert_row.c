#include "cli/convert_row.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "pprof/conversion_parts.h"
#include "pprof/from_jfr.h"

/* Items at once, and inputs that are over, each of which is open; what makes it worth while to start threads. */
enum { ITEMS_MAX = 4 * ROW_JOBS_MAX, ENDS_MAX = 8, THREADS_FROM_CHUNKS = 2, THREADS_FROM_BYTES = 256 << 10 };
/* Parts in a row that could not be joined, after which no more are made. */
enum { MISSES_MAX = 16 };

struct row {
    struct conversion *conversion;
    unsigned jobs;
    struct row_item *items[ITEMS_MAX]; /* owned */
    size_t len;
    uint64_t recordings; /* that began; number of the last one */
    bool fresh;          /* no chunk of it was added yet */
    size_t misses;
    pthread_t threads[ROW_JOBS_MAX];
    size_t thread_count;
    bool locks; /* there are, or were, threads */

    pthread_mutex_t lock; /* of the states of items, `len`, and what follows */
    pthread_cond_t work, done;
    bool stop;
    uint64_t known;                    /* recording of which a chunk was converted */
    struct recorded_settings settings; /* in force behind it */
};

unsigned row_jobs_default(void)
{
    cpu_set_t cpus;
    if (sched_getaffinity(0, sizeof cpus, &cpus) < 0)
        return 1;
    const int n = CPU_COUNT(&cpus);
    return n < 1 ? 1 : n > ROW_JOBS_MAX ? ROW_JOBS_MAX : (unsigned)n;
}

struct row *row_new(struct conversion *c, unsigned jobs)
{
    struct row *r = xcalloc(1, sizeof *r);
    r->conversion = c;
    r->jobs = conversion_has_parts(c) ? jobs : 1;
    settings_copy(&r->settings, conversion_settings_now(c));
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->work, NULL);
    pthread_cond_init(&r->done, NULL);
    return r;
}

static void row_item_free(struct row_item *item)
{
    conversion_free(item->part);
    recorded_settings_done(&item->settings);
    free(item->copy);
    free(item);
}

void row_free(struct row *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    pthread_cond_broadcast(&r->work);
    pthread_mutex_unlock(&r->lock);
    for (size_t i = 0; i < r->thread_count; i++)
        pthread_join(r->threads[i], NULL);
    for (size_t i = 0; i < r->len; i++)
        row_item_free(r->items[i]);
    recorded_settings_done(&r->settings);
    pthread_cond_destroy(&r->done);
    pthread_cond_destroy(&r->work);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

size_t row_len(const struct row *r)
{
    return r->len;
}

const struct row_item *row_item_at(const struct row *r, size_t i)
{
    return r->items[i];
}

bool row_reads_ahead(const struct row *r)
{
    return r->jobs > 1;
}

bool row_is_full(const struct row *r)
{
    size_t chunks = 0, copied = 0, ends = 0;
    for (size_t i = 0; i < r->len; i++) {
        chunks += r->items[i]->kind == ROW_CHUNK;
        ends += r->items[i]->kind == ROW_END;
        copied += r->items[i]->copy ? r->items[i]->chunk.n : 0;
    }
    const size_t max = r->jobs > 1 ? 2 * (size_t)r->jobs : 1;
    return chunks >= max || copied >= ROW_COPY_MAX || ends >= ENDS_MAX || r->len == ITEMS_MAX;
}

/* ---- converting apart ---- */

/* A chunk behind the front of which the settings are known, to be taken under the lock; NULL. They flow from one chunk
 * of a recording to the next, and only at its beginning are they others. */
static struct row_item *row_next_apart(struct row *r)
{
    for (size_t i = 1; r->jobs > 1 && i < r->len; i++) {
        struct row_item *item = r->items[i];
        if (item->kind == ROW_CHUNK && item->state == ROW_WAITING && (item->first || item->recording == r->known))
            return item;
    }
    return NULL;
}

/* Under the lock, which is released meanwhile. */
static void row_run_apart(struct row *r, struct row_item *item)
{
    item->state = ROW_RUNNING;
    settings_copy(&item->settings, item->first ? conversion_settings_at_begin(r->conversion) : &r->settings);
    pthread_mutex_unlock(&r->lock);
    struct err ignored; /* what was refused is converted again, and then told of */
    struct conversion *part = conversion_part_new(r->conversion, &item->settings);
    const int code = conversion_add(part, item->chunk.p, item->chunk.n, &ignored);
    pthread_mutex_lock(&r->lock);
    item->part = part;
    item->code = code;
    item->state = ROW_DONE;
    pthread_cond_signal(&r->done);
}

static void *row_thread(void *arg)
{
    struct row *r = arg;
    pthread_mutex_lock(&r->lock);
    while (!r->stop) {
        struct row_item *item = row_next_apart(r);
        if (item)
            row_run_apart(r, item);
        else
            pthread_cond_wait(&r->work, &r->lock);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

/* Without threads, where none can be had, the caller does all alone. */
static void row_start_threads(struct row *r)
{
    size_t chunks = 0, bytes = 0;
    for (size_t i = 0; i < r->len; i++) {
        chunks += r->items[i]->kind == ROW_CHUNK;
        bytes += r->items[i]->chunk.n;
    }
    if (r->locks || chunks < THREADS_FROM_CHUNKS || bytes < THREADS_FROM_BYTES)
        return;
    r->locks = true;
    while (r->thread_count + 1 < r->jobs && pthread_create(&r->threads[r->thread_count], NULL, row_thread, r) == 0)
        r->thread_count++;
}

void row_add(struct row *r, const struct row_item *item)
{
    struct row_item *own = xcalloc(1, sizeof *own);
    *own = *item;
    if (own->kind == ROW_BEGIN)
        r->recordings++;
    own->recording = r->recordings;
    own->first = own->kind == ROW_CHUNK && r->fresh;
    r->fresh = own->kind == ROW_BEGIN || (r->fresh && own->kind != ROW_CHUNK);
    pthread_mutex_lock(&r->lock);
    r->items[r->len++] = own;
    pthread_cond_signal(&r->work);
    pthread_mutex_unlock(&r->lock);
    if (r->jobs > 1)
        row_start_threads(r);
}

/* ---- the front ---- */

/* True where the front is to be converted by the caller. While others are at it, that one helps with what follows. */
static bool row_take_front(struct row *r)
{
    struct row_item *front = r->items[0];
    pthread_mutex_lock(&r->lock);
    while (front->state == ROW_RUNNING) {
        struct row_item *next = row_next_apart(r);
        if (next)
            row_run_apart(r, next);
        else
            pthread_cond_wait(&r->done, &r->lock);
    }
    const bool waiting = front->state == ROW_WAITING;
    front->state = waiting ? ROW_RUNNING : ROW_DONE;
    pthread_mutex_unlock(&r->lock);
    return waiting;
}

/* The chunks that follow are of a recording that is known now. */
static void row_settings_known(struct row *r)
{
    pthread_mutex_lock(&r->lock);
    settings_copy(&r->settings, conversion_settings_now(r->conversion));
    if (r->misses > MISSES_MAX)
        r->jobs = 1;
    r->known = r->items[0]->recording;
    r->items[0]->state = ROW_DONE;
    pthread_cond_broadcast(&r->work);
    pthread_mutex_unlock(&r->lock);
}

int row_convert(struct row *r, struct err *err)
{
    struct row_item *front = r->items[0];
    int joined = 0, code = 0;
    if (!row_take_front(r)) {
        if (front->code == 0)
            joined = conversion_join(r->conversion, front->part, &front->settings);
        r->misses = joined == 0 ? r->misses + 1 : 0;
    }
    if (joined < 0)
        code = err_set(err, joined, "out of memory");
    else if (joined == 0)
        code = conversion_add(r->conversion, front->chunk.p, front->chunk.n, err);
    row_settings_known(r);
    return code;
}

void row_remove(struct row *r, size_t i)
{
    struct row_item *item = r->items[i];
    pthread_mutex_lock(&r->lock);
    while (item->state == ROW_RUNNING)
        pthread_cond_wait(&r->done, &r->lock);
    memmove(r->items + i, r->items + i + 1, (r->len - i - 1) * sizeof *r->items);
    r->len--;
    pthread_mutex_unlock(&r->lock);
    row_item_free(item);
}
