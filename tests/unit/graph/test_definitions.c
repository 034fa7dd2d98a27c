#include "graph/definitions.h"

#include "base/cleanup.h"
#include "lang/parser.h"
#include "test.h"

/* Definitions of a text: its declares and imports, with those of `parent` around it. */
static struct definitions *definitions_of(struct definitions *parent, const char *text)
{
    cleanup_source struct source *source = NULL;
    cleanup_ast struct ast_file *file = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_value struct value *path = value_string(STR("/there"));
    CHECK_INT(source_new("f", str_of(text), &source, NULL), 0);
    CHECK_INT(parse_file(source, &file, &ds), 0);
    struct definitions *d = definitions_new(parent, &file, 1, path);
    for (size_t i = 0; i < file->body.len; i++) {
        const struct ast_stmt *s = &file->body.stmts[i];
        if (str_is(s->name, "declare"))
            definitions_add_declare(d, s);
        else
            (void)definitions_add_import(d, s);
    }
    return d;
}

static struct definitions_import *import_of(const struct definitions *d, const char *label)
{
    return strmap_get(&d->imports, str_of(label));
}

static const char *found(const struct definitions *d, const char *name)
{
    const struct declare *declare = NULL;
    switch (definitions_find(d, str_of(name), &declare)) {
    case DEFINITIONS_FOUND:
        return declare->home == d ? "here" : "elsewhere";
    case DEFINITIONS_PENDING:
        return "pending";
    default:
        return "none";
    }
}

static void names_are_looked_up_from_the_inside_out(void)
{
    struct definitions *outer = definitions_of(NULL, "declare \"a\" { }\ndeclare \"b\" { }\n");
    struct definitions *inner = definitions_of(outer, "declare \"b\" { }\n");
    definitions_unref(outer);
    CHECK_STR(found(inner, "a"), "elsewhere");
    CHECK_STR(found(inner, "b"), "here");
    CHECK_STR(found(inner, "c"), "none");
    CHECK_STR(found(inner, "a.x"), "none");
    definitions_unref(inner);
}

static void a_namespace_has_what_was_brought(void)
{
    char close[64];
    const struct definitions_import *on;
    struct definitions *d = definitions_of(NULL, "import.file \"lib\" { }\n");
    CHECK_STR(found(d, "lib.tool"), "pending");
    struct definitions *brought = definitions_of(NULL, "declare \"tool\" { }\n");
    definitions_bring(import_of(d, "lib"), brought);
    definitions_unref(brought);
    CHECK_STR(found(d, "lib.tool"), "elsewhere");
    CHECK_STR(found(d, "lib.tol"), "none");
    CHECK_STR(definitions_suggest(d, STR("lib.tol"), close, sizeof close), "lib.tool");
    CHECK(!definitions_suggest(d, STR("lib.hammer"), close, sizeof close));
    CHECK(definitions_claim(d, STR("lib.any"), &on) && on == import_of(d, "lib"));
    CHECK(definitions_claim(d, STR("lib"), &on) && !on);
    CHECK(!definitions_claim(d, STR("tool"), &on));
    definitions_bring(import_of(d, "lib"), NULL);
    CHECK_STR(found(d, "lib.tool"), "pending");
    definitions_unref(d);
}

static void count_use(void *arg, const struct definitions_import *import)
{
    (void)import;
    ++*(size_t *)arg;
}

static size_t uses_of(struct definitions *d, const char *declare)
{
    size_t n = 0;
    const struct declare *of = strmap_get(&d->declares, str_of(declare));
    definitions_body_uses(d, &of->stmt->body, count_use, &n);
    return n;
}

static void a_body_uses_imports_through_declares_as_well(void)
{
    struct definitions *d =
        definitions_of(NULL, "import.file \"lib\" { }\ndeclare \"direct\" {\n lib.tool \"x\" { }\n}\n"
                             "declare \"through\" {\n direct \"x\" { }\n}\n"
                             "declare \"inside\" {\n foreach \"f\" {\n template {\n lib.tool \"y\" { }\n }\n }\n}\n"
                             "declare \"none\" {\n other \"x\" { }\n}\n");
    CHECK_INT(uses_of(d, "direct"), 1);
    CHECK_INT(uses_of(d, "through"), 1);
    CHECK_INT(uses_of(d, "inside"), 1);
    CHECK_INT(uses_of(d, "none"), 0);
    definitions_unref(d);
}

static void print_circle(void *arg, const struct declare *const *members, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(arg, "%s%.*s", i > 0 ? "+" : " ", STR_ARG(members[i]->stmt->label));
}

static void check_circles(const char *text, const char *want)
{
    cleanup_buf struct buf out = BUF_INIT(1000);
    struct definitions *d = definitions_of(NULL, text);
    definitions_circles(d, print_circle, &out);
    CHECK_STR(buf_cstr(&out), want);
    definitions_unref(d);
}

static void declares_that_need_each_other_are_found(void)
{
    check_circles(
        "declare \"a\" {\n b \"x\" { }\n}\ndeclare \"b\" {\n a \"x\" { }\n}\ndeclare \"c\" {\n c \"x\" { }\n}\n",
        " a+b c");
    check_circles("declare \"a\" {\n foreach \"f\" {\n template {\n a \"x\" { }\n }\n }\n}\n", " a");
    check_circles("declare \"a\" {\n b \"x\" { }\n}\ndeclare \"b\" { }\n", "");
}

static void what_an_inner_body_defines_is_another(void)
{
    check_circles("declare \"a\" {\n declare \"b\" { }\n b \"x\" { }\n}\ndeclare \"b\" {\n a \"x\" { }\n}\n", "");
    check_circles("declare \"a\" {\n import.file \"a\" { }\n a \"x\" { }\n}\n", "");
    check_circles("declare \"a\" {\n declare \"b\" {\n a \"x\" { }\n }\n}\n", " a");
}

int main(void)
{
    RUN(names_are_looked_up_from_the_inside_out);
    RUN(a_namespace_has_what_was_brought);
    RUN(a_body_uses_imports_through_declares_as_well);
    RUN(declares_that_need_each_other_are_found);
    RUN(what_an_inner_body_defines_is_another);
    return REPORT();
}
