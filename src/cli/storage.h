/* The data directory (--storage.path): where it is by default, and whose it is.
 *
 * It belongs to the user the agent runs as. Root creates it for that user, and hands one over that an older version, or
 * an agent that stayed root, left to root: the directory, which must not be writable by others; its files of ours, each
 * a regular file of root with one name; and the spool with the directories of its endpoints. All are opened without
 * following a link or crossing a mount point. A directory that holds other things and nothing of ours is none of ours
 * and stays as it is. One that does not belong to root is not touched: its owner could redirect what root does there.
 */
#pragma once

#include "base/err.h"
#include "os/account.h"

/* "data-smolder"; as root /var/lib/smolder, unless the former is there. Static. */
const char *storage_default(void);
/* That of a --storage.path: `given`, or the default where it is "". */
const char *storage_of(const char *given);
/* For the help of that flag. */
#define STORAGE_EMPTY "Empty: data-smolder; as root, /var/lib/smolder unless data-smolder exists."
/* Creates the directory with its missing parents (0700) or hands it over. For root, before it becomes `user`. `flag`:
 * by which it was given, "--storage.path", for errors. */
must_check int storage_prepare(const char *flag, const char *dir, const struct host_user *user, struct err *err);
/* -EACCES with a remedy where this process cannot use the directory; 0 where there is none yet. */
must_check int storage_check(const char *flag, const char *dir, struct err *err);
