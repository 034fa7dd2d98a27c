#include "graph/args.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "lang/parser.h"
#include "test.h"

struct record {
    char *name;
    int64_t size;
    struct string_list words;
};
static const struct option options[] = {
    {"name", OPT_STRING, offsetof(struct record, name), .required = true},
    {"size", OPT_INT, offsetof(struct record, size), .default_text = "7"},
    {"words", OPT_STRING_LIST, offsetof(struct record, words)},
    {0},
};
static const struct schema schema = {.size = sizeof(struct record), .options = options};

/* Of a file that is one block; it is gone when the arguments are looked at. */
static const void *decode(const char *text, struct diags *ds)
{
    cleanup_source struct source *source = NULL;
    cleanup_ast struct ast_file *file = NULL;
    CHECK_INT(source_new("f", str_of(text), &source, NULL), 0);
    CHECK_INT(parse_file(source, &file, ds), 0);
    return args_decode(&schema, &file->body.stmts[0], NULL, ds);
}

static void they_live_as_long_as_somebody_holds_them(void)
{
    cleanup_diags struct diags ds = DIAGS_INIT;
    const struct record *args = decode("b {\n name = \"n\"\n words = [\"a\", \"b\"]\n}\n", &ds);
    CHECK(args != NULL);
    CHECK(args_ref(args) == args);
    args_unref(args);
    CHECK_STR(args->name, "n");
    CHECK_INT(args->size, 7);
    CHECK_INT(args->words.len, 2);
    args_unref(args);
    args_unref(NULL);
}

static void what_cannot_be_decoded_is_none(void)
{
    cleanup_diags struct diags ds = DIAGS_INIT;
    CHECK(decode("b {\n size = \"much\"\n}\n", &ds) == NULL);
    CHECK_INT(ds.errors, 2);
    CHECK_STR(ds.items[1].message, "missing required attribute \"name\"");
}

static void a_new_record_is_empty(void)
{
    struct record *args = args_new(&schema);
    CHECK(args->name == NULL);
    args->name = xstrdup("mine");
    args_unref(args);
}

int main(void)
{
    RUN(they_live_as_long_as_somebody_holds_them);
    RUN(what_cannot_be_decoded_is_none);
    RUN(a_new_record_is_empty);
    return REPORT();
}
