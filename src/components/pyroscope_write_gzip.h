/* Compresses profiles that came plain, as other agents push them and programs serve them, before they are queued: a
 * server takes both in a message, and a queue, a spool and a network hold several times as many.
 *
 * A request as a whole is not compressed: it would shrink by its labels only, as the profiles of this agent are
 * compressed already: by 3 % of 4 KiB, 0.5 % of 25 KiB. Servers announce gzip and nothing else (Connect,
 * "Unary-Request"; connect-go has no other algorithm unless it is given one, and Pyroscope and Alloy give it none), so
 * zstd would be answered with "unimplemented".
 *
 * One at a time in a worker; with more than WRITE_GZIP_BYTES waiting, profiles go on as they are. Loop thread.
 */
#pragma once

#include <uv.h>

#include "components/pyroscope_write_latency.h"
#include "flow/receiver.h"

enum { WRITE_GZIP_BYTES = 16 << 20, WRITE_GZIP_LEAST = 512 };

/* All are borrowed; `latency` may be NULL. */
typedef void write_gzip_done(void *ctx, const struct labels *labels, struct encoded_profile *p,
                             struct write_latency *latency);

struct write_gzip;
struct write_gzip *write_gzip_new(uv_loop_t *loop, write_gzip_done *done, void *ctx);
/* Passes it on, now or when it is compressed. Takes references for as long. */
void write_gzip_append(struct write_gzip *g, const struct labels *labels, struct encoded_profile *p,
                       struct write_latency *latency);
/* Passes on all that waits, as it is. */
void write_gzip_flush(struct write_gzip *g);
/* NULL is allowed. What waits is passed on no more. */
void write_gzip_free(struct write_gzip *g);
