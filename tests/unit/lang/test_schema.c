#include "lang/schema.h"

#include "lang/value_print.h"
#include "lang_test.h"
#include "record_fixture.h"

/* Decodes a body; the errors as lines. */
static int decode(const char *text, struct args *a, struct buf *lines)
{
    cleanup_source struct source *s = source_from("", str_of(text));
    cleanup_ast struct ast_file *f = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    memset(a, 0xee, sizeof *a); /* decoding must not depend on what was there */
    int code = parse_file(s, &f, &ds);
    if (code == 0)
        code = schema_decode(&schema, &f->body, source_range(s, 0, 0), &test_scope, a, &ds);
    all_lines(&ds, lines);
    return code;
}

static void check_error(const char *text, const char *want)
{
    struct args a;
    static const struct args empty;
    cleanup_buf struct buf lines = BUF_INIT(TEST_TEXT_MAX);
    CHECK_INT(decode(text, &a, &lines), -EINVAL);
    CHECK_STR(buf_cstr(&lines), want);
    CHECK(memcmp(&a, &empty, sizeof a) == 0);
}

static bool decode_well(const char *text, struct args *a)
{
    cleanup_buf struct buf lines = BUF_INIT(TEST_TEXT_MAX);
    if (decode(text, a, &lines) == 0)
        return true;
    FAIL_("%s: %s", text, buf_cstr(&lines));
    return false;
}

static void what_is_not_named_has_its_default(void)
{
    struct args a;
    if (!decode_well("count = 1", &a))
        return;
    CHECK_STR(a.dir, "/tmp");
    CHECK(a.flag);
    CHECK_INT(a.wait, 60000000000);
    CHECK(a.ratio == 0.5);
    CHECK_STR(a.password, "");
    CHECK_INT(a.list.len, 1);
    CHECK_INT(a.map.len, 0);
    CHECK(a.any == NULL);
    CHECK_INT(a.inner.interval, 15000000000);
    CHECK_STR(a.inner.name, "");
    CHECK(!a.inner.name_set);
    CHECK_INT(a.rules.len, 0);
    schema_done(&schema, &a);
    CHECK(a.dir == NULL);
}

static void every_kind_is_decoded(void)
{
    struct args a;
    if (!decode_well("dir = 42\nflag = false\ncount = \"-7\"\nsize = 1.9\nratio = 2\nwait = \"1h30m\"\n"
                     "password = secret\nlist = [\"x\", 1, optional_open]\nmap = {b = 1.5, a = \"y\"}\n"
                     "any = node.one.out\npoint = [3, 4]\n"
                     "inner {\n name = \"n\"\n}\ngroup.rule {\n name = \"r1\"\n}\ngroup.rule {\n name = \"r2\"\n}\n",
                     &a))
        return;
    CHECK_STR(a.dir, "42");
    CHECK(!a.flag);
    CHECK_INT(a.count, -7);
    CHECK_INT(a.size, 1);
    CHECK(a.ratio == 2.0);
    CHECK_INT(a.wait, 5400000000000);
    CHECK_STR(a.password, "hidden");
    CHECK_INT(a.list.len, 3);
    CHECK_STR(a.list.items[2], "shown");
    CHECK_STR(a.map.items[0].name, "a");
    CHECK_STR(a.map.items[1].value, "1.5");
    CHECK_INT(value_kind(a.any), VALUE_OBJECT);
    CHECK_INT(a.point.y, 4);
    CHECK_INT(a.inner.interval, 15000000000);
    CHECK(a.inner.name_set);
    CHECK_INT(a.rules.len, 2);
    CHECK_STR(((struct rule *)a.rules.items)[1].name, "r2");
    schema_done(&schema, &a);
}

static void null_is_the_zero_value_even_where_one_is_required(void)
{
    struct args a;
    if (!decode_well("count = null\ndir = null\nflag = null\nlist = null\nmap = null\nwait = null\nany = null", &a))
        return;
    CHECK_INT(a.count, 0);
    CHECK_STR(a.dir, "");
    CHECK(!a.flag);
    CHECK_INT(a.list.len, 0);
    CHECK_INT(a.wait, 0);
    schema_done(&schema, &a);
}

static void a_capsule_that_looks_like_an_object_makes_a_map(void)
{
    struct args a;
    if (!decode_well("count = 1\nmap = widget", &a))
        return;
    CHECK_INT(a.map.len, 1);
    CHECK_STR(a.map.items[0].value, "red");
    schema_done(&schema, &a);
}

static void names_that_are_wrong_get_a_suggestion(void)
{
    check_error("count = 1\ndri = \"x\"", "2:1: unrecognized attribute name \"dri\", did you mean \"dir\"?");
    check_error("count = 1\npasword = \"x\"",
                "2:1: unrecognized attribute name \"pasword\", did you mean \"password\"?");
    check_error("count = 1\nzebra = \"x\"", "2:1: unrecognized attribute name \"zebra\"");
    check_error("count = 1\ngroup.rul { }", "2:1: unrecognized block name \"group.rul\", did you mean \"group.rule\"?");
    check_error("count = 1\nx { }", "2:1: unrecognized block name \"x\"");
}

static void blocks_and_attributes_are_not_interchangeable(void)
{
    check_error("count { }", "1:1: \"count\" must be an attribute, but is used as a block");
    check_error("count = 1\ninner = 1", "2:1: \"inner\" must be a block, but is used as an attribute");
}

static void what_may_come_once_may_not_come_twice(void)
{
    check_error("count = 1\ncount = 2", "2:1: attribute \"count\" may only be provided once");
    check_error("count = 1\ninner { }\ninner { }", "3:1: block \"inner\" may only be specified once");
}

static void blocks_have_no_labels(void)
{
    check_error("count = 1\ninner \"x\" { }", "2:1: block \"inner\" does not support specifying labels");
}

static void what_is_required_must_be_there(void)
{
    check_error("dir = \"x\"", "1:1: missing required attribute \"count\"");
    check_error("count = 1\ngroup.rule { }", "2:1: missing required attribute \"name\"");
}

static void values_that_do_not_fit_are_blamed_where_they_stand(void)
{
    check_error("count = \"x\"", "1:9: \"x\" should be number, got string");
    check_error("count = [1]", "1:9: [1] should be number, got array");
    check_error("count = 1\nflag = \"true\"", "2:8: \"true\" should be bool, got string");
    check_error("count = 1\ndir = true", "2:7: true should be string, got bool");
    check_error("count = 1\nlist = [\"a\", [], \"b\"]", "2:14: [] should be string, got array");
    check_error("count = 1\nlist = node.one.out.list", "2:8: node.one.out.list[2] should be string, got bool");
    check_error("count = 1\nlist = \"a\"", "2:8: \"a\" should be array, got string");
    check_error("count = 1\nmap = {a = \"x\", \"b c\" = {}}", "2:25: {} should be string, got object");
    check_error("count = 1\nmap = node.one.out", "2:7: node.one.out.list should be string, got array");
    check_error("count = 1\nmap = opaque", "2:7: opaque should be object, got capsule");
    check_error("count = 1\npoint = [1, \"x\"]", "2:13: \"x\" should be number, got string");
    check_error("count = 1\npoint = ([1, (\"x\")])", "2:14: (\"x\") should be number, got string");
    check_error("count = 1\npoint = 5", "2:9: 5 should be a point");
    check_error("count = 1\ndir = secret", "2:7: secret secrets may not be converted into strings");
    check_error("count = 1\ndir = \"a\\x00b\"", "2:7: \"a\\x00b\" contains a NUL byte");
    check_error("count = 1\npassword = opaque",
                "2:12: (secret) expected capsule(\"alloytypes.Secret\"), got capsule(\"test.Opaque\")");
}

static void numbers_are_not_cut_to_fit(void)
{
    check_error("count = 9223372036854775808", "1:9: 9223372036854775808 is out of the range of a 64-bit integer");
    check_error("count = 1e300", "1:9: 1e300 is out of the range of a 64-bit integer");
    check_error("count = 1\nsize = -1", "2:8: -1 is out of the range of an unsigned 64-bit integer");
}

static void durations_have_units(void)
{
    check_error("count = 1\nwait = 5", "2:8: 5 time: missing unit in duration \"5\"");
    check_error("count = 1\nwait = \"1d\"", "2:8: \"1d\" time: unknown unit \"d\" in duration \"1d\"");
    check_error("count = 1\nwait = true", "2:8: true should be string, got bool");
}

static void everything_wrong_is_said_at_once(void)
{
    check_error("dir = foo\nflag = 1\nfoo = 2\ninner {\n\tinterval = \"x\"\n\tbar = 1\n}",
                "1:7: identifier \"foo\" does not exist\n"
                "2:8: 1 should be bool, got number\n"
                "3:1: unrecognized attribute name \"foo\"\n"
                "5:13: \"x\" time: invalid duration \"x\"\n"
                "6:2: unrecognized attribute name \"bar\"\n"
                "1:1: missing required attribute \"count\"");
}

static void a_record_that_fails_its_own_check_is_blamed_as_a_block(void)
{
    check_error("count = 1\ninner {\n\tinterval = \"-1s\"\n}", "2:1: interval must not be negative");
}

static void records_are_equal_by_what_they_hold(void)
{
    static const char *const texts[] = {
        "count = 1",
        "count = 2",
        "count = 1\nmap = {a = \"1\"}",
        "count = 1\nlist = [\"b\"]",
        "count = 1\nany = [1]",
        "count = 1\nany = [2]",
        "count = 1\npassword = \"p\"",
        "count = 1\npoint = [1, 2]",
        "count = 1\ninner {\n name = \"x\"\n}",
        "count = 1\ninner {\n name = \"\"\n}",
        "count = 1\ngroup.rule {\n name = \"x\"\n}",
        "count = 1\ngroup.rule {\n name = \"y\"\n}",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        for (size_t j = 0; j < ARRAY_LEN(texts); j++) {
            struct args a, b;
            if (!decode_well(texts[i], &a) || !decode_well(texts[j], &b))
                return;
            if (schema_equal(&schema, &a, &b) != (i == j))
                FAIL_("\"%s\" and \"%s\"", texts[i], texts[j]);
            schema_done(&schema, &a);
            schema_done(&schema, &b);
        }
}

static void a_record_prints_without_defaults_and_secrets(void)
{
    struct args a;
    if (!decode_well("count = 3\ndir = \"/tmp\"\nwait = \"90s\"\npassword = \"p\"\nmap = {k = \"v\"}\n"
                     "inner {\n name = \"n\"\n}\ngroup.rule {\n name = \"r\"\n}",
                     &a))
        return;
    cleanup_value struct value *v = schema_to_value(&schema, &a);
    cleanup_buf struct buf out = BUF_INIT(TEST_TEXT_MAX);
    value_print(v, &out);
    CHECK_STR(buf_cstr(&out),
              "{count = 3, \"group.rule\" = [{name = \"r\"}], inner = {name = \"n\"}, map = {k = \"v\"}, "
              "password = (secret), wait = \"1m30s\"}");
    schema_done(&schema, &a);
}

/* --- blocks with labels --- */

struct labelled {
    int64_t size;
    char *label;
};
struct labelled_args {
    struct block_list items;
};
static const struct option labelled_options[] = {{"size", OPT_INT, offsetof(struct labelled, size)}, {0}};
static const struct schema labelled_schema = {
    .size = sizeof(struct labelled), .options = labelled_options, .label_offset = offsetof(struct labelled, label)};
static const struct option labelled_args_options[] = {
    {"item", OPT_BLOCKS, offsetof(struct labelled_args, items), .block = &labelled_schema}, {0}};
static const struct schema labelled_args_schema = {.size = sizeof(struct labelled_args),
                                                   .options = labelled_args_options};

static int decode_labelled(const char *text, struct labelled_args *a, struct buf *lines)
{
    cleanup_source struct source *s = source_from("", str_of(text));
    cleanup_ast struct ast_file *f = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    int code = parse_file(s, &f, &ds);
    if (code == 0)
        code = schema_decode(&labelled_args_schema, &f->body, source_range(s, 0, 0), &test_scope, a, &ds);
    if (code == 0)
        schema_check(&labelled_args_schema, &f->body, source_range(s, 0, 0), &ds);
    all_lines(&ds, lines);
    return code;
}

static void blocks_may_need_a_label(void)
{
    struct labelled_args a, b;
    cleanup_buf struct buf lines = BUF_INIT(TEST_TEXT_MAX), out = BUF_INIT(TEST_TEXT_MAX);
    CHECK_INT(decode_labelled("item \"x\" { }\nitem \"y\" {\n size = 2\n}", &a, &lines), 0);
    CHECK_INT(decode_labelled("item \"x\" { }\nitem \"z\" {\n size = 2\n}", &b, &lines), 0);
    CHECK_STR(buf_cstr(&lines), "");
    CHECK_INT(a.items.len, 2);
    CHECK_STR(((struct labelled *)a.items.items)[1].label, "y");
    CHECK(schema_equal(&labelled_args_schema, &a, &a));
    CHECK(!schema_equal(&labelled_args_schema, &a, &b));
    cleanup_value struct value *v = schema_to_value(&labelled_args_schema, &a);
    value_print(v, &out);
    CHECK_STR(buf_cstr(&out), "{item = [{label = \"x\"}, {label = \"y\", size = 2}]}");
    schema_done(&labelled_args_schema, &a);
    schema_done(&labelled_args_schema, &b);
    CHECK_INT(decode_labelled("item { }", &a, &lines), -EINVAL);
    CHECK_STR(buf_cstr(&lines), "1:1: block \"item\" requires non-empty label");
}

int main(void)
{
    RUN(what_is_not_named_has_its_default);
    RUN(every_kind_is_decoded);
    RUN(null_is_the_zero_value_even_where_one_is_required);
    RUN(a_capsule_that_looks_like_an_object_makes_a_map);
    RUN(names_that_are_wrong_get_a_suggestion);
    RUN(blocks_and_attributes_are_not_interchangeable);
    RUN(what_may_come_once_may_not_come_twice);
    RUN(blocks_have_no_labels);
    RUN(blocks_may_need_a_label);
    RUN(what_is_required_must_be_there);
    RUN(values_that_do_not_fit_are_blamed_where_they_stand);
    RUN(numbers_are_not_cut_to_fit);
    RUN(durations_have_units);
    RUN(everything_wrong_is_said_at_once);
    RUN(a_record_that_fails_its_own_check_is_blamed_as_a_block);
    RUN(records_are_equal_by_what_they_hold);
    RUN(a_record_prints_without_defaults_and_secrets);
    return REPORT();
}
