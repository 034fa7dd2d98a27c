/* The connections of a server: their phases, deadlines, and eviction.
 *
 * Every local user can connect, so no client may hold resources others need. A connection must send its header within
 * HEADER_MS and its body at BODY_LEAST bytes per second, and may be idle for IDLE_MS. At most SERVER_CONNECTIONS are
 * open without a request being processed. New connections are always accepted; beyond the limit a connection of the
 * address with the most connections is closed: an idle one first, then one without a complete header, then the slowest
 * sender of a body, then the oldest reader of a reply. So a health check, which sends its request immediately, is
 * always answered.
 *
 * Replies are in memory until they have been read. When those of all connections exceed the server's limit, connections
 * of the address with the most of them are closed: whoever has been reading for longest, and for a while.
 *
 * All addresses in 127.0.0.0/8 count as one, and those of an IPv6 /64, because one host can use as many of these as it
 * likes.
 */
#pragma once

#include "net/server_state.h"

enum {
    SERVER_CONNECTIONS = 64,
    HEADER_MS = 5000,
    IDLE_MS = 30000,
    REPLY_MS = 120000,
    BODY_LEAST = 1024,
    BODY_GRACE_MS = 5000,
    BODY_QUICK_MS = 1000,
    REPLY_QUICK_MS = 1000
};
/* Of one address but loopback's, so that some are left for the others; the same share where the limit is another. */
enum { PEER_CONNECTIONS = SERVER_CONNECTIONS * 3 / 4 };

/* A connection was accepted. Another one may be closed for it. */
struct peer *peer_new(struct daemon *d, struct MHD_Connection *connection);
void peer_free(struct peer *p);
void peer_enter(struct peer *p, enum peer_phase phase);
/* Bytes of the body came. */
void peer_progress(struct peer *p, size_t bytes);
/* There is no memory for what `asker` sends: whoever has been sending a body for longest, and for a while, gives up
 * its. */
void peer_reclaim_memory(struct server *s, const struct peer *asker);
/* Sends a reply that takes memory until the next phase. Others may be closed for it. */
void peer_reply(struct peer *p, size_t bytes);
/* Whether a request is on its way through. */
bool peer_is_busy(const struct peer *p);
/* It is over for this one; libmicrohttpd notices soon. */
void peer_hang_up(struct peer *p);
