/* JFR chunks in, one pprof per profile type out. Pure: no file, no clock; runs in a worker.
 *
 * A conversion collects one interval: add its chunks in order, then take the profiles. Ids are never carried across
 * chunks; equal stacks of different chunks merge. A bad chunk is refused whole and counted; earlier ones stay.
 * What becomes of which event: docs/profiles.md, events.h. Rules: spec jfr-asprof §3.2, with §3.7 1-5 corrected:
 * ticks are scaled to nanoseconds, wall samples weigh their own interval, times come from the chunk headers.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "pprof/conversion_finish.h"
#include "pprof/conversion_options.h"
#include "pprof/conversion_walk.h"
#include "pprof/events.h"
#include "pprof/left_out.h"
#include "pprof/limits.h"

struct conversion;

struct conversion *conversion_new(const struct conversion_options *options);
/* The chunks added from now on are of another recording: what the one before said of itself is not said of them. A
 * profile's time then is that of the recordings with samples of its type. */
void conversion_next_recording(struct conversion *c);
/* Pyroscope's LabelsSnapshot that came with the chunks to be added, maybe gzip: what context ids and span names in
 * their events mean. -EBADMSG and -E2BIG: then there are none. */
must_check int conversion_labels(struct conversion *c, struct str snapshot, struct err *err);
/* By the clock of who calls, when the chunks added from now on came; 0 = nobody knows. Times in their headers that
 * lie more than a day before or ten seconds behind are no times of theirs, and this one is taken. */
void conversion_received(struct conversion *c, int64_t wall_ns);
/* All types there are, those without events too; the array belongs to the conversion. */
const struct conversion_event *conversion_events(const struct conversion *c, size_t *n);
/* Samples that the recorder itself lost (jdk.CPUTimeSamplesLost). */
uint64_t conversion_lost(const struct conversion *c);
/* Events that look like samples, but of no known type. */
const struct left_out *conversion_left_out(const struct conversion *c);
/* What did not fit into the limits so far, by reason (cut_reasons); the array of CUT_REASONS belongs to the
 * conversion. */
const struct cut_count *conversion_cuts(const struct conversion *c);
/* Time span of the chunks added, from their headers: least start, and greatest end. 0 when none was. */
int64_t conversion_start_ns(const struct conversion *c);
int64_t conversion_end_ns(const struct conversion *c);
/* `itimer` counts the kernel's ticks, and a tick is a sample itself: on a crowded machine the ticks that find a
 * process running add up to some percent more or less than it ran. Its samples in the chunks added from now on count
 * for that much of the interval (1 at first). */
void conversion_itimer_scale(struct conversion *c, double scale);
/* Settings seen in the chunks so far, to hand to the next interval's conversion (chunk 0 alone carries them). */
void conversion_settings(const struct conversion *c, struct conversion_options *options);
void conversion_free(struct conversion *c);
