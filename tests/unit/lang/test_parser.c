#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <time.h>
#include <unistd.h>

#include "lang_test.h"

static void a_file_becomes_statements_with_names_labels_and_ranges(void)
{
    cleanup_source struct source *s = source_from("f", STR("a = 1\nb . c \"d\" {\n\te { }\n}\n"));
    cleanup_ast struct ast_file *f = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    CHECK_INT(parse_file(s, &f, &ds), 0);
    CHECK_INT(f->body.len, 2);
    const struct ast_stmt *attr = &f->body.stmts[0], *block = &f->body.stmts[1];
    CHECK_INT(attr->kind, AST_ATTR);
    CHECK(str_is(attr->name, "a"));
    CHECK_INT(attr->range.last.column, 5);
    CHECK_INT(block->kind, AST_BLOCK);
    CHECK(str_is(block->name, "b.c"));
    CHECK_INT(block->fragment_count, 2);
    CHECK(str_is(block->fragments[1], "c"));
    CHECK(str_is(block->label, "d"));
    CHECK_INT(block->label_range.first.column, 7);
    CHECK_INT(block->label_range.last.column, 9);
    CHECK_INT(block->name_range.last.column, 5);
    CHECK_INT(block->open.first.column, 11);
    CHECK_INT(block->range.last.line, 4);
    CHECK_INT(block->range.last.column, 1);
    CHECK_INT(block->body.len, 1);
    CHECK_INT(block->body.stmts[0].label.n, 0);
    CHECK(block->body.stmts[0].label_range.first.source == NULL);
}

static void a_tree_keeps_its_source_alive(void)
{
    struct source *s = source_from("f", STR("a = b.c"));
    struct ast_file *f = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    CHECK_INT(parse_file(s, &f, &ds), 0);
    source_unref(s);
    ast_ref(f);
    ast_unref(f);
    CHECK_STR(f->source->name, "f");
    CHECK(str_is(f->body.stmts[0].value->access.name, "c"));
    ast_unref(f);
}

static void an_expression_ends_with_the_text(void)
{
    cleanup_source struct source *good = source_from("", STR("1 + 2")), *bad = source_from("", STR("1\n2"));
    cleanup_ast struct ast_file *f = NULL, *none = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    CHECK_INT(parse_expression(good, &f, &ds), 0);
    CHECK_INT(f->expr->kind, AST_BINARY);
    CHECK_INT(parse_expression(bad, &none, &ds), -EINVAL);
    CHECK(none == NULL);
}

struct repeated {
    const char *name;
    struct str head, part, middle, tail;
    const char *error; /* NULL: must parse */
};

/* `head`, n times `part`, `middle`, n times `tail`; returns the seconds it took. */
static double parse_repeated(const struct repeated *r, size_t n)
{
    cleanup_buf struct buf text = BUF_INIT(64 << 20);
    buf_str(&text, r->head);
    for (size_t i = 0; i < n; i++)
        buf_str(&text, r->part);
    buf_str(&text, r->middle);
    for (size_t i = 0; i < n && r->tail.n; i++)
        buf_str(&text, r->tail);
    cleanup_source struct source *s = source_from("", buf_slice(&text));
    cleanup_ast struct ast_file *f = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    struct timespec before, after;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    int code = parse_file(s, &f, &ds);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    if (r->error && n > AST_DEPTH_MAX) {
        CHECK_INT(code, -EINVAL);
        CHECK_HAS(ds.len ? ds.items[0].message : "", r->error);
    } else if (code < 0) {
        FAIL_("%s: %s", r->name, ds.items[0].message);
    }
    return (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
}

static void deep_nesting_is_refused_and_a_little_is_not(void)
{
    static const struct repeated cases[] = {
        {"parentheses", STR("a = "), STR("("), STR("1"), STR(")"), "nested too deeply"},
        {"lists", STR("a = "), STR("["), STR("1"), STR("]"), "nested too deeply"},
        {"objects", STR("a = "), STR("{a="), STR("1"), STR("}"), "nested too deeply"},
        {"calls", STR("a = "), STR("f("), STR(""), STR(")"), "nested too deeply"},
        {"minus signs", STR("a = "), STR("-"), STR("1"), STR(""), "nested too deeply"},
        {"sums", STR("a = 1"), STR("+1"), STR(""), STR(""), "nested too deeply"},
        {"powers", STR("a = 1"), STR("^1"), STR(""), STR(""), "nested too deeply"},
        {"accesses", STR("a = b"), STR(".b"), STR(""), STR(""), "nested too deeply"},
        {"indexes", STR("a = b"), STR("[0]"), STR(""), STR(""), "nested too deeply"},
        {"blocks", STR(""), STR("b {\n"), STR(""), STR("}\n"), "nested too deeply"},
        {"blocks as expressions", STR("a = "), STR("b {\na = "), STR("1\n"), STR("}\n"), "nested too deeply"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (i + 1 < ARRAY_LEN(cases))
            parse_repeated(&cases[i], 400);
        parse_repeated(&cases[i], 1100);
        parse_repeated(&cases[i], 400000);
    }
}

/* Ten times the text may take ten times as long; a quadratic parser would take a hundred times. */
static void time_is_linear_in_the_text(void)
{
    static const struct repeated cases[] = {
        {"items", STR("a = ["), STR("1,"), STR("]"), STR(""), NULL},
        {"fields", STR("a = {"), STR("b=1,"), STR("}"), STR(""), NULL},
        {"attributes", STR(""), STR("abcdefgh = 1\n"), STR(""), STR(""), NULL},
        {"comments", STR("a = 1"), STR("/**/"), STR("\n"), STR(""), NULL},
        {"comments in a line", STR("a = "), STR("/**/"), STR("1\n"), STR(""), NULL},
        {"blank lines", STR(""), STR("\n \n"), STR(""), STR(""), NULL},
        {"dotted name", STR("a"), STR(".b"), STR("{}"), STR(""), NULL},
        {"long string", STR("a = \""), STR("\\n"), STR("\""), STR(""), NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        double small = parse_repeated(&cases[i], 5000), large = parse_repeated(&cases[i], 50000);
        if (large > small * 40 + 0.5)
            FAIL_("%s: %.3f s, ten times as much %.3f s", cases[i].name, small, large);
    }
}

static void garbage_of_any_size_is_refused_in_time(void)
{
    static const char *const patterns[] = {
        "{", "}", "\"", "'", "a", "=", "\n=", "a b\n", "a = b {", "(]", "\xff", "/*", ".", "a = {1 2 3\n", "[1\n"};
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
        cleanup_buf struct buf text = BUF_INIT(SOURCE_MAX);
        while (text.len + 16 < SOURCE_MAX)
            buf_puts(&text, patterns[i]);
        cleanup_source struct source *s = source_from("", buf_slice(&text));
        cleanup_ast struct ast_file *f = NULL;
        cleanup_diags struct diags ds = DIAGS_INIT;
        if (parse_file(s, &f, &ds) != -EINVAL)
            FAIL_("%s is accepted", patterns[i]);
    }
}

static char *read_file(const char *path, size_t *n)
{
    cleanup_fclose FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    char *text = xcalloc(1, TEST_TEXT_MAX + 1);
    *n = fread(text, 1, TEST_TEXT_MAX, file);
    return text;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Where an error mark points: at the token before it, or with "ERROR HERE" just behind that. */
static size_t marked_offset(const char *text, const char *mark, bool here)
{
    const char *end = mark;
    while (end > text && strchr(" \t", end[-1]))
        end--;
    if (here)
        return (size_t)(end - text);
    const char *start = end - 1;
    if (*start == '"') {
        do
            start--;
        while (*start != '"');
    } else {
        while (start > text && is_word(start[0]) && is_word(start[-1]))
            start--;
    }
    return (size_t)(start - text);
}

/* Every mark must have its diagnostic and every diagnostic its mark. */
static void check_marks(const char *path, const char *text, const struct diags *ds)
{
    size_t marks = 0;
    for (const char *at = text; (at = strstr(at, "/* ERROR")); at++, marks++) {
        bool here = strncmp(at, "/* ERROR HERE", 13) == 0;
        const char *open = strchr(at, '"') + 1, *close = strstr(open, "\" */");
        cleanup_free char *pattern = str_dup((struct str){open, (size_t)(close - open)});
        size_t offset = marked_offset(text, at, here);
        bool found = false;
        /* A mark is a regular expression, but all of them are plain texts with some backslashes. */
        cleanup_buf struct buf literal = BUF_INIT(TEST_TEXT_MAX);
        for (const char *c = pattern; *c; c++)
            if (*c != '\\')
                buf_byte(&literal, (uint8_t)*c);
        for (size_t i = 0; i < ds->len; i++)
            found |= ds->items[i].range.first.offset == offset && strstr(ds->items[i].message, buf_cstr(&literal));
        if (!found)
            FAIL_("%s: no \"%s\" at offset %zu", path, buf_cstr(&literal), offset);
    }
    if (marks != ds->len)
        FAIL_("%s: %zu diagnostics, %zu marks; first: %s", path, ds->len, marks, ds->len ? ds->items[0].message : "");
}

static size_t run_corpus(const char *pattern, bool valid)
{
    glob_t found;
    size_t n = 0;
    if (glob(pattern, 0, NULL, &found) != 0)
        return 0;
    for (size_t i = 0; i < found.gl_pathc; i++, n++) {
        const char *path = found.gl_pathv[i];
        size_t len = 0;
        cleanup_free char *text = read_file(path, &len);
        cleanup_source struct source *s = source_from(path, (struct str){text, len});
        cleanup_ast struct ast_file *f = NULL;
        cleanup_diags struct diags ds = DIAGS_INIT;
        int code = parse_file(s, &f, &ds);
        cleanup_buf struct buf lines = BUF_INIT(TEST_TEXT_MAX);
        all_lines(&ds, &lines);
        if (valid && code < 0)
            FAIL_("%s", buf_cstr(&lines));
        else if (!valid)
            check_marks(path, text, &ds);
    }
    globfree(&found);
    return n;
}

static void agrees_with_the_reference_on_its_own_cases(void)
{
    CHECK(run_corpus(CORPUS "/parser/*.alloy", false) > 0);
    CHECK(run_corpus(CORPUS "/parser/valid/*.alloy", true) > 0);
    CHECK(run_corpus(CORPUS "/printer/*.expect", true) > 0);
}

static void the_examples_of_the_project_parse(void)
{
    CHECK(run_corpus(EXAMPLES "/*.alloy", true) > 0);
}

int main(void)
{
    RUN(a_file_becomes_statements_with_names_labels_and_ranges);
    RUN(a_tree_keeps_its_source_alive);
    RUN(an_expression_ends_with_the_text);
    RUN(deep_nesting_is_refused_and_a_little_is_not);
    RUN(time_is_linear_in_the_text);
    RUN(garbage_of_any_size_is_refused_in_time);
    RUN(the_examples_of_the_project_parse);
    if (access(CORPUS, R_OK) == 0)
        RUN(agrees_with_the_reference_on_its_own_cases);
    else
        SKIP(agrees_with_the_reference_on_its_own_cases, CORPUS " is not there");
    return REPORT();
}
