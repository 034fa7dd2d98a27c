/* What tests with real JVMs run on: the real helper, the loop, and a tick that wakes it, so that conditions are looked
 * at. */
#pragma once

#include <unistd.h>
#include <uv.h>

#include "jvm/operation/table.h"
#include "test.h"

static uv_timer_t helper_tick;

static void on_helper_tick(uv_timer_t *t)
{
    (void)t;
}

/* First of all in main(), for the helper is forked. False, said, when it cannot be. */
static bool helper_loop_begin(struct priv **priv, uv_loop_t **loop)
{
    struct err err = {0};
    if (geteuid() != 0) {
        SKIP(all_tests, "attaching to other users' JVMs needs root");
        return false;
    }
    int code = priv_start(jvm_ops, NULL, priv, &err);
    *loop = uv_default_loop();
    if (code < 0 || priv_attach(*priv, *loop, NULL, NULL, &err) < 0) {
        FAIL_("%s", err.text);
        return false;
    }
    uv_timer_init(*loop, &helper_tick);
    uv_timer_start(&helper_tick, on_helper_tick, 10, 10);
    return true;
}

static void helper_loop_end(struct priv *priv, uv_loop_t *loop)
{
    priv_stop(priv);
    uv_close((uv_handle_t *)&helper_tick, NULL);
    uv_run(loop, UV_RUN_DEFAULT);
    uv_loop_close(loop);
}
