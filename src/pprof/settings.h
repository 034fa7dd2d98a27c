/* What a recording says about the profiler that wrote it: the events it sampled and at which intervals.
 *
 * async-profiler writes its settings once, into the first chunk of a session and in front of all samples; the JDK's
 * recorder writes them into every chunk, anywhere, one set per type of event. Sources: flightRecorder.cpp,
 * arguments.h, perfEvents_linux.cpp, wallClock.cpp (async-profiler); jdk.ActiveSetting (JDK); spec jfr-asprof §2.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct recorded_settings {
    char *event;       /* owned; async-profiler's; "" = none */
    bool no_event;     /* the recording says that there is none */
    int64_t cpu_ns;    /* interval of `event`: nanoseconds, or what a counter counts */
    int64_t wall_ns;   /* of wall clock samples beside those of `event`; 0 = there are none, or not known */
    int64_t jdk_ns;    /* period of the JDK's sampler: whole milliseconds, as it rounds */
    int64_t sample_ns; /* what the last sample of cpu stood for; 0 = none came */
    int64_t repeat;    /* in the reference each event counts as often as the wall clock sample before it; else 1 */
    int64_t native_method_ns;
    int64_t alloc_bytes, malloc_bytes;
};

/* One of async-profiler's: which it is, and taking its value. Nobody needs the others. */
enum setting { SETTING_OTHER, SETTING_EVENT, SETTING_INTERVAL, SETTING_WALL, SETTING_ALLOC, SETTING_NATIVEMEM };
enum setting settings_known(struct str name);
/* The event is the first that async-profiler writes: with it the settings of another recording begin. Wall clock
 * samples without an event are the event "wall". A name of an event that cannot be one (longer than `name_max`, not
 * plain text) becomes SETTINGS_OTHER. */
#define SETTINGS_OTHER "other"
void settings_take(struct recorded_settings *s, enum setting setting, struct str value, size_t name_max);
/* One of the JDK's recorder, of the event called `type`. */
bool settings_known_jdk(struct str type); /* whether that looks at settings of this type */
void settings_take_jdk(struct recorded_settings *s, struct str type, struct str name, struct str value);
/* An interval of Datadog's profiler; those that cannot be one change nothing. */
void settings_take_ms(int64_t *ns, uint64_t ms);
/* The event if it is one of async-profiler's own or SETTINGS_OTHER, as a static string; else NULL. */
const char *settings_own_event(const char *event);
/* Sampled by wall clock alone; something else than time; threads that run, and the wall clock beside it. */
bool settings_wall(const struct recorded_settings *s);
bool settings_counter(const struct recorded_settings *s);
bool settings_both(const struct recorded_settings *s);
/* Sampled by a timer that counts the kernel's ticks. */
bool settings_ticks(const struct recorded_settings *s);
/* Nanoseconds that one wall clock sample stands for. */
int64_t settings_wall_weight(const struct recorded_settings *s);

/* What a chunk says that another recording may have said differently, as it was in `initial`: before the settings of
 * async-profiler; before those of a chunk of the JDK's recorder, which has them all. */
void settings_restart(struct recorded_settings *s, const struct recorded_settings *initial);
void settings_restart_jdk(struct recorded_settings *s, const struct recorded_settings *initial);

/* Do samples count the same by both? What the last one stood for does not matter. */
bool settings_same(const struct recorded_settings *a, const struct recorded_settings *b);
/* `to` is done() first. */
void settings_copy(struct recorded_settings *to, const struct recorded_settings *from);
void recorded_settings_done(struct recorded_settings *s);
