/* libmicrohttpd and GnuTLS, loaded when the first server is opened instead of at startup.
 *
 * As net/curl_library.h: guard, helper and parser processes, which serve no HTTP, would map and relocate ten libraries:
 * 0.3 MB of anonymous memory each (measured on Debian 12). The functions in use are defined here and forward their
 * arguments; callers use them as documented, MHD_start_daemon() with one option, MHD_OPTION_ARRAY.
 */
#pragma once

#include "base/err.h"

/* To be called before any of these functions; later calls are free. -ELIBACC with what to install. */
must_check int server_library_open(struct err *err);
