/* pyroscope.file: keeps recordings of JVMs (JFR) and profiles (pprof) in a directory.
 *
 * Exports `receiver`, the same object for the component's whole life. What arrives waits in a queue of at most
 * QUEUE_BYTES and is written by a worker (pyroscope_file_store.h), one job at a time, so a slow disk delays nobody; the
 * oldest entry is dropped when the queue is full. Chunks and profiles are shared with their other receivers, not
 * copied. While the directory cannot be used, the component is unhealthy and tries again every TICK_MS. At the start of
 * an agent that gives up root, a missing directory is made for its user before.
 */
#include <stdlib.h>

#include "base/byte_size.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/work.h"
#include "components/env.h"
#include "components/pyroscope_file_args.h"
#include "components/pyroscope_file_directory.h"
#include "components/pyroscope_file_name.h"
#include "components/pyroscope_file_store.h"
#include "flow/receiver.h"
#include "graph/component.h"
#include "jfr/shared_chunk.h"

enum { QUEUE_BYTES = 8 << 20, TICK_MS = 10000, STOP_MS = 4000 };

static struct metric_family written_bytes = {.name = "smolder_file_written_bytes_total",
                                             .help = "Bytes of JFR and pprof written to files, by format.",
                                             .kind = METRIC_COUNTER,
                                             .labels = {"format"}};
static struct metric_family dropped = {.name = "smolder_file_dropped_total",
                                       .help = "Chunks and profiles that were not written to a file, by reason.",
                                       .kind = METRIC_COUNTER,
                                       .labels = {"reason"}};
static struct metric_family stored_bytes = {.name = "smolder_file_stored_bytes",
                                            .help = "Bytes of the files in the directory of a pyroscope.file.",
                                            .kind = METRIC_GAUGE,
                                            .labels = {"component_id"}};

/* A chunk or a profile, and their labels; one reference each. */
struct file_item {
    struct list node;
    struct labels *labels;
    struct jfr_chunk *chunk; /* NULL: a profile */
    struct encoded_profile *profile;
    bool written;
};

struct file_writer;

/* What a worker has; the loop does not touch it meanwhile. */
struct file_job {
    uv_work_t work;
    struct file_writer *owner; /* NULL: gone */
    struct file_store *store;  /* NULL: could not be opened */
    const struct file_args *args;
    struct list items;
    bool last; /* completes all files and closes the directory */
    uint64_t jfr_bytes, pprof_bytes;
    unsigned failed;
    struct err err; /* of the last failure; "" = none */
    struct file_store_view view;
};

struct file_writer {
    struct component *self;
    uv_loop_t *loop;
    const struct file_args *args; /* one reference */
    struct receiver *receiver;
    struct list queue; /* struct file_item */
    size_t queued, queued_bytes;
    struct file_store *store; /* NULL: not open, or with the job */
    struct file_job *job;     /* NULL: none is under way */
    uv_timer_t *timer;        /* NULL: not started */
    struct file_store_view view;
    char last_error[ERR_MAX]; /* "" = all is well */
    uint64_t lost;
    bool stopping, stopped;
};

static size_t file_item_bytes(const struct file_item *i)
{
    return i->chunk ? i->chunk->len : i->profile->len;
}

static void file_item_free(struct file_item *i)
{
    list_del(&i->node);
    labels_unref(i->labels);
    jfr_chunk_unref(i->chunk);
    encoded_profile_unref(i->profile);
    free(i);
}

/* The origin of a profile is told what became of it. */
static void file_item_settle(struct file_item *i)
{
    if (i->profile && i->written)
        profile_origin_deliver(i->profile->origin);
    else if (i->profile)
        profile_origin_drop(i->profile->origin);
    file_item_free(i);
}

/* --- in a worker --- */

static void file_job_limits(const struct file_args *a, struct file_limits *ret)
{
    uint64_t rotate = 0, most = 0;
    (void)byte_size_parse(a->rotate_size, &rotate); /* checked at load */
    (void)byte_size_parse(a->max_size, &most);
    *ret = (struct file_limits){.max_bytes = most,
                                .rotate_bytes = rotate,
                                .max_files = (size_t)a->max_files,
                                .max_age_ns = a->max_age,
                                .rotate_ns = a->rotate_interval};
}

static int file_job_open(struct file_job *j)
{
    struct file_limits limits;
    if (j->store && strcmp(file_store_directory(j->store), j->args->directory) != 0)
        file_store_close(TAKE_PTR(j->store));
    const int code = j->store ? 0 : file_store_open(j->args->directory, &j->store, &j->err);
    if (code < 0)
        return code;
    file_job_limits(j->args, &limits);
    file_store_set_limits(j->store, &limits);
    return 0;
}

static void file_job_write(struct file_job *j, struct file_item *i)
{
    char base[FILE_BASE_MAX];
    file_name_base(i->labels, &j->args->name_labels, base);
    const int64_t now = clock_wall_ns();
    int code;
    if (i->chunk)
        code =
            file_store_append(j->store, base, (struct str){(const char *)i->chunk->bytes, i->chunk->len}, now, &j->err);
    else
        code = file_store_put(j->store, base, labels_get(i->labels, STR("__name__")),
                              (struct str){(const char *)i->profile->pprof, i->profile->len}, now, &j->err);
    i->written = code == 0;
    if (code < 0)
        j->failed++;
    else
        *(i->chunk ? &j->jfr_bytes : &j->pprof_bytes) += file_item_bytes(i);
}

static void file_job_run(uv_work_t *work)
{
    struct file_job *j = work->data;
    const int code = file_job_open(j);
    list_each(&j->items, node)
    {
        if (code == 0)
            file_job_write(j, list_entry(node, struct file_item, node));
        else
            j->failed++;
    }
    if (code < 0)
        return;
    file_store_tidy(j->store, clock_wall_ns());
    file_store_view(j->store, &j->view);
    if (j->last)
        file_store_close(TAKE_PTR(j->store));
}

/* --- on the loop --- */

static void file_writer_begin(struct file_writer *w);

static void file_writer_tell_stopped(struct file_writer *w)
{
    if (w->stopped)
        return;
    w->stopped = true;
    component_stopped(w->self);
}

static void file_writer_judge(struct file_writer *w, const struct file_job *j)
{
    const bool was_failing = w->last_error[0] != '\0';
    if (j->failed)
        metric_add(&dropped, j->failed, "write_failed");
    w->lost += j->failed;
    snprintf(w->last_error, sizeof w->last_error, "%s", j->err.text);
    if (*w->last_error)
        component_health(w->self, false, "cannot write: %s", w->last_error);
    if (*w->last_error && !was_failing) {
        log_error("cannot write to files", L_COMPONENT(component_id(w->self)), L_STR("err", w->last_error));
    } else if (!*w->last_error && was_failing) {
        log_info("writing to files works again", L_COMPONENT(component_id(w->self)), L_INT("lost", w->lost));
        component_health(w->self, true, "started component");
    }
}

static void file_job_end(uv_work_t *work, int status)
{
    (void)status;
    struct file_job *j = work->data;
    struct file_writer *w = j->owner;
    list_each(&j->items, node) file_item_settle(list_entry(node, struct file_item, node));
    if (w) {
        w->job = NULL;
        w->store = TAKE_PTR(j->store);
        w->view = j->view;
        metric_add(&written_bytes, (double)j->jfr_bytes, "jfr");
        metric_add(&written_bytes, (double)j->pprof_bytes, "pprof");
        metric_set(&stored_bytes, (double)j->view.bytes, component_id(w->self));
        file_writer_judge(w, j);
        if (j->last)
            file_writer_tell_stopped(w);
        else if (w->stopping || w->queued)
            file_writer_begin(w);
    }
    file_store_close(j->store); /* nobody has it any more: a stop that took too long */
    args_unref(j->args);
    free(j);
}

static void file_writer_begin(struct file_writer *w)
{
    if (w->job || !w->timer)
        return;
    struct file_job *j = w->job = xcalloc(1, sizeof *j);
    *j = (struct file_job){.owner = w, .store = TAKE_PTR(w->store), .args = args_ref(w->args), .last = w->stopping};
    list_init(&j->items);
    list_each(&w->queue, node)
    {
        list_del(node);
        list_push(&j->items, node);
    }
    w->queued = w->queued_bytes = 0;
    j->work.data = j;
    work_queue(w->loop, &j->work, file_job_run, file_job_end);
}

static void file_writer_drop_oldest(struct file_writer *w)
{
    struct file_item *i = list_entry(w->queue.next, struct file_item, node);
    w->queued--;
    w->queued_bytes -= file_item_bytes(i);
    w->lost++;
    metric_add(&dropped, 1, "queue_full");
    file_item_settle(i);
}

static void file_writer_add(struct file_writer *w, struct file_item *i)
{
    w->queued++;
    w->queued_bytes += file_item_bytes(i);
    list_push(&w->queue, &i->node);
    while (w->queued_bytes > QUEUE_BYTES && w->queued > 1)
        file_writer_drop_oldest(w);
    file_writer_begin(w);
}

static struct file_item *file_item_new(const struct labels *labels)
{
    struct file_item *i = xcalloc(1, sizeof *i);
    list_init(&i->node);
    i->labels = labels_ref(labels);
    return i;
}

static void file_writer_append(void *ctx, const struct labels *labels, struct encoded_profile *p)
{
    struct file_writer *w = ctx;
    if (w->stopping || !file_args_keep(w->args, "pprof"))
        return;
    struct file_item *i = file_item_new(labels);
    i->profile = encoded_profile_ref(p);
    file_writer_add(w, i);
}

static void file_writer_recording(void *ctx, const struct labels *labels, struct jfr_chunk *chunk)
{
    struct file_writer *w = ctx;
    if (w->stopping || !file_args_keep(w->args, "jfr"))
        return;
    struct file_item *i = file_item_new(labels);
    i->chunk = jfr_chunk_ref(chunk);
    file_writer_add(w, i);
}

/* --- life --- */

static int file_writer_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    (void)err;
    const struct component_env *env = component_env(self);
    struct file_writer *w = xcalloc(1, sizeof *w);
    *w = (struct file_writer){.self = self, .loop = env->loop, .args = args_ref(args)};
    list_init(&w->queue);
    w->receiver = receiver_new(component_id(self), w, file_writer_append);
    w->receiver->recording = file_writer_recording;
    struct value *exported = value_object();
    value_object_put(exported, STR("receiver"), receiver_value(w->receiver));
    component_export(self, exported);
    *ret_state = w;
    return 0;
}

static int file_writer_update(void *state, const void *args, struct err *err)
{
    (void)err;
    struct file_writer *w = state;
    args_unref(w->args);
    w->args = args_ref(args);
    file_writer_begin(w);
    return 0;
}

/* Rotates and removes files by their age; opens the directory again after a failure. */
static void file_writer_on_tick(uv_timer_t *t)
{
    struct file_writer *w = t->data;
    if (w->stopping)
        file_writer_tell_stopped(w); /* the worker takes too long */
    else if (w->last_error[0] || w->view.files)
        file_writer_begin(w);
}

/* What fails here is reported when the directory is opened. */
static void file_writer_prepare(const struct file_writer *w)
{
    const struct host_user *user = ((const struct component_env *)component_env(w->self))->becomes;
    struct err err = {0};
    if (user && file_directory_make(w->args->directory, user, &err) < 0)
        log_warn("cannot make the directory", L_COMPONENT(component_id(w->self)), L_STR("err", err.text));
}

static void file_writer_start(void *state)
{
    struct file_writer *w = state;
    file_writer_prepare(w);
    w->timer = xcalloc(1, sizeof *w->timer);
    uv_timer_init(w->loop, w->timer);
    w->timer->data = w;
    uv_timer_start(w->timer, file_writer_on_tick, TICK_MS, TICK_MS);
    for (const char *const *format = (const char *const[]){"jfr", "pprof", NULL}; *format; format++)
        metric_add(&written_bytes, 0, *format);
    for (const char *const *why = (const char *const[]){"queue_full", "write_failed", NULL}; *why; why++)
        metric_add(&dropped, 0, *why);
    file_writer_begin(w);
}

static void file_writer_stop(void *state)
{
    struct file_writer *w = state;
    w->stopping = true;
    if (!w->timer) {
        file_writer_tell_stopped(w);
        return;
    }
    uv_timer_start(w->timer, file_writer_on_tick, STOP_MS, 0);
    file_writer_begin(w);
}

static void file_writer_on_timer_closed(uv_handle_t *h)
{
    free(h);
}

static void file_writer_free(void *state)
{
    struct file_writer *w = state;
    if (w->timer)
        uv_close((uv_handle_t *)TAKE_PTR(w->timer), file_writer_on_timer_closed);
    if (w->job)
        w->job->owner = NULL;
    list_each(&w->queue, node) file_item_free(list_entry(node, struct file_item, node));
    file_store_close(w->store);
    metric_forget(&stored_bytes, component_id(w->self));
    w->receiver->ctx = NULL;
    receiver_unref(w->receiver);
    args_unref(w->args);
    free(w);
}

static struct value *file_writer_debug_info(void *state)
{
    const struct file_writer *w = state;
    struct value *o = value_object();
    value_object_put(o, STR("directory"), value_string(str_of(w->args->directory)));
    value_object_put(o, STR("files"), value_int((int64_t)w->view.files));
    value_object_put(o, STR("bytes"), value_int((int64_t)w->view.bytes));
    value_object_put(o, STR("recordings_being_written"), value_int((int64_t)w->view.writing));
    value_object_put(o, STR("removed_files"), value_int((int64_t)w->view.removed));
    value_object_put(o, STR("dropped"), value_int((int64_t)w->lost));
    value_object_put(o, STR("queued_bytes"), value_int((int64_t)w->queued_bytes));
    value_object_put(o, STR("last_error"), value_string(str_of(w->last_error)));
    return o;
}

static const char *const exports[] = {"receiver", NULL};

const struct component_def pyroscope_file = {
    .name = "pyroscope.file",
    .help = "Keeps recordings of JVMs (JFR) and profiles (pprof) in a directory. Not in Grafana Alloy.",
    .stability = STABILITY_GA,
    .args = &file_schema,
    .exports = exports,
    .build = file_writer_build,
    .update = file_writer_update,
    .start = file_writer_start,
    .stop = file_writer_stop,
    .free = file_writer_free,
    .debug_info = file_writer_debug_info,
};
