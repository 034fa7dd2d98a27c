#include "cli/loader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/sha256.h"
#include "base/terminal.h"
#include "cli/builtin.h"
#include "cli/colour.h"
#include "conf/watch.h"
#include "lang/diag_text.h"

enum { TEXT_MAX = 4 << 20, LINES_MAX = 20 };

struct loader {
    struct loader_options options;
    struct conf_watch *watch;
    uint8_t tried[SHA256_SIZE];      /* of the last attempt, good or bad */
    char shown[2 * SHA256_SIZE + 1]; /* the label of config_hash */
};

static struct metric_family last_ok = {.name = "smolder_config_last_load_successful",
                                       .alloy_name = "alloy_config_last_load_successful",
                                       .help = "Whether the last attempt to load the configuration succeeded.",
                                       .kind = METRIC_GAUGE};
static struct metric_family last_time = {.name = "smolder_config_last_load_success_timestamp_seconds",
                                         .alloy_name = "alloy_config_last_load_success_timestamp_seconds",
                                         .help = "Time of the last successful load, in seconds since the epoch.",
                                         .kind = METRIC_GAUGE};
static struct metric_family failures = {.name = "smolder_config_load_failures_total",
                                        .alloy_name = "alloy_config_load_failures_total",
                                        .help = "Attempts to load the configuration that failed.",
                                        .kind = METRIC_COUNTER};
static struct metric_family hash = {
    .name = "smolder_config_hash",
    .alloy_name = "alloy_config_hash",
    .help = "1, labelled with the hash of the configuration files read last; zeroes if reading failed.",
    .kind = METRIC_GAUGE,
    .labels = {"sha256"}};

int loader_read(const struct loader *l, struct conf_files *files, struct err *err)
{
    const struct loader_options *o = &l->options;
    if (o->path_count)
        return conf_files_read(o->paths, o->path_count, files, err);
    if (o->empty) {
        conf_files_add_text("no configuration", "", files);
        return 0;
    }
    cleanup_free char *url = xasprintf("http://%s", o->store);
    cleanup_free char *text = builtin_config(url, l->options.store_token);
    conf_files_add_text(BUILTIN_CONFIG_NAME, text, files);
    return 0;
}

/* Of all texts in the order of their paths; all zero: they could not be read. */
static void hash_files(const struct conf_files *files, uint8_t ret[SHA256_SIZE])
{
    cleanup_buf struct buf all = BUF_INIT(SIZE_MAX / 4);
    for (size_t i = 0; i < files->len; i++)
        buf_append(&all, files->items[i].text, files->items[i].len);
    sha256(buf_slice(&all), ret);
}

static void show_hash(struct loader *l, const uint8_t bytes[SHA256_SIZE])
{
    if (*l->shown)
        metric_forget(&hash, l->shown);
    for (size_t i = 0; i < SHA256_SIZE; i++)
        snprintf(l->shown + 2 * i, 3, "%02x", bytes[i]);
    metric_set(&hash, 1, l->shown);
}

static void count(int code)
{
    metric_set(&last_ok, code == 0);
    metric_add(&failures, code < 0);
    if (code == 0)
        metric_set(&last_time, (double)time(NULL));
}

static int loader_load(struct loader *l, const struct conf_files *files, struct diags *ds)
{
    hash_files(files, l->tried);
    show_hash(l, l->tried);
    int code = controller_load(l->options.controller, files->items, files->len, ds);
    count(code);
    return code;
}

static int unreadable(struct loader *l, int code)
{
    memset(l->tried, 0, sizeof l->tried);
    show_hash(l, l->tried);
    count(code);
    return code;
}

/* --- the first time --- */

int loader_first(struct loader *l)
{
    cleanup_conf_files struct conf_files files = {0};
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_buf struct buf text = BUF_INIT(TEXT_MAX);
    struct err err = {0};
    int code = loader_read(l, &files, &err);
    if (code < 0) {
        unreadable(l, code);
        terminal_printf(stderr, "Error: %s\n", err.text);
    } else {
        code = loader_load(l, &files, &ds);
        diags_pretty(&ds, look_of_stderr(), &text);
        fputs(buf_cstr(&text), stderr);
    }
    if (code < 0)
        log_error("could not perform the initial load successfully");
    return code;
}

/* --- again --- */

static void log_diag(void *arg, const struct diag *d, const char *line, const char *message)
{
    (void)arg, (void)message;
    if (d->severity == SEVERITY_ERROR)
        log_error("configuration", L_STR("err", line));
    else
        log_warn("configuration", L_STR("warning", line));
}

/* Each on a line of its own, as many as a person reads. */
static void log_diags(const struct diags *ds)
{
    diags_lines(ds, LINES_MAX, log_diag, NULL);
    if (ds->len > LINES_MAX)
        log_error("configuration", L_INT("more", ds->len - LINES_MAX));
}

static bool reload_files(struct loader *l, const struct conf_files *files, struct buf *answer)
{
    cleanup_diags struct diags ds = DIAGS_INIT;
    int code = loader_load(l, files, &ds);
    log_diags(&ds);
    if (code == -ESHUTDOWN)
        buf_puts(answer, "stopping");
    else
        diags_pretty(&ds, DIAG_AS_IS, answer);
    if (code == 0)
        log_info("config reloaded");
    else if (code == -EIO)
        log_error("config reloaded, but a component update failed");
    else
        log_error("failed to reload config; the running configuration stays active");
    return code == 0;
}

static bool reload_unreadable(struct loader *l, int code, const struct err *err, struct buf *answer)
{
    unreadable(l, code);
    buf_puts(answer, err->text);
    log_error("failed to reload config; the running configuration stays active", L_STR("err", err->text));
    return false;
}

bool loader_reload(struct loader *l, struct buf *answer)
{
    cleanup_conf_files struct conf_files files = {0};
    struct err err = {0};
    int code = loader_read(l, &files, &err);
    return code < 0 ? reload_unreadable(l, code, &err, answer) : reload_files(l, &files, answer);
}

/* --- when files change --- */

static void loader_on_change(void *arg)
{
    struct loader *l = arg;
    cleanup_conf_files struct conf_files files = {0};
    cleanup_buf struct buf answer = BUF_INIT(TEXT_MAX);
    struct err err = {0};
    uint8_t now[SHA256_SIZE];
    int code = loader_read(l, &files, &err);
    if (code < 0) {
        reload_unreadable(l, code, &err, &answer);
        return;
    }
    hash_files(&files, now);
    if (memcmp(now, l->tried, sizeof now) != 0)
        reload_files(l, &files, &answer);
}

struct loader *loader_new(const struct loader_options *options)
{
    struct loader *l = xcalloc(1, sizeof *l);
    l->options = *options;
    if (!options->watch || options->path_count == 0)
        return l;
    l->watch = conf_watch_new(&(struct conf_watch_options){.loop = options->loop,
                                                           .paths = options->paths,
                                                           .path_count = options->path_count,
                                                           .entries = CONF_ENTRIES,
                                                           .changed = loader_on_change,
                                                           .arg = l});
    if (conf_watch_missed(l->watch))
        log_warn("cannot watch all directories of the configuration; see fs.inotify.max_user_watches",
                 L_INT("folders", conf_watch_missed(l->watch)));
    return l;
}

void loader_free(struct loader *l)
{
    if (!l)
        return;
    conf_watch_free(l->watch);
    if (*l->shown)
        metric_forget(&hash, l->shown);
    free(l);
}
