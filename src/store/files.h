/* Permissions of the store's files: private to the user the agent runs as, because profiles and labels are
 * confidential.
 */
#pragma once

#include "base/err.h"

/* Makes the directory with what is missing above it, mode 0700, and the database's file in it, 0600, and takes from existing files of a database there (NAME, NAME-wal, what
 * was moved aside) every right of others. A directory that was there loses them, too, if nothing but these is in it; one with other
 * things in it is left as it is, since somebody else may need them. */
must_check int store_files_prepare(const char *dir, const char *name, struct err *err);
