/* Parameters of Pyroscope's older API, put into a call as if a request had them. Texts are borrowed from the request.
 *
 *     /pyroscope/render?query&from&until&max-nodes&groupBy&aggregation&format
 *     /pyroscope/render-diff?leftQuery&leftFrom&leftUntil&rightQuery&rightFrom&rightUntil&max-nodes
 *     /pyroscope/label-values?label
 *
 * Times: pyroscope/time_text.h. Source: spec store-query §3.9.
 */
#pragma once

#include "api/pyroscope/querier_call.h"
#include "net/server_request.h"

void querier_legacy_render(struct querier_call *q, const struct request *rq);
/* Makes `left` and `right`. */
void querier_legacy_render_diff(struct querier_call *q, const struct request *rq);
void querier_legacy_label_values(struct querier_call *q, const struct request *rq);
