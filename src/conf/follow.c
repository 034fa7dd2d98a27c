#include "conf/follow.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/work.h"

/* What a worker needs; it stays until the worker is done, and longer than its follow if need be. */
struct read_job {
    uv_work_t work;
    struct conf_follow *owner; /* NULL: gone, or the loop is ending */
    char **paths;
    size_t path_count;
    void *(*read)(const char *const *paths, size_t n);
    void (*discard)(void *result);
    void *result;
};

struct conf_follow {
    struct conf_follow_options options;
    char **paths;
    char *entries;
    struct conf_watch *watch;
    struct read_job *job; /* NULL: none is under way */
    bool again;           /* something changed meanwhile */
};

static char **follow_copy_paths(const char *const *paths, size_t n)
{
    char **copy = xcalloc(n + 1, sizeof *copy);
    for (size_t i = 0; i < n; i++)
        copy[i] = xstrdup(paths[i]);
    return copy;
}

static void follow_free_paths(char **paths, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(paths[i]);
    free(paths);
}

static void follow_job_run(uv_work_t *work)
{
    struct read_job *job = work->data;
    job->result = job->read((const char *const *)job->paths, job->path_count);
}

static void follow_read(struct conf_follow *f);

static void follow_job_end(uv_work_t *work, int status)
{
    struct read_job *job = work->data;
    struct conf_follow *f = job->owner;
    if (f)
        f->job = NULL;
    /* What is read again soon is taken nevertheless: files that never rest must not keep it away for ever. `take` may
     * free f. */
    const bool again = f && f->again;
    if (again)
        follow_read(f);
    if (f && status == 0)
        f->options.take(f->options.arg, TAKE_PTR(job->result));
    if (job->result)
        job->discard(job->result);
    follow_free_paths(job->paths, job->path_count);
    free(job);
}

static void follow_read(struct conf_follow *f)
{
    f->again = f->job != NULL;
    if (f->job)
        return;
    const struct conf_watch_options *w = &f->options.watch;
    struct read_job *job = f->job = xcalloc(1, sizeof *job);
    *job = (struct read_job){.owner = f,
                             .paths = follow_copy_paths(w->paths, w->path_count),
                             .path_count = w->path_count,
                             .read = f->options.read,
                             .discard = f->options.discard};
    job->work.data = job;
    work_queue(w->loop, &job->work, follow_job_run, follow_job_end);
}

static void follow_changed(void *arg)
{
    follow_read(arg);
}

struct conf_follow *conf_follow_new(const struct conf_follow_options *options)
{
    struct conf_follow *f = xcalloc(1, sizeof *f);
    f->options = *options;
    struct conf_watch_options *w = &f->options.watch;
    f->paths = follow_copy_paths(w->paths, w->path_count);
    f->entries = w->entries ? xstrdup(w->entries) : NULL;
    w->paths = (const char *const *)f->paths;
    w->entries = f->entries;
    w->changed = follow_changed;
    w->arg = f;
    /* First watched, then read, so that no change falls in between. */
    f->watch = conf_watch_new(w);
    follow_read(f);
    return f;
}

size_t conf_follow_missed(const struct conf_follow *f)
{
    return conf_watch_missed(f->watch);
}

void conf_follow_free(struct conf_follow *f)
{
    if (!f)
        return;
    /* Waiting for a worker still: it need not read at all. follow_job_end() comes in any case. */
    if (f->job) {
        f->job->owner = NULL;
        (void)work_cancel(&f->job->work);
    }
    conf_watch_free(f->watch);
    follow_free_paths(f->paths, f->options.watch.path_count);
    free(f->entries);
    free(f);
}
