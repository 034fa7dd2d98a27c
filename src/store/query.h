/* The reading side: what store_services() and its kin work on. */
#pragma once

#include "store/db.h"
#include "store/store.h"

struct store_reader {
    struct db *db;
    struct err damaged; /* code set when a query met a damaged database */
};
