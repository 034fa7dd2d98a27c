/* Databases that turned out damaged, beside the one in use: "store.db.damaged-SECONDS", with its log.
 *
 * Two files say what is to be done, whenever the process ends: "store.db.damaged" that the database is to be moved
 * aside, "store.db.salvage" which of them are to be copied from (store/salvage.h), by name, one a line.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "store/db.h"

/* The next start moves it aside, whatever it looks like then. */
void aside_mark(const char *path);
/* Opens the database, one connection that writes and one that reads; creates it if missing. One that is marked or
 * damaged is moved aside before, to be copied from, with a message in `notice` (may be NULL). */
must_check int aside_open(const char *path, struct db *write, struct db *read, struct buf *notice, struct err *err);
/* The first that is to be copied from; the caller frees. NULL: there is none. */
char *aside_first(const char *path);
/* Nothing more is to be copied from it. */
void aside_finish(const char *path, const char *aside);
