/* Listening sockets from "addr:port"; if the port is in use, the error names the process that holds it.
 *
 * Numeric addresses and "localhost" only: other names require a resolver, which blocks.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

enum { LISTEN_ADDRESS_MAX = 64 };

/* Binds and listens, non-blocking and close-on-exec. Forms: "1.2.3.4:80", "[::1]:80", ":80" (all addresses, IPv6 and
 * IPv4), "localhost:80" (127.0.0.1). Port 0 picks one. `text` gets the bound address in the same form. -EINVAL: not an
 * address. -EADDRINUSE: the message names the process that listens there, as far as /proc shows it. */
must_check int listen_open(const char *address, int *ret_fd, char text[LISTEN_ADDRESS_MAX], uint16_t *ret_port,
                           struct err *err);
