/* Detects requests with ambiguous framing.
 *
 * If a proxy in front of us disagrees about the end of a request, a client can smuggle requests past it. libmicrohttpd
 * picks one of two lengths, prefers chunks to a length, and waits for the end of the connection with an unknown coding.
 * RFC 9112 §6.1, §6.3 and RFC 9110 §5.1 require that such requests are rejected and the connection closed.
 */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>

/* False: two lengths, a length and chunks, a coding but "chunked", chunks in HTTP/1.0, two Hosts, or a name of a header
 * that is none. */
bool framing_is_clear(struct MHD_Connection *connection, const char *version);
