/* GET /: the web page of the store (ui/ui.h). */
#pragma once

#include "net/server.h"

void page_index(struct request *rq);
