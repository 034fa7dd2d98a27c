/* Queries that look into single profiles: what each has of stacks that begin with some frames, or of its spans.
 *
 * To be called from the `work` function of store_read() only, in its worker. Cost grows with the samples of all
 * profiles that are selected; store_each_point() (store/select.h) tells their totals without them.
 */
#pragma once

#include "store/profile_values.h"
#include "store/select.h"

struct store_value {
    struct store_point point;     /* the profile; its total is that of the value alone */
    bool has_trace;               /* of a span */
    uint8_t span[SPAN_ID_SIZE];   /* where it was asked for by span */
    uint8_t trace[TRACE_ID_SIZE]; /* of the span: one with another trace is another span */
};
/* All values, series after series, those of one in the order of time: one of each span, or one of each profile, which
 * may be 0. Profiles that are damaged are left out. */
must_check int store_each_value(struct store_reader *r, const struct store_filter *what, const struct values_ask *ask,
                                void (*visit)(void *arg, const struct store_value *v), void *arg, struct err *err);
