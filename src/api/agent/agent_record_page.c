#include "api/agent/agent_record_page.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/agent/agent_take.h"
#include "api/agent/record_view.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/drain.h"
#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/work.h"
#include "jfr/shared_chunk.h"
#include "parser/parser_batch.h"
#include "parser/parser_interval.h"

/* What may wait for the browser; a line of a frame, which may have a sentence in it. */
enum { PAGE_WAITING_MAX = 48 << 20, PAGE_LINE_MAX = 8 << 10, PAGE_TICK_MS = 1000, PAGE_RETRY_MS = 250 };

struct agent_record_page {
    uv_loop_t *loop;
    struct controller *controller;
    struct parser_pool *parsers;
    struct list items; /* struct page_take */
    size_t count;
    struct drain drain; /* recordings, until they are freed */
};

enum page_job { PAGE_NO_JOB, PAGE_CONVERT, PAGE_VIEW };

struct page_take {
    struct list link;
    struct agent_record_page *owner;
    struct agent_take *take;     /* NULL once it is over */
    struct reply_stream *stream; /* NULL once the client is gone, or all was sent */
    uv_timer_t timer;            /* progress; then a pause before the job is tried again */
    int64_t began_ns;            /* 0 = not yet */
    struct jfr_chunk **chunks;   /* references, until they are converted */
    size_t chunk_count, chunk_cap, converted;
    uint64_t recorded; /* bytes */
    const char *cut;   /* why it ended early; NULL = it did not */
    struct convert_options conversion;
    /* A worker's while there is a job. */
    enum page_job job, paused;
    uv_work_t work;
    struct parser_interval *interval;
    struct parser_step step;
    struct convert_answer profiles; /* of the whole recording */
    uint32_t viewed;
    struct buf view;
    int view_code;
    struct err view_err;
};

/* ---- its end ---- */

static void page_take_on_timer_closed(uv_handle_t *h)
{
    struct page_take *t = h->data;
    struct agent_record_page *p = t->owner;
    for (size_t i = t->converted; i < t->chunk_count; i++)
        jfr_chunk_unref(t->chunks[i]);
    free(t->chunks);
    parser_step_done(&t->step);
    parser_interval_free(t->interval);
    convert_answer_done(&t->profiles);
    buf_done(&t->view);
    free(t);
    if (drain_give(&p->drain)) {
        drain_tell(&p->drain);
        free(p);
    }
}

/* Of one without a stream and a job. */
static void page_take_free(struct page_take *t)
{
    agent_take_free(TAKE_PTR(t->take));
    list_del(&t->link);
    t->owner->count--;
    uv_close((uv_handle_t *)&t->timer, page_take_on_timer_closed);
}

/* The client is gone: a worker that is at it finishes its step. */
static void page_take_gone(void *arg)
{
    struct page_take *t = arg;
    t->stream = NULL;
    agent_take_free(TAKE_PTR(t->take));
    if (t->job == PAGE_NO_JOB)
        page_take_free(t);
}

/* ---- frames ---- */

static bool page_take_send(struct page_take *t, struct buf *line, struct str bytes)
{
    cleanup_buf struct buf frame = BUF_INIT(PAGE_WAITING_MAX);
    buf_str(&frame, buf_slice(line));
    buf_byte(&frame, '\n');
    buf_str(&frame, bytes);
    return buf_ok(line) && buf_ok(&frame) && stream_send(t->stream, buf_slice(&frame));
}

static void page_take_say(struct page_take *t, const char *member, const char *text)
{
    cleanup_buf struct buf line = BUF_INIT(PAGE_LINE_MAX);
    buf_printf(&line, "{\"%s\":", member);
    json_string(&line, str_of(text));
    buf_byte(&line, '}');
    (void)page_take_send(t, &line, STR(""));
}

/* With its last frame. No job is under way. */
static void page_take_finish(struct page_take *t, const char *error)
{
    if (error)
        page_take_say(t, "error", error);
    else
        page_take_say(t, "phase", "done");
    stream_end(TAKE_PTR(t->stream));
    page_take_free(t);
}

static bool page_take_send_file(struct page_take *t, const char *file, const struct convert_profile *of,
                                struct str bytes)
{
    cleanup_buf struct buf line = BUF_INIT(PAGE_LINE_MAX);
    buf_printf(&line, "{\"file\":\"%s\",", file);
    if (of) {
        buf_puts(&line, "\"type\":");
        json_string(&line, str_of(of->type));
        buf_printf(&line, ",\"samples\":%llu,", (unsigned long long)of->samples);
    }
    buf_printf(&line, "\"bytes\":%zu}", bytes.n);
    return page_take_send(t, &line, bytes);
}

static void page_take_tell_progress(uv_timer_t *timer)
{
    struct page_take *t = timer->data;
    cleanup_buf struct buf line = BUF_INIT(PAGE_LINE_MAX);
    buf_printf(&line, "{\"phase\":\"recording\",\"elapsed_ms\":%lld,\"chunks\":%zu,\"recorded\":%llu}",
               (long long)((clock_ns() - t->began_ns) / NS_PER_MS), t->chunk_count, (unsigned long long)t->recorded);
    (void)page_take_send(t, &line, STR(""));
}

/* ---- the conversion ---- */

static void page_take_begin_job(struct page_take *t, enum page_job job);

static void page_take_on_retry(uv_timer_t *timer)
{
    struct page_take *t = timer->data;
    page_take_begin_job(t, t->paused);
}

/* No parser process can be had for now. A client that goes meanwhile is not waited for. */
static void page_take_pause(struct page_take *t, enum page_job job)
{
    t->paused = job;
    uv_timer_start(&t->timer, page_take_on_retry, job == PAGE_CONVERT ? (uint64_t)t->step.retry_ms : PAGE_RETRY_MS, 0);
}

static void page_take_on_work(uv_work_t *work)
{
    struct page_take *t = work->data;
    if (t->job == PAGE_CONVERT) {
        parser_interval_run(t->interval, &t->step);
        return;
    }
    const struct convert_profile *meta = &t->profiles.profiles[t->viewed];
    const struct parser_item item = {.bytes = {(const char *)t->profiles.bytes[t->viewed], meta->size}};
    cleanup_parser_batch struct parser_batch b = {.pool = t->owner->parsers,
                                                  .service = &record_view_service,
                                                  .items = &item,
                                                  .count = 1,
                                                  .answer_max = RECORD_VIEW_MAX,
                                                  .check = record_view_check};
    struct parser_answer a;
    t->view_err = (struct err){0};
    t->view_code = parser_batch_next(&b, &a, &t->view_err);
    if (t->view_code == 1)
        buf_str(&t->view, a.bytes);
}

/* Fills in the next step: a chunk, with the beginning or the end of the interval. */
static void page_take_next_step(struct page_take *t)
{
    t->step = (struct parser_step){.open = t->converted == 0,
                                   .options = t->conversion,
                                   .chunk = TAKE_PTR(t->chunks[t->converted]),
                                   .received_ns = clock_wall_ns(),
                                   .finish = t->converted + 1 == t->chunk_count};
    t->converted++;
}

/* The profile has been sent as a file; these are its graphs. */
static void page_take_send_view(struct page_take *t)
{
    const struct convert_profile *meta = &t->profiles.profiles[t->viewed];
    const struct str pprof = {(const char *)t->profiles.bytes[t->viewed], meta->size};
    t->viewed++;
    if (!page_take_send_file(t, "pprof", meta, pprof) ||
        (t->view_code == 1 && !page_take_send_file(t, "graphs", meta, buf_slice(&t->view))))
        page_take_say(t, "note", "the browser reads too slowly: not all files are there");
    else if (t->view_code != 1)
        page_take_say(t, "note", t->view_err.text[0] ? t->view_err.text : "a profile could not be drawn");
    buf_reset(&t->view);
}

/* What follows a step of the conversion. */
static void page_take_stepped(struct page_take *t)
{
    struct parser_step *step = &t->step;
    const bool finished = step->finish;
    const int code = step->finish_code;
    char why[ERR_MAX];
    snprintf(why, sizeof why, "%s", step->why);
    if (step->chunk_code < 0 && code == 0)
        page_take_say(t, "note", why);
    if (finished && code == 0) {
        t->profiles = step->answer;
        step->answer = (struct convert_answer){0};
    }
    parser_step_done(step);
    *step = (struct parser_step){0};
    if (!finished) {
        page_take_next_step(t);
        page_take_begin_job(t, PAGE_CONVERT);
    } else if (code < 0 || t->profiles.reply.profile_count == 0) {
        page_take_finish(t, code < 0 ? why : "no samples were taken; was the JVM idle?");
    } else {
        page_take_begin_job(t, PAGE_VIEW);
    }
}

static void page_take_viewed(struct page_take *t)
{
    page_take_send_view(t);
    if (t->viewed == t->profiles.reply.profile_count)
        page_take_finish(t, NULL);
    else
        page_take_begin_job(t, PAGE_VIEW);
}

static void page_take_on_work_done(uv_work_t *work, int status)
{
    struct page_take *t = work->data;
    const enum page_job job = t->job;
    (void)status;
    t->job = PAGE_NO_JOB;
    if (!t->stream) {
        page_take_free(t);
        return;
    }
    if (job == PAGE_CONVERT ? t->step.retry_ms > 0 : t->view_code == -EAGAIN)
        page_take_pause(t, job);
    else if (job == PAGE_CONVERT)
        page_take_stepped(t);
    else
        page_take_viewed(t);
}

static void page_take_begin_job(struct page_take *t, enum page_job job)
{
    t->job = job;
    t->work.data = t;
    work_queue(t->owner->loop, &t->work, page_take_on_work, page_take_on_work_done);
}

/* ---- the recording ---- */

static void page_take_begun(void *arg)
{
    struct page_take *t = arg;
    t->began_ns = clock_ns();
    page_take_tell_progress(&t->timer);
    uv_timer_start(&t->timer, page_take_tell_progress, PAGE_TICK_MS, PAGE_TICK_MS);
}

static bool page_take_chunk(void *arg, struct jfr_chunk *c)
{
    struct page_take *t = arg;
    if (t->recorded + c->len > RECORD_PAGE_BYTES)
        t->cut = "the recording ended early: it has as many bytes as the page takes";
    else if (!page_take_send_file(t, "jfr", NULL, (struct str){(const char *)c->bytes, c->len}))
        t->cut = "the recording ended early: the browser reads too slowly";
    if (t->cut)
        return false;
    t->conversion = *agent_take_conversion(t->take);
    xgrow(&t->chunks, &t->chunk_cap, t->chunk_count + 1, sizeof *t->chunks);
    t->chunks[t->chunk_count++] = jfr_chunk_ref(c);
    t->recorded += c->len;
    return true;
}

static void page_take_over(void *arg)
{
    struct page_take *t = arg;
    agent_take_free(TAKE_PTR(t->take));
    uv_timer_stop(&t->timer);
    if (t->cut)
        page_take_say(t, "note", t->cut);
    if (t->chunk_count == 0) {
        page_take_finish(t, "nothing was recorded: the JVM ended, or does not answer");
        return;
    }
    page_take_say(t, "phase", "converting");
    t->conversion.gzip = true;
    t->interval = parser_interval_new(t->owner->parsers);
    page_take_next_step(t);
    page_take_begin_job(t, PAGE_CONVERT);
}

static const struct agent_take_events page_take_events = {page_take_begun, page_take_chunk, page_take_over};

/* ---- requests ---- */

static void page_take_start(struct agent_record_page *p, const struct agent_take_request *wanted, struct request *rq)
{
    struct page_take *t = xcalloc(1, sizeof *t);
    struct err err = {0};
    t->owner = p;
    t->view = BUF_INIT(RECORD_VIEW_MAX);
    const int code = agent_take_new(p->loop, p->controller, wanted, &page_take_events, t, &t->take, &err);
    if (code < 0) {
        agent_take_refuse(rq, code, &err);
        free(t);
        return;
    }
    uv_timer_init(p->loop, &t->timer);
    t->timer.data = t;
    list_push(&p->items, &t->link);
    p->count++;
    drain_take(&p->drain);
    request_set_header(rq, "Cache-Control", "no-store");
    t->stream = request_stream(rq, "application/octet-stream", page_take_gone, t);
    if (!t->stream) {
        page_take_free(t);
        return;
    }
    stream_set_max(t->stream, PAGE_WAITING_MAX);
    page_take_say(t, "phase", "starting");
}

void agent_record_page_start(struct agent_record_page *p, struct request *rq)
{
    struct agent_take_request wanted;
    if (!agent_take_read(rq, RECORD_PAGE_MAX_S, &wanted))
        return;
    if (p->count >= RECORD_PAGE_MOST)
        request_reply_text(rq, 503, "%d recordings are running; try again later\n", RECORD_PAGE_MOST);
    else
        page_take_start(p, &wanted, rq);
}

/* ---- life ---- */

struct agent_record_page *agent_record_page_new(uv_loop_t *loop, struct controller *c, struct parser_pool *parsers)
{
    struct agent_record_page *p = xcalloc(1, sizeof *p);
    *p = (struct agent_record_page){.loop = loop, .controller = c, .parsers = parsers};
    list_init(&p->items);
    return p;
}

void agent_record_page_close(struct agent_record_page *p, void (*closed)(void *arg), void *arg)
{
    if (!p)
        return;
    const bool done = drain_close(&p->drain, closed, arg);
    list_each(&p->items, node)
    {
        struct page_take *t = list_entry(node, struct page_take, link);
        if (t->stream)
            stream_end(t->stream);
        page_take_gone(t);
    }
    if (done) {
        drain_tell(&p->drain);
        free(p);
    }
}
