#include "cli/flags.h"

#include <stdlib.h>

#include "test.h"

struct record {
    const char *addr, *dir;
    bool loud;
};
static const struct flag table[] = {
    {"listen-addr", FLAG_STRING, offsetof(struct record, addr), "127.0.0.1:1", "ADDR", "where"},
    {"dir", FLAG_STRING, offsetof(struct record, dir), NULL, "DIR", "what"},
    {"loud", FLAG_BOOL, offsetof(struct record, loud), NULL, NULL, "how"},
    {"old", FLAG_UNUSED, 0, NULL, NULL, NULL},
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
    CHECK_STR(err.text, "--dir needs a value: --dir=DIR");
    CHECK(PARSE("--loud=maybe") < 0);
    CHECK_STR(err.text, "--loud=maybe: true or false expected");
}

static void accepts_flags_of_the_reference_that_mean_nothing_here(void)
{
    CHECK_INT(PARSE("--old=3", "--old", "path"), 0);
    CHECK_INT(rest.len, 1);
}

int main(void)
{
    RUN(takes_values_with_and_without_equals_sign);
    RUN(has_defaults_and_takes_empty_values);
    RUN(ends_at_two_dashes);
    RUN(names_the_flag_that_was_meant);
    RUN(says_what_a_flag_needs);
    RUN(accepts_flags_of_the_reference_that_mean_nothing_here);
    free(rest.items);
    return REPORT();
}
