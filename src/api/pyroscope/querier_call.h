/* One call of the query API between its parts: what was asked, and the answer that is written.
 *
 * An answer has two functions: `prepare` on the loop checks the request and makes the selectors, `run` in the store's
 * worker writes the response in plain protobuf. Their errors: -EINVAL invalid_argument, -EMSGSIZE resource_exhausted,
 * -ETIMEDOUT deadline_exceeded, -EAGAIN unavailable, -ENOTSUP unimplemented, -EBADMSG data_loss, others internal.
 */
#pragma once

#include "pyroscope/query_messages.h"
#include "pyroscope/query_request.h"
#include "store/select.h"
#include "store/store.h"

struct querier_call {
    struct query_request request;
    bool utf8_names; /* the client wants label names of any form */
    struct selector selector;
    struct store_range range;
    struct buf out; /* the response */
    struct err err;
};

struct querier_answer {
    int (*prepare)(struct querier_call *q);
    int (*run)(struct querier_call *q, struct store_reader *r);
};

/* The range of a request: without an end until now, without a start an hour. */
int querier_call_range(struct querier_call *q);

/* Appends a types.v1.LabelPair as a field. */
void querier_put_label(struct buf *out, uint32_t field, struct str name, struct str value);

/* ProfileTypes, LabelNames, LabelValues, Series. */
extern const struct querier_answer answer_profile_types, answer_label_names, answer_label_values, answer_series;
