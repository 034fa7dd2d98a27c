/* Which labels are read, by a configuration of a source, components that say what they read, and others. */
#include "graph/readers.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "graph/controller.h"
#include "graph/view.h"
#include "lang/diag_text.h"
#include "test.h"

struct reader_args {
    struct value *targets, *other;
    char *reads; /* one label */
};
static const struct option reader_options[] = {
    {"targets", OPT_ANY, offsetof(struct reader_args, targets)},
    {"other", OPT_ANY, offsetof(struct reader_args, other)},
    {"reads", OPT_STRING, offsetof(struct reader_args, reads)},
    {0},
};
static const struct schema reader_schema = {.size = sizeof(struct reader_args), .options = reader_options};

static struct component *source; /* "test.source.a" */

static int reader_build(struct component *self, const void *args, void **ret, struct err *err)
{
    (void)args, (void)err;
    if (strcmp(component_id(self), "test.source.a") == 0)
        source = self;
    struct value *exports = value_object();
    value_object_put(exports, STR("targets"), value_array(NULL, 0));
    value_object_put(exports, STR("more"), value_array(NULL, 0));
    component_export(self, exports);
    *ret = self;
    return 0;
}

static int reader_update(void *state, const void *args, struct err *err)
{
    (void)state, (void)args, (void)err;
    return 0;
}

static void reader_free(void *state)
{
    (void)state;
}

static bool reader_reads(const void *args, struct str name)
{
    return str_is(name, ((const struct reader_args *)args)->reads);
}

static const char *const reader_exports[] = {"targets", "more", NULL};
#define READER(name_, ...)                                                                                             \
    {                                                                                                                  \
        .name = name_, .args = &reader_schema, .exports = reader_exports, .build = reader_build,                       \
        .update = reader_update, .free = reader_free, __VA_ARGS__                                                      \
    }
static const struct component_def source_def = READER("test.source", .local = false);
static const struct component_def rules_def = READER("test.rules", .reads_label = reader_reads, .passes_on = "targets");
static const struct component_def sink_def = READER("test.sink", .reads_label = reader_reads);
static const struct component_def other_def = READER("test.other", .local = false);
static const struct component_def *const registry[] = {&source_def, &rules_def, &sink_def, &other_def, NULL};

static uv_loop_t loop;

static void load(struct controller *c, const char *text)
{
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_buf struct buf out = BUF_INIT(1 << 16);
    const int code = controller_load(c, &(struct config_file){"f", text, strlen(text)}, 1, &ds);
    diags_summary(&ds, &out);
    if (code < 0) {
        printf("FAIL %s: %s\n", text, buf_cstr(&out));
        exit(1);
    }
    uv_run(&loop, UV_RUN_NOWAIT);
}

static struct controller *begin(const char *text)
{
    uv_loop_init(&loop);
    struct controller *c = controller_new(&(struct controller_options){.loop = &loop, .components = registry});
    load(c, text);
    return c;
}

static void mark(void *arg)
{
    *(bool *)arg = true;
}

static void end(struct controller *c)
{
    bool stopped = false;
    controller_stop(c, mark, &stopped);
    while (!stopped)
        uv_run(&loop, UV_RUN_ONCE);
    controller_free(c);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&loop), 0);
}

/* "x", "xy": those of the labels x, y and z that are read. */
static void check_read_(int line, const char *want)
{
    char got[4] = "";
    for (const char *l = "xyz"; *l; l++)
        if (component_label_is_read(source, "targets", (struct str){l, 1}))
            got[strlen(got)] = *l;
    if (strcmp(got, want) != 0)
        FAIL_("line %d: \"%s\" are read, wanted \"%s\"", line, got, want);
}
#define CHECK_READ(want) check_read_(__LINE__, want)

#define SOURCE  "test.source \"a\" { }\n"
#define TARGETS "test.source.a.targets"

static void check_text_(int line, const char *text, const char *want)
{
    cleanup_free char *all = xasprintf(SOURCE "%s", text);
    struct controller *c = begin(all);
    check_read_(line, want);
    end(c);
}
#define CHECK_TEXT(text, want) check_text_(__LINE__, text, want)

static void a_component_reads_what_it_says(void)
{
    CHECK_TEXT("test.sink \"b\" {\n targets = " TARGETS "\n reads = \"x\"\n}\n", "x");
    CHECK_TEXT("test.sink \"b\" {\n targets = (" TARGETS ")\n reads = \"\"\n}\n", "");
    CHECK_TEXT("test.sink \"b\" {\n targets = " TARGETS "\n reads = \"x\"\n}\n"
               "test.sink \"c\" {\n targets = " TARGETS "\n reads = \"z\"\n}\n",
               "xz");
}

static void targets_are_followed_where_they_are_passed_on(void)
{
    CHECK_TEXT("test.rules \"b\" {\n targets = " TARGETS "\n reads = \"x\"\n}\n"
               "test.rules \"c\" {\n targets = test.rules.b.targets\n reads = \"y\"\n}\n"
               "test.sink \"d\" {\n targets = test.rules.c.targets\n}\n",
               "xy");
    CHECK_TEXT("test.rules \"b\" {\n targets = " TARGETS "\n}\n"
               "test.other \"c\" {\n targets = test.rules.b.targets\n}\n",
               "xyz");
    /* Another export of that component is none of it. */
    CHECK_TEXT("test.rules \"b\" {\n targets = " TARGETS "\n}\n"
               "test.sink \"c\" {\n targets = test.rules.b.targets\n}\n"
               "test.other \"d\" {\n targets = test.rules.b.more\n}\n",
               "");
}

static void lists_of_targets_are_followed(void)
{
    CHECK_TEXT("test.sink \"b\" {\n targets = array.concat([], " TARGETS ")\n reads = \"y\"\n}\n", "y");
    CHECK_TEXT("test.source \"z\" { }\n"
               "test.sink \"b\" {\n targets = concat(test.source.z.targets, concat(" TARGETS "))\n reads = \"y\"\n}\n",
               "y");
}

static void what_is_not_understood_reads_everything(void)
{
    static const char *const texts[] = {
        "",
        "test.other \"b\" {\n targets = " TARGETS "\n}\n",
        "test.sink \"b\" {\n other = " TARGETS "\n}\n",
        "test.sink \"b\" {\n targets = " TARGETS "\n other = [" TARGETS "]\n}\n",
        "test.sink \"b\" {\n targets = [" TARGETS "]\n}\n",
        "test.sink \"b\" {\n targets = test.source.a[\"targets\"]\n}\n",
        "test.rules \"b\" {\n targets = " TARGETS "\n}\n",
        "declare \"m\" {\n argument \"t\" { }\n}\nm \"b\" {\n t = " TARGETS "\n}\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        CHECK_TEXT(texts[i], "xyz");
}

static void a_reload_changes_what_is_read_and_the_number_says_so(void)
{
    struct controller *c = begin(SOURCE "test.sink \"b\" {\n targets = " TARGETS "\n reads = \"x\"\n}\n");
    const uint64_t before = component_readers(source);
    CHECK_READ("x");
    load(c, SOURCE "test.sink \"b\" {\n targets = " TARGETS "\n reads = \"y\"\n}\n");
    CHECK(component_readers(source) != before);
    CHECK_READ("y");
    end(c);
}

static void whoever_looks_reads_everything(void)
{
    static const char *const ids[] = {"test.source.a", "test.rules.b", "test.sink.c"};
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        struct component_view v;
        struct controller *c = begin(SOURCE "test.rules \"b\" {\n targets = " TARGETS "\n}\n"
                                            "test.sink \"c\" {\n targets = test.rules.b.targets\n}\n");
        const uint64_t before = component_readers(source);
        CHECK_READ("");
        CHECK(controller_view(c, ids[i], &v));
        CHECK(component_readers(source) != before);
        CHECK_READ("xyz");
        end(c);
    }
}

int main(void)
{
    RUN(a_component_reads_what_it_says);
    RUN(targets_are_followed_where_they_are_passed_on);
    RUN(lists_of_targets_are_followed);
    RUN(what_is_not_understood_reads_everything);
    RUN(a_reload_changes_what_is_read_and_the_number_says_so);
    RUN(whoever_looks_reads_everything);
    return REPORT();
}
