#include "graph/config_watch.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/list.h"
#include "base/mem.h"
#include "graph/config_path.h"

/* As many links as the kernel follows (path_resolution(7)); folders beyond the maximum are counted as missed. */
enum { LINKS_MAX = 40, FOLDERS_MAX = 256 };

struct folder {
    uv_fs_event_t event;
    struct list link;
    struct config_watch *owner;
    char *path;
    char **names; /* what counts in it */
    size_t len, cap;
    bool any_config; /* and every *.alloy */
};

struct config_watch {
    uv_loop_t *loop;
    uv_timer_t timer;
    const char *const *paths;
    size_t path_count;
    struct list folders;
    size_t folder_count, missed;
    unsigned quiet_ms;
    uint64_t patience_ends; /* of the loop's clock; 0: nothing has changed */
    void (*changed)(void *arg);
    void *arg;
};

/* --- what to watch --- */

static struct folder *folder_of(struct config_watch *w, const char *path)
{
    list_each(&w->folders, node)
    {
        struct folder *f = list_entry(node, struct folder, link);
        if (strcmp(f->path, path) == 0)
            return f;
    }
    if (w->folder_count == FOLDERS_MAX) {
        w->missed++;
        return NULL;
    }
    struct folder *f = xcalloc(1, sizeof *f);
    f->owner = w;
    f->path = xstrdup(path);
    list_push(&w->folders, &f->link);
    w->folder_count++;
    return f;
}

static void want(struct config_watch *w, const char *folder, const char *name)
{
    struct folder *f = folder_of(w, folder);
    for (size_t i = 0; f && i < f->len; i++) {
        if (strcmp(f->names[i], name) == 0)
            return;
    }
    if (!f)
        return;
    xgrow(&f->names, &f->cap, f->len + 1, sizeof *f->names);
    f->names[f->len++] = xstrdup(name);
}

/* Follows a path as the kernel does and wants every link of it, and its end. `at` is a resolved folder. Ends at what is not there,
 * which is wanted, too: it may come. */
static void trace(struct config_watch *w, const char *start, char end[PATH_MAX])
{
    char at[PATH_MAX] = "/", rest[PATH_MAX], next[PATH_MAX];
    if (start[0] != '/' && !getcwd(at, sizeof at))
        return;
    snprintf(rest, sizeof rest, "%s", start);
    for (unsigned links = 0; links < LINKS_MAX;) {
        char *name = rest + strspn(rest, "/");
        if (!*name)
            break;
        const size_t n = strcspn(name, "/");
        char *tail = name + n;
        char one[NAME_MAX + 1];
        snprintf(one, sizeof one, "%.*s", (int)n, name);
        if (snprintf(next, sizeof next, "%s%s%s", at, strcmp(at, "/") == 0 ? "" : "/", one) >= (int)sizeof next)
            return;
        struct stat st;
        const bool there = lstat(next, &st) == 0, last = !*(tail + strspn(tail, "/"));
        if (!there || last || S_ISLNK(st.st_mode))
            want(w, at, one);
        if (!there)
            return;
        if (!S_ISLNK(st.st_mode)) {
            memmove(rest, tail, strlen(tail) + 1);
            if (!realpath(next, at)) /* "." and ".." */
                return;
            continue;
        }
        char target[PATH_MAX], joined[PATH_MAX];
        const ssize_t length = readlink(next, target, sizeof target - 1);
        if (length < 0)
            return;
        target[length] = '\0';
        if (snprintf(joined, sizeof joined, "%s/%s", target, tail) >= (int)sizeof joined)
            return;
        memcpy(rest, joined, sizeof rest);
        if (target[0] == '/')
            snprintf(at, sizeof at, "/");
        links++;
    }
    snprintf(end, PATH_MAX, "%s", at);
}

static void trace_entries(struct config_watch *w, const char *path)
{
    struct folder *f = folder_of(w, path);
    if (f)
        f->any_config = true;
    cleanup_closedir DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        char entry[PATH_MAX], end[PATH_MAX];
        if (config_wanted(e->d_name) && snprintf(entry, sizeof entry, "%s/%s", path, e->d_name) < (int)sizeof entry)
            trace(w, entry, end);
    }
}

/* --- events --- */

static void on_timer(uv_timer_t *timer);

static void something_changed(struct config_watch *w)
{
    const uint64_t now = uv_now(w->loop);
    if (!w->patience_ends)
        w->patience_ends = now + CONFIG_WATCH_PATIENCE_MS;
    uint64_t at = now + w->quiet_ms;
    if (at > w->patience_ends)
        at = w->patience_ends;
    uv_timer_start(&w->timer, on_timer, at > now ? at - now : 0, 0);
}

static void on_event(uv_fs_event_t *event, const char *name, int events, int status)
{
    (void)events;
    struct folder *f = event->data;
    const char *slash = strrchr(f->path, '/');
    /* What happens to the folder itself comes with its own name. */
    bool counts = status < 0 || !name || strcmp(name, slash + 1) == 0 || (f->any_config && config_wanted(name));
    for (size_t i = 0; i < f->len && !counts; i++)
        counts = strcmp(f->names[i], name) == 0;
    if (counts)
        something_changed(f->owner);
}

static void on_folder_closed(uv_handle_t *handle)
{
    struct folder *f = handle->data;
    for (size_t i = 0; i < f->len; i++)
        free(f->names[i]);
    free(f->names);
    free(f->path);
    free(f);
}

static void forget(struct config_watch *w)
{
    list_each(&w->folders, node)
    {
        struct folder *f = list_entry(node, struct folder, link);
        list_del(&f->link);
        uv_close((uv_handle_t *)&f->event, on_folder_closed);
    }
    w->folder_count = w->missed = 0;
}

/* Anew each time: what a folder's name stands for may be another one now. */
static void watch(struct config_watch *w)
{
    forget(w);
    for (size_t i = 0; i < w->path_count; i++) {
        char end[PATH_MAX] = "";
        struct stat st;
        trace(w, w->paths[i], end);
        if (*end && stat(end, &st) == 0 && S_ISDIR(st.st_mode))
            trace_entries(w, end);
    }
    list_each(&w->folders, node)
    {
        struct folder *f = list_entry(node, struct folder, link);
        uv_fs_event_init(w->loop, &f->event);
        f->event.data = f;
        if (uv_fs_event_start(&f->event, on_event, f->path, 0) < 0)
            w->missed++;
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct config_watch *w = timer->data;
    w->patience_ends = 0;
    /* Before the files are read, so that no change falls in between. */
    watch(w);
    w->changed(w->arg);
}

/* --- life --- */

struct config_watch *config_watch_new(uv_loop_t *loop, const char *const *paths, size_t n, void (*changed)(void *arg),
                                      void *arg)
{
    struct config_watch *w = xcalloc(1, sizeof *w);
    *w = (struct config_watch){.loop = loop,
                               .quiet_ms = CONFIG_WATCH_QUIET_MS,
                               .paths = paths,
                               .path_count = n,
                               .changed = changed,
                               .arg = arg};
    list_init(&w->folders);
    uv_timer_init(loop, &w->timer);
    w->timer.data = w;
    watch(w);
    return w;
}

void config_watch_set_quiet(struct config_watch *w, unsigned ms)
{
    w->quiet_ms = ms;
}

size_t config_watch_missed(const struct config_watch *w)
{
    return w->missed;
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void config_watch_free(struct config_watch *w)
{
    if (!w)
        return;
    forget(w);
    uv_close((uv_handle_t *)&w->timer, on_timer_closed);
}
