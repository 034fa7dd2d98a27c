/* Samples of stored bodies, for services of the parser process: decoded, split into series as they were at the push,
 * and selected by split and type.
 *
 * Profiles of one service repeat their symbols and stacks: they are decoded into shared symbols, so that what is known
 * of a stack is known of the next profile's as well. The symbols start afresh when they are full.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "pprof/profile.h"

/* Which samples of a body are wanted. As such, too, it is sent: behind what is asked in the head of an item. */
struct body_part {
    int64_t split; /* store/splits.h */
    uint32_t type; /* index of the sample type; one that the body has not selects nothing */
    uint32_t row;  /* for the caller */
};

struct body_samples {
    struct symbols symbols;
    int64_t period;                          /* of the body at hand */
    void (*restart)(struct body_samples *b); /* what is known of symbols ends with them */
    /* A sample with a value of a part, more than 0. */
    void (*take)(struct body_samples *b, const struct pprof_sample *s, uint32_t row, int64_t value);
};
void body_samples_init(struct body_samples *b);
void body_samples_done(struct body_samples *b);

/* Gives the samples of one body in its order. -EBADMSG: it cannot be decoded, and nothing was given. -ENOMEM. */
must_check int body_samples_each(struct body_samples *b, struct str bytes, const struct body_part *parts, size_t n,
                                 struct err *err);
/* The same with parts as they were sent. */
must_check int body_samples_sent(struct body_samples *b, struct str bytes, struct str parts, struct err *err);
