/* The single place that decides what is secret in a text.
 *
 * Used for logs, diagnostics, the JSON of components and support bundles. A secret is recognised by its name
 * ("password", "X-Api-Key", "AWS_SECRET_ACCESS_KEY") or by its format (user information of a URL, "Bearer …"). In
 * addition, the values of environment variables with secret names are redacted wherever they occur, since a
 * configuration may use them for anything. When in doubt, redact. Thread safe.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

#define SECRET_HIDDEN "(secret)"

/* Whether what goes by this name (an attribute, a header, a variable, a flag) is likely a secret. */
bool secret_name(struct str name);
/* Whether the members of what goes by this name are judged as HTTP headers are: "headers", "proxy_connect_header", and
 * parameters sent to an endpoint of OAuth. */
bool secret_is_headers(struct str name);
/* Whether the value of an HTTP header may be one: of any that is not known to be harmless, as X-Scope-OrgID is. */
bool secret_header(struct str name);

/* A configuration uses this one: it is hidden wherever it turns up, for example in what a server says to it. Only words
 * of eight characters or more that do not look like those of prose, and the last 256 of all. */
void secret_learn(struct str value);

/* Whether a secret that was sent is the one wanted, which is not empty. Takes as long for a wrong one, however much of
 * it is right. */
bool secret_equal(struct str sent, struct str wanted);

/* The next piece of `text` from byte `at` on that is secret: its first byte and the one behind its last. False: there
 * is none. Pieces are user information of URLs (RFC 3986 §3.2.1), values behind secret names ("token=…", "Cookie: …",
 * "--password …"), credentials behind their scheme ("Bearer …"), and known values. */
bool secret_find(struct str text, size_t at, size_t *ret_first, size_t *ret_end);
/* The text with SECRET_HIDDEN in place of each. */
void secret_hide(struct str text, struct buf *out);
