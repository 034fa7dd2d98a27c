/* libcurl, loaded on first use instead of at startup.
 *
 * Linking it makes every process map about twenty more libraries and relocate them, including the privileged helper,
 * which never uses HTTP: 0.7 MB of anonymous memory each, and 6 ms before main() (measured on Debian 12). Therefore the
 * curl_* functions in use are defined here and forward their arguments; callers use them as documented. Debian's two
 * variants have the same interface; the one with GnuTLS is preferred, because libmicrohttpd depends on GnuTLS anyway.
 */
#pragma once

#include "base/err.h"

/* To be called before any curl_* function; later calls are free. -ELIBACC with what to install. */
must_check int curl_library_open(struct err *err);
