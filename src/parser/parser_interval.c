#include "parser/parser_interval.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "parser/parser_wire.h"

/* A process was taken over or is broken, or it was only in the way of somebody else: the second time shows. */
enum { ENDINGS_ALLOWED = 2 };

struct kept_chunk {
    int fd; /* sealed */
    uint64_t size;
    struct convert_chunk meta;
    unsigned endings; /* of processes that read it */
    bool held;        /* counted by the pool */
};

struct parser_interval {
    struct parser_pool *pool;
    uint64_t stream;
    bool open;
    struct convert_options options;
    uint64_t *series; /* known before it */
    size_t series_count;
    struct kept_chunk *chunks; /* in their order */
    size_t count, cap;
    bool pending;     /* the last one is the step's and not answered */
    bool incomplete;  /* not all could be kept: it cannot be done again */
    unsigned endings; /* at its beginning or end */
    /* The process that has it open, and how many chunks that has read. */
    bool is_there;
    unsigned slot, generation;
    size_t there;
};

struct parser_interval *parser_interval_new(struct parser_pool *pool)
{
    static atomic_ullong streams;
    struct parser_interval *i = xcalloc(1, sizeof *i);
    i->pool = pool;
    i->stream = atomic_fetch_add(&streams, 1);
    return i;
}

static void interval_drop_chunk(struct parser_interval *i, size_t at)
{
    struct kept_chunk *c = &i->chunks[at];
    close(c->fd);
    if (c->held)
        parser_pool_release(i->pool, c->size);
    memmove(c, c + 1, (i->count - at - 1) * sizeof *c);
    i->count--;
    i->there -= i->there > at;
}

static void interval_close(struct parser_interval *i)
{
    while (i->count)
        interval_drop_chunk(i, i->count - 1);
    free(TAKE_PTR(i->series));
    i->open = i->pending = i->incomplete = i->is_there = false;
    i->endings = 0;
    i->there = 0;
}

void parser_interval_free(struct parser_interval *i)
{
    if (!i)
        return;
    if (i->is_there)
        parser_pool_retire(i->pool, i->slot, i->generation);
    interval_close(i);
    free(i->chunks);
    free(i);
}

void parser_step_done(struct parser_step *step)
{
    free(TAKE_PTR(step->series));
    jfr_chunk_unref(TAKE_PTR(step->chunk));
    convert_answer_done(&step->answer);
}

/* ---- what is asked ---- */

/* The step's inputs become the interval's, so that a step which has to be run again finds them there. */
static int interval_accept(struct parser_interval *i, struct parser_step *step, struct err *err)
{
    if (step->open) {
        interval_close(i);
        i->open = true;
        i->options = step->options;
        i->series = TAKE_PTR(step->series);
        i->series_count = step->series_count;
        step->open = false;
    }
    struct jfr_chunk *chunk = TAKE_PTR(step->chunk);
    int code = 0;
    if (chunk && chunk->bytes) {
        struct kept_chunk c = {.size = chunk->len,
                               .meta = {.received_ns = step->received_ns, .itimer_scale = chunk->itimer_scale}};
        code = parser_wire_seal(chunk->bytes, chunk->len, &c.fd, err);
        if (code == 0) {
            xgrow(&i->chunks, &i->cap, i->count + 1, sizeof *i->chunks);
            i->chunks[i->count++] = c;
            i->pending = true;
        }
    }
    jfr_chunk_unref(chunk);
    return code;
}

static int interval_ask(struct parser_interval *i, const struct parser_process_ref *r, struct parser_watch *w,
                        const struct convert_request *rq, const void *range, int fd, struct parser_step *step,
                        struct err *err)
{
    const struct parser_request request = {.stream = i->stream, .rq = *rq};
    struct convert_answer a;
    const int code = parser_wire_ask(r->sock, w, &request, range, fd, &i->options, &a, err);
    if (code < 0)
        return code;
    convert_answer_done(&step->answer);
    step->answer = a;
    step->answered = true;
    return 0;
}

static int interval_send_open(struct parser_interval *i, const struct parser_process_ref *r, struct parser_watch *w,
                              struct parser_step *step, struct err *err)
{
    const struct convert_request rq = {
        .op = CONVERT_OPEN, .size = i->series_count * sizeof *i->series, .open = i->options};
    const int code = interval_ask(i, r, w, &rq, i->series, -1, step, err);
    if (code < 0 || step->answer.reply.code < 0)
        return code < 0 ? code : err_set(err, -EBADMSG, "it did not open an interval");
    i->is_there = true;
    i->slot = r->slot;
    i->generation = r->generation;
    i->there = 0;
    return 0;
}

/* The first one that the process has not read. One that is refused is not sent again. */
static int interval_send_chunk(struct parser_interval *i, const struct parser_process_ref *r, struct parser_watch *w,
                               struct parser_step *step, struct err *err)
{
    const size_t at = i->there;
    const struct kept_chunk *c = &i->chunks[at];
    const struct convert_request rq = {.op = CONVERT_CHUNK, .size = c->size, .chunk = c->meta};
    const int code = interval_ask(i, r, w, &rq, NULL, c->fd, step, err);
    if (code < 0)
        return code;
    const struct convert_reply *reply = &step->answer.reply;
    if (i->pending && at + 1 == i->count) {
        i->pending = false;
        step->chunk_code = reply->code;
        if (reply->code < 0)
            memcpy(step->why, reply->why, sizeof step->why);
    }
    i->there++;
    if (reply->code < 0)
        interval_drop_chunk(i, at);
    return 0;
}

/* All that the process at hand has to be told; 0 when it is answered. `chunk` is the one it was at, or -1. */
static int interval_serve(struct parser_interval *i, const struct parser_process_ref *r, struct parser_watch *w,
                          struct parser_step *step, ssize_t *chunk, struct err *err)
{
    int code;
    *chunk = -1;
    if (!i->is_there && (code = interval_send_open(i, r, w, step, err)) < 0)
        return code;
    while (i->there < i->count) {
        *chunk = (ssize_t)i->there;
        if ((code = interval_send_chunk(i, r, w, step, err)) < 0)
            return code;
    }
    *chunk = -1;
    if (!step->finish)
        return 0;
    const struct convert_request rq = {.op = CONVERT_FINISH};
    if ((code = interval_ask(i, r, w, &rq, NULL, -1, step, err)) < 0)
        return code;
    step->finish_code = step->answer.reply.code;
    if (step->finish_code < 0)
        memcpy(step->why, step->answer.reply.why, sizeof step->why);
    return 0;
}

/* ---- what becomes of it when a process ends ---- */

static void interval_set_aside(struct parser_interval *i, struct parser_step *step, ssize_t chunk)
{
    snprintf(step->why, sizeof step->why, "ended the parser twice and was set aside: %.400s", step->ending);
    if (chunk < 0) {
        step->finish_code = -ECANCELED;
        step->set_aside += (unsigned)i->count;
        interval_close(i);
        return;
    }
    if (i->pending && (size_t)chunk + 1 == i->count) {
        step->chunk_code = -ECANCELED;
        i->pending = false;
    }
    step->set_aside++;
    interval_drop_chunk(i, (size_t)chunk);
}

/* The process is gone, or no longer to be trusted. */
static void interval_lost_process(struct parser_interval *i, const struct parser_process_ref *r,
                                  const struct parser_watch *w, struct parser_step *step, ssize_t chunk, int code,
                                  struct err *err)
{
    int64_t cpu_ns;
    const int status = parser_pool_end(i->pool, r, code == -EPIPE, &cpu_ns);
    if (cpu_ns > w->cpu_began_ns)
        step->cpu_ns += cpu_ns - w->cpu_began_ns;
    step->endings[parser_ending_of(code, status, err)]++;
    memcpy(step->ending, err->text, sizeof step->ending);
    i->is_there = false;
    i->there = 0;
    unsigned *endings = chunk < 0 ? &i->endings : &i->chunks[chunk].endings;
    if (++*endings >= ENDINGS_ALLOWED)
        interval_set_aside(i, step, chunk);
}

static bool interval_is_suspect(const struct parser_interval *i)
{
    unsigned endings = i->endings;
    for (size_t k = 0; k < i->count; k++)
        endings += i->chunks[k].endings;
    return endings > 0;
}

/* Its process is another one by now, and not all of its chunks are there. */
static bool interval_is_lost(struct parser_interval *i, struct parser_step *step)
{
    if (i->is_there || !i->incomplete)
        return false;
    snprintf(step->why, sizeof step->why, "the interval was lost with the parser: too many chunks to keep");
    *(step->finish ? &step->finish_code : &step->chunk_code) = -EIO;
    interval_close(i);
    return true;
}

/* Once through with one process. False when it has to be done again with another. */
static bool interval_attempt(struct parser_interval *i, struct parser_step *step)
{
    struct parser_process_ref r;
    struct parser_watch w;
    struct err err = {0};
    ssize_t chunk;
    step->retry_ms = 0;
    const int slot = i->is_there ? (int)i->slot : PARSER_ANY;
    if (parser_pool_take(i->pool, slot, i->generation, interval_is_suspect(i), &r, &step->retry_ms, &err) < 0) {
        memcpy(step->ending, err.text, sizeof step->ending);
        return true;
    }
    i->is_there = i->is_there && i->generation == r.generation;
    if (interval_is_lost(i, step)) {
        parser_pool_give(i->pool, &r);
        return true;
    }
    parser_watch_begin(&w, r.pid);
    const int code = interval_serve(i, &r, &w, step, &chunk, &err);
    if (code < 0) {
        interval_lost_process(i, &r, &w, step, chunk, code, &err);
        return false;
    }
    step->cpu_ns += parser_watch_cpu_ns(&w);
    parser_pool_give(i->pool, &r);
    return true;
}

/* Chunks that stay for the next step are counted: those of one interval are few, but there are many JVMs. */
static void interval_keep(struct parser_interval *i)
{
    for (size_t k = i->count; k > 0; k--) {
        struct kept_chunk *c = &i->chunks[k - 1];
        if (c->held || (c->held = parser_pool_hold(i->pool, c->size)))
            continue;
        interval_drop_chunk(i, k - 1);
        i->incomplete = true;
    }
}

void parser_interval_run(struct parser_interval *i, struct parser_step *step)
{
    struct err err = {0};
    const int code = interval_accept(i, step, &err);
    if (code < 0) {
        step->chunk_code = code;
        memcpy(step->why, err.text, sizeof step->why);
    }
    while (i->open && !interval_attempt(i, step))
        ;
    if (step->retry_ms)
        return;
    if (step->finish)
        interval_close(i);
    interval_keep(i);
    step->is_open = i->open;
}
