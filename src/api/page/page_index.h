<<<<<<< HEAD
/* GET /: the web page of the store (ui/ui.h). */
=======
/* GET /: the web UI of the store (ui/ui.h). */
>>>>>>> w-docs
#pragma once

#include "net/server.h"

void page_index(struct request *rq);
