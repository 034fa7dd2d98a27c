/* The store that a pyroscope.store keeps its profiles in: the agent's, or one of its own.
 *
 * One of its own is opened and closed in workers, because a disk may take its time. Other arguments close it and open
 * another one. Loop thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "components/pyroscope_store_args.h"
#include "store/store.h"

struct store_home;

struct store_home_options {
    uv_loop_t *loop;
    struct parser_pool *parsers; /* outlives the store */
    struct store *shared;        /* the agent's, NULL = it has none */
    const char *data_dir;        /* --storage.path; NULL or "" = none */
    /* Something became different: there is a store now, there is none, or a message. Not called by the functions
     * below. */
    void (*changed)(void *arg);
    void (*problem)(void *arg, const char *text); /* for the operator */
    void *arg;
};

struct store_home *store_home_new(const struct store_home_options *options);
/* Opens the store of these arguments, unless it is open. Called again to retry after a failure. Takes a reference. */
void store_home_open(struct store_home *h, const struct store_args *args);
/* NULL: not now. */
struct store *store_home_store(const struct store_home *h);
/* Why it cannot be opened; "" = it is open, or on its way. */
const char *store_home_error(const struct store_home *h);
/* Its directory, "" = none yet. */
const char *store_home_path(const struct store_home *h);
/* Of a store of its own, after its first sweep; else 0. */
int64_t store_home_bytes(const struct store_home *h);
/* Closes the store, frees, then calls `closed` on the loop, perhaps before this returns. After it, nothing else is
 * called. Who waits no longer for `closed` calls store_home_abandon(). */
void store_home_close(struct store_home *h, void (*closed)(void *arg));
void store_home_abandon(struct store_home *h);
