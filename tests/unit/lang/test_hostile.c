/* Files made to hurt: as large as a configuration may be, and shaped so that a careless reader needs quadratic time,
 * endless memory or a bottomless stack. Each is read, evaluated, and its errors rendered, within the time of a few
 * readings. */
#include <sys/resource.h>
#include <time.h>

#include "lang/diag_text.h"
#include "lang_test.h"

/* Generous, for a loaded machine with sanitizers; what is quadratic would take hours. */
enum { SECONDS_MAX = 60, OUT_MAX = 64 << 20, MEMORY_MAX_MB = 1500 };

struct shape {
    const char *name, *before, *repeated, *after;
    const char *error; /* part of the first one; NULL: it is fine */
};

static const struct shape shapes[] = {
    {"brackets", "a = ", "[", "", "nested too deeply"},
    {"parentheses", "a = ", "(", "", "nested too deeply"},
    {"braces", "a = ", "{b=", "", "nested too deeply"},
    {"blocks", "", "a{", "", "nested too deeply"},
    {"minus signs", "a = ", "-", "", "nested too deeply"},
    {"powers", "a = 1", "^1", "", "nested too deeply"},
    {"sums", "a = 1", "+1", "", "nested too deeply"},
    {"accesses", "a = b", ".c", "", "nested too deeply"},
    {"indexes", "a = b", "[0]", "", "nested too deeply"},
    {"calls", "a = b", "()", "", "nested too deeply"},
    {"blocks as values", "", "a = b {", "", "nested too deeply"},
    {"a list", "a = [", "1,", "]\n", "too large"},
    {"an object of one key", "a = {", "k=1,", "}\n", "too large"},
    {"a long name", "", "a.", "b { }\n", NULL},
    {"a string", "a = \"", "x", "\"\n", NULL},
    {"a raw string", "a = `", "x\n", "`\n", NULL},
    {"an escaped string", "a = \"", "\\x41", "\"\n", NULL},
    {"a number", "a = ", "9", "\n", NULL},
    {"block comments", "", "/**/", "", NULL},
    {"line comments", "", "// c\n", "", NULL},
    {"comments between names", "", "a/**/", "", "expected block label"},
    {"comments never closed", "", "/*x", "", "not terminated"},
    {"line ends", "", "\n", "", NULL},
    {"bad characters", "", "#", "", "illegal character"},
    {"bad characters on lines", "", "a = #\n", "", "illegal character"},
    {"bad bytes", "", "\xff", "", "illegal UTF-8"},
    {"bad escapes", "a = \"", "\\q", "\"\n", "unknown escape"},
    {"single quotes", "", "'", "", "single-quoted"},
    {"closing braces", "", "}\n", "", "expected identifier"},
    {"open strings", "", "a = \"x\n", "", "not terminated"},
    {"blocks as values on lines", "", "a = b { }\n", "", "cannot use a block"},
    {"missing commas", "a = [", "1 ", "]\n", "missing ','"},
    {"small blocks", "", "a \"b\" { }\n", "", "too large"},
};

/* As large as a configuration may be; heap. */
static struct str text_of(const struct shape *s, size_t size)
{
    const size_t before = strlen(s->before), part = strlen(s->repeated), after = strlen(s->after);
    char *text = xmalloc(size + 1), *p = text;
    p = (char *)memcpy(p, s->before, before) + before;
    for (size_t n = (size - before - after) / part; n > 0; n--)
        p = (char *)memcpy(p, s->repeated, part) + part;
    p = (char *)memcpy(p, s->after, after) + after;
    return (struct str){text, (size_t)(p - text)};
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check(const struct shape *shape)
{
    struct str text = text_of(shape, SOURCE_MAX);
    const double start = now();
    cleanup_source struct source *s = source_from("hostile", text);
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_ast struct ast_file *f = NULL;
    cleanup_value struct value *v = NULL;
    cleanup_buf struct buf out = BUF_INIT(OUT_MAX);
    bool fine = parse_file(s, &f, &ds) == 0;
    if (fine && f->body.len && f->body.stmts[0].kind == AST_ATTR)
        fine = eval(f->body.stmts[0].value, NULL, &v, &ds) == 0;
    diags_pretty(&ds, DIAG_AS_IS, &out);
    const double seconds = now() - start;
    if (fine != (shape->error == NULL) || (!fine && !strstr(ds.items[0].message, shape->error)))
        FAIL_("%s: %s", shape->name, ds.len ? ds.items[0].message : "no error");
    if (!buf_ok(&out))
        FAIL_("%s: more than %d bytes of messages", shape->name, OUT_MAX);
    if (seconds > SECONDS_MAX)
        FAIL_("%s: %.1f s", shape->name, seconds);
    free((char *)text.p);
}

static void the_largest_file_of_every_shape_takes_little_time_and_space(void)
{
    struct rusage used;
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
        check(&shapes[i]);
    getrusage(RUSAGE_SELF, &used);
    CHECK(used.ru_maxrss >> 10 < MEMORY_MAX_MB);
}

static void ten_megabytes_are_refused_at_once(void)
{
    struct str text = text_of(&(struct shape){"", "", "a = 1\n", "", NULL}, 10 << 20);
    struct source *s = NULL;
    struct err err = {0};
    CHECK(source_new("large", text, &s, &err) < 0);
    CHECK(strstr(err.text, "more than the 4194304 a configuration may have") != NULL);
    free((char *)text.p);
}

static void a_value_may_not_nest_without_end(void)
{
    cleanup_value struct value *v = value_null();
    for (unsigned i = 0; i <= VALUE_DEPTH_MAX; i++)
        v = value_array(&v, 1);
    CHECK_INT(value_depth(v), VALUE_DEPTH_MAX + 1);
}

/* What functions make is bounded: a few nested calls would fill any memory. */
static void functions_refuse_to_make_too_much(void)
{
    static const char *const calls[][2] = {
        {"string.format(\"%900000d%900000d%900000d%900000d%900000d%900000d%900000d%900000d%900000d%900000d%900000d%"
         "900000d"
         "%900000d%900000d%900000d%900000d%900000d%900000d%900000d\", 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, "
         "1, 1, 1)",
         "makes a string of more than"},
        {"string.replace(string.format(\"%900000d\", 1), \"\", \"xxxxxxxxxxxxxxxxxxxxxxxx\")",
         "makes a string of more than"},
        {"string.split(string.format(\"%900000d\", 1), \"\")", "makes an array of more than"},
        {"encoding.from_json(string.replace(string.format(\"%300000d\", 1), \" \", \"[\"))", "more than 262144 values"},
        {"encoding.from_yaml(string.replace(string.format(\"%100000d\", 1), \" \", \"[\"))", "yaml"},
        {"encoding.from_yaml(\"a: &a [1,1,1,1,1,1,1,1]\\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\\nc: &c "
         "[*b,*b,*b,*b,*b,*b,*b,*b]\\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\\nf: &f "
         "[*e,*e,*e,*e,*e,*e,*e,*e]\\n\")",
         "aliases counted in full"},
        {"json_path(string.replace(string.format(\"%2000d\", 1), \" \", \"[\") + "
         "string.replace(string.format(\"%1999d\", "
         "1), \" \", \"]\"), \"$\")",
         "json_path"},
        {"json_path(string.replace(string.format(\"[%5000d]\", 1), \" \", \"[],\"), \"$..[?($..[?($..*)])]\")",
         "looks"},
        {"json_path(\"[]\", string.replace(string.format(\"%100000d\", 1), \" \", \"[0]\"))", "too many steps"},
        {"json_path(\"[]\", \"$[?\" + string.replace(string.format(\"%100000d\", 1), \" \", \"(\"))",
         "nested too deeply"},
    };
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        cleanup_source struct source *s = source_from("", str_of(calls[i][0]));
        cleanup_ast struct ast_file *f = NULL;
        cleanup_diags struct diags ds = DIAGS_INIT;
        cleanup_value struct value *v = NULL;
        if (parse_expression(s, &f, &ds) == 0 && eval(f->expr, NULL, &v, &ds) == 0)
            FAIL_("%s: no error", calls[i][0]);
        else if (!strstr(ds.items[0].message, calls[i][1]))
            FAIL_("%.80s: %.300s", calls[i][0], ds.items[0].message);
    }
}

int main(void)
{
    RUN(the_largest_file_of_every_shape_takes_little_time_and_space);
    RUN(ten_megabytes_are_refused_at_once);
    RUN(a_value_may_not_nest_without_end);
    RUN(functions_refuse_to_make_too_much);
    return REPORT();
}
