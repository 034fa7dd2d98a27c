/* Components as the UI of Alloy reads them. Source: spec alloy-language §8.2. */
#pragma once

#include "graph/controller.h"

/* All of them, without their bodies: [{…},…]. */
void components_json_list(struct controller *c, struct buf *out);
/* One with arguments, exports and debugInfo; false when there is none of that id. */
bool components_json_one(struct controller *c, const char *id, struct buf *out);
