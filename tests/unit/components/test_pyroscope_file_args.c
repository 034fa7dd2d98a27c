#include "components/pyroscope_file_args.h"

#include "flow/config.h"

#define MINIMAL "directory = \"/var/lib/profiles\"\n"

static void defaults_are_documented(void)
{
    struct file_args a = {0};
    char problem[ERR_MAX];
    CHECK(decode_text(&file_schema, MINIMAL, &a, problem));
    CHECK(file_args_keep(&a, "jfr") && file_args_keep(&a, "pprof"));
    CHECK_INT(a.name_labels.len, 1);
    CHECK_STR(a.name_labels.items[0], "service_name");
    CHECK_INT(a.rotate_interval, 900000000000);
    CHECK_INT(a.max_age, 86400000000000);
    CHECK_INT(a.max_files, 10000);
    CHECK_STR(a.rotate_size, "64MiB");
    CHECK_STR(a.max_size, "1GiB");
    schema_done(&file_schema, &a);
}

static void impossible_arguments_are_rejected(void)
{
    static const struct {
        const char *text, *problem;
    } cases[] = {
        {"", "missing required attribute \"directory\""},
        {"directory = \"profiles\"", "directory must be an absolute path, got \"profiles\""},
        {MINIMAL "formats = []", "formats must not be empty"},
        {MINIMAL "formats = [\"jfr\", \"html\"]", "unknown format \"html\", expected \"jfr\" or \"pprof\""},
        {MINIMAL "rotate_size = \"x\"", "rotate_size \"x\" is not a size"},
        {MINIMAL "rotate_size = \"1k\"", "rotate_size must be at least 64k"},
        {MINIMAL "max_size = \"1.5g\"", "max_size \"1.5g\" is not a size"},
        {MINIMAL "max_size = \"127m\"", "max_size must be at least twice rotate_size"},
        {MINIMAL "rotate_interval = \"10ms\"", "rotate_interval must be at least 1s"},
        {MINIMAL "max_age = \"-1s\"", "max_age must not be negative"},
        {MINIMAL "max_files = 1", "max_files must be between 2 and 1000000"},
        {MINIMAL "name_labels = [\"1\", \"2\", \"3\", \"4\", \"5\", \"6\", \"7\", \"8\", \"9\"]", "more than 8 labels"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct file_args a = {0};
        char problem[ERR_MAX];
        CHECK(!decode_text(&file_schema, cases[i].text, &a, problem));
        CHECK_HAS(problem, cases[i].problem);
    }
}

int main(void)
{
    RUN(defaults_are_documented);
    RUN(impossible_arguments_are_rejected);
    return REPORT();
}
