/* A controller over the program's own sources of modules, and a look at what they bring. */
#pragma once

#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "components/env.h"
#include "graph/component.h"
#include "graph/controller.h"
#include "graph/view.h"
#include "lang/diag_text.h"
#include "lang/value_print.h"
#include "test.h"

extern const struct component_def import_file, import_http, import_string;

enum { IMPORT_DEADLINE_MS = 10000 };

struct import_test {
    uv_loop_t loop;
    struct component_env env;
    struct controller *controller;
    struct buf problems;
};

static void note_problem(void *arg, const char *id, const char *message)
{
    struct import_test *t = arg;
    buf_printf(&t->problems, "%s: %s\n", id, message);
}

static const struct component_def *const import_registry[] = {&import_file, &import_http, &import_string, NULL};

static inline void import_begin(struct import_test *t)
{
    uv_loop_init(&t->loop);
    t->env = (struct component_env){.loop = &t->loop, .version = "test"};
    t->problems = BUF_INIT(1 << 16);
    t->controller = controller_new(&(struct controller_options){
        .loop = &t->loop, .components = import_registry, .env = &t->env, .on_problem = note_problem, .problem_arg = t});
}

/* The messages, a line each; "" when all is well. To be freed. */
static inline char *import_load(struct import_test *t, const char *text)
{
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_buf struct buf out = BUF_INIT(1 << 16);
    const int code = controller_load(t->controller, &(struct config_file){"f", text, strlen(text)}, 1, &ds);
    for (size_t i = 0; i < ds.len; i++) {
        buf_puts(&out, i ? "\n" : "");
        diag_line(&ds.items[i], &out);
    }
    CHECK_INT(code<0, ds.errors> 0);
    return xstrdup(buf_cstr(&out));
}
#define CHECK_LOADS(t, text, want)                                                                                     \
    do {                                                                                                               \
        cleanup_free char *said_ = import_load(t, text);                                                               \
        CHECK_STR(said_, want);                                                                                        \
    } while (0)

static void import_set(void *arg)
{
    *(bool *)arg = true;
}

static inline void import_end(struct import_test *t)
{
    bool done = false;
    controller_stop(t->controller, import_set, &done);
    uv_run(&t->loop, UV_RUN_DEFAULT);
    CHECK(done);
    controller_free(t->controller);
    uv_run(&t->loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&t->loop), 0);
    buf_done(&t->problems);
}

/* The export `v` of a custom component as text, "" while there is none. */
static inline const char *import_export_of(struct import_test *t, const char *id)
{
    static char text[512];
    struct component_view view = {0};
    cleanup_buf struct buf out = BUF_INIT(sizeof text - 1);
    text[0] = '\0';
    struct value *v = controller_view(t->controller, id, &view) ? value_member(view.exports, STR("v")) : NULL;
    if (v)
        value_print(v, &out);
    snprintf(text, sizeof text, "%s", buf_cstr(&out));
    return text;
}

static inline int64_t import_now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Runs until the export is as wanted. */
static inline void import_wait_(int line, struct import_test *t, const char *id, const char *want)
{
    const int64_t until = import_now_ms() + IMPORT_DEADLINE_MS;
    while (strcmp(import_export_of(t, id), want) != 0 && import_now_ms() < until)
        uv_run(&t->loop, UV_RUN_ONCE);
    if (strcmp(import_export_of(t, id), want) != 0)
        FAIL_("line %d: v of %s is %s, want %s; %s", line, id, import_export_of(t, id), want, buf_cstr(&t->problems));
}
#define WAIT_EXPORT(t, id, want) import_wait_(__LINE__, t, id, want)

static inline void import_wait_problem_(int line, struct import_test *t, const char *want)
{
    const int64_t until = import_now_ms() + IMPORT_DEADLINE_MS;
    while (!strstr(buf_cstr(&t->problems), want) && import_now_ms() < until)
        uv_run(&t->loop, UV_RUN_ONCE);
    if (!strstr(buf_cstr(&t->problems), want))
        FAIL_("line %d: problems are \"%s\", want \"%s\"", line, buf_cstr(&t->problems), want);
}
#define WAIT_PROBLEM(t, want) import_wait_problem_(__LINE__, t, want)

/* declare "d" with an export v. */
#define DECLARES(value) "declare \"d\" {\n  export \"v\" {\n    value = " value "\n  }\n}\n"
