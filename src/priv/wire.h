/* Framed messages with descriptors over a stream socket, between main process, helper and children.
 *
 * A frame is a fixed header, then `len` bytes; its descriptors are sent with the first byte of the header. Native byte
 * order: both ends are the same binary. A reader of non-blocking sockets uses a frame_in; blocking senders (children)
 * use frame_send().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { WIRE_FDS_MAX = 4, WIRE_FRAME_MAX = 8 << 20 };

struct frame_head {
    uint32_t len;
    uint32_t fd_count;
    /* call: operation number or WIRE_PING; reply: enum priv_result or one of those below; child: 1 = last frame */
    uint32_t kind;
    uint32_t timeout_ms;
    uint64_t id;
    uint64_t user, ids; /* call: for whom, and as whom: what a child that is used again has to fit */
};

/* Beside results and operations. To the helper and back, with nothing in it: are you there? */
static const uint32_t WIRE_PING = 1U << 30;
/* With a result: the call is over, its process is not, for it is stuck in the kernel. When it ends at last, WIRE_ENDED
 * names the call. */
static const uint32_t WIRE_STUCK = 1U << 29, WIRE_ENDED = 1U << 28;

struct frame_in {
    struct buf bytes; /* header and body of the frame under way */
    int fds[WIRE_FDS_MAX];
    size_t fd_count;
};

#define WIRE_IN_INIT ((struct frame_in){.bytes = BUF_INIT(sizeof(struct frame_head) + WIRE_FRAME_MAX)})

enum frame_state { WIRE_FRAME, WIRE_AGAIN, WIRE_CLOSED };

/* Reads what is there of one frame. WIRE_FRAME: it is whole; use frame_head_of(), frame_body() and in->fds, then
 * frame_next(). WIRE_CLOSED: end of file, a broken peer or a frame beyond the limit. */
enum frame_state frame_read(int sock, struct frame_in *in);
struct frame_head frame_head_of(const struct frame_in *in);
const uint8_t *frame_body(const struct frame_in *in);
/* Closes the descriptors that are still in in->fds. */
void frame_close_fds(struct frame_in *in);
/* Drops the frame; descriptors still in in->fds (>= 0) are closed. */
void frame_next(struct frame_in *in);
void frame_in_done(struct frame_in *in);

struct frame_out {
    struct frame_head head;
    const uint8_t *body; /* borrowed */
    const int *fds;      /* borrowed */
    size_t sent;         /* bytes of head and body already gone */
};
/* Sends on from out->sent: 1 = all gone, 0 = the socket is full, negative errno. Never raises SIGPIPE. */
int frame_write(int sock, struct frame_out *out);
/* As a whole, waiting while the socket is full. */
must_check int frame_send(int sock, struct frame_out *out);
