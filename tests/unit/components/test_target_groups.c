#include "components/target_groups.h"

#include "test.h"

/* The targets of a text, printed one behind the other, or the error. Borrowed until the next call. */
static const char *groups_of(const char *path, const char *text)
{
    static char printed[2048];
    struct targets targets = {0};
    struct err err = {0};
    cleanup_buf struct buf out = BUF_INIT(sizeof printed - 1);
    if (groups_read(path, str_of(text), &targets, &err) < 0)
        buf_puts(&out, err.text);
    for (size_t i = 0; i < targets.len; i++)
        labels_print(targets.items[i], &out);
    targets_done(&targets);
    snprintf(printed, sizeof printed, "%s", buf_cstr(&out));
    return printed;
}
#define JSON(text) groups_of("/t.json", text)
#define YAML(text) groups_of("/t.yml", text)

static void every_entry_becomes_a_target_with_the_labels_of_its_group(void)
{
    CHECK_STR(
        JSON("[{\"targets\":[\"a:1\",\"b:2\"],\"labels\":{\"env\":\"prod\",\"none\":\"\"}},{\"targets\":[\"c\"]}]"),
        "{__address__=\"a:1\", __meta_filepath=\"/t.json\", env=\"prod\", none=\"\"}"
        "{__address__=\"b:2\", __meta_filepath=\"/t.json\", env=\"prod\", none=\"\"}"
        "{__address__=\"c\", __meta_filepath=\"/t.json\"}");
    CHECK_STR(YAML("- targets: [a:1]\n  labels:\n    env: prod\n- targets:\n  - 'c'\n"),
              "{__address__=\"a:1\", __meta_filepath=\"/t.yml\", env=\"prod\"}"
              "{__address__=\"c\", __meta_filepath=\"/t.yml\"}");
}

static void what_is_own_wins(void)
{
    CHECK_STR(JSON("[{\"targets\":[\"a\"],\"labels\":{\"__address__\":\"x\",\"__meta_filepath\":\"y\"}}]"),
              "{__address__=\"a\", __meta_filepath=\"/t.json\"}");
}

static void nothing_is_a_list_too(void)
{
    CHECK_STR(JSON("[]"), "");
    CHECK_STR(JSON("null"), "");
    CHECK_STR(JSON("[{}]"), "");
    CHECK_STR(JSON("[{\"targets\":null,\"labels\":null}]"), "");
    CHECK_STR(YAML(""), "");
    CHECK_STR(YAML("# nobody\n"), "");
    CHECK_STR(YAML("[]"), "");
}

static void yaml_scalars_count_as_they_are_written(void)
{
    CHECK_STR(YAML("- targets: [8080, true]\n  labels: {version: 1.10, on: 0x1f, empty: , date: 2024-01-02}\n"),
              "{__address__=\"8080\", __meta_filepath=\"/t.yml\", date=\"2024-01-02\", empty=\"\", on=\"0x1f\", "
              "version=\"1.10\"}"
              "{__address__=\"true\", __meta_filepath=\"/t.yml\", date=\"2024-01-02\", empty=\"\", on=\"0x1f\", "
              "version=\"1.10\"}");
}

static void json_keys_may_be_in_any_case_as_go_has_it(void)
{
    CHECK_STR(JSON("[{\"Targets\":[\"a\"],\"LABELS\":{}}]"), "{__address__=\"a\", __meta_filepath=\"/t.json\"}");
    CHECK_STR(YAML("- Targets: [a]\n"), "group 0: unknown field \"Targets\": a group has targets and labels");
}

static void mistakes_are_named_with_their_place(void)
{
    CHECK_STR(JSON("{}"), "a file of targets: should be array, got object");
    CHECK_STR(JSON("[null]"), "group 0: nil target group item found");
    CHECK_STR(JSON("[{\"targets\":[]},7]"), "group 1: should be object, got number");
    CHECK_STR(JSON("[{\"target\":[]}]"), "group 0: unknown field \"target\": a group has targets and labels");
    CHECK_STR(JSON("[{\"targets\":\"a\"}]"), "group 0: targets: should be array, got string");
    CHECK_STR(JSON("[{\"targets\":[\"a\",1]}]"), "group 0: targets[1]: should be string, got number");
    CHECK_STR(JSON("[{\"labels\":[]}]"), "group 0: labels: should be object, got array");
    CHECK_STR(JSON("[{\"targets\":[\"a\"],\"labels\":{\"n\":1}}]"), "group 0: labels.n: should be string, got number");
    CHECK_STR(JSON("[{\"labels\":{\"\":\"x\"}}]"), "group 0: labels: \"\" is not a valid label name");
    CHECK_HAS(JSON("[{\"targets\":[\"a\"]}"), "line 1");
    CHECK_HAS(JSON("[] x"), "line 1");
    CHECK_HAS(JSON(""), "line 1");
    CHECK_HAS(YAML("- targets: [a\n"), "yaml: line ");
    CHECK_STR(YAML("targets: [a]\n"), "a file of targets: should be array, got object");
}

static void an_error_quotes_nothing_of_the_file(void)
{
    CHECK_STR(JSON("hunter2\n"), "line 1, column 6: invalid token");
    CHECK(!strstr(JSON("[{\"targets\": [hunter2]}]"), "hunter2"));
    CHECK(!strstr(YAML("hunter2\n"), "hunter2"));
    CHECK(!strstr(YAML("- hunter2\n"), "hunter2"));
    CHECK(!strstr(YAML("- targets: hunter2\n"), "hunter2"));
    CHECK(!strstr(YAML("- {a: hunter2\n"), "hunter2"));
}

static void the_ending_decides(void)
{
    CHECK(groups_path_ok("a.json") && groups_path_ok("/x/*.YML") && groups_path_ok("a.b.Yaml"));
    CHECK(!groups_path_ok("a.txt") && !groups_path_ok("json") && !groups_path_ok("/a.json/b") && !groups_path_ok("*") &&
          !groups_path_ok("a.json*") && !groups_path_ok(""));
}

int main(void)
{
    RUN(every_entry_becomes_a_target_with_the_labels_of_its_group);
    RUN(what_is_own_wins);
    RUN(nothing_is_a_list_too);
    RUN(yaml_scalars_count_as_they_are_written);
    RUN(json_keys_may_be_in_any_case_as_go_has_it);
    RUN(mistakes_are_named_with_their_place);
    RUN(an_error_quotes_nothing_of_the_file);
    RUN(the_ending_decides);
    return REPORT();
}
