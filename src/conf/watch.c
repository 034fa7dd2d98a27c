#include "conf/watch.h"

#include <dirent.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/list.h"
#include "base/mem.h"

/* As many links as the kernel follows (path_resolution(7)). Folders beyond the maximum, and those below more parts
 * with signs than a pattern may have, are counted as missed. */
enum { LINKS_MAX = 40, FOLDERS_MAX = 256, PATTERN_LEVELS_MAX = 16 };

/* An entry of a folder that counts, or all that match. */
struct wanted {
    char *name;
    bool is_pattern;
};

struct folder {
    uv_fs_event_t event;
    struct list link;
    struct conf_watch *owner;
    char *path;
    struct wanted *wanted;
    size_t len, cap;
};

struct conf_watch {
    struct conf_watch_options options;
    uv_timer_t quiet, poll;
    struct list folders;
    size_t folder_count, missed, open_handles;
    uint64_t patience_ends; /* of the loop's clock; 0: nothing has changed */
};

/* --- what to watch --- */

static struct folder *watch_folder(struct conf_watch *w, const char *path)
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

static bool watch_wants(const struct folder *f, const char *name)
{
    for (size_t i = 0; i < f->len; i++) {
        const struct wanted *want = &f->wanted[i];
        if (want->is_pattern ? fnmatch(want->name, name, 0) == 0 : strcmp(want->name, name) == 0)
            return true;
    }
    return false;
}

static void watch_entry(struct conf_watch *w, const char *folder, const char *name, bool is_pattern)
{
    struct folder *f = watch_folder(w, folder);
    if (!f || (!is_pattern && watch_wants(f, name)))
        return;
    xgrow(&f->wanted, &f->cap, f->len + 1, sizeof *f->wanted);
    f->wanted[f->len++] = (struct wanted){xstrdup(name), is_pattern};
}

/* Puts `tail` behind what a link says and goes on from there. */
static bool watch_follow_link(const char *link, const char *tail, char at[PATH_MAX], char rest[PATH_MAX])
{
    char target[PATH_MAX], joined[PATH_MAX];
    const ssize_t length = readlink(link, target, sizeof target - 1);
    if (length < 0)
        return false;
    target[length] = '\0';
    if (snprintf(joined, sizeof joined, "%s/%s", target, tail) >= (int)sizeof joined)
        return false;
    memcpy(rest, joined, sizeof joined);
    if (target[0] == '/')
        snprintf(at, PATH_MAX, "/");
    return true;
}

/* Follows a path as the kernel does, from the resolved folder `at`, and watches every link of it, and its end. True:
 * *at is where it leads. False: something is not there, which is watched, too, as it may come. */
static bool watch_trace_path(struct conf_watch *w, char at[PATH_MAX], const char *path)
{
    char rest[PATH_MAX], next[PATH_MAX];
    if (snprintf(rest, sizeof rest, "%s", path) >= (int)sizeof rest)
        return false;
    if (path[0] == '/')
        snprintf(at, PATH_MAX, "/");
    for (unsigned links = 0; links < LINKS_MAX;) {
        const char *name = rest + strspn(rest, "/");
        if (!*name)
            return true;
        const size_t n = strcspn(name, "/");
        const char *tail = name + n;
        char one[NAME_MAX + 1];
        snprintf(one, sizeof one, "%.*s", (int)n, name);
        if (snprintf(next, sizeof next, "%s%s%s", at, strcmp(at, "/") == 0 ? "" : "/", one) >= (int)sizeof next)
            return false;
        struct stat st;
        const bool there = lstat(next, &st) == 0, last = !*(tail + strspn(tail, "/"));
        if (!there || last || S_ISLNK(st.st_mode))
            watch_entry(w, at, one, false);
        if (!there)
            return false;
        if (S_ISLNK(st.st_mode)) {
            if (!watch_follow_link(next, tail, at, rest))
                return false;
            links++;
            continue;
        }
        memmove(rest, tail, strlen(tail) + 1);
        if (!realpath(next, at)) /* "." and ".." */
            return false;
    }
    return false;
}

static bool watch_is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Bytes of the parts before the first with a sign of glob(7). */
static size_t pattern_literal_length(const char *pattern)
{
    const char *sign = strpbrk(pattern, "*?[\\");
    if (!sign)
        return strlen(pattern);
    while (sign > pattern && sign[-1] != '/')
        sign--;
    return (size_t)(sign - pattern);
}

/* As watch_trace_path(), with everything that matches. Each level of it takes a part of the pattern that has signs. */
static void watch_trace_pattern(struct conf_watch *w, const char *from, const char *pattern, unsigned level)
{
    if (level == PATTERN_LEVELS_MAX) {
        w->missed++;
        return;
    }
    char at[PATH_MAX], literal[PATH_MAX], part[NAME_MAX + 1];
    const size_t n = pattern_literal_length(pattern);
    snprintf(at, sizeof at, "%s", from);
    if (snprintf(literal, sizeof literal, "%.*s", (int)n, pattern) >= (int)sizeof literal ||
        !watch_trace_path(w, at, literal) || !pattern[n] || !watch_is_directory(at))
        return;
    const char *tail = pattern + n + strcspn(pattern + n, "/");
    if (snprintf(part, sizeof part, "%.*s", (int)(tail - pattern - n), pattern + n) >= (int)sizeof part)
        return;
    tail += strspn(tail, "/");
    watch_entry(w, at, part, true);
    cleanup_closedir DIR *dir = opendir(at);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        char end[PATH_MAX];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || fnmatch(part, e->d_name, 0) != 0)
            continue;
        snprintf(end, sizeof end, "%s", at);
        if (watch_trace_path(w, end, e->d_name) && *tail && watch_is_directory(end))
            watch_trace_pattern(w, end, tail, level + 1);
    }
}

static void watch_trace_option(struct conf_watch *w, const char *path)
{
    char at[PATH_MAX] = "/";
    if (path[0] != '/' && !getcwd(at, sizeof at))
        return;
    if (w->options.patterns)
        watch_trace_pattern(w, at, path, 0);
    else if (watch_trace_path(w, at, path) && w->options.entries && watch_is_directory(at))
        watch_trace_pattern(w, at, w->options.entries, 0);
}

/* --- events --- */

static void watch_on_quiet(uv_timer_t *timer);

static void watch_changed(struct conf_watch *w)
{
    const uint64_t now = uv_now(w->options.loop);
    if (!w->patience_ends)
        w->patience_ends = now + CONF_WATCH_PATIENCE_MS;
    uint64_t at = now + w->options.quiet_ms;
    if (at > w->patience_ends)
        at = w->patience_ends;
    uv_timer_start(&w->quiet, watch_on_quiet, at > now ? at - now : 0, 0);
}

static void watch_on_event(uv_fs_event_t *event, const char *name, int events, int status)
{
    (void)events;
    const struct folder *f = event->data;
    const char *slash = strrchr(f->path, '/');
    /* What happens to the folder itself comes with its own name. */
    if (status < 0 || !name || strcmp(name, slash + 1) == 0 || watch_wants(f, name))
        watch_changed(f->owner);
}

static void watch_on_folder_closed(uv_handle_t *handle)
{
    struct folder *f = handle->data;
    for (size_t i = 0; i < f->len; i++)
        free(f->wanted[i].name);
    free(f->wanted);
    free(f->path);
    free(f);
}

static void watch_forget_folders(struct conf_watch *w)
{
    list_each(&w->folders, node)
    {
        struct folder *f = list_entry(node, struct folder, link);
        list_del(&f->link);
        uv_close((uv_handle_t *)&f->event, watch_on_folder_closed);
    }
    w->folder_count = w->missed = 0;
}

/* Anew each time: what a folder's name stands for may be another one now. */
static void watch_folders(struct conf_watch *w)
{
    if (w->options.no_events)
        return;
    watch_forget_folders(w);
    for (size_t i = 0; i < w->options.path_count; i++)
        watch_trace_option(w, w->options.paths[i]);
    list_each(&w->folders, node)
    {
        struct folder *f = list_entry(node, struct folder, link);
        uv_fs_event_init(w->options.loop, &f->event);
        f->event.data = f;
        if (uv_fs_event_start(&f->event, watch_on_event, f->path, 0) < 0)
            w->missed++;
    }
}

static void watch_on_quiet(uv_timer_t *timer)
{
    struct conf_watch *w = timer->data;
    w->patience_ends = 0;
    /* Before the files are read, so that no change falls in between. */
    watch_folders(w);
    w->options.changed(w->options.arg);
}

static void watch_on_poll(uv_timer_t *timer)
{
    struct conf_watch *w = timer->data;
    /* Limits may have been raised, and folders of which nobody told can be others by now. */
    watch_folders(w);
    w->options.changed(w->options.arg);
}

/* --- life --- */

struct conf_watch *conf_watch_new(const struct conf_watch_options *options)
{
    struct conf_watch *w = xcalloc(1, sizeof *w);
    w->options = *options;
    if (!w->options.quiet_ms)
        w->options.quiet_ms = CONF_WATCH_QUIET_MS;
    list_init(&w->folders);
    uv_timer_init(options->loop, &w->quiet);
    uv_timer_init(options->loop, &w->poll);
    w->quiet.data = w->poll.data = w;
    w->open_handles = 2;
    watch_folders(w);
    if (options->poll_ms)
        uv_timer_start(&w->poll, watch_on_poll, options->poll_ms, options->poll_ms);
    return w;
}

size_t conf_watch_missed(const struct conf_watch *w)
{
    return w->missed;
}

static void watch_on_timer_closed(uv_handle_t *handle)
{
    struct conf_watch *w = handle->data;
    if (--w->open_handles == 0)
        free(w);
}

void conf_watch_free(struct conf_watch *w)
{
    if (!w)
        return;
    watch_forget_folders(w);
    uv_close((uv_handle_t *)&w->quiet, watch_on_timer_closed);
    uv_close((uv_handle_t *)&w->poll, watch_on_timer_closed);
}
