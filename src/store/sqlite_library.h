/* SQLite, loaded with the first database instead of at startup.
 *
 * Linking it makes every process of ours map and relocate it, the mathematics library with it: a quarter of a
 * millisecond before main() (measured on Debian 12), for the store alone, which most of them do not have. Therefore the
 * sqlite3_* functions in use are defined here and forward their arguments; callers use them as documented.
 */
#pragma once

#include "base/err.h"

/* To be called before any sqlite3_* function, from any thread; later calls are free. -ELIBACC with what to install. */
must_check int sqlite_library_open(struct err *err);
