#include "graph/block_text.h"

#include "base/cleanup.h"
#include "lang/parser.h"
#include "test.h"

static struct source *source;
static struct ast_file *file;

/* The first block of a text, good until done(). */
static const struct ast_stmt *block_of(const char *text)
{
    cleanup_diags struct diags ds = DIAGS_INIT;
    CHECK_INT(source_new("f", str_of(text), &source, NULL), 0);
    CHECK_INT(parse_file(source, &file, &ds), 0);
    return &file->body.stmts[0];
}

static void done(void)
{
    ast_unref(file);
    source_unref(source);
}

static void check_id(const char *text, const char *want, unsigned last_column)
{
    const struct ast_stmt *s = block_of(text);
    cleanup_free char *id = block_text_id(s);
    CHECK_STR(id, want);
    CHECK_INT(block_text_id_range(s, strlen(id)).last.column, last_column);
    done();
}

static void an_id_is_the_name_and_the_label(void)
{
    check_id("a.b \"c\" { }\n", "a.b.c", 5);
    check_id("logging { }\n", "logging", 7);
}

static void check_var(const char *text, const char *want)
{
    cleanup_free char *var = block_text_var(block_of(text));
    CHECK_STR(var ? var : "(none)", want);
    done();
}

static void a_variable_must_be_known_from_the_text(void)
{
    check_var("foreach \"f\" {\n var = \"it\" + \"em\"\n}\n", "item");
    check_var("foreach \"f\" {\n var = other.thing\n}\n", "(none)");
    check_var("foreach \"f\" {\n var = \"\"\n}\n", "(none)");
    check_var("foreach \"f\" { }\n", "(none)");
}

static void a_template_is_no_option(void)
{
    const struct ast_stmt *s =
        block_of("foreach \"f\" {\n var = \"a\"\n template { }\n template { }\n id = \"b\"\n}\n");
    cleanup_free struct ast_stmt *stmts = NULL;
    const struct ast_body rest = block_text_without_template(s, &stmts);
    CHECK(block_text_template(s) == &s->body.stmts[1]);
    CHECK_INT(rest.len, 2);
    CHECK(str_is(rest.stmts[1].name, "id"));
    CHECK(block_text_attribute(&rest, STR("id")) == &rest.stmts[1]);
    CHECK(!block_text_attribute(&rest, STR("template")));
    done();
}

int main(void)
{
    RUN(an_id_is_the_name_and_the_label);
    RUN(a_variable_must_be_known_from_the_text);
    RUN(a_template_is_no_option);
    return REPORT();
}
