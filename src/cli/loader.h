/* Loads the configuration of the running agent: at startup, on request, and when its files change.
 *
 * After a failed load the running configuration stays active; the errors are logged, one per line, or, for the first
 * load, printed with excerpts on stderr. Metrics: smolder_config_*; unlike the reference, a configuration rejected by
 * the graph counts as a failure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/buf.h"
#include "conf/files.h"
#include "graph/controller.h"

struct loader;

struct loader_options {
    uv_loop_t *loop;
    struct controller *controller;
    const char *const *paths; /* borrowed; none: the built-in configuration */
    size_t path_count;
    bool empty;              /* without paths there is no configuration, instead of the built-in one */
    const char *store;       /* address for the built-in configuration; borrowed */
    const char *store_token; /* file with its token, NULL = none; borrowed */
    bool watch;              /* load again when files change */
};

struct loader *loader_new(const struct loader_options *options);
/* 0, or negative after telling why. */
must_check int loader_first(struct loader *l);
/* What to tell whoever asked goes to `answer`: every diagnostic with its excerpt. False: refused, or not all of it
 * took effect. */
bool loader_reload(struct loader *l, struct buf *answer);
/* The text that runs now. Reads the files; they may have changed since. */
must_check int loader_read(const struct loader *l, struct conf_files *files, struct err *err);
/* From now on changes are ignored. NULL is fine. */
void loader_free(struct loader *l);
