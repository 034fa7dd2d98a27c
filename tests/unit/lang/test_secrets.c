#include "lang/secrets.h"

#include "base/secret.h"
#include "lang/diag_text.h"
#include "lang_test.h"

/* Every line as it is printed. */
static void check_(int line, const char *text, const char *want)
{
    cleanup_source struct source *s = source_from("f", str_of(text));
    cleanup_secrets struct secrets found = {0};
    cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX);
    unsigned none = 0;
    secrets_find(&found, s);
    secrets_print(&found, 0, (uint32_t)s->text.n, &none, &none, &out);
    if (strcmp(buf_cstr(&out), want) != 0)
        FAIL_("line %d: \"%s\", want \"%s\"", line, buf_cstr(&out), want);
}
#define CHECK_FOUND(text, want) check_(__LINE__, text, want)
#define CHECK_NONE(text)        check_(__LINE__, text, text)

static void finds_literals_below_secret_names(void)
{
    CHECK_FOUND("password = \"x\"\nurl = \"y\"", "password = \"(secret)\"\nurl = \"y\"");
    CHECK_FOUND("a = {token = \"x\", b = \"y\"}", "a = {token = \"(secret)\", b = \"y\"}");
    CHECK_FOUND("tokens = [\"x\", f(\"y\")]\nb = \"z\"", "tokens = [\"(secret)\", f(\"(secret)\")]\nb = \"z\"");
    CHECK_FOUND("password = `a\nb`\nc = `d`", "password = \"(secret)\"\nc = `d`");
    CHECK_FOUND("argument \"db_password\" {\n  default = \"x\"\n}",
                "argument \"db_password\" {\n  default = \"(secret)\"\n}");
    CHECK_FOUND("x = `-----BEGIN PRIVATE KEY-----`", "x = \"(secret)\"");
    CHECK_NONE("pyroscope.java \"tokens\" {\n  a = \"b\"\n}");
    CHECK_NONE("password = sys.env(\"P\") // from there");
    CHECK_NONE("password = local.file.x.content");
    CHECK_NONE("x = a[\"password\"]");
}

static void finds_values_of_headers(void)
{
    CHECK_FOUND("headers = {\"X-Scope-OrgID\" = \"t\", \"X-A\" = \"b\"}\nc = \"d\"",
                "headers = {\"X-Scope-OrgID\" = \"t\", \"X-A\" = \"(secret)\"}\nc = \"d\"");
    CHECK_FOUND("headers = f({a = \"b\"}, \"c\")", "headers = f({a = \"(secret)\"}, \"(secret)\")");
    CHECK_FOUND("http_headers = {\"A\" = [\"b\"]}", "http_headers = {\"A\" = [\"(secret)\"]}");
}

static void finds_them_where_the_text_is_broken(void)
{
    CHECK_FOUND("password = \"x\" \"", "password = \"(secret)\" \"(secret)\"");
    CHECK_FOUND("password = \"x", "password = \"(secret)\"");
    CHECK_FOUND("password = x\"", "password = \"(secret)\"\"(secret)\"");
    CHECK_FOUND("password = hunter2", "password = \"(secret)\"");
    CHECK_FOUND("password = 'hunter2'", "password = \"(secret)\"");
    CHECK_FOUND("password = p@ss.word\na = \"b\"", "password = \"(secret)\"\"(secret)\"\na = \"b\"");
    CHECK_FOUND("password: \"x\"", "password: \"(secret)\"");
    CHECK_FOUND("password \"x\"\n", "password \"(secret)\"\n");
    CHECK_FOUND("a = \"b\npassword = \"x\"", "a = \"b\npassword = \"(secret)\"");
    CHECK_FOUND("a = `b\npassword = \"x\"", "a = `b\npassword = \"(secret)\"");
    CHECK_FOUND("password = \"x\" = \"y\"", "password = \"(secret)\" = \"(secret)\"");
    CHECK_FOUND("\"  password = \"hunter2\"\n", "\"  password = \"(secret)\"\n");
    CHECK_FOUND("\"\"x\" password = \"a.b c@d\"\ne = \"f\"", "\"\"x\" password = \"(secret)\"\ne = \"f\"");
    CHECK_FOUND("' password = \"x\"\n", "' password = \"(secret)\"\n");
    CHECK_FOUND("headers = {\"X-A\" \"b\"}", "headers = {\"X-A\" \"(secret)\"}");
    CHECK_FOUND("headers+ = {\"X-A\"+ = \"b\"}", "headers+ = {\"X-A\"+ = \"(secret)\"}");
    CHECK_FOUND("headers {\"X-A\" = \"b\"}", "headers {\"X-A\" = \"(secret)\"}");
    CHECK_FOUND("}}} password = \"x\"", "}}} password = \"(secret)\"");
}

static void finds_what_has_the_form_of_one(void)
{
    CHECK_FOUND("url = \"http://u:p@h/\"", "url = \"http://(secret)@h/\"");
    CHECK_FOUND("a = 1 // password = \"old\"\n", "a = 1 // password = \"(secret)\"\n");
    CHECK_FOUND("password = \"x\" // token=y\n", "password = \"(secret)\" // token=(secret)\n");
}

static void check_marks_(int line, unsigned first, unsigned last, unsigned want_first, unsigned want_last)
{
    cleanup_source struct source *s = source_from("f", STR("a = \"b\" password = \"xyz\" + c.d"));
    cleanup_secrets struct secrets found = {0};
    cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX);
    secrets_find(&found, s);
    secrets_print(&found, 0, (uint32_t)s->text.n, &first, &last, &out);
    CHECK_STR(buf_cstr(&out), "a = \"b\" password = \"(secret)\" + c.d");
    if (first != want_first || last != want_last)
        FAIL_("line %d: %u-%u, want %u-%u", line, first, last, want_first, want_last);
}
#define CHECK_MARKS(...) check_marks_(__LINE__, __VA_ARGS__)

static void moves_columns_along(void)
{
    CHECK_MARKS(5, 7, 5, 7);     /* before it */
    CHECK_MARKS(20, 24, 20, 29); /* it */
    CHECK_MARKS(22, 22, 20, 29); /* in it */
    CHECK_MARKS(26, 28, 31, 33); /* behind it */
    CHECK_MARKS(9, 28, 9, 33);   /* across it */
}

static void check_pretty(const char *text, size_t first, size_t last, const char *message, const char *want)
{
    cleanup_source struct source *s = source_from("f", str_of(text));
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX);
    diag_error(&ds, source_range(s, first, last), "%s", message);
    diags_pretty(&ds, false, &out);
    CHECK_STR(buf_cstr(&out), want);
}

static void excerpts_hide_secrets_below_right_carets(void)
{
    check_pretty("username = \"u\"\npassword = \"hunter2\" \"\nb {\n", 36, 36, "string literal not terminated",
                 "Error: f:2:22: string literal not terminated\n\n"
                 "1 | username = \"(secret)\"\n"
                 "2 | password = \"(secret)\" \"(secret)\"\n"
                 "  |                       ^^^^^^^^^^\n"
                 "3 | b {\n");
    check_pretty("x = 1\npassword = \"é\" + y.z\n", 24, 24, "no such y",
                 "Error: f:2:19: no such y\n\n"
                 "1 | x = 1\n"
                 "2 | password = \"(secret)\" + y.z\n"
                 "  |                         ^\n"
                 "3 | \n");
}

static void a_long_line_is_shown_around_the_mark(void)
{
    cleanup_buf struct buf text = BUF_INIT(TEST_TEXT_MAX), out = BUF_INIT(TEST_TEXT_MAX);
    for (int i = 0; i < 20000; i++)
        buf_puts(&text, "{x = \"é\", token = \"hunter2\"}, ");
    cleanup_source struct source *s = source_from("f", buf_slice(&text));
    for (size_t at = 0; at < text.len - text.len / 7; at += text.len / 7) {
        cleanup_diags struct diags ds = DIAGS_INIT;
        buf_reset(&out);
        diag_error(&ds, source_range(s, at, at + 1), "bad");
        diags_pretty(&ds, false, &out);
        CHECK(str_is_utf8(buf_slice(&out)));
        CHECK_HAS(buf_cstr(&out), "token = \"(secret)\"}, {x");
        CHECK_HAS(buf_cstr(&out), "…\n");
        CHECK_HAS(buf_cstr(&out), "^");
        CHECK(!strstr(buf_cstr(&out), "hunter2"));
        CHECK(out.len < 2000);
    }
}

static void messages_hide_what_they_quote(void)
{
    cleanup_source struct source *s = source_from("f", STR("password = \"hunter2\" / 2\n"));
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX);
    diag_error(&ds, source_range(s, 11, 19), "\"hunter2\" is no number; see http://a:b@h");
    diags_summary(&ds, &out);
    CHECK_STR(buf_cstr(&out), "f:1:12: \"(secret)\" is no number; see http://(secret)@h");
}

static unsigned dice(unsigned sides)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % sides;
}

/* One mistake of typing: something too many or too few, often right beside the secret. */
static void mistype(struct buf *text, bool at_end)
{
    static const char *const parts[] = {"\"", "`", "{", "}", "(", ")", "[", "]",  "\n",    " ", "//", "/*", "*/",
                                        "'",  "$", ",", ".", "=", "x", "5", "\\", "\"x\"", "@", ";",  "+",  "#"};
    const struct str old = buf_slice(text);
    size_t at = dice(2) ? dice((unsigned)old.n + 1) : at_end ? old.n : 0;
    const size_t skip = dice(4) == 0 && at < old.n;
    struct buf changed = BUF_INIT(TEST_TEXT_MAX);
    buf_append(&changed, old.p, at);
    if (!skip)
        buf_puts(&changed, parts[dice(ARRAY_LEN(parts))]);
    buf_append(&changed, old.p + at + skip, old.n - at - skip);
    buf_done(text);
    *text = changed;
}

static void check_mistyped(unsigned times)
{
    static const char before[] =
        "a.b \"c\" {\n  url = \"u\"\n  d {\n    headers = {\"X-Api-Key\" = \"k\"}\n    username = \"u\"\n";
    cleanup_buf struct buf text = BUF_INIT(TEST_TEXT_MAX), after = BUF_INIT(TEST_TEXT_MAX),
                           out = BUF_INIT(TEST_TEXT_MAX);
    buf_puts(&text, before);
    buf_puts(&after, "\n  }\n}\n");
    while (times--) {
        const bool is_before = dice(2);
        mistype(is_before ? &text : &after, is_before);
    }
    buf_puts(&text, "    password = \"hunter2\"");
    buf_str(&text, buf_slice(&after));
    cleanup_source struct source *s = source_from("f", buf_slice(&text));
    cleanup_ast struct ast_file *file = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    if (parse_file(s, &file, &ds) == 0)
        return;
    diags_pretty(&ds, false, &out);
    if (strstr(buf_cstr(&out), "hunter2"))
        FAIL_("%s\n%s", buf_cstr(&text), buf_cstr(&out));
}

static void no_mistake_of_typing_shows_a_secret(void)
{
    const char *rounds = getenv("SMOLDER_TEST_ROUNDS");
    for (int i = rounds ? atoi(rounds) : 20000; i > 0; i--)
        check_mistyped(dice(4) + 1);
}

int main(void)
{
    RUN(finds_literals_below_secret_names);
    RUN(finds_values_of_headers);
    RUN(finds_them_where_the_text_is_broken);
    RUN(finds_what_has_the_form_of_one);
    RUN(moves_columns_along);
    RUN(excerpts_hide_secrets_below_right_carets);
    RUN(a_long_line_is_shown_around_the_mark);
    RUN(messages_hide_what_they_quote);
    RUN(no_mistake_of_typing_shows_a_secret);
    return REPORT();
}
