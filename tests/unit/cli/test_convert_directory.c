#include "cli/convert_directory.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "pprof/events.h"
#include "test.h"

enum { MAX = 1 << 20 };

static char *name_of(const char *name, const char *const types[][2], size_t n, bool gzip)
{
    cleanup_profile_set struct profile_set set;
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    profile_set_init(&set, MAX);
    symbols_init(&s, MAX);
    profile_init(&p, &s);
    for (size_t i = 0; i < n && types[i][0]; i++)
        CHECK(profile_add_type(&p, str_of(types[i][0]), str_of(types[i][1])));
    CHECK_INT(profile_set_add(&set, name, &p, NULL), 0);
    return directory_file_name(&set.items[0], gzip);
}

static void profiles_of_recordings_have_names_of_their_own(void)
{
    char *names[KIND_COUNT];
    for (size_t i = 0; i < KIND_COUNT; i++) {
        const struct profile_kind_def *kind = &profile_kinds[i];
        names[i] = name_of(kind->name, kind->types, 2, true);
        CHECK(strncmp(names[i], kind->name, strlen(kind->name)) == 0);
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(names[i], names[k]) != 0);
    }
    CHECK_STR(names[KIND_CPU], "process_cpu.pb.gz");
    CHECK_STR(names[KIND_LIVE], "memory_live.pb.gz");
    CHECK_STR(names[KIND_LOCK], "mutex.pb.gz");
    CHECK_STR(names[KIND_NATIVE_LOCK], "mutex_native.pb.gz");
    for (size_t i = 0; i < KIND_COUNT; i++)
        free(names[i]);
}

static void other_profiles_are_called_by_their_sample_types(void)
{
    static const char *const go[][2] = {{"samples", "count"}, {"cpu", "nanoseconds"}},
                             *const odd[][2] = {{"../a b", "count"}}, *const cpu[][2] = {{"cpu", "microseconds"}};
    cleanup_free char *a = name_of("profile", go, 2, false), *b = name_of("profile", odd, 1, true),
                      *c = name_of("process_cpu", cpu, 1, true);
    CHECK_STR(a, "profile_samples_cpu.pb");
    CHECK_STR(b, "profile_.._a_b.pb.gz");
    CHECK_STR(c, "process_cpu_cpu.pb.gz");
    char longest[1000];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    const char *const long_type[][2] = {{longest, "count"}};
    cleanup_free char *d = name_of("profile", long_type, 1, true);
    CHECK(strlen(d) < 140);
}

int main(void)
{
    RUN(profiles_of_recordings_have_names_of_their_own);
    RUN(other_profiles_are_called_by_their_sample_types);
    return REPORT();
}
