#include "pprof/conversion_finish.h"

#include "pprof/converting.h"
#include "pprof/decode.h"
#include "pprof/profile.h"
#include "pprof/recording.h"

static struct conversion *of_two(const struct conversion_options *o)
{
    struct conversion *c = conversion_new(o);
    struct chunk_builder chunk = recording_begin();
    recording_lock(&chunk, STACK_WORK, THREAD_MAIN, 500);
    recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    recording_end(&chunk);
    convert(c, &chunk);
    return c;
}

static void what_is_encoded_is_what_is_there(void)
{
    for (int gzip = 0; gzip < 2; gzip++) {
        struct conversion *c = of_two(&(struct conversion_options){.event = "itimer", .cpu_ns = 10, .gzip = gzip});
        struct conversion_profile all[CONVERSION_PROFILES_MAX];
        struct pprof_result *results;
        struct err err = {0};
        size_t n;
        CHECK_INT(conversion_profiles(c, all), 2);
        CHECK_INT(conversion_finish(c, &results, &n, &err), 0);
        CHECK_INT(n, 2);
        for (size_t i = 0; i < n; i++) {
            cleanup_symbols struct symbols s;
            cleanup_profile struct profile p;
            symbols_init(&s, 1 << 20);
            profile_init(&p, &s);
            CHECK_STR(results[i].name, all[i].name);
            CHECK_STR(results[i].event, "itimer");
            CHECK_INT(results[i].samples, all[i].samples);
            CHECK_INT(results[i].bytes[0] == 0x1f, gzip);
            CHECK_INT(pprof_decode((const char *)results[i].bytes, results[i].len, 1 << 20, &s, &p, &err), 0);
            CHECK_INT(p.sample_count, all[i].p->sample_count);
            CHECK_INT(p.time_nanos, results[i].time_nanos);
            CHECK_INT(p.period, all[i].p->period);
        }
        conversion_free(c);
    }
}

static void profiles_without_samples_are_none(void)
{
    struct conversion *c = conversion_new(&(struct conversion_options){.event = "cpu", .cpu_ns = 10});
    struct pprof_result *results;
    struct err err = {0};
    size_t n = 9;
    CHECK_INT(conversion_finish(c, &results, &n, &err), 0);
    CHECK_INT(n, 0);
    conversion_free(c);
}

/* Once may be too early: chunks can still come. */
static void it_can_be_finished_again(void)
{
    struct conversion *c = of_two(&(struct conversion_options){.event = "cpu", .cpu_ns = 10});
    struct pprof_result *results;
    struct err err = {0};
    size_t n;
    CHECK_INT(conversion_finish(c, &results, &n, &err), 0);
    struct chunk_builder chunk = recording_begin();
    recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    recording_end(&chunk);
    convert(c, &chunk);
    CHECK_INT(conversion_finish(c, &results, &n, &err), 0);
    CHECK_INT(n, 2);
    CHECK_INT(results[1].samples, 2);
    conversion_free(c);
}

int main(void)
{
    RUN(what_is_encoded_is_what_is_there);
    RUN(profiles_without_samples_are_none);
    RUN(it_can_be_finished_again);
    return REPORT();
}
