#include "components/pyroscope_store_home.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/work.h"
#include "graph/args.h"

enum { NOTICE_MAX = 4096 };

enum home_state { HOME_CLOSED, HOME_OPENING, HOME_OPEN, HOME_CLOSING };

struct store_home {
    struct store_home_options options;
    enum home_state state;
    const struct store_args *args;   /* of the store that is wanted; NULL = none yet; one reference */
    const struct store_args *opened; /* of the one that is there; likewise */
    bool shared;                     /* wanted is the agent's */
    struct store *store;
    char *path;
    int64_t bytes;
    struct err err;
    bool failed; /* to be opened, until somebody asks again */
    bool ending, abandoned;
    void (*closed)(void *arg);
    /* Of the job that opens it. */
    uv_work_t work;
    struct buf notice;
    int code;
    struct err why;
};

static void store_home_step(struct store_home *h);

static void store_home_tell(struct store_home *h)
{
    if (!h->ending)
        h->options.changed(h->options.arg);
}

/* ---- from the store ---- */

static void store_home_on_problem(void *arg, const char *text)
{
    const struct store_home *h = arg;
    if (!h->ending)
        h->options.problem(h->options.arg, text);
}

static void store_home_on_measured(void *arg, int64_t bytes, int64_t oldest_ns)
{
    struct store_home *h = arg;
    (void)oldest_ns;
    h->bytes = bytes;
    store_home_tell(h);
}

/* ---- opening ---- */

static char *store_home_path_of(const struct store_home *h, const struct store_args *a)
{
    const char *dir = h->options.data_dir;
    if (a->path[0] == '/')
        return xstrdup(a->path);
    if (!dir || !*dir)
        return NULL;
    return *a->path ? xasprintf("%s/%s", dir, a->path) : xstrdup(dir);
}

static void store_home_run_open(uv_work_t *w)
{
    struct store_home *h = w->data;
    h->code = store_begin_files(h->store, &h->notice, &h->why);
}

static void store_home_on_store_closed(void *arg)
{
    struct store_home *h = arg;
    h->state = HOME_CLOSED;
    h->bytes = 0;
    args_unref(TAKE_PTR(h->opened));
    if (h->ending) {
        store_home_step(h); /* frees */
        return;
    }
    if (!h->failed)
        store_home_step(h);
    store_home_tell(h);
}

static void store_home_shut(struct store_home *h)
{
    h->state = HOME_CLOSING;
    store_close(TAKE_PTR(h->store), store_home_on_store_closed, h);
}

static void store_home_on_opened(uv_work_t *w, int status)
{
    struct store_home *h = w->data;
    (void)status;
    if (h->notice.len)
        store_home_on_problem(h, buf_cstr(&h->notice));
    buf_done(&h->notice);
    h->failed = h->code < 0;
    h->err = h->failed ? h->why : (struct err){0};
    if (h->failed) {
        store_home_shut(h);
        return;
    }
    h->state = HOME_OPEN;
    store_begin_sweeps(h->store);
    store_home_step(h);
    store_home_tell(h);
}

static void store_home_begin(struct store_home *h)
{
    free(h->path);
    h->path = store_home_path_of(h, h->args);
    if (!h->path) {
        (void)err_set(&h->err, -EINVAL, "there is no data directory (--storage.path), so path must be absolute");
        return;
    }
    h->opened = args_ref(h->args);
    h->store = store_new(&(struct store_options){.loop = h->options.loop,
                                                 .parsers = h->options.parsers,
                                                 .dir = h->path,
                                                 .keep_seconds = h->args->keep / NS_PER_SEC,
                                                 .keep_bytes = store_args_bytes(h->args),
                                                 .cache_bytes = -1, /* nobody asks it */
                                                 .problem = store_home_on_problem,
                                                 .problem_arg = h,
                                                 .measured = store_home_on_measured});
    h->state = HOME_OPENING;
    h->notice = BUF_INIT(NOTICE_MAX);
    h->why = (struct err){0};
    h->work.data = h;
    work_queue(h->options.loop, &h->work, store_home_run_open, store_home_on_opened);
}

/* ---- what is next ---- */

static void store_home_free(struct store_home *h)
{
    if (!h->abandoned)
        h->closed(h->options.arg);
    args_unref(h->args);
    free(h->path);
    free(h);
}

static bool store_home_same(const struct store_args *a, const struct store_args *b)
{
    return strcmp(a->path, b->path) == 0 && a->keep == b->keep && strcmp(a->max_size, b->max_size) == 0;
}

/* While it opens or closes, the end of that comes back here. */
static void store_home_step(struct store_home *h)
{
    if (h->state == HOME_OPEN && (h->ending || h->shared || !store_home_same(h->opened, h->args)))
        store_home_shut(h);
    else if (h->state == HOME_CLOSED && h->ending)
        store_home_free(h);
    else if (h->state == HOME_CLOSED && h->shared)
        h->err = (struct err){0};
    else if (h->state == HOME_CLOSED)
        store_home_begin(h);
}

struct store_home *store_home_new(const struct store_home_options *options)
{
    struct store_home *h = xcalloc(1, sizeof *h);
    h->options = *options;
    return h;
}

void store_home_open(struct store_home *h, const struct store_args *args)
{
    const struct store_args *old = h->args;
    h->args = args_ref(args);
    args_unref(old);
    h->shared = !*args->path && h->options.shared;
    h->failed = false;
    store_home_step(h);
}

struct store *store_home_store(const struct store_home *h)
{
    if (h->shared)
        return h->options.shared;
    return h->state == HOME_OPEN ? h->store : NULL;
}

const char *store_home_error(const struct store_home *h)
{
    return h->err.text;
}

const char *store_home_path(const struct store_home *h)
{
    return h->path && !h->shared ? h->path : "";
}

int64_t store_home_bytes(const struct store_home *h)
{
    return h->bytes;
}

void store_home_close(struct store_home *h, void (*closed)(void *arg))
{
    h->ending = true;
    h->closed = closed;
    store_home_step(h);
}

void store_home_abandon(struct store_home *h)
{
    h->abandoned = true;
}
