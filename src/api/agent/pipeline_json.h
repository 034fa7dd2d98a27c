/* GET api/v0/web/pipeline: all components of all modules with their health, edges and counts, and how the agent itself
 * is; what the page draws. Its cost is that of the components there are. Loop thread.
 *
 *     {"now_ms":…,"components":[{"id","module","name","label","health","message","updated_ms","to":[local IDs],
 *       "sent":N,"kind":"profile"|"target","modules":[IDs]},…],
 *      "imports":[{"id","module","name","health","message"},…],
 *      "own":{"version","heap_bytes",…,"metrics":{"smolder_queue_bytes":[{"labels":{…},"value":N},…],…}}}
 *
 * `sent` counts what the component passed on since it was built; a page makes rates of it, without `livedebugging`,
 * since numbers are no data. `to` are the edges of components_json_flow(). Histograms have "count", and the sum as
 * value.
 */
#pragma once

#include "graph/controller.h"

void pipeline_json_put(struct controller *c, struct buf *out);
