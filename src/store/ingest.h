/* Stores one pushed series; rules: store.h. Runs in a worker, inside the caller's transaction. */
#pragma once

#include "store/db.h"
#include "store/store.h"

/* -EINVAL: the push is at fault and says how. Other codes: as the database failed. */
must_check int ingest_series(struct db *db, const struct series *series, struct err *err);
