/* A controller over tiny components that write down what happens to them.
 *
 * test.node: exports `output`, which is its `input`; `fail` names the call it refuses ("build", "update"); `slow` makes
 * it stop only when the test says so. test.late exports when the test says so. import.test: brings its `text`, as a
 * file of its label; with `later` nothing until the test calls bring(). import.web is the same and calls itself another
 * machine's, import.disk this machine's.
 */
#pragma once

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "graph/controller.h"
#include "graph/view.h"
#include "lang/diag_text.h"
#include "lang/value_print.h"
#include "test.h"

struct node_args {
    struct value *input;
    char *fail;
    bool slow;
};
static const struct option node_options[] = {
    {"input", OPT_ANY, offsetof(struct node_args, input)},
    {"fail", OPT_STRING, offsetof(struct node_args, fail)},
    {"slow", OPT_BOOL, offsetof(struct node_args, slow)},
    {0},
};
static const struct schema node_schema = {.size = sizeof(struct node_args), .options = node_options};

struct test_node {
    struct component *self;
    bool slow, stopping;
    struct test_node *next;
};
static struct test_node *nodes; /* alive */
static struct buf events = {.max = 1 << 16};
static struct buf problems = {.max = 1 << 16};

/* "test.node.a" -> "a", "mod.x/test.node.a" -> "mod.x/a". */
static inline const char *node_name(const struct component *c)
{
    static char name[256];
    const char *id = component_id(c), *slash = strrchr(id, '/');
    const size_t outer = slash ? (size_t)(slash - id) + 1 : 0;
    snprintf(name, sizeof name, "%.*s%s", (int)outer, id, id + outer + sizeof "test.node");
    return name;
}

static inline void event(const char *what, const struct component *c)
{
    buf_printf(&events, "%s%s %s", events.len ? ", " : "", what, node_name(c));
}

/* What happened since the last time. */
static inline void check_events_(int line, const char *want)
{
    if (strcmp(buf_cstr(&events), want) != 0)
        FAIL_("line %d: events are \"%s\", want \"%s\"", line, buf_cstr(&events), want);
    buf_reset(&events);
    buf_puts(&events, "");
}
#define CHECK_EVENTS(want) check_events_(__LINE__, want)

static inline void node_output(struct component *self, struct value *v)
{
    struct value *exports = value_object();
    value_object_put(exports, STR("output"), v);
    component_export(self, exports);
}

static inline struct value *node_input(const struct node_args *a)
{
    return a->input ? value_ref(a->input) : value_null();
}

static int node_build_(struct component *self, const void *args, void **ret, struct err *err)
{
    const struct node_args *a = args;
    event("build", self);
    if (strcmp(a->fail, "build") == 0)
        return err_set(err, -EIO, "told to fail");
    struct test_node *n = xcalloc(1, sizeof *n);
    *n = (struct test_node){.self = self, .slow = a->slow, .next = nodes};
    nodes = n;
    node_output(self, node_input(a));
    *ret = n;
    return 0;
}

/* Exports nothing until the test does so by node_output(). */
static int late_build_(struct component *self, const void *args, void **ret, struct err *err)
{
    (void)args;
    (void)err;
    event("build", self);
    struct test_node *n = xcalloc(1, sizeof *n);
    *n = (struct test_node){.self = self, .next = nodes};
    nodes = n;
    *ret = n;
    return 0;
}

static int node_update_(void *state, const void *args, struct err *err)
{
    struct test_node *n = state;
    const struct node_args *a = args;
    event("update", n->self);
    if (strcmp(a->fail, "update") == 0)
        return err_set(err, -EIO, "told to fail");
    n->slow = a->slow;
    node_output(n->self, node_input(a));
    return 0;
}

static void node_start_(void *state)
{
    event("start", ((struct test_node *)state)->self);
}

static void node_stop_(void *state)
{
    struct test_node *n = state;
    event("stop", n->self);
    n->stopping = true;
    if (!n->slow)
        component_stopped(n->self);
}

static void node_free_(void *state)
{
    struct test_node *n = state;
    event("free", n->self);
    struct test_node **at = &nodes;
    while (*at != n)
        at = &(*at)->next;
    *at = n->next;
    free(n);
}

static struct value *node_debug_(void *state)
{
    struct value *v = value_object();
    value_object_put(v, STR("id"), value_string(str_of(component_id(((struct test_node *)state)->self))));
    return v;
}

static const char *const node_exports[] = {"output", NULL};
static const struct component_def node_def = {
    .name = "test.node",
    .args = &node_schema,
    .exports = node_exports,
    .build = node_build_,
    .update = node_update_,
    .start = node_start_,
    .stop = node_stop_,
    .free = node_free_,
    .debug_info = node_debug_,
};
static const struct component_def late_def = {
    .name = "test.late",
    .args = &node_schema,
    .exports = node_exports,
    .exports_late = true,
    .build = late_build_,
    .start = node_start_,
    .stop = node_stop_,
    .free = node_free_,
};
static const struct component_def new_def = {
    .name = "test.brandnew",
    .stability = STABILITY_EXPERIMENTAL,
    .args = &node_schema,
    .exports = node_exports,
    .build = node_build_,
    .free = node_free_,
};

struct import_args {
    char *text;
    bool later;
};
static const struct option import_options[] = {
    {"text", OPT_STRING, offsetof(struct import_args, text)},
    {"later", OPT_BOOL, offsetof(struct import_args, later)},
    {0},
};
static const struct schema import_schema = {.size = sizeof(struct import_args), .options = import_options};

struct test_import {
    struct component *self;
    struct test_import *next;
};
static struct test_import *imports; /* alive */

/* "import.test.m" or "mod.x/import.test.m" -> "m". */
static inline const char *import_label(const struct component *c)
{
    return strrchr(component_id(c), '.') + 1;
}

static inline void import_export(struct component *self, const char *text)
{
    struct value *file = value_object(), *exports = value_object();
    value_object_put(file, STR("name"), value_string(str_of(import_label(self))));
    value_object_put(file, STR("text"), value_string(str_of(text)));
    value_object_put(exports, STR("files"), value_array(&file, 1));
    value_object_put(exports, STR("module_path"), value_string(STR("/there")));
    component_export(self, exports);
}

static int import_build_(struct component *self, const void *args, void **ret, struct err *err)
{
    const struct import_args *a = args;
    if (strcmp(a->text, "none") == 0)
        return err_set(err, -ENOENT, "no such module");
    struct test_import *i = xcalloc(1, sizeof *i);
    *i = (struct test_import){.self = self, .next = imports};
    imports = i;
    if (!a->later)
        import_export(self, a->text);
    *ret = i;
    return 0;
}

static int import_update_(void *state, const void *args, struct err *err)
{
    (void)err;
    struct test_import *i = state;
    const struct import_args *a = args;
    if (!a->later)
        import_export(i->self, a->text);
    return 0;
}

static void import_free_(void *state)
{
    struct test_import **at = &imports;
    while (*at != state)
        at = &(*at)->next;
    *at = (*at)->next;
    free(state);
}

/* New text for a running import. */
static inline void bring(const char *label, const char *text)
{
    for (struct test_import *i = imports; i; i = i->next) {
        if (strcmp(import_label(i->self), label) == 0) {
            import_export(i->self, text);
            return;
        }
    }
    FAIL_("no import %s", label);
}

static const char *const import_exports[] = {"files", "module_path", NULL};
#define IMPORT_DEF(name_, ...)                                                                                         \
    {                                                                                                                  \
        .name = name_, .args = &import_schema, .exports = import_exports, .build = import_build_,                      \
        .update = import_update_, .free = import_free_, .imports = true, __VA_ARGS__                                   \
    }
static const struct component_def import_def = IMPORT_DEF("import.test", .remote = false);
static const struct component_def web_def = IMPORT_DEF("import.web", .remote = true);
static const struct component_def disk_def = IMPORT_DEF("import.disk", .local = true);
static const struct component_def *const registry[] = {&node_def, &late_def, &new_def, &import_def,
                                                       &web_def,  &disk_def, NULL};

static inline struct test_node *node(const char *label)
{
    for (struct test_node *n = nodes; n; n = n->next) {
        if (strcmp(node_name(n->self), label) == 0 && !n->stopping)
            return n;
    }
    FAIL_("no node %s", label);
    return NULL;
}

static void note_problem(void *arg, const char *id, const char *message)
{
    (void)arg;
    buf_printf(&problems, "%s: %s\n", id, message);
}

static bool skip_unknown; /* for the next controller */
static enum stability stability;

static inline struct controller *controller(uv_loop_t *loop)
{
    uv_loop_init(loop);
    buf_reset(&events);
    buf_reset(&problems);
    buf_puts(&events, "");
    buf_puts(&problems, "");
    return controller_new(&(struct controller_options){.loop = loop,
                                                       .components = registry,
                                                       .stability = stability,
                                                       .skip_unknown = skip_unknown,
                                                       .on_problem = note_problem,
                                                       .stop_ms = 500});
}

/* Runs until nothing is left to do: an idle controller keeps no loop alive. */
static inline void settle(uv_loop_t *loop)
{
    uv_run(loop, UV_RUN_DEFAULT);
}

/* All messages, with their places, a line each; "" when there are none. */
static inline void check_load_(int line, struct controller *c, const char *text, int want_code, const char *want)
{
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_buf struct buf out = BUF_INIT(1 << 16);
    const int code = controller_load(c, &(struct config_file){"f", text, strlen(text)}, 1, &ds);
    for (size_t i = 0; i < ds.len; i++) {
        if (i > 0)
            buf_byte(&out, '\n');
        diag_line(&ds.items[i], &out);
    }
    if (code != want_code || strcmp(buf_cstr(&out), want) != 0)
        FAIL_("line %d: load gives %d and\n%s\n  want %d and\n%s", line, code, buf_cstr(&out), want_code, want);
}
#define LOADS(c, text)             check_load_(__LINE__, c, text, 0, "")
#define REFUSES(c, text, messages) check_load_(__LINE__, c, text, -EINVAL, messages)

static void note_done(void *arg)
{
    *(bool *)arg = true;
}

/* Stops, checks that it came to an end, frees. */
static inline void end(struct controller *c, uv_loop_t *loop)
{
    bool done = false;
    controller_stop(c, note_done, &done);
    settle(loop);
    CHECK(done);
    controller_free(c);
    settle(loop);
    CHECK_INT(uv_loop_close(loop), 0);
    CHECK(nodes == NULL);
    CHECK(imports == NULL);
    buf_done(&events);
    buf_done(&problems);
}

static inline struct component_view view_of(struct controller *c, const char *id)
{
    struct component_view v = {0};
    if (!controller_view(c, id, &v))
        FAIL_("no component %s", id);
    return v;
}

static inline void check_value_(int line, const struct value *object, const char *member, const char *want)
{
    cleanup_buf struct buf out = BUF_INIT(1 << 16);
    const struct value *v = object ? value_member(object, str_of(member)) : NULL;
    if (v)
        value_print(v, &out);
    if (strcmp(buf_cstr(&out), want) != 0)
        FAIL_("line %d: %s is %s, want %s", line, member, buf_cstr(&out), want);
}
#define CHECK_MEMBER(object, member, want) check_value_(__LINE__, object, member, want)
