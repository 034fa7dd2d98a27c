/* Chunks converted on several cores: each into a part, a conversion of its own, and the parts joined in file order.
 *
 * What comes out is what conversion_add() of one chunk after the other yields, to the byte. Everything has its number
 * by when it was met first, and a part meets what is in its chunk in the same order. What a chunk takes over from those
 * before it are the settings of the recording alone: a part is made with those that probably will be in force, and not
 * joined if they were not. Neither is it where a limit might have been reached, as each part has limits of its own, or
 * the chunk was refused; then the chunk is to be added as any other. A part has one owner at a time; joining is for the
 * owner of the whole.
 *
 *     p = conversion_part_new(c, &settings);   // in any thread, as is the next line
 *     code = conversion_add(p, chunk, len, &err);
 *     joined = code == 0 ? conversion_join(c, p, &settings) : 0;
 *     if (joined == 0)
 *         code = conversion_add(c, chunk, len, &err);
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "pprof/settings.h"

struct conversion;

/* Can chunks be converted apart at all? Not in the reference's way, in which every sample may change the weight of the
 * next; not with label sets and times that come from outside. */
bool conversion_has_parts(const struct conversion *c);
/* The settings that are in force for the next chunk; those that every recording begins with. Borrowed. */
const struct recorded_settings *conversion_settings_now(const struct conversion *c);
const struct recorded_settings *conversion_settings_at_begin(const struct conversion *c);

/* A part of `c`, of which nothing is looked at that a chunk can change. */
struct conversion *conversion_part_new(const struct conversion *c, const struct recorded_settings *settings);
/* Adds the part's one chunk, which began with these settings. 1; 0: it has to be added otherwise, and nothing was
 * changed. -ENOMEM: joined in part. */
must_check int conversion_join(struct conversion *c, const struct conversion *part,
                               const struct recorded_settings *settings);
