/* Queries of the store: the implementation of store_services() and the other read functions. */
#pragma once

#include "store/db.h"
#include "store/store.h"

struct store_reader {
    struct db *db;
    struct err damaged; /* code set when a query met a damaged database */
};
