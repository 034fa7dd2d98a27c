#include "components/process_watch.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/work.h"

struct process_watch_job {
    uv_work_t work;
    struct process_watch *owner; /* NULL: gone */
    struct process_look *look;   /* owned */
};

static void process_watch_run(uv_work_t *work)
{
    struct process_watch_job *job = work->data;
    process_look_run(job->look);
}

static void process_watch_end(uv_work_t *work, int status)
{
    struct process_watch_job *job = work->data;
    struct process_watch *w = job->owner;
    struct process_look *look = job->look;
    (void)status; /* nobody cancels it */
    free(job);
    if (!w) {
        process_look_free(look);
        return;
    }
    struct process_poll poll = {0};
    struct err err = {0};
    w->job = NULL;
    const int code = process_look_take(look, &w->table, &poll, &err);
    w->looked(w->arg, code, &poll, err.text);
}

bool process_watch_look(struct process_watch *w, bool all)
{
    if (w->job)
        return false;
    struct process_look *look;
    struct err err = {0};
    const int code = process_look_new(&w->table, all, &look, &err);
    if (code < 0 || !look) {
        w->looked(w->arg, code, &(struct process_poll){0}, err.text);
        return true;
    }
    struct process_watch_job *job = xcalloc(1, sizeof *job);
    job->work.data = job;
    job->owner = w;
    job->look = look;
    w->job = job;
    work_queue(w->loop, &job->work, process_watch_run, process_watch_end);
    return true;
}

void process_watch_done(struct process_watch *w)
{
    if (w->job)
        w->job->owner = NULL;
    w->job = NULL;
    process_table_done(&w->table);
}
