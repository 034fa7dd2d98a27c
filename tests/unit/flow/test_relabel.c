#include "flow/relabel.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "config.h"

struct rules_record {
    struct block_list rules;
};
static const struct option options[] = {
    {"rule", OPT_BLOCKS, offsetof(struct rules_record, rules), .block = &relabel_rule_schema},
    {0},
};
static const struct schema schema = {.size = sizeof(struct rules_record), .options = options};

static void free_record(const void *record)
{
    schema_done(&schema, (void *)record);
    free((void *)record);
}

static struct relabel_rules *rules_of(const char *text)
{
    struct rules_record *r = xcalloc(1, sizeof *r);
    char problem[ERR_MAX];
    CHECK(decode_text(&schema, text, r, problem));
    CHECK_STR(problem, "");
    return relabel_rules_new(&r->rules, r, free_record);
}

static struct labels *labels_of(const char *const *pairs)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    for (; *pairs; pairs += 2)
        labels_set(&b, str_of(pairs[0]), str_of(pairs[1]));
    return labels_build(&b, false);
}

/* `want` as labels_print() writes it; NULL: rejected. */
static void check(const char *const *pairs, const char *rules_text, const char *want)
{
    struct relabel_rules *rules = rules_of(rules_text);
    struct labels *in = labels_of(pairs), *out = relabel(rules, in);
    if (out && want) {
        cleanup_buf struct buf text = BUF_INIT(4000);
        labels_print(out, &text);
        CHECK_STR(buf_cstr(&text), want);
    } else {
        CHECK(out == NULL);
        CHECK(want == NULL);
    }
    labels_unref(in);
    labels_unref(out);
    relabel_rules_unref(rules);
}
#define IN(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void replace_writes_the_expanded_replacement(void)
{
    check(IN("a", "foo", "b", "bar"),
          "rule {\n source_labels = [\"a\"]\n regex = \"f(.*)\"\n target_label = \"d\"\n "
          "replacement = \"ch${1}-ch${1}\"\n}",
          "{a=\"foo\", b=\"bar\", d=\"choo-choo\"}");
    check(IN("a", "foo"), "rule {\n target_label = \"d\"\n replacement = \"const\"\n}", "{a=\"foo\", d=\"const\"}");
    check(IN("a", "x", "b", "y"), "rule {\n source_labels = [\"a\", \"none\", \"b\"]\n target_label = \"d\"\n}",
          "{a=\"x\", b=\"y\", d=\"x;;y\"}");
    check(IN("a", "x", "b", "y"),
          "rule {\n source_labels = [\"a\", \"b\"]\n separator = \"\"\n target_label = \"d\"\n}",
          "{a=\"x\", b=\"y\", d=\"xy\"}");
}

static void replace_without_a_match_changes_nothing(void)
{
    check(IN("a", "boo"),
          "rule {\n source_labels = [\"a\"]\n regex = \"f\"\n target_label = \"b\"\n replacement = \"x\"\n}",
          "{a=\"boo\"}");
}

static void replace_with_nothing_deletes_the_label(void)
{
    check(IN("a", "foo", "b", "x"),
          "rule {\n source_labels = [\"a\"]\n regex = \"(f).*\"\n target_label = \"b\"\n replacement = \"$2\"\n}",
          "{a=\"foo\"}");
}

static void the_name_of_the_target_label_is_expanded_too(void)
{
    check(IN("a", "some-name-value"),
          "rule {\n source_labels = [\"a\"]\n regex = \"some-([^-]+)-([^,]+)\"\n target_label = \"${1}\"\n "
          "replacement = \"${2}\"\n}",
          "{a=\"some-name-value\", name=\"value\"}");
    check(IN("a", "x"),
          "rule {\n source_labels = [\"a\"]\n regex = \"(y)?x\"\n target_label = \"$1\"\n "
          "replacement = \"v\"\n}",
          "{a=\"x\"}"); /* an empty name is none */
}

static void keep_and_drop_decide_by_the_whole_value(void)
{
    check(IN("a", "foo"), "rule {\n action = \"keep\"\n source_labels = [\"a\"]\n regex = \"fo.\"\n}", "{a=\"foo\"}");
    check(IN("a", "foo"), "rule {\n action = \"keep\"\n source_labels = [\"a\"]\n regex = \"fo\"\n}", NULL);
    check(IN("a", "foo"), "rule {\n action = \"drop\"\n source_labels = [\"a\"]\n regex = \".*o.*\"\n}", NULL);
    check(IN("a", "foo"), "rule {\n action = \"drop\"\n source_labels = [\"a\"]\n regex = \"f\"\n}", "{a=\"foo\"}");
    check(IN("a", "foo"), "rule {\n action = \"keep\"\n source_labels = [\"none\"]\n regex = \"\"\n}", "{a=\"foo\"}");
}

static void keepequal_and_dropequal_compare_with_a_label(void)
{
    const char *const *same = IN("a", "x", "b", "x"), *const *different = IN("a", "x", "b", "y");
    const char *keep = "rule {\n action = \"keepequal\"\n source_labels = [\"a\"]\n target_label = \"b\"\n}";
    const char *drop = "rule {\n action = \"dropequal\"\n source_labels = [\"a\"]\n target_label = \"b\"\n}";
    check(same, keep, "{a=\"x\", b=\"x\"}");
    check(different, keep, NULL);
    check(same, drop, NULL);
    check(different, drop, "{a=\"x\", b=\"y\"}");
    check(IN("c", "z"), keep, "{c=\"z\"}"); /* both missing are equal */
}

static void hashmod_agrees_with_the_reference(void)
{
    check(IN("c", "baz"),
          "rule {\n action = \"hashmod\"\n source_labels = [\"c\"]\n target_label = \"d\"\n modulus = 1000\n}",
          "{c=\"baz\", d=\"976\"}");
    check(IN("a", "foo\nbar"),
          "rule {\n action = \"hashmod\"\n source_labels = [\"a\"]\n target_label = \"b\"\n modulus = 1000\n}",
          "{a=\"foo\\nbar\", b=\"734\"}");
}

static void case_changes_follow_unicode(void)
{
    check(IN("a", "bÄr"),
          "rule {\n action = \"lowercase\"\n source_labels = [\"a\"]\n target_label = \"l\"\n}\n"
          "rule {\n action = \"uppercase\"\n source_labels = [\"a\"]\n target_label = \"u\"\n}",
          "{a=\"bÄr\", l=\"bär\", u=\"BÄR\"}");
    check(IN("a", "x"), "rule {\n action = \"lowercase\"\n source_labels = [\"none\"]\n target_label = \"a\"\n}", "{}");
}

static void labelmap_copies_values_to_mapped_names(void)
{
    check(IN("__meta_x", "1", "__meta_y", "2", "other", "3"),
          "rule {\n action = \"labelmap\"\n regex = \"__meta_(.+)\"\n}",
          "{__meta_x=\"1\", __meta_y=\"2\", other=\"3\", x=\"1\", y=\"2\"}");
}

static void labelmap_sees_the_labels_as_they_were(void)
{
    /* "a" -> "aa" must not go on to "aaaa". */
    check(IN("a", "1"), "rule {\n action = \"labelmap\"\n regex = \"(a+)\"\n replacement = \"${1}a\"\n}",
          "{a=\"1\", aa=\"1\"}");
    /* Two names become one: the last in name order wins. */
    check(IN("x_2", "two", "x_1", "one"), "rule {\n action = \"labelmap\"\n regex = \"(x)_.\"\n}",
          "{x=\"two\", x_1=\"one\", x_2=\"two\"}");
    /* A label an earlier rule made is there. */
    check(IN("a", "1"),
          "rule {\n target_label = \"m_b\"\n replacement = \"2\"\n}\n"
          "rule {\n action = \"labelmap\"\n regex = \"m_(.*)\"\n}",
          "{a=\"1\", b=\"2\", m_b=\"2\"}");
}

static void labeldrop_and_labelkeep_choose_by_name(void)
{
    check(IN("a", "1", "b1", "2", "b2", "3", "c", "4"), "rule {\n action = \"labeldrop\"\n regex = \"b.\"\n}",
          "{a=\"1\", c=\"4\"}");
    check(IN("a", "1", "b1", "2", "b2", "3", "c", "4"), "rule {\n action = \"labelkeep\"\n regex = \"b.\"\n}",
          "{b1=\"2\", b2=\"3\"}");
    check(IN("a", "1"), "rule {\n action = \"labelkeep\"\n regex = \"z\"\n}", "{}");
}

static void rules_run_in_order_until_one_rejects(void)
{
    check(IN("a", "foo"),
          "rule {\n source_labels = [\"a\"]\n target_label = \"b\"\n}\n"
          "rule {\n source_labels = [\"b\"]\n regex = \"f(.*)\"\n target_label = \"b\"\n}\n"
          "rule {\n action = \"keep\"\n source_labels = [\"b\"]\n regex = \"oo\"\n}",
          "{a=\"foo\", b=\"oo\"}");
}

static void empty_values_vanish_even_without_rules(void)
{
    check(IN("a", "", "b", "x"), "", "{b=\"x\"}");
}

static void untouched_sets_are_shared(void)
{
    struct relabel_rules *rules = rules_of("rule {\n action = \"keep\"\n source_labels = [\"a\"]\n}");
    struct labels *in = labels_of(IN("a", "1")), *out = relabel(rules, in);
    CHECK(in == out);
    labels_unref(out);
    labels_unref(in);
    relabel_rules_unref(rules);
}

static void broken_utf8_is_mended_before_it_is_matched(void)
{
    check(IN("a", "x\xffy"), "rule {\n source_labels = [\"a\"]\n regex = \"x(.*)\"\n target_label = \"b\"\n}",
          "{a=\"x\xffy\", b=\"\xef\xbf\xbdy\"}");
}

static void a_value_that_grows_without_end_stays_as_it_was(void)
{
    cleanup_buf struct buf text = BUF_INIT(10000);
    for (int i = 0; i < 30; i++)
        buf_puts(&text, "rule {\n source_labels = [\"a\", \"a\"]\n separator = \"\"\n target_label = \"a\"\n}\n");
    struct relabel_rules *rules = rules_of(buf_cstr(&text));
    struct labels *in = labels_of(IN("a", "12345678")), *out = relabel(rules, in);
    const size_t n = labels_get(out, STR("a")).n;
    CHECK(n > RELABEL_TEXT_MAX / 4 && n <= RELABEL_TEXT_MAX);
    labels_unref(out);
    labels_unref(in);
    relabel_rules_unref(rules);
}

static void refused(const char *rule, const char *why)
{
    struct rules_record r = {0};
    char problem[ERR_MAX];
    cleanup_free char *text = xasprintf("rule {\n%s\n}", rule);
    CHECK(!decode_text(&schema, text, &r, problem));
    CHECK_STR(problem, why);
    schema_done(&schema, &r);
}

static void mistakes_are_named_in_the_order_of_the_reference(void)
{
    refused("action = null", "relabel action cannot be empty");
    refused("action = \"\"", "relabel action cannot be empty");
    refused("action = \"hashmod\"\ntarget_label = \"a\"",
            "relabel configuration for hashmod requires non-zero modulus");
    refused("action = \"hashmod\"\nmodulus = 8",
            "relabel configuration for hashmod action requires 'target_label' value");
    refused("", "relabel configuration for replace action requires 'target_label' value");
    refused("action = \"lowercase\"", "relabel configuration for lowercase action requires 'target_label' value");
    refused("action = \"uppercase\"", "relabel configuration for uppercase action requires 'target_label' value");
    refused("action = \"keepequal\"", "relabel configuration for keepequal action requires 'target_label' value");
    refused("action = \"dropequal\"", "relabel configuration for dropequal action requires 'target_label' value");
    refused("target_label = \"-${1}\"", "\"-${1}\" is invalid 'target_label' for replace action");
    refused("target_label = \"a\\xff\"", "\"a\xff\" is invalid 'target_label' for replace action");
    refused("action = \"lowercase\"\ntarget_label = \"a\"\nreplacement = \"x\"",
            "'replacement' can not be set for lowercase action");
    refused("action = \"dropequal\"\ntarget_label = \"a\"\nreplacement = \"x\"",
            "'replacement' can not be set for dropequal action");
    refused("action = \"labelmap\"\nreplacement = \"-$1\"", "\"-$1\" is invalid 'replacement' for labelmap action");
    refused("action = \"hashmod\"\nmodulus = 8\ntarget_label = \"\\xff\"",
            "\"\xff\" is invalid 'target_label' for hashmod action");
    for (int keep = 0; keep < 2; keep++) {
        static const char *const extra[] = {"source_labels = []", "target_label = \"a\"", "modulus = 1",
                                            "separator = \",\"", "replacement = \"x\""};
        const char *action = keep ? "labelkeep" : "labeldrop";
        cleanup_free char *why = xasprintf("%s action requires only 'regex', and no other fields", action);
        for (size_t i = 0; i < ARRAY_LEN(extra); i++) {
            cleanup_free char *rule = xasprintf("action = \"%s\"\nregex = \"x\"\n%s", action, extra[i]);
            refused(rule, why);
        }
    }
    static const char *const extra[] = {"regex = \"x\"", "modulus = 1", "separator = \",\""};
    for (size_t i = 0; i < ARRAY_LEN(extra); i++) {
        cleanup_free char *rule = xasprintf("action = \"keepequal\"\ntarget_label = \"a\"\n%s", extra[i]);
        refused(rule, "keepequal action requires only 'source_labels' and 'target_label', and no other fields");
    }
}

static void unknown_actions_and_broken_expressions_are_refused(void)
{
    refused("action = \"replac\"", "\"replac\" unrecognized action type \"replac\"");
    refused("regex = \"a(\"\ntarget_label = \"x\"", "\"a(\" error parsing regexp: missing ): ^(?s:a()$");
}

static void templates_of_names_are_told_from_other_texts(void)
{
    static const char *const valid[] = {"label",    "label${1}", "${1}label",    "${1}", "$1",
                                        "asd$2asd", "_${1}_",    "foo${bar}foo", "a-b",  "0"};
    for (size_t i = 0; i < ARRAY_LEN(valid); i++) {
        struct rules_record r = {0};
        char problem[ERR_MAX];
        cleanup_free char *text = xasprintf("rule {\n target_label = \"%s\"\n}", valid[i]);
        CHECK(decode_text(&schema, text, &r, problem));
        CHECK_STR(problem, "");
        schema_done(&schema, &r);
    }
    static const char *const invalid[] = {"${", "$", "${}", "foo${", "-foo${1}bar-", "0${3}", "a$-", "$1 "};
    for (size_t i = 0; i < ARRAY_LEN(invalid); i++) {
        cleanup_free char *rule = xasprintf("target_label = \"%s\"", invalid[i]);
        cleanup_free char *why = xasprintf("\"%s\" is invalid 'target_label' for replace action", invalid[i]);
        refused(rule, why);
    }
}

static void names_that_can_never_be_pushed_are_found(void)
{
    struct relabel_rules *rules =
        rules_of("rule {\n target_label = \"a-b\"\n}\nrule {\n target_label = \"a.b\"\n}\n"
                 "rule {\n target_label = \"__a-b\"\n}\nrule {\n target_label = \"x_${1}\"\n}\n"
                 "rule {\n action = \"keepequal\"\n target_label = \"a-b\"\n}");
    struct err why = {0};
    CHECK(relabel_rule_unpushable(relabel_rules_at(rules, 0), &why));
    CHECK_STR(why.text, "label name \"a-b\" is invalid for pushes: character is not allowed: '-'");
    for (size_t i = 1; i < relabel_rules_len(rules); i++)
        CHECK(!relabel_rule_unpushable(relabel_rules_at(rules, i), &why));
    relabel_rules_unref(rules);
}

static void rules_are_equal_by_content(void)
{
    const char *text = "rule {\n source_labels = [\"a\"]\n target_label = \"b\"\n regex = \"x(.*)\"\n}";
    struct relabel_rules *a = rules_of(text), *b = rules_of(text), *c = rules_of("rule {\n target_label = \"b\"\n}");
    cleanup_value struct value *va = relabel_rules_value(a), *vb = relabel_rules_value(b), *vc = relabel_rules_value(c);
    CHECK(value_equal(va, vb));
    CHECK(!value_equal(va, vc));
    relabel_rules_unref(a);
    relabel_rules_unref(b);
    relabel_rules_unref(c);
}

static void check_reads_(int line, const char *rule, const char *label, bool want)
{
    struct rules_record r = {0};
    char problem[ERR_MAX];
    cleanup_free char *text = xasprintf("rule {\n%s\n}\n", rule);
    CHECK(decode_text(&schema, text, &r, problem));
    if (relabel_reads(&r.rules, str_of(label)) != want)
        FAIL_("line %d: %s\nreads %s: %d, want %d", line, rule, label, !want, want);
    schema_done(&schema, &r);
}
#define CHECK_READS(rule, label, want) check_reads_(__LINE__, rule, label, want)

static void a_rule_reads_its_sources(void)
{
    CHECK_READS("source_labels = [\"a\", \"b\"]\n target_label = \"c\"", "b", true);
    CHECK_READS("source_labels = [\"a\", \"b\"]\n target_label = \"c\"", "c", false);
    CHECK_READS("target_label = \"c\"", "", false);
    CHECK_READS("source_labels = [\"a\"]\n target_label = \"c\"\n action = \"keepequal\"", "c", true);
    CHECK_READS("source_labels = [\"a\"]\n target_label = \"c\"\n action = \"dropequal\"", "c", true);
    CHECK_READS("regex = \"x_(.*)\"\n action = \"labelmap\"", "x_a", true);
    CHECK_READS("regex = \"x_(.*)\"\n action = \"labelmap\"", "a", false);
    CHECK_READS("regex = \"x_(.*)\"\n action = \"labeldrop\"", "x_a", false);
    CHECK_READS("regex = \"x_(.*)\"\n action = \"labelkeep\"", "x_a", false);
}

static void ten_rules_on_ten_thousand_targets(void)
{
    struct relabel_rules *rules = rules_of(
        "rule {\n action = \"keep\"\n source_labels = [\"__meta_exe\"]\n regex = \".*/java$\"\n}\n"
        "rule {\n source_labels = [\"__meta_cwd\"]\n target_label = \"cwd\"\n}\n"
        "rule {\n source_labels = [\"__meta_cwd\"]\n regex = \"/srv/([^/]+)/.*\"\n target_label = \"service_name\"\n}\n"
        "rule {\n action = \"labelmap\"\n regex = \"__meta_container_(.+)\"\n}\n"
        "rule {\n action = \"lowercase\"\n source_labels = [\"name\"]\n target_label = \"name\"\n}\n"
        "rule {\n source_labels = [\"name\", \"id\"]\n separator = \"/\"\n target_label = \"instance\"\n}\n"
        "rule {\n action = \"hashmod\"\n source_labels = [\"id\"]\n target_label = \"shard\"\n modulus = 16\n}\n"
        "rule {\n action = \"drop\"\n source_labels = [\"shard\"]\n regex = \"99\"\n}\n"
        "rule {\n action = \"labeldrop\"\n regex = \"__meta_.*\"\n}\n"
        "rule {\n target_label = \"env\"\n replacement = \"production\"\n}");
    enum { TARGETS = 10000 };
    struct labels **in = xcalloc(TARGETS, sizeof(struct labels *));
    for (int i = 0; i < TARGETS; i++) {
        cleanup_free char *cwd = xasprintf("/srv/app%d/current", i), *id = xasprintf("%08x", i * 2654435761u);
        in[i] = labels_of(IN("__meta_exe", "/usr/lib/jvm/bin/java", "__meta_cwd", cwd, "__meta_container_id", id,
                             "__meta_container_name", "Name", "__process_pid__", id));
    }
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    size_t kept = 0;
    for (int i = 0; i < TARGETS; i++) {
        struct labels *out = relabel(rules, in[i]);
        kept += out != NULL;
        labels_unref(out);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    CHECK_INT(kept, TARGETS);
    printf("  %.2f µs a target\n",
           ((double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec)) / TARGETS / 1e3);
    for (int i = 0; i < TARGETS; i++)
        labels_unref(in[i]);
    free(in);
    relabel_rules_unref(rules);
}

int main(void)
{
    RUN(replace_writes_the_expanded_replacement);
    RUN(replace_without_a_match_changes_nothing);
    RUN(replace_with_nothing_deletes_the_label);
    RUN(the_name_of_the_target_label_is_expanded_too);
    RUN(keep_and_drop_decide_by_the_whole_value);
    RUN(keepequal_and_dropequal_compare_with_a_label);
    RUN(hashmod_agrees_with_the_reference);
    RUN(case_changes_follow_unicode);
    RUN(labelmap_copies_values_to_mapped_names);
    RUN(labelmap_sees_the_labels_as_they_were);
    RUN(labeldrop_and_labelkeep_choose_by_name);
    RUN(rules_run_in_order_until_one_rejects);
    RUN(empty_values_vanish_even_without_rules);
    RUN(untouched_sets_are_shared);
    RUN(broken_utf8_is_mended_before_it_is_matched);
    RUN(a_value_that_grows_without_end_stays_as_it_was);
    RUN(mistakes_are_named_in_the_order_of_the_reference);
    RUN(unknown_actions_and_broken_expressions_are_refused);
    RUN(templates_of_names_are_told_from_other_texts);
    RUN(names_that_can_never_be_pushed_are_found);
    RUN(rules_are_equal_by_content);
    RUN(a_rule_reads_its_sources);
    RUN(ten_rules_on_ten_thousand_targets);
    return REPORT();
}
