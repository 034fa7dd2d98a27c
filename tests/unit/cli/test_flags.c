#include "cli/flags.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

#include "test.h"

struct record {
    const char *addr, *dir, *word;
    bool loud;
    struct flag_list each;
};
static const struct flag table[] = {
    {"listen-addr", FLAG_STRING, offsetof(struct record, addr), "127.0.0.1:1", "ADDR", "where"},
    {"dir", FLAG_STRING, offsetof(struct record, dir), NULL, "DIR", "what", 'd'},
    {"loud", FLAG_BOOL, offsetof(struct record, loud), NULL, NULL, "how", 'l'},
    {"word", FLAG_CHOICE, offsetof(struct record, word), "one", "one|two",
     "which of these, which is told in a sentence "
     "that is longer than a line of the help can be, so that it has to be wrapped somewhere"},
    {"each", FLAG_LIST, offsetof(struct record, each), NULL, "NAME", "some"},
    {"old", FLAG_UNUSED, 0, "false", NULL, NULL},
    {"older", FLAG_UNUSED, 0, NULL, "VALUE", NULL},
    {NULL},
};

static struct record record;
static struct flags_rest rest;
static struct err err;

static int parse(int argc, char **argv)
{
    free(rest.items);
    rest = (struct flags_rest){0};
    record = (struct record){0};
    err = (struct err){0};
    return flags_parse(table, argc, argv, &record, &rest, &err);
}
#define PARSE(...) parse(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), (char **)(const char *[]){__VA_ARGS__})

static void takes_values_with_and_without_equals_sign(void)
{
    CHECK_INT(PARSE("--listen-addr=a:1", "--dir", "d", "--loud", "path"), 0);
    CHECK_STR(record.addr, "a:1");
    CHECK_STR(record.dir, "d");
    CHECK(record.loud);
    CHECK_INT(rest.len, 1);
    CHECK_STR(rest.items[0], "path");
}

static void has_defaults_and_takes_empty_values(void)
{
    CHECK_INT(PARSE("--loud=false"), 0);
    CHECK_STR(record.addr, "127.0.0.1:1");
    CHECK_STR(record.dir, "");
    CHECK(!record.loud);
    CHECK_INT(PARSE("--listen-addr="), 0);
    CHECK_STR(record.addr, "");
}

static void short_names_take_the_rest_or_the_next_argument(void)
{
    CHECK_INT(PARSE("-d", "here", "-l", "path", "-", "-x"), 0);
    CHECK_STR(record.dir, "here");
    CHECK(record.loud);
    CHECK_INT(rest.len, 3); /* "-x" is in no table: a file of that name, for commands without short flags */
    CHECK_INT(PARSE("-dthere", "--", "-l"), 0);
    CHECK_STR(record.dir, "there");
    CHECK(!record.loud);
    CHECK(PARSE("-d") < 0);
    CHECK_HAS(err.text, "--dir requires a value");
}

static void ends_at_two_dashes(void)
{
    CHECK_INT(PARSE("--", "--loud"), 0);
    CHECK(!record.loud);
    CHECK_STR(rest.items[0], "--loud");
}

static void names_the_flag_that_was_meant(void)
{
    CHECK(PARSE("--listen-adr=x") < 0);
    CHECK_STR(err.text, "unknown flag --listen-adr; did you mean --listen-addr?");
    CHECK(PARSE("--nothing-like-it") < 0);
    CHECK_HAS(err.text, "--help");
}

static void says_what_a_flag_needs(void)
{
    CHECK(PARSE("--dir") < 0);
    CHECK_STR(err.text, "--dir requires a value: --dir=DIR");
    CHECK(PARSE("--loud=maybe") < 0);
    CHECK_STR(err.text, "--loud=maybe: expected true or false");
}

static void takes_one_of_some_words(void)
{
    CHECK_INT(PARSE(""), 0);
    CHECK_STR(record.word, "one");
    CHECK_INT(PARSE("--word=two"), 0);
    CHECK_STR(record.word, "two");
    CHECK(PARSE("--word=on") < 0);
    CHECK_STR(err.text, "--word=on: expected one of one|two");
}

/* What was said on stderr. */
static char said[4096];
static int listen_to(int argc, char **argv)
{
    int pipes[2];
    if (pipe(pipes) < 0)
        abort();
    log_to(pipes[1]);
    int code = parse(argc, argv);
    log_to(STDERR_FILENO);
    close(pipes[1]);
    ssize_t n = read(pipes[0], said, sizeof said - 1);
    said[n > 0 ? n : 0] = '\0';
    close(pipes[0]);
    return code;
}
#define HEAR(...)                                                                                                      \
    listen_to(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), (char **)(const char *[]){__VA_ARGS__})

static void takes_a_list_one_by_one(void)
{
    CHECK_INT(PARSE("--each=a", "--each", "b", "--each="), 0);
    CHECK_INT(record.each.len, 2);
    CHECK_STR(record.each.items[1], "b");
    cleanup_buf struct buf text = BUF_INIT(1 << 12);
    flags_print(table, &record, &text);
    CHECK_HAS(buf_cstr(&text), "each=a\neach=b\n");
    char one[] = "--each=x", *many[FLAG_LIST_MAX + 1];
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = one;
    CHECK_INT(parse(FLAG_LIST_MAX, many), 0);
    CHECK_INT(record.each.len, FLAG_LIST_MAX);
    CHECK(parse(FLAG_LIST_MAX + 1, many) < 0);
    CHECK_STR(err.text, "--each: more than 32");
}

static void accepts_flags_of_the_reference_that_mean_nothing_here(void)
{
    CHECK_INT(HEAR("--old=3", "--old", "path"), 0);
    CHECK_INT(rest.len, 1);
    CHECK_HAS(said, "flag has no effect\" flag=old");
    /* The value is no path. */
    CHECK_INT(HEAR("--older", "value", "path"), 0);
    CHECK_INT(rest.len, 1);
    CHECK_STR(rest.items[0], "path");
    CHECK(PARSE("--older") < 0);
    CHECK_INT(HEAR("--old=false"), 0);
    CHECK_STR(said, "");
}

static void explains_itself(void)
{
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    flags_help(table, out);
    fclose(out);
    CHECK_HAS(text, "  --listen-addr=ADDR [127.0.0.1:1]\n      where\n");
    CHECK_HAS(text, "  --word=one|two [one]\n      which of these, ");
    CHECK_HAS(text, "have no effect:\n\n      --old --older\n");
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        CHECK(strlen(line) <= HELP_WIDTH);
    free(text);
}

int main(void)
{
    RUN(takes_values_with_and_without_equals_sign);
    RUN(has_defaults_and_takes_empty_values);
    RUN(short_names_take_the_rest_or_the_next_argument);
    RUN(ends_at_two_dashes);
    RUN(names_the_flag_that_was_meant);
    RUN(says_what_a_flag_needs);
    RUN(takes_one_of_some_words);
    RUN(takes_a_list_one_by_one);
    RUN(explains_itself);
    RUN(accepts_flags_of_the_reference_that_mean_nothing_here);
    free(rest.items);
    return REPORT();
}
