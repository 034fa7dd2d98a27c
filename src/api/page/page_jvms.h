/* GET /api/jvms: what the components of this process know of their JVMs, and how they are themselves. Loop thread.
 *
 *     {"agent":true,"now_ms":…,"jvms":[{"component":ID, what jvm_status_value() has …},…],"components":[{"id","health","message"},…]}
 */
#pragma once

#include "graph/controller.h"
#include "net/server.h"

/* `controller`: NULL where no agent runs in this process. */
void page_jvms(struct controller *controller, struct request *rq);
