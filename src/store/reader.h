/* Database access of queries, valid during one store_read(). */
#pragma once

#include "store/db.h"

struct store_reader {
    struct db *db;
    struct err damaged; /* code set when a query met a damaged database */
};
