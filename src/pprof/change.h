/* What changed between two profiles of the same kind, by function, and how much of it may be chance.
 *
 * Profiles are samples: with the same program and load, the counts of a function differ from run to run about as a
 * Poisson process. From the values and counts of its stacks follows the variance of a function's share, and from the
 * variances of both sides how large a difference has to be to mean anything. What differs between runs beside that
 * (load, machine, JIT) is only in it where a side has several runs: then it is at least what these differ by.
 *
 * A function's `self` is what its own frames have on top of stacks, its `total` what the stacks with it have, each once
 * however often it is in them. Shares are parts of the whole of their own side, so that recordings of different length
 * can be compared.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "pprof/profile.h"

enum { CHANGE_BASE, CHANGE_NEW, CHANGE_SIDES };
enum change_measure { CHANGE_SELF, CHANGE_TOTAL, CHANGE_MEASURES };

struct function_change {
    uint32_t name; /* string of the table */
    struct {
        double value[CHANGE_SIDES], variance[CHANGE_SIDES]; /* in the unit of the profile, and that squared */
        double shares[CHANGE_SIDES], squares[CHANGE_SIDES]; /* of the runs: their sum, and that of their squares */
        double run;                                         /* value in the run at hand */
    } of[CHANGE_MEASURES];
};

struct change_table {
    struct symbols names;
    struct function_change *items; /* owned */
    size_t len, cap;
    double whole[CHANGE_SIDES], variance[CHANGE_SIDES], samples[CHANGE_SIDES]; /* of all stacks of all runs */
    double squares[CHANGE_SIDES];                                              /* of the runs' wholes */
    double seconds[CHANGE_SIDES];                                              /* 0 = not known */
    size_t runs[CHANGE_SIDES];
    struct id_map by_name; /* private: item + 1 */
};

/* `names_max` bounds the bytes of all names. */
void change_table_init(struct change_table *t, size_t names_max);
/* Adds that column of the profile of a run to a side; a run without such a profile has NULL. -E2BIG. */
must_check int change_table_add(struct change_table *t, size_t side, const struct profile *run, size_t column,
                                struct err *err);
void change_table_done(struct change_table *t);
#define cleanup_change_table __attribute__((cleanup(change_table_done)))

/* A difference, and the standard deviation it has by chance alone. */
struct change_value {
    double before, after; /* shares, 0 to 1, or rates */
    double difference;    /* of the shares; of a whole, relative to what was before */
    double noise;
};
struct change_value function_change(const struct change_table *t, const struct function_change *f,
                                    enum change_measure m);
/* Of all together: per second where both durations are known and `per_second`, else the mean of the runs. */
struct change_value whole_change(const struct change_table *t, bool per_second);
