/* Series and bodies of the journal by their content: found, or added. Within a transaction of the caller's. */
#pragma once

#include "store/db.h"
#include "store/labels_key.h"

/* `key`: of the labels (store/labels_key.h). */
must_check int entry_series(struct db *db, const struct label_list *labels, struct str key, struct str type,
                            int64_t *ret, struct err *err);

struct entry_body {
    int64_t id, time_ns; /* the time at which it came first, where its profile has none */
};
/* 1: it is there. 0: it is not. */
must_check int entry_find_body(struct db *db, struct str hash, struct entry_body *ret, struct err *err);
/* `pprof`: as stored; "" where it is lost. */
must_check int entry_add_body(struct db *db, struct str hash, int64_t time_ns, struct str pprof, int64_t *ret,
                              struct err *err);
