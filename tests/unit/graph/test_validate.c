#include "graph/validate.h"

#include <glob.h>
#include <unistd.h>

#include "cases.h"
#include "lang/diag_text.h"
#include "stand_ins.h"
#include "test.h"

enum { TEXT_MAX = 1 << 20, FILES_MAX = 8 };

struct files {
    struct source *items[FILES_MAX];
    size_t len;
};

static void add_file(struct files *f, const char *name, struct str text)
{
    struct err err = {0};
    if (f->len == FILES_MAX || source_new(name, text, &f->items[f->len], &err) < 0)
        FAIL_("%s: %s", name, err.text);
    else
        f->len++;
}

static void files_done(struct files *f)
{
    while (f->len > 0)
        source_unref(f->items[--f->len]);
}

static int check(const struct files *f, enum stability stability, bool skip_unknown, struct diags *ds)
{
    const struct validate_options options = {stand_ins, stability, skip_unknown};
    return validate(f->items, f->len, &options, ds);
}

/* --- our own cases --- */

static size_t cases;

static void put_lines(const struct diags *ds, struct buf *out)
{
    for (size_t i = 0; i < ds->len; i++) {
        buf_puts(out, ds->items[i].severity == SEVERITY_ERROR ? "error " : "warning ");
        diag_line(&ds->items[i], out);
        buf_byte(out, '\n');
    }
}

/* Kinds: "diagnostics"; "diagnostics ga", "diagnostics skip-unknown" with other options; "pretty". */
static void run_case(struct case_section program, struct case_section want)
{
    struct files files = {0};
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_buf struct buf got = BUF_INIT(TEXT_MAX);
    add_file(&files, "", program.text);
    const int code = check(&files, str_has_suffix(want.name, STR(" ga")) ? STABILITY_GA : STABILITY_EXPERIMENTAL,
                           str_has_suffix(want.name, STR(" skip-unknown")), &ds);
    CHECK_INT(code, ds.errors ? -EINVAL : 0);
    if (str_is(want.name, "pretty"))
        diags_pretty(&ds, DIAG_AS_IS, &got);
    else if (str_has_prefix(want.name, STR("diagnostics")))
        put_lines(&ds, &got);
    else
        buf_printf(&got, "there is no expectation \"%.*s\"", STR_ARG(want.name));
    if (!str_eq(str_trim(buf_slice(&got)), str_trim(want.text)))
        FAIL_("%.*s\n---- got\n%s\n---- want\n%.*s", STR_ARG(program.name), buf_cstr(&got), STR_ARG(want.text));
    cases++;
    files_done(&files);
}

static void every_case_is_diagnosed_as_written(void)
{
    glob_t found;
    CHECK_INT(glob(CASES "/*.test", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        size_t n = 0;
        cleanup_free char *text = case_file(found.gl_pathv[i], &n);
        struct str rest = {text, n};
        struct case_section program, want;
        while (case_section(&rest, &program) && case_section(&rest, &want))
            run_case(program, want);
    }
    globfree(&found);
    printf("  %zu cases\n", cases);
    CHECK(cases > 0);
}

/* --- more than one file --- */

static void syntax_errors_of_all_files_come_alone(void)
{
    struct files files = {0};
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_buf struct buf got = BUF_INIT(TEXT_MAX);
    add_file(&files, "a.alloy", STR("local.nothing \"x\" { }\na = [1\n"));
    add_file(&files, "b.alloy", STR("b {\n"));
    CHECK_INT(check(&files, STABILITY_GA, false, &ds), -EINVAL);
    put_lines(&ds, &got);
    CHECK_STR(buf_cstr(&got), "error a.alloy:2:7: missing ',' in expression list\n"
                              "error a.alloy:3:1: expected ], got EOF\n"
                              "error b.alloy:2:1: expected }, got EOF\n");
    files_done(&files);
}

static void files_are_one_configuration(void)
{
    struct files files = {0};
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_buf struct buf got = BUF_INIT(TEXT_MAX);
    add_file(&files, "a.alloy", STR("local.file \"x\" {\n\tfilename = local.file.y.content\n}\n"));
    add_file(&files, "b.alloy",
             STR("local.file \"y\" {\n\tfilename = \"f\"\n}\nlocal.file \"x\" {\n\tfilename = \"f\"\n}\n"));
    CHECK_INT(check(&files, STABILITY_GA, false, &ds), -EINVAL);
    put_lines(&ds, &got);
    CHECK_STR(buf_cstr(&got), "error b.alloy:4:1: block local.file.x already declared at a.alloy:1:1\n");
    files_done(&files);
}

static void no_file_is_fine(void)
{
    struct files files = {0};
    cleanup_diags struct diags ds = DIAGS_INIT;
    CHECK_INT(check(&files, STABILITY_GA, false, &ds), 0);
    add_file(&files, "empty.alloy", STR(""));
    CHECK_INT(check(&files, STABILITY_GA, false, &ds), 0);
    CHECK_INT(ds.len, 0);
    files_done(&files);
}

/* Ten thousand components in a row, each with a reference that is nearly right. */
static void time_is_linear_in_the_text(void)
{
    enum { COUNT = 10000 };
    struct files files = {0};
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_buf struct buf text = BUF_INIT(1 << 22);
    for (int i = 0; i < COUNT; i++)
        buf_printf(&text, "local.file \"f%d\" {\n\tfilename = local.file.g%d.content\n}\n", i, i);
    add_file(&files, "many.alloy", buf_slice(&text));
    CHECK_INT(check(&files, STABILITY_GA, false, &ds), -EINVAL);
    CHECK_INT(ds.errors, COUNT);
    files_done(&files);
}

/* --- the reference's cases --- */

/* It makes no suggestions. */
static void drop_suggestions(struct diags *ds)
{
    for (size_t i = 0; i < ds->len; i++) {
        char *hint = strstr(ds->items[i].message, ", did you mean \"");
        if (hint)
            *hint = '\0';
    }
}

static void run_archive(const char *path)
{
    struct files files = {0};
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_buf struct buf got = BUF_INIT(TEXT_MAX);
    size_t n = 0, wanted = 0;
    cleanup_free char *archive = case_file(path, &n);
    cleanup_free char *diags_path = xasprintf("%.*s.diags", (int)(strlen(path) - strlen(".txtar")), path);
    cleanup_free char *want = case_file(diags_path, &wanted);
    struct str rest = {archive, n};
    struct case_section file;
    while (case_section(&rest, &file)) {
        cleanup_free char *name = xasprintf("%.*s", (int)(file.name.n - strlen(" --")), file.name.p);
        add_file(&files, name, file.text);
    }
    const bool ga = strstr(path, "/ga/") != NULL;
    (void)!check(&files, ga ? STABILITY_GA : STABILITY_EXPERIMENTAL, false, &ds);
    drop_suggestions(&ds);
    diags_pretty(&ds, DIAG_AS_IS, &got);
    if (!want || !str_eq(str_trim(buf_slice(&got)), str_trim((struct str){want, wanted})))
        FAIL_("%s\n---- got\n%s\n---- want\n%s", path, buf_cstr(&got), want ? want : "(no file)");
    files_done(&files);
}

static void agrees_with_the_reference_on_its_own_cases(void)
{
    glob_t found;
    CHECK_INT(glob(CORPUS "/validator/*.txtar", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        run_archive(found.gl_pathv[i]);
    printf("  %zu cases\n", found.gl_pathc);
    globfree(&found);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        run_archive(argv[i]);
    RUN(every_case_is_diagnosed_as_written);
    RUN(syntax_errors_of_all_files_come_alone);
    RUN(files_are_one_configuration);
    RUN(no_file_is_fine);
    RUN(time_is_linear_in_the_text);
    if (access(CORPUS, R_OK) == 0)
        RUN(agrees_with_the_reference_on_its_own_cases);
    else
        SKIP(agrees_with_the_reference_on_its_own_cases, CORPUS " is not there");
    return REPORT();
}
