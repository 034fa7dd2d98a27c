/* The HTTP server as its handlers see it: routes, the request, the reply. Loop thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct request;
struct reply_stream;

/* From where the browser may send a request: what a page of another origin starts it must not read, and may not start
 * all of it. */
enum route_origin {
    FROM_ANYWHERE,
    FROM_LINKS, /* where somebody follows one; not embedded in a page or fetched by it */
    FROM_HERE,  /* from pages of this server only, and from what is no browser */
};

/* A path ending in '*' matches every path with what is before it; the longest match wins. method NULL: any method. */
struct server_route {
    const char *method, *path; /* path NULL ends the table */
    void (*handle)(void *ctx, struct request *rq);
    bool always; /* also while too many other requests are at work: probes, which answer at once */
    enum route_origin origin;
};

/* The request: valid in the handler and, when it is kept, until the reply. Strings are borrowed for that long. */
const char *request_method(const struct request *rq);
const char *request_path(const struct request *rq); /* percent-decoded */
const char *request_tail(const struct request *rq); /* what the route's '*' matched, "" without one */
/* NULL when missing. The first one of that name. */
const char *request_query(const struct request *rq, const char *name);
/* All parameters, in their order; a value may be NULL. */
void request_each_parameter(const struct request *rq, void (*visit)(void *arg, const char *name, const char *value),
                            void *arg);
const char *request_header(const struct request *rq, const char *name);
/* Whether its reply may be gzip. Text and JSON that are not compressed yet become so by themselves. */
bool request_accepts_gzip(const struct request *rq);
struct str request_body(const struct request *rq);
/* The body moves to the caller: freed with free(), no longer counted against the server's memory. */
uint8_t *request_take_body(struct request *rq, size_t *len);

/* Adds a header to the reply to come; name and value are copied. */
void request_set_header(struct request *rq, const char *name, const char *value);
/* Exactly one reply per request; the request is gone afterwards. content_type NULL: no such header. */
void request_reply(struct request *rq, unsigned status, const char *content_type, struct str body);        /* copies */
void request_reply_static(struct request *rq, unsigned status, const char *content_type, struct str body); /* borrows */
/* Moves the content out of `body`; a failed buffer becomes a 500. */
void request_reply_buf(struct request *rq, unsigned status, const char *content_type, struct buf *body);
void request_reply_text(struct request *rq, unsigned status, const char *fmt, ...) printf_like(3, 4);

/* A reply of unknown length instead, status 200: it goes on until stream_end(), or until the client or the server ends,
 * when `gone` is called (but not after stream_end()) and the stream must not be used any more. NULL when it has gone
 * already; `gone` is not called then. */
struct reply_stream *request_stream(struct request *rq, const char *content_type, void (*gone)(void *arg), void *arg);
/* Copies. False: the client reads too slowly, and this piece is left out; a piece is never cut. */
bool stream_send(struct reply_stream *s, struct str text);
void stream_end(struct reply_stream *s);
/* How much may wait for the client, instead of 1 MiB; before the first piece. */
void stream_set_max(struct reply_stream *s, size_t max);
