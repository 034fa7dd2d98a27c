/* GET /api/jvms: the JVMs of this process's components, and the health of the components. Loop thread.
 *
 *     {"agent":true,"now_ms":…,"jvms":[{"component":ID, members of jvm_status_value(),…},…],
 *      "components":[{"id","health","message"},…]}
 */
#pragma once

#include "graph/controller.h"
#include "net/server.h"

/* `controller`: NULL where no agent runs in this process. */
void page_jvms(struct controller *controller, struct request *rq);
