/* One call of the query API between its parts: what was asked, and the answer that is written.
 *
 * An answer has two functions: `prepare` on the loop checks the request and makes the selectors, `run` in the store's
 * worker writes the response in plain protobuf. Their errors: -EINVAL invalid_argument, -EMSGSIZE resource_exhausted,
 * -ETIMEDOUT deadline_exceeded, -EAGAIN unavailable, -ENOTSUP unimplemented, -EBADMSG data_loss, others internal.
 */
#pragma once

#include "pyroscope/query_messages.h"
#include "pyroscope/query_request.h"
#include "store/query.h"
#include "store/select.h"
#include "store/store.h"
#include "store/value_query.h"

enum { QUERIER_ANSWER_MAX = 256 << 20, QUERIER_NODES_MOST = 1 << 20 };

struct querier_call {
    struct query_request request;
    bool utf8_names; /* the client wants label names of any form */
    struct label_selector selector;
    struct store_range range;
    struct str type;          /* of the profiles, without ":delta" */
    size_t nodes;             /* to be drawn */
    struct store_merge merge; /* in the request's arena */
    uint32_t leaf_frames;     /* of a pprof for the Go compiler (store/flame_profile.h) */
    bool leaf_without_line;   /* likewise */
    int64_t step_ms;
    struct querier_call *left, *right; /* owned; of a comparison */
    struct buf out;                    /* the response */
    struct err err;
};
#define QUERIER_CALL_INIT                                                                                              \
    ((struct querier_call){                                                                                            \
        .request = QUERY_REQUEST_INIT, .selector = LABEL_SELECTOR_INIT, .out = BUF_INIT(QUERIER_ANSWER_MAX)})
void querier_call_done(struct querier_call *q);

struct querier_answer {
    int (*prepare)(struct querier_call *q);
    int (*run)(struct querier_call *q, struct store_reader *r);
    bool writes; /* to the store */
};

/* Profile type, selector, range: what all queries of one type have. */
int querier_call_select(struct querier_call *q);
/* Of stacks only those that begin with some frames. */
int querier_call_site(struct querier_call *q);
/* Nodes, and which stacks and samples count. */
int querier_call_stacks(struct querier_call *q);
/* The step of a series of points. */
int querier_call_step(struct querier_call *q);
/* The range of a request: without an end until now, without a start an hour. */
int querier_call_range(struct querier_call *q);

/* Appends a types.v1.LabelPair as a field. */
void querier_put_label(struct buf *out, uint32_t field, struct str name, struct str value);

/* The same of each label of a text: name NUL value NUL …. */
void querier_put_labels(struct str key, uint32_t field, struct buf *out);
/* Appends the id of a profile as a UUID. */
void querier_put_uuid(struct buf *out, const uint8_t id[static PROFILE_ID_SIZE]);

/* ProfileTypes, LabelNames, LabelValues, Series. */
extern const struct querier_answer answer_profile_types, answer_label_names, answer_label_values, answer_series;
/* SelectMergeStacktraces, SelectMergeSpanProfile, SelectMergeProfile, Diff. */
extern const struct querier_answer answer_stacktraces, answer_span_profile, answer_merge_profile, answer_diff;
/* SelectSeries. */
extern const struct querier_answer answer_points;
extern const struct querier_answer answer_heatmap;
/* GetProfileStats, AnalyzeQuery; Get, Set and Delete of SettingsService; Version. */
extern const struct querier_answer answer_stats, answer_analyze, answer_settings_get, answer_settings_set,
    answer_settings_delete, answer_version;
/* The older API, in JSON; what it needs is put into the request beforehand (querier_legacy.h). */
extern const struct querier_answer answer_render, answer_render_diff, answer_legacy_values;
