/* GET /: the store's page (ui/ui.h). */
#pragma once

#include "net/server.h"

void page_index(struct request *rq);
