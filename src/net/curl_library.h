/* libcurl, loaded by its first user instead of at the program's start.
 *
 * Linking it makes every process of ours map some twenty libraries more and relocate them, the privileged helper included,
 * which never talks HTTP: 0.7 MB of anonymous memory each, and 6 ms before main() (measured on Debian 12). So the curl_*
 * functions that we use are defined here and pass their arguments on; everybody calls them as the manual says. The two flavours
 * of Debian have the same interface; the one with GnuTLS comes first, because libmicrohttpd brings GnuTLS anyway.
 */
#pragma once

#include "base/err.h"

/* To be called before any curl_* function; later calls are free. -ELIBACC with what to install. */
must_check int curl_library_open(struct err *err);
