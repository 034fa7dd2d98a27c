/* Whether a request says clearly where it ends.
 *
 * With two opinions about that, a proxy in front of us and we disagree about what is the next request, and a client gets requests past
 * the proxy. libmicrohttpd picks one of two lengths, prefers chunks to a length, and waits for the end of the connection with a coding
 * it does not know. RFC 9112 §6.1, §6.3 and RFC 9110 §5.1 want such requests refused and the connection closed.
 */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>

/* False: two lengths, a length and chunks, a coding but "chunked", chunks in HTTP/1.0, two Hosts, or a name of a header that is none. */
bool framing_is_clear(struct MHD_Connection *connection, const char *version);
