/* OAuth 2.0 client credentials (RFC 6749 §4.4): requests a token, keeps it until shortly before it expires, and puts it
 * into the Authorization header of requests (http_request.authorizer).
 *
 * Client ID and secret are sent by HTTP basic authentication first, and as form fields if the server rejects that
 * (§2.3.1; golang.org/x/oauth2 does the same). The secret's file is read for every token; a changed file ends the
 * token, and so does a server that answers 401. One request for a token at a time, however many wait for it. Loop
 * thread only.
 */
#pragma once

#include "base/buf.h"
#include "net/http_client.h"

struct oauth2;

/* Borrowed until oauth2_free(). */
struct oauth2_settings {
    const char *token_url, *client_id;
    const char *client_secret, *client_secret_file; /* one of them */
    struct http_proxy proxy;
    struct http_tls tls;
};

/* Takes `form`, may be NULL: more fields of the request, see oauth2_form_put(). */
struct oauth2 *oauth2_new(const struct oauth2_settings *settings, char *form);
/* Requests that wait for a token fail, and those under way get no other one. NULL is allowed. */
void oauth2_free(struct oauth2 *o);
struct http_authorizer *oauth2_authorizer(struct oauth2 *o);

/* Appends "&name=value", encoded as application/x-www-form-urlencoded. */
void oauth2_form_put(struct buf *form, struct str name, struct str value);
