/* One pushed series into the database; see store.h for the rules. Runs in a worker, inside the caller's transaction. */
#pragma once

#include "flow/series.h"
#include "store/db.h"

/* -EINVAL: the push is at fault and says how. Other codes: as the database failed. */
must_check int ingest_series(struct db *db, const struct series *series, struct err *err);
