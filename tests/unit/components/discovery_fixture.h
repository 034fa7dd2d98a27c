/* A component that exports targets, in a running graph. Header only; a test program includes it once. */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/metric.h"
#include "components/env.h"
#include "flow/targets.h"
#include "graph/component.h"
#include "graph/controller.h"
#include "graph/view.h"
#include "lang/diag_text.h"
#include "test.h"

enum { DISCOVERY_DEADLINE_MS = 20000 };

struct discovery_test {
    uv_loop_t loop;
    struct component_env env;
    const struct component_def *registry[2];
    struct controller *controller;
};

static inline void discovery_begin(struct discovery_test *t, const struct component_def *def)
{
    *t = (struct discovery_test){.registry = {def, NULL}};
    uv_loop_init(&t->loop);
    t->env = (struct component_env){.loop = &t->loop, .version = "test"};
    t->controller =
        controller_new(&(struct controller_options){.loop = &t->loop, .components = t->registry, .env = &t->env});
}

static inline void discovery_mark(void *arg)
{
    *(bool *)arg = true;
}

static inline void discovery_end(struct discovery_test *t)
{
    bool stopped = false;
    controller_stop(t->controller, discovery_mark, &stopped);
    while (!stopped)
        uv_run(&t->loop, UV_RUN_ONCE);
    controller_free(t->controller);
    uv_run(&t->loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&t->loop), 0);
}

/* `want`: the diagnostics, "" if there are none. */
static inline void discovery_load_(int line, struct discovery_test *t, const char *text, const char *want)
{
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_buf struct buf out = BUF_INIT(10000);
    const int code = controller_load(t->controller, &(struct config_file){"f", text, strlen(text)}, 1, &ds);
    for (size_t i = 0; i < ds.len; i++)
        diag_line(&ds.items[i], &out);
    if (*want ? !strstr(buf_cstr(&out), want) : out.len > 0)
        FAIL_("line %d: load gives %d and\n%s\n  want\n%s", line, code, buf_cstr(&out), want);
}
#define LOAD(t, text, want) discovery_load_(__LINE__, t, text, want)

struct discovery_seen {
    struct buf text; /* a line for each target: {a="b", c="d"} */
    char health[512];
    bool healthy, has_targets;
};

static inline bool discovery_look(void *arg, const struct component_view *v)
{
    struct discovery_seen *s = arg;
    const struct value *list = v->exports ? value_member(v->exports, STR("targets")) : NULL;
    s->has_targets = list && value_kind(list) == VALUE_ARRAY;
    for (size_t i = 0; s->has_targets && i < value_len(list); i++) {
        labels_print(value_capsule_data(value_item(list, i), &target_capsule), &s->text);
        buf_byte(&s->text, '\n');
    }
    s->healthy = v->health == HEALTH_HEALTHY;
    snprintf(s->health, sizeof s->health, "%s", v->message ? v->message : "");
    return true;
}

/* Runs the loop until these targets are exported and the health says `health`; NULL: no matter. */
static inline void discovery_wait_(int line, struct discovery_test *t, const char *want, const char *health)
{
    struct discovery_seen s = {.text = BUF_INIT(1 << 20)};
    for (int ms = 0; ms < DISCOVERY_DEADLINE_MS; ms++) {
        buf_reset(&s.text);
        controller_each(t->controller, discovery_look, &s);
        if ((!want || (s.has_targets && strcmp(buf_cstr(&s.text), want) == 0)) && (!health || strstr(s.health, health)))
            break;
        uv_run(&t->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    if ((want && (!s.has_targets || strcmp(buf_cstr(&s.text), want) != 0)) || (health && !strstr(s.health, health)))
        FAIL_("line %d: targets\n%s  (%s), want\n%s  (%s)", line, buf_cstr(&s.text), s.health, want ? want : "",
              health ? health : "");
    buf_done(&s.text);
}
#define WAIT_TARGETS(t, want)      discovery_wait_(__LINE__, t, want, NULL)
#define WAIT_HEALTH(t, health)     discovery_wait_(__LINE__, t, NULL, health)
#define WAIT_BOTH(t, want, health) discovery_wait_(__LINE__, t, want, health)

/* The value of the series of that name with these labels, as written; -1: there is none. */
static inline double discovery_metric(const char *series)
{
    cleanup_buf struct buf page = BUF_INIT(1 << 20);
    cleanup_free char *line = xasprintf("\n%s ", series);
    metric_render(&page);
    const char *at = strstr(buf_cstr(&page), line);
    return at ? strtod(at + strlen(line), NULL) : -1;
}
