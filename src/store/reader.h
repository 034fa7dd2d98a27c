/* What a query works on; made by the store for the time of one store_read(). */
#pragma once

#include "store/db.h"

struct store_reader {
    struct db *db;
    struct err damaged; /* code set when a query met a damaged database */
};
