/* Components in the JSON format of Alloy's UI, redacted (api/shared/redact.h). Source: spec alloy-language §8.2. */
#pragma once

#include "graph/controller.h"
#include "graph/view.h"

/* Those of one module, without their bodies: [{…},…]. False: there is no such module ("" is the root). */
bool components_json_list(struct controller *c, const char *module_id, struct buf *out);
/* One, by its id, with arguments, exports and debugInfo; false when there is none. */
bool components_json_one(struct controller *c, const char *id, struct buf *out);
/* Every component of every module with its bodies, for a support bundle. */
void components_json_all(struct controller *c, struct buf *out);

/* Where the data of a component goes: along its references to receivers, against all others. Local ids as a JSON array. */
void components_json_flow(struct controller *c, const struct component_view *v, struct buf *out);
/* Whether it exports lists, which targets are. */
bool components_json_has_lists(const struct component_view *v);
/* Whether it hands on something that can be watched: lists it exports, or what it sends to receivers. */
bool components_json_is_live(struct controller *c, const struct component_view *v);
