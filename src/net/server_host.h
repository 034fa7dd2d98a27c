/* Checks the Host header against DNS rebinding.
 *
 * A web page can make a browser on this host send requests to 127.0.0.1 under a name of its own that resolves to it,
 * and read the responses. It cannot choose the Host header, which carries that name. Source: RFC 9110 §7.2 (Host).
 */
#pragma once

#include <stdbool.h>

/* True for an address, "localhost", a name below ".localhost", this machine's own name, and names in `allowed`
 * (separated by commas, NULL = none), with or without a port. NULL is true: every browser sends the header. */
bool host_is_ours(const char *host, const char *allowed);

/* Whether a request comes from a page of ours, or from no page: by Sec-Fetch-Site where the browser sends it (Fetch
 * Metadata Request Headers), else by Origin (RFC 6454). Each may be NULL. What changes something or shows much asks for
 * it. */
bool origin_is_ours(const char *fetch_site, const char *origin, const char *host);
