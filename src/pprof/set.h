/* The profiles of one or many recordings, by name and sample types: what belongs together is merged on the way in.
 *
 * In the order of name, then sample types, which is how files are numbered. Owns its symbols, which all profiles share.
 */
#pragma once

#include "base/buf.h"
#include "pprof/diff.h"
#include "pprof/profile.h"

struct named_profile {
    char *name;   /* "process_cpu", "memory"; owned */
    char *metric; /* name and sample types, "memory:live/count"; owned */
    struct profile p;
};

struct profile_set {
    struct symbols symbols;
    struct named_profile *items; /* sorted by metric */
    size_t len, cap;
};

/* `max` caps the bytes of all names and stacks. */
void profile_set_init(struct profile_set *s, size_t max);
void profile_set_done(struct profile_set *s);
#define cleanup_profile_set __attribute__((cleanup(profile_set_done)))

/* Adds a profile, whatever symbols it has, to the one of the same name and sample types. `name` NULL: what the sample
 * types tell, see profile_name(). As profile_merge(), but the time is that of all who say theirs: from the least start
 * to the greatest end, which for profiles of consecutive times comes to the same. */
must_check int profile_set_add(struct profile_set *s, const char *name, const struct profile *p, struct err *err);
/* Replaces every profile by what changed since `before`; one side of a comparison may be empty. As profile_diff(). */
must_check int profile_set_compare(struct profile_set *after, const struct profile_set *before, enum profile_diff how,
                                   struct err *err);
/* Whether a sample has this label; the labels that samples have, as a list. */
bool profile_set_has_label(const struct profile_set *s, struct str key);
void profile_set_labels(const struct profile_set *s, struct buf *out);
/* Replaces every profile by profile_group(). */
must_check int profile_set_group(struct profile_set *s, struct str key, struct err *err);

/* "process_cpu", "wall", "memory", "mutex" or "block" as the sample and period types tell; "profile" for any other.
 * Static. */
const char *profile_name(const struct profile *p);
/* The sample type called `name`, or `name` with its unit ("cpu/nanoseconds"); -1 where there is none. */
int profile_column(const struct profile *p, struct str name);
/* Whether the text names the profile, by its name, a sample type or both ("mutex:delay"). *column: the sample type that
 * was named, -1 where it was none. */
bool named_profile_is(const struct named_profile *n, struct str text, int *column);
