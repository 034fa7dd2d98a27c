/* Permissions of the store's files: private to the user the agent runs as, because profiles and labels are
 * confidential.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* Creates the directory and its missing parents, mode 0700, and the database file, mode 0600. Removes all rights of
 * others from existing database files (NAME, NAME-wal and damaged copies), and from an existing directory that holds
 * nothing else. Other directories keep their mode. */
must_check int store_files_prepare(const char *dir, const char *name, struct err *err);
/* The directory is this store's until the descriptor is closed. -EBUSY: it is another one's, of this process or another
 * one. A file system without locks is used as it is, with -1. */
must_check int store_files_lock(const char *dir, int *ret, struct err *err);
/* Deletes the files of that directory whose names begin with `prefix` and that were not changed since; how many went.
 * Errors are of no consequence: the next start tries again. */
unsigned store_files_forget(const char *dir, const char *prefix, int64_t before_seconds);
