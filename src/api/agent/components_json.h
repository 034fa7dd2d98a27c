/* Components in the JSON format of Alloy's UI, redacted (api/shared/redact.h). Source: spec alloy-language §8.2. */
#pragma once

#include "graph/controller.h"
#include "graph/view.h"

/* The components of one module, without bodies: [{…},…]. False: no such module ("" is the root). */
bool components_json_list(struct controller *c, const char *module_id, struct buf *out);
/* One component by id, with arguments, exports and debugInfo. False: no such component. */
bool components_json_one(struct controller *c, const char *id, struct buf *out);
/* All components of all modules, with bodies, for a support bundle. */
void components_json_all(struct controller *c, struct buf *out);

/* Data flow edges of a component: along references to receivers, against all other references. Local ids as a JSON
 * array. */
void components_json_flow(struct controller *c, const struct component_view *v, struct buf *out);
/* Whether it exports lists, as sources of targets do. */
bool components_json_has_lists(const struct component_view *v);
/* Whether live debugging can show it: it exports lists or sends to receivers. */
bool components_json_is_live(struct controller *c, const struct component_view *v);
