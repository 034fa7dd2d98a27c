#include "store/label_selector.h"

#include <errno.h>

#include "base/cleanup.h"
#include "test.h"

/* A series with these labels, "a=1,b=2", sorted. */
static struct label_list labels_of(const char *text)
{
    struct label_list ls = {0};
    struct str rest = str_of(text), one, name;
    while (str_split(&rest, ',', &one)) {
        (void)str_split(&one, '=', &name);
        (void)label_list_add(&ls, name, one);
    }
    return ls;
}

static bool matches(const char *selector, const char *labels)
{
    struct err err = {0};
    cleanup_label_selector struct label_selector s = LABEL_SELECTOR_INIT;
    const struct label_list ls = labels_of(labels);
    CHECK_INT(label_selector_add(&s, str_of(selector), &err), 0);
    CHECK_STR(err.text, "");
    return label_selector_matches(&s, &ls);
}

static const char *error_of(const char *selector)
{
    static struct err err;
    cleanup_label_selector struct label_selector s = LABEL_SELECTOR_INIT;
    err = (struct err){0};
    CHECK_INT(label_selector_add(&s, str_of(selector), &err), -EINVAL);
    return err.text;
}

static void every_operator_selects(void)
{
    static const char shop[] = "service_name=shop,zone=eu-1";
    CHECK(matches("{service_name=\"shop\"}", shop));
    CHECK(!matches("{service_name=\"sho\"}", shop));
    CHECK(matches("{service_name!=\"till\"}", shop));
    CHECK(!matches("{service_name!=\"shop\"}", shop));
    CHECK(matches("{zone=~\"eu-.*|us\"}", shop));
    CHECK(!matches("{zone=~\"eu\"}", shop)); /* anchored */
    CHECK(matches("{zone=~\"(?i)EU-1\"}", shop));
    CHECK(matches("{zone!~\"us.*\"}", shop));
    CHECK(!matches("{zone!~\"eu.*\"}", shop));
    CHECK(!matches("{service_name=\"shop\",zone=\"us\"}", shop));
    CHECK(!matches("{zone=~\"eu.*\", zone!=\"eu-1\"}", shop)); /* the same label twice: both hold */
}

static void a_missing_label_is_empty(void)
{
    CHECK(matches("{zone=\"\"}", "a=1"));
    CHECK(matches("{zone!=\"eu\"}", "a=1"));
    CHECK(matches("{zone=~\".*\"}", "a=1"));
    CHECK(!matches("{zone=~\".+\"}", "a=1"));
    CHECK(!matches("{zone=\"\"}", "zone=eu"));
}

static void the_syntax_is_that_of_prometheus(void)
{
    CHECK(matches("", "a=1"));
    CHECK(matches("{}", "a=1"));
    CHECK(matches(" { a = \"1\" , } # all of it", "a=1"));
    CHECK(matches("{a='1',\n# of b nothing\nc=`x\\y`}", "a=1,c=x\\y"));
    CHECK(matches("{a=\"\\x41\\102\\u00e9\\n\\\"\"}", "a=AB\xc3\xa9\n\""));
    CHECK(matches("{\"dotted.label\"=\"v\"}", "dotted.label=v"));
    CHECK(matches("cpu{a=\"1\"}", "__name__=cpu,a=1"));
    CHECK(matches("{\"cpu\"}", "__name__=cpu"));
    CHECK(!matches("cpu", "__name__=memory"));
}

static void a_name_with_four_colons_is_a_profile_type(void)
{
    static const char cpu[] = "__name__=process_cpu,__profile_type__=process_cpu:cpu:nanoseconds:cpu:nanoseconds,a=1";
    CHECK(matches("process_cpu:cpu:nanoseconds:cpu:nanoseconds{a=\"1\"}", cpu));
    CHECK(matches("{__name__=\"process_cpu:cpu:nanoseconds:cpu:nanoseconds\"}", cpu));
    CHECK(!matches("memory:alloc_space:bytes::{}", cpu));
}

static void errors_say_where(void)
{
    CHECK_STR(error_of("{a=b}"), "parsing label selector \"{a=b}\": 1:4: parse error: unexpected identifier \"b\" in "
                                 "label matching, expected string");
    CHECK_STR(error_of("{a=\"1\""), "parsing label selector \"{a=\"1\"\": 1:7: parse error: unexpected end of input "
                                    "inside braces");
    CHECK_HAS(error_of("{a=~\"[\"}"), "1:2: parse error: error parsing regexp: missing ]");
    CHECK_HAS(error_of("{,}"), "1:2: parse error: unexpected \",\" in label matching, expected identifier or \"}\"");
    CHECK_HAS(error_of("{a\n\"1\"}"), "2:1: parse error: unexpected string \"1\" in label matching, expected label "
                                      "matching operator");
    CHECK_HAS(error_of("{a=\"1\"}}"), "1:8: parse error: unexpected \"}\"");
    CHECK_HAS(error_of("{a=\"1\" b=\"2\"}"), "expected \",\" or \"}\"");
    CHECK_HAS(error_of("{a=\"\\q\"}"), "unknown escape sequence in string");
    CHECK_HAS(error_of("{a=\"\\ud800\"}"), "unknown escape sequence in string");
    CHECK_HAS(error_of("{a=\"1}"), "unterminated quoted string");
    CHECK_HAS(error_of("{a=\"1\n\"}"), "unterminated quoted string");
    CHECK_HAS(error_of("{a:b=\"1\"}"), "invalid label name a:b");
    CHECK_HAS(error_of("{a&\"1\"}"), "unexpected character: '&'");
    CHECK_HAS(error_of("\xff{}"), "not a text in UTF-8");
}

static void texts_add_up(void)
{
    struct err err = {0};
    cleanup_label_selector struct label_selector s = LABEL_SELECTOR_INIT;
    const struct label_list both = labels_of("a=1,b=2"), one = labels_of("a=1,b=3");
    CHECK_INT(label_selector_add(&s, STR("{a=\"1\"}"), &err), 0);
    CHECK_INT(label_selector_add(&s, STR("{b=\"2\"}"), &err), 0);
    CHECK(label_selector_matches(&s, &both));
    CHECK(!label_selector_matches(&s, &one));
    CHECK(str_is(label_selector_value(&s, STR("b")), "2"));
    CHECK(str_is(label_selector_value(&s, STR("c")), ""));
}

static void sizes_are_limited(void)
{
    struct err err = {0};
    cleanup_label_selector struct label_selector s = LABEL_SELECTOR_INIT;
    cleanup_buf struct buf text = BUF_INIT(SELECTOR_TEXT_MAX + 16);
    for (int i = 0; i < SELECTOR_MATCHERS_MAX; i++)
        CHECK_INT(label_selector_add_equal(&s, STR("a"), STR("1"), &err), 0);
    CHECK_INT(label_selector_add(&s, STR("{a=\"1\"}"), &err), -EINVAL);
    CHECK_HAS(err.text, "more than 128 matchers");
    for (size_t i = 0; i <= SELECTOR_TEXT_MAX; i++)
        buf_byte(&text, ' ');
    CHECK_INT(label_selector_add(&s, buf_slice(&text), &err), -EINVAL);
}

int main(void)
{
    RUN(every_operator_selects);
    RUN(a_missing_label_is_empty);
    RUN(the_syntax_is_that_of_prometheus);
    RUN(a_name_with_four_colons_is_a_profile_type);
    RUN(errors_say_where);
    RUN(texts_add_up);
    RUN(sizes_are_limited);
    return REPORT();
}
