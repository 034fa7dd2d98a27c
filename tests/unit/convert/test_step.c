/* What a worker does with one turn of an interval; what conversions are made of is test_service.c's. */
#include "convert/step.h"

#include <errno.h>
#include <stdlib.h>

#include "pprof/recording.h"
#include "test.h"

static struct convert_service *service;

static struct convert_step step_of(bool open, struct jfr_chunk *chunk, bool finish)
{
    return (struct convert_step){.open = open,
                                 .options = {.settings = {.event = "itimer", .cpu_ns = 10},
                                             .limits = conversion_limits_agent,
                                             .gzip = true,
                                             .series_max = 5},
                                 .chunk = chunk,
                                 .finish = finish};
}

static struct jfr_chunk *one_sample(void)
{
    struct chunk_builder c = recording_begin();
    size_t len;
    recording_execution(&c, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    recording_end(&c);
    uint8_t *bytes = buf_take(&c.b, &len);
    chunk_done(&c);
    return jfr_chunk_new(bytes, len);
}

static void opens_adds_and_finishes_in_one_turn(void)
{
    struct jfr_chunk *chunk = one_sample();
    struct convert_step step = step_of(true, jfr_chunk_ref(chunk), true);
    step.series = xcalloc(2, sizeof *step.series);
    step.series_count = 2;
    convert_step_run(&step, service);
    CHECK_STR(step.why, "");
    CHECK(step.answered && !step.is_open);
    CHECK_INT(step.answer.reply.profile_count, 1);
    CHECK_STR(step.answer.profiles[0].type, "process_cpu");
    CHECK(step.cpu_ns > 0);
    CHECK_INT(atomic_load(&chunk->refs), 1); /* given up as soon as it was read */
    convert_step_done(&step);
    jfr_chunk_unref(chunk);
}

static void an_interval_goes_over_several_turns(void)
{
    struct convert_step first = step_of(true, one_sample(), false), second = step_of(false, one_sample(), false),
                        last = step_of(false, NULL, true);
    convert_step_run(&first, service);
    CHECK(first.is_open);
    CHECK_STR(first.answer.reply.settings.event, "itimer");
    convert_step_run(&second, service);
    convert_step_run(&last, service);
    CHECK(!last.is_open);
    CHECK_INT(last.answer.reply.profile_count, 1);
    CHECK_INT(last.answer.profiles[0].samples, 2);
    convert_step_done(&first);
    convert_step_done(&second);
    convert_step_done(&last);
}

static void a_refused_chunk_does_not_end_the_interval(void)
{
    struct convert_step first = step_of(true, jfr_chunk_new(calloc(1, 100), 100), false),
                        last = step_of(false, one_sample(), true);
    convert_step_run(&first, service);
    CHECK_INT(first.chunk_code, -EBADMSG);
    CHECK_HAS(first.why, "magic");
    CHECK(first.is_open);
    convert_step_run(&last, service);
    CHECK_INT(last.chunk_code, 0);
    CHECK_INT(last.answer.reply.profile_count, 1);
    convert_step_done(&first);
    convert_step_done(&last);
}

static void a_service_that_was_started_anew_is_opened_again(void)
{
    struct convert_step step = step_of(false, one_sample(), false);
    convert_service_free(service);
    service = convert_service_new();
    convert_step_run(&step, service);
    CHECK_INT(step.chunk_code, -EPROTO);
    CHECK(!step.is_open);
    convert_step_done(&step);
}

static void what_was_not_run_is_given_back(void)
{
    struct jfr_chunk *chunk = one_sample();
    struct convert_step step = step_of(true, jfr_chunk_ref(chunk), true);
    step.series = xcalloc(1, sizeof *step.series);
    convert_step_done(&step);
    CHECK_INT(atomic_load(&chunk->refs), 1);
    jfr_chunk_unref(chunk);
}

int main(void)
{
    service = convert_service_new();
    RUN(opens_adds_and_finishes_in_one_turn);
    RUN(an_interval_goes_over_several_turns);
    RUN(a_refused_chunk_does_not_end_the_interval);
    RUN(a_service_that_was_started_anew_is_opened_again);
    RUN(what_was_not_run_is_given_back);
    convert_service_free(service);
    return REPORT();
}
