/* Watches a process for its end, and finds out how it ended. Private to this folder.
 *
 * The pidfd becomes readable when the process is a zombie. Its wait status is read at once where this process may
 * (jvm/probe/exit_status.h); else the helper is asked (jvm/operation/ending.h).
 */
#pragma once

#include <uv.h>

#include "jvm/operation/request.h"
#include "jvm/session/aftercare.h"
#include "os/pidref.h"
#include "priv/priv.h"

struct exit_watch {
    struct priv *priv;
    struct jvm_id id;
    uint64_t user;
    struct pidref process; /* owned; PIDREF_INIT until it is begun */
    uv_poll_t poll;
    bool polling;
    uint64_t call; /* of the helper, under way; 0 = none */
    struct aftercare
        *care; /* what is noted of the end at once; whether there was an attach, so that the status matters */
    /* The process ended; at most once. `status` is its wait status if `known`. Then it may be closed. */
    void (*ended)(void *arg, bool known, int status);
    void (*closed)(void *arg);
    void *arg;
};

/* Sets all but `care`, `ended`, `closed` and `arg`. False: the process is gone; then `ended` is not called. */
must_check bool exit_watch_begin(struct exit_watch *w, uv_loop_t *loop, struct priv *priv, struct jvm_id id,
                                 uint64_t user);
/* Stops watching. True: `closed` will be called; until then `w` must stay. */
bool exit_watch_close(struct exit_watch *w);
