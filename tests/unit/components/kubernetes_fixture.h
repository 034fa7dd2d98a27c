/* A controller over the components that talk to Kubernetes, and a server that answers as the API and a kubelet do.
 * Header only. */
#pragma once

#include <signal.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "components/env.h"
#include "flow/targets.h"
#include "graph/component.h"
#include "graph/controller.h"
#include "graph/view.h"
#include "lang/diag_text.h"
#include "net/fault_server.h"
#include "test.h"

enum { KUBERNETES_DEADLINE_MS = 10000 };

static uv_loop_t loop;
static struct component_env env;
static struct controller *controller;
static struct fault_server server;

static void kubernetes_begin(const struct component_def *const *registry,
                             struct fault_answer (*decide)(struct fault_server *, size_t))
{
    uv_loop_init(&loop);
    env = (struct component_env){.loop = &loop, .version = "test"};
    controller = controller_new(&(struct controller_options){.loop = &loop, .components = registry, .env = &env});
    fault_server_open(&server, &loop);
    server.decide = decide;
}

static void kubernetes_set(void *arg)
{
    *(bool *)arg = true;
}

static void kubernetes_end(void)
{
    bool done = false;
    controller_stop(controller, kubernetes_set, &done);
    while (!done)
        uv_run(&loop, UV_RUN_ONCE);
    controller_free(controller);
    fault_server_close(&server);
    CHECK(fault_loop_close(&loop));
}

/* The messages; "" when all is well. To be freed. */
static char *kubernetes_load(const char *text)
{
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_buf struct buf out = BUF_INIT(1 << 16);
    const int code = controller_load(controller, &(struct config_file){"f", text, strlen(text)}, 1, &ds);
    for (size_t i = 0; i < ds.len; i++)
        diag_line(&ds.items[i], &out);
    CHECK_INT(code<0, ds.errors> 0);
    return xstrdup(buf_cstr(&out));
}

/* The addresses of a component's targets and its message: "1 2 (2 targets of 2 pods)". To be freed. */
static inline char *kubernetes_seen(const char *id)
{
    struct component_view view = {0};
    cleanup_buf struct buf out = BUF_INIT(4096);
    CHECK(controller_view(controller, id, &view));
    const struct value *targets = value_member(view.exports, STR("targets"));
    const bool is_there = targets && value_kind(targets) == VALUE_ARRAY;
    for (size_t i = 0; is_there && i < value_len(targets); i++) {
        const struct labels *target = value_capsule_data(value_item(targets, i), &target_capsule);
        buf_printf(&out, "%.*s ", STR_ARG(labels_get(target, STR("__address__"))));
    }
    buf_printf(&out, "%s(%s)", is_there ? "" : "none yet ", view.message);
    return xstrdup(buf_cstr(&out));
}

static inline void kubernetes_wait_seen(const char *id, const char *want)
{
    const uint64_t until = uv_hrtime() / 1000000 + KUBERNETES_DEADLINE_MS;
    bool is_so = false;
    while (!is_so && uv_hrtime() / 1000000 < until) {
        cleanup_free char *now = kubernetes_seen(id);
        is_so = strcmp(now, want) == 0;
        if (!is_so)
            uv_run(&loop, UV_RUN_ONCE);
    }
    cleanup_free char *now = kubernetes_seen(id);
    CHECK_STR(now, want);
}

/* A pod with one container and no port. */
#define POD(name, space, ip)                                                                                           \
    "{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"" space "\"},"                                               \
    "\"spec\":{\"containers\":[{\"name\":\"c\"}]},\"status\":{\"podIP\":\"" ip "\"}}"

/* The answer to a list of these items. */
static inline struct fault_answer kubernetes_list(const char *items)
{
    static char body[4096];
    snprintf(body, sizeof body, "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[%s]}", items);
    return (struct fault_answer){.body = body};
}
