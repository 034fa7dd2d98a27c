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
    struct jfr_chunk *small; /* as it came; NULL = `fd` has it */
    int fd;                  /* sealed, or -1 */
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
    unsigned unclear; /* of processes that had a chunk and the end of the interval to do: after one of them, each of
                         these is asked for alone */
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

static void kept_chunk_done(struct kept_chunk *c)
{
    jfr_chunk_unref(TAKE_PTR(c->small));
    if (c->fd >= 0)
        close(TAKE_FD(c->fd));
}

static void interval_drop_chunk(struct parser_interval *i, size_t at)
{
    struct kept_chunk *c = &i->chunks[at];
    kept_chunk_done(c);
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
    i->endings = i->unclear = 0;
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

static int interval_add_chunk(struct parser_interval *i, struct jfr_chunk *chunk, int64_t received_ns, struct err *err)
{
    struct kept_chunk c = {
        .fd = -1, .size = chunk->len, .meta = {.received_ns = received_ns, .itimer_scale = chunk->itimer_scale}};
    const int code = chunk->len > PARSER_INLINE ? parser_wire_seal(chunk->bytes, chunk->len, &c.fd, err) : 0;
    if (code < 0)
        return code;
    if (c.fd < 0)
        c.small = jfr_chunk_ref(chunk);
    xgrow(&i->chunks, &i->cap, i->count + 1, sizeof *i->chunks);
    i->chunks[i->count++] = c;
    i->pending = true;
    return 0;
}

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
    const int code = chunk && chunk->bytes ? interval_add_chunk(i, chunk, step->received_ns, err) : 0;
    jfr_chunk_unref(chunk);
    return code;
}

/* What is asked for in one message: CONVERT_OPEN, a chunk, CONVERT_FINISH, or some of them. */
struct turn {
    struct parser_request rq[PARSER_TOGETHER];
    size_t n;
    struct parser_ranges ranges;
    ssize_t chunk; /* -1 = none */
    bool finish;
};

static void turn_add(struct turn *t, const struct parser_interval *i, const struct convert_request *rq)
{
    t->rq[t->n++] = (struct parser_request){.stream = i->stream, .rq = *rq};
}

/* The next things to do: as many as go into one message, or one. False when all is done. */
static bool interval_plan(const struct parser_interval *i, bool finish, bool alone, struct turn *t)
{
    const size_t most = alone ? 1 : PARSER_TOGETHER, there = i->is_there ? i->there : 0;
    t->n = 0;
    t->ranges = (struct parser_ranges){.series = i->series, .fd = -1};
    t->chunk = -1;
    t->finish = false;
    if (!i->is_there)
        turn_add(t, i,
                 &(struct convert_request){
                     .op = CONVERT_OPEN, .size = i->series_count * sizeof *i->series, .open = i->options});
    if (t->n < most && there < i->count) {
        const struct kept_chunk *c = &i->chunks[there];
        t->ranges.fd = c->fd;
        t->ranges.chunk = c->small ? c->small->bytes : NULL;
        t->chunk = (ssize_t)there;
        turn_add(t, i, &(struct convert_request){.op = CONVERT_CHUNK, .size = c->size, .chunk = c->meta});
        t->rq[t->n - 1].by_fd = !c->small;
    }
    t->finish = finish && t->n < most && there + (t->chunk >= 0) == i->count;
    if (t->finish)
        turn_add(t, i, &(struct convert_request){.op = CONVERT_FINISH});
    return t->n > 0;
}

static int interval_opened(struct parser_interval *i, const struct parser_process_ref *r,
                           const struct convert_reply *reply, struct err *err)
{
    if (reply->code < 0)
        return err_set(err, -EBADMSG, "it did not open an interval");
    i->is_there = true;
    i->slot = r->slot;
    i->generation = r->generation;
    i->there = 0;
    return 0;
}

/* One that is refused is not sent again. */
static void interval_added(struct parser_interval *i, struct parser_step *step, const struct convert_reply *reply)
{
    const size_t at = i->there;
    if (i->pending && at + 1 == i->count) {
        i->pending = false;
        step->chunk_code = reply->code;
        if (reply->code < 0)
            memcpy(step->why, reply->why, sizeof step->why);
    }
    i->there++;
    if (reply->code < 0)
        interval_drop_chunk(i, at);
}

static int interval_answered(struct parser_interval *i, const struct parser_process_ref *r, uint32_t op,
                             struct parser_step *step, struct err *err)
{
    const struct convert_reply *reply = &step->answer.reply;
    step->answered = true;
    if (op == CONVERT_OPEN)
        return interval_opened(i, r, reply, err);
    if (op == CONVERT_CHUNK) {
        interval_added(i, step, reply);
        return 0;
    }
    step->finish_code = reply->code;
    if (reply->code < 0)
        memcpy(step->why, reply->why, sizeof step->why);
    return 0;
}

static int turn_receive(const struct turn *t, int sock, struct parser_watch *w, const struct convert_options *o,
                        struct convert_answer *answers, struct err *err)
{
    struct parser_input in;
    parser_input_begin(&in, sock);
    for (size_t k = 0; k < t->n; k++) {
        const int code = parser_wire_receive(&in, w, t->rq[k].rq.op, o, &answers[k], err);
        if (code < 0)
            return code;
    }
    return parser_input_end(&in, err);
}

/* Nothing is changed before all answers are there: if one is missing, all of it is done again. */
static int interval_take_turn(struct parser_interval *i, const struct parser_process_ref *r, struct parser_watch *w,
                              struct turn *t, struct parser_step *step, struct err *err)
{
    struct convert_answer answers[PARSER_TOGETHER] = {0};
    int code = parser_wire_send(r->sock, w, t->rq, t->n, &t->ranges, err);
    if (code == 0)
        code = turn_receive(t, r->sock, w, &i->options, answers, err);
    for (size_t k = 0; code == 0 && k < t->n; k++) {
        convert_answer_done(&step->answer);
        step->answer = answers[k];
        answers[k] = (struct convert_answer){0};
        code = interval_answered(i, r, t->rq[k].rq.op, step, err);
    }
    for (size_t k = 0; k < t->n; k++)
        convert_answer_done(&answers[k]);
    return code;
}

static bool interval_is_suspect(const struct parser_interval *i)
{
    unsigned endings = i->endings + i->unclear;
    for (size_t k = 0; k < i->count; k++)
        endings += i->chunks[k].endings;
    return endings > 0;
}

/* All that the process at hand has to be told; 0 when it is answered. `t` is where that ended. */
static int interval_serve(struct parser_interval *i, const struct parser_process_ref *r, struct parser_watch *w,
                          struct parser_step *step, struct turn *t, struct err *err)
{
    const bool alone = interval_is_suspect(i);
    int code = 0;
    for (t->finish = false; code == 0 && !t->finish && interval_plan(i, step->finish, alone, t);)
        code = interval_take_turn(i, r, w, t, step, err);
    return code;
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
                                  const struct parser_watch *w, struct parser_step *step, const struct turn *t,
                                  int code, struct err *err)
{
    int64_t cpu_ns;
    const int status = parser_pool_end(i->pool, r, code == -EPIPE, &cpu_ns);
    if (cpu_ns > w->cpu_began_ns)
        step->cpu_ns += cpu_ns - w->cpu_began_ns;
    step->endings[parser_ending_of(code, status, err)]++;
    memcpy(step->ending, err->text, sizeof step->ending);
    i->is_there = false;
    i->there = 0;
    if (t->chunk >= 0 && t->finish) {
        i->unclear++;
        return;
    }
    unsigned *endings = t->chunk < 0 ? &i->endings : &i->chunks[t->chunk].endings;
    if (++*endings + i->unclear < ENDINGS_ALLOWED)
        return;
    i->unclear = 0;
    interval_set_aside(i, step, t->chunk);
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
    struct turn t;
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
    const int code = interval_serve(i, &r, &w, step, &t, &err);
    if (code < 0) {
        interval_lost_process(i, &r, &w, step, &t, code, &err);
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
