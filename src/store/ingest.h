/* Stores one pushed series; rules: store.h. Runs in a worker, inside the caller's transaction. */
#pragma once

#include "flow/series.h"
#include "store/db.h"

/* -EINVAL: invalid push, with the reason. Other codes: database errors. */
must_check int ingest_series(struct db *db, const struct series *series, struct err *err);
