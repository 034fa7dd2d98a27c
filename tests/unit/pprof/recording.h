/* Chunks with the types and pools of async-profiler, and events as short calls:
 *
 *     struct chunk_builder c = recording_begin();
 *     recording_setting(&c, "event", "wall");
 *     recording_wall(&c, STACK_WORK, THREAD_MAIN, STATE_RUNNABLE, 3);
 *     recording_end(&c);
 */
#pragma once

#include "base/cleanup.h"
#include "jfr/chunk_builder.h"

static const char recording_types[] =
    "4 boolean\n5 char\n6 float\n7 double\n8 byte\n9 short\n10 int\n11 long\n20 java.lang.String\n"
    "21 java.lang.Class classLoader:23* name:31* package:30* modifiers:10\n"
    "22 java.lang.Thread osName:20 osThreadId:11 javaName:20 javaThreadId:11\n"
    "23 jdk.types.ClassLoader type:21* name:31*\n"
    "25 jdk.types.ThreadState name:20\n"
    "26 jdk.types.StackTrace truncated:4 frames:27[]\n"
    "27 jdk.types.StackFrame method:28* lineNumber:10 bytecodeIndex:10 type:24*\n"
    "24 jdk.types.FrameType description:20\n"
    "28 jdk.types.Method type:21* name:31* descriptor:31* modifiers:10 hidden:4\n"
    "30 jdk.types.Package name:31*\n"
    "31 jdk.types.Symbol string:20\n"
    "101 jdk.ExecutionSample startTime:11 sampledThread:22* stackTrace:26* state:25*\n"
    "102 jdk.ObjectAllocationInNewTLAB startTime:11 eventThread:22* stackTrace:26* objectClass:21* allocationSize:11 "
    "tlabSize:11\n"
    "103 jdk.ObjectAllocationOutsideTLAB startTime:11 eventThread:22* stackTrace:26* objectClass:21* "
    "allocationSize:11\n"
    "104 jdk.JavaMonitorEnter startTime:11 duration:11 eventThread:22* stackTrace:26* monitorClass:21* "
    "previousOwner:22* address:11\n"
    "105 jdk.ThreadPark startTime:11 duration:11 eventThread:22* stackTrace:26* parkedClass:21* timeout:11 until:11 "
    "address:11\n"
    "106 jdk.CPULoad startTime:11 jvmUser:6 jvmSystem:6 machineTotal:6\n"
    "108 jdk.ActiveSetting startTime:11 id:11 name:20 value:20\n"
    "118 profiler.LiveObject startTime:11 eventThread:22* stackTrace:26* objectClass:21* allocationSize:11 "
    "allocationTime:11\n"
    "119 profiler.WallClockSample startTime:11 sampledThread:22* stackTrace:26* state:25* samples:10 timeSpan:11\n"
    "120 profiler.Malloc startTime:11 eventThread:22* stackTrace:26* address:11 size:11\n"
    "126 jdk.ObjectAllocationSample startTime:11 eventThread:22* stackTrace:26* objectClass:21* weight:11";

/* To be put behind those: async-profiler's further types, and the JDK's own. */
__attribute__((unused)) static const char recording_more_types[] =
    "\n32 profiler.types.UserEventType name:20\n"
    "115 jdk.MethodTrace startTime:11 duration:11 eventThread:22* stackTrace:26* method:28*\n"
    "121 profiler.Free startTime:11 eventThread:22* stackTrace:26* address:11\n"
    "122 profiler.NativeLock startTime:11 duration:11 eventThread:22* stackTrace:26* address:11\n"
    "123 profiler.Span startTime:11 duration:11 eventThread:22* tag:20*\n"
    "124 profiler.UserEvent startTime:11 eventThread:22* type:32* data:20";
/* Of Datadog's profiler, which has none of the usual ones. */
__attribute__((unused)) static const char recording_datadog_types[] =
    "\n33 datadog.types.ExecutionMode name:20\n"
    "201 datadog.ExecutionSample startTime:11 eventThread:22* stackTrace:26* state:25* mode:33* weight:11 spanId:11 "
    "localRootSpanId:11\n"
    "202 datadog.MethodSample startTime:11 eventThread:22* stackTrace:26* state:25* mode:33* weight:11 spanId:11 "
    "localRootSpanId:11\n"
    "203 datadog.ObjectSample startTime:11 eventThread:22* stackTrace:26* objectClass:21* size:11 weight:6 spanId:11 "
    "localRootSpanId:11\n"
    "205 datadog.HeapLiveObject startTime:11 eventThread:22* stackTrace:26* objectClass:21* age:11 size:11 weight:6 "
    "spanId:11 localRootSpanId:11\n"
    "222 datadog.DatadogProfilerConfig startTime:11 duration:11 eventThread:22* cpuInterval:11 wallInterval:11 "
    "allocInterval:11 version:20";
__attribute__((unused)) static const char recording_jdk_types[] =
    "\n150 jdk.GarbageCollection startTime:11\n"
    "151 jdk.CPUTimeSample startTime:11 stackTrace:26* eventThread:22* failed:4 samplingPeriod:11 biased:4\n"
    "152 jdk.NativeMethodSample startTime:11 sampledThread:22* stackTrace:26* state:25*\n"
    "115 jdk.MethodTrace startTime:11 duration:11 eventThread:22* stackTrace:26* method:28*";

/* Keys of the pools that recording_end() writes. STACK_NONE is in none of them. */
enum { STACK_NONE = 0, STACK_MAIN = 1, STACK_WORK = 2, STACK_CUT = 3, STACK_EMPTY = 4 };
enum { THREAD_NONE = 0, THREAD_MAIN = 7, THREAD_GC = 8 };
enum { STATE_DEFAULT = 0, STATE_RUNNABLE = 1, STATE_SLEEPING = 2, STATE_NONE = 9 };

static inline struct chunk_builder recording_begin(void)
{
    return chunk_begin(recording_types);
}

static inline void recording_setting(struct chunk_builder *c, const char *name, const char *value)
{
    chunk_event(c, 108);
    CHUNK_VARINTS(c, 0, 101);
    chunk_text(c, name);
    if (value)
        chunk_text(c, value);
    else
        chunk_byte(c, 0);
    chunk_event_end(c);
}

static inline void recording_execution(struct chunk_builder *c, uint64_t stack, uint64_t thread, uint64_t state)
{
    chunk_event(c, 101);
    CHUNK_VARINTS(c, 1, thread, stack, state);
    chunk_event_end(c);
}

static inline void recording_wall(struct chunk_builder *c, uint64_t stack, uint64_t thread, uint64_t state,
                                  uint64_t samples)
{
    chunk_event(c, 119);
    CHUNK_VARINTS(c, 1, thread, stack, state, samples, 0);
    chunk_event_end(c);
}

static inline void recording_tlab(struct chunk_builder *c, uint64_t stack, uint64_t thread, uint64_t tlab)
{
    chunk_event(c, 102);
    CHUNK_VARINTS(c, 1, thread, stack, 0, 16, tlab);
    chunk_event_end(c);
}

static inline void recording_outside(struct chunk_builder *c, uint64_t stack, uint64_t thread, uint64_t size)
{
    chunk_event(c, 103);
    CHUNK_VARINTS(c, 1, thread, stack, 0, size);
    chunk_event_end(c);
}

static inline void recording_lock(struct chunk_builder *c, uint64_t stack, uint64_t thread, uint64_t ticks)
{
    chunk_event(c, 104);
    CHUNK_VARINTS(c, 1, ticks, thread, stack, 0, 0, 0);
    chunk_event_end(c);
}

static inline void recording_park(struct chunk_builder *c, uint64_t stack, uint64_t thread, uint64_t ticks)
{
    chunk_event(c, 105);
    CHUNK_VARINTS(c, 1, ticks, thread, stack, 0, 0, UINT64_C(1) << 63, 0);
    chunk_event_end(c);
}

static inline void recording_alloc_sample(struct chunk_builder *c, uint64_t stack, uint64_t thread, uint64_t weight)
{
    chunk_event(c, 126);
    CHUNK_VARINTS(c, 1, thread, stack, 0, weight);
    chunk_event_end(c);
}

static inline void recording_live(struct chunk_builder *c, uint64_t stack, uint64_t thread)
{
    chunk_event(c, 118);
    CHUNK_VARINTS(c, 1, thread, stack, 0, 64, 0);
    chunk_event_end(c);
}

static inline void recording_malloc(struct chunk_builder *c, uint64_t stack, uint64_t thread, uint64_t size)
{
    chunk_event(c, 120);
    CHUNK_VARINTS(c, 1, thread, stack, 0xffff1234, size);
    chunk_event_end(c);
}

/* Key and text. */
static inline void recording_named(struct chunk_builder *c, uint64_t key, const char *text)
{
    chunk_varint(c, key);
    chunk_text(c, text);
}

static inline void recording_pools(struct chunk_builder *c)
{
    CHUNK_VARINTS(c, 25, 3); /* states */
    recording_named(c, STATE_DEFAULT, "STATE_DEFAULT");
    recording_named(c, STATE_RUNNABLE, "STATE_RUNNABLE");
    recording_named(c, STATE_SLEEPING, "STATE_SLEEPING");
    CHUNK_VARINTS(c, 22, 2); /* threads */
    recording_named(c, THREAD_MAIN, "java");
    chunk_varint(c, 1000);
    chunk_text(c, "main");
    chunk_varint(c, 1);
    recording_named(c, THREAD_GC, "GC Thread#0");
    CHUNK_VARINTS(c, 1001, 0, 0); /* no Java name */
    CHUNK_VARINTS(c, 26, 4);      /* stacks: key, truncated, frames of method, line, bci, type */
    CHUNK_VARINTS(c, STACK_MAIN, 0, 1, 1, 10, 0, 0);
    CHUNK_VARINTS(c, STACK_WORK, 0, 2, 2, 20, 4, 1, 1, 11, 3, 0);
    CHUNK_VARINTS(c, STACK_CUT, 1, 2, 99, 1, 0, 0, 2, UINT32_MAX, 0, 0); /* method 99 is in no pool; line -1 */
    CHUNK_VARINTS(c, STACK_EMPTY, 0, 0);
    CHUNK_VARINTS(c, 28, 2); /* methods: key, class, name, descriptor, modifiers, hidden */
    CHUNK_VARINTS(c, 1, 5, 2, 3, 1, 0);
    CHUNK_VARINTS(c, 2, 5, 4, 3, 1, 0);
    CHUNK_VARINTS(c, 21, 1); /* classes */
    CHUNK_VARINTS(c, 5, 0, 1, 0, 0);
    CHUNK_VARINTS(c, 31, 4); /* symbols */
    recording_named(c, 1, "app/Main");
    recording_named(c, 2, "main");
    recording_named(c, 3, "()V");
    recording_named(c, 4, "work");
    CHUNK_VARINTS(c, 20, 1, 0, 0); /* how async-profiler writes an empty pool */
}

static inline void recording_end(struct chunk_builder *c)
{
    chunk_checkpoint(c, 0, 7);
    recording_pools(c);
    chunk_event_end(c);
    chunk_end(c);
}
