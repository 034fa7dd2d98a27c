#include "components/pyroscope_file_name.h"

#include "base/clock.h"
#include "test.h"

static struct labels *labels_of(const char *const *pairs)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    for (; *pairs; pairs += 2)
        labels_set(&b, str_of(pairs[0]), str_of(pairs[1]));
    return labels_build(&b, false);
}

static const char *base_of(const char *const *pairs, const char *first, const char *second)
{
    static char base[FILE_BASE_MAX];
    char *items[] = {(char *)(uintptr_t)first, (char *)(uintptr_t)second};
    const struct string_list names = {items, second ? 2 : 1};
    struct labels *ls = labels_of(pairs);
    file_name_base(ls, &names, base);
    labels_unref(ls);
    return base;
}
#define BASE(first, second, ...) base_of((const char *const[]){__VA_ARGS__, NULL}, first, second)

static void a_name_begins_with_the_chosen_labels(void)
{
    CHECK_HAS(BASE("service_name", NULL, "service_name", "shop", "team", "a"), "shop-");
    CHECK_HAS(BASE("team", "service_name", "service_name", "shop", "team", "a"), "a-shop-");
    CHECK_HAS(BASE("team", "service_name", "service_name", "shop"), "shop-");
    CHECK_HAS(BASE("missing", NULL, "service_name", "shop"), "unnamed-");
    CHECK_HAS(BASE("service_name", NULL, "service_name", "shop", "__process_pid__", "77"), "shop-77-");
}

static void no_value_leaves_the_directory(void)
{
    static const char *const values[] = {"../../etc/passwd",
                                         "/etc/passwd",
                                         ".hidden",
                                         "-rf",
                                         "a b\n\x1b[31m\"'$;",
                                         "caf\xc3\xa9",
                                         "\xff\xfe",
                                         "a\\b",
                                         "%s%n",
                                         "..",
                                         "."};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char name[FILE_NAME_BYTES];
        bool part;
        file_name_put(BASE("service_name", NULL, "service_name", values[i]), 0, FILE_JFR, STR(""), 1, name);
        CHECK(!strchr(name, '/') && name[0] != '.' && name[0] != '-');
        CHECK_INT(strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"), strlen(name));
        CHECK_INT(file_name_kind(name, &part), FILE_JFR);
    }
    /* What is made equal by that is still told by the hash. */
    char one[FILE_BASE_MAX];
    snprintf(one, sizeof one, "%s", BASE("service_name", NULL, "service_name", "a/b"));
    CHECK(strcmp(one, BASE("service_name", NULL, "service_name", "a_b")) != 0);
}

static void a_long_value_still_fits(void)
{
    char value[4000], name[FILE_NAME_BYTES];
    bool part;
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    file_name_put(BASE("a", "b", "a", value, "b", value, "__process_pid__", value), INT64_MAX, FILE_PPROF,
                  str_of(value), 10000, name);
    CHECK(strlen(name) + strlen(FILE_PART) < FILE_NAME_BYTES);
    CHECK_INT(file_name_kind(name, &part), FILE_PPROF);
}

static void a_recording_and_its_profiles_have_one_hash(void)
{
    char recording[FILE_BASE_MAX];
    snprintf(recording, sizeof recording, "%s",
             BASE("service_name", NULL, "service_name", "shop", "__process_pid__", "7", "__name__", "jfr"));
    const char *profile = BASE("service_name", NULL, "service_name", "shop", "__name__", "memory", "__delta__", "false",
                               "jfr_event", "itimer", "pyroscope_spy", "x");
    CHECK_STR(strrchr(recording, '-'), strrchr(profile, '-'));
}

static void names_are_known_again(void)
{
    static const struct {
        const char *name;
        enum file_kind kind;
        bool part;
    } cases[] = {
        {"shop-1234-9f86d081-20261130T193000Z.jfr", FILE_JFR, false},
        {"shop-9f86d081-20261130T193000Z.2.jfr.part", FILE_JFR, true},
        {"shop-9f86d081-20261130T193000Z.process_cpu.pb.gz", FILE_PPROF, false},
        {"shop-9f86d081-20261130T193000Z.process_cpu.12.pb.gz.part", FILE_PPROF, true},
        {"shop-9f86d081-20261130T193000Z", FILE_OTHER, false},
        {"shop-9f86d081-20261130T193000Z.txt", FILE_OTHER, false},
        {"shop-9f86d081-20261130193000.jfr", FILE_OTHER, false},
        {"shop-9f86d08-20261130T193000Z.jfr", FILE_OTHER, false},
        {"shop-9F86D081-20261130T193000Z.jfr", FILE_OTHER, false},
        {"-9f86d081-20261130T193000Z.jfr", FILE_JFR, false},
        {"9f86d081-20261130T193000Z.jfr", FILE_OTHER, false},
        {"recording.jfr", FILE_OTHER, false},
        {".shop-9f86d081-20261130T193000Z.jfr", FILE_OTHER, false},
        {"shop-9f86d081-20261130T193000Z.a b.pb.gz", FILE_OTHER, false},
        {"-.part", FILE_OTHER, true},
        {".part", FILE_OTHER, true},
        {"", FILE_OTHER, false},
        {"-", FILE_OTHER, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool part;
        const enum file_kind kind = file_name_kind(cases[i].name, &part);
        if (kind != cases[i].kind || part != cases[i].part)
            FAIL_("%s is %d %d", cases[i].name, kind, part);
    }
}

static void the_time_is_utc(void)
{
    char name[FILE_NAME_BYTES];
    file_name_put("shop-00000000", INT64_C(1796067000) * NS_PER_SEC, FILE_PPROF, STR("block"), 1, name);
    CHECK_STR(name, "shop-00000000-20261130T193000Z.block.pb.gz");
    file_name_put("shop-00000000", INT64_C(1796067000) * NS_PER_SEC, FILE_PPROF, STR("block"), 3, name);
    CHECK_STR(name, "shop-00000000-20261130T193000Z.block.3.pb.gz");
    file_name_put("shop-00000000", INT64_MIN, FILE_JFR, STR(""), 1, name);
    CHECK_HAS(name, ".jfr");
}

int main(void)
{
    RUN(a_name_begins_with_the_chosen_labels);
    RUN(no_value_leaves_the_directory);
    RUN(a_long_value_still_fits);
    RUN(a_recording_and_its_profiles_have_one_hash);
    RUN(names_are_known_again);
    RUN(the_time_is_utc);
    return REPORT();
}
