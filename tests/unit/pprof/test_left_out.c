#include "pprof/left_out.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "pprof/converting.h"
#include "pprof/recording.h"

static const char more_types[] = "\n160 datadog.ExceptionSample startTime:11 stackTrace:26* spanId:11\n"
                                 "161 datadog.NativeSocketEvent startTime:11 stackTrace:26* spanId:11\n"
                                 "162 datadog.Endpoint startTime:11 stackTrace:26*\n"
                                 "163 datadog.NativeMemoryAllocation startTime:11 stackTrace:26* spanId:11\n"
                                 "165 datadog.ObjectSample startTime:11 stackTrace:26* spanId:11\n"
                                 "164 app.Sample startTime:11 stackTrace:26*";

static void put(struct chunk_builder *c, uint64_t type)
{
    chunk_event(c, type);
    CHUNK_VARINTS(c, 1, STACK_MAIN, 0);
    chunk_event_end(c);
}

static void samples_of_another_profiler_are_counted(void)
{
    cleanup_free char *types = xasprintf("%s%s", recording_types, more_types);
    struct conversion *c = conversion_new(&(struct conversion_options){.event = "cpu", .cpu_ns = 10});
    for (int i = 0; i < 2; i++) {
        struct chunk_builder chunk = chunk_begin(types);
        put(&chunk, 160);
        put(&chunk, 160);
        put(&chunk, 163);
        put(&chunk, 162);
        put(&chunk, 164);
        put(&chunk, 165);
        recording_end(&chunk);
        convert(c, &chunk);
    }
    const struct left_out *l = conversion_left_out(c);
    CHECK_INT(l->count, 2);
    CHECK_STR(l->types[0].name, "datadog.ExceptionSample");
    CHECK_INT(l->types[0].events, 4);
    CHECK_STR(l->types[1].name, "datadog.NativeMemoryAllocation");
    CHECK_INT(l->types[1].events, 2);
    conversion_free(c);
}

static void those_of_later_chunks_are_joined(void)
{
    struct left_out a = {.count = 1, .types = {{"datadog.A", 3}}};
    const struct left_out later = {.count = 2, .types = {{"datadog.B", 1}, {"datadog.A", 4}}};
    left_out_join(&a, &later);
    CHECK_INT(a.count, 2);
    CHECK_INT(a.types[0].events, 7);
    CHECK_STR(a.types[1].name, "datadog.B");
}

static void a_recording_without_them_has_none(void)
{
    struct conversion *c = conversion_new(&(struct conversion_options){.event = "cpu", .cpu_ns = 10});
    struct chunk_builder chunk = recording_begin();
    recording_execution(&chunk, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    recording_end(&chunk);
    convert(c, &chunk);
    CHECK_INT(conversion_left_out(c)->count, 0);
    conversion_free(c);
}

/* Types are as many as somebody describes. */
static void no_more_types_are_told_apart_than_there_is_room_for(void)
{
    cleanup_buf struct buf types = BUF_INIT(1 << 20);
    buf_puts(&types, recording_types);
    for (int i = 0; i < 50; i++)
        buf_printf(&types, "\n%d datadog.Sample%d startTime:11 stackTrace:26* spanId:11", 200 + i, i);
    struct conversion *c = conversion_new(&(struct conversion_options){.event = "cpu", .cpu_ns = 10});
    struct chunk_builder chunk = chunk_begin(buf_cstr(&types));
    for (uint64_t i = 0; i < 50; i++)
        put(&chunk, 200 + i);
    recording_end(&chunk);
    convert(c, &chunk);
    CHECK_INT(conversion_left_out(c)->count, LEFT_OUT_TYPES_MAX);
    conversion_free(c);
}

int main(void)
{
    RUN(samples_of_another_profiler_are_counted);
    RUN(those_of_later_chunks_are_joined);
    RUN(a_recording_without_them_has_none);
    RUN(no_more_types_are_told_apart_than_there_is_room_for);
    return REPORT();
}
