/* Reading a target's recording in a child of the helper: the main process makes no call on such a file that could wait for the target.
 *
 * Whoever writes to a file holds its lock while the written bytes come from memory, which a page of a silent FUSE file can be. Reading
 * then waits on some file systems, punching a hole on all, and neither can be interrupted: here that costs a child, on the account of the
 * target's user. A child takes the rights of the file's owner, reads on from where the last one was, sends a finished chunk
 * or puts it into memory of ours, and at last gives its space in the file back; it stays for the next step of the same user. What the main process does itself cannot wait: fstat(2), flock(2) without blocking,
 * and close(2) while the file is small or others have it open.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "jvm/operation/recording.h"
#include "priv/priv.h"

enum { JVM_READ_MS = 5000 };

struct jvm_reading {
    uint64_t user;                     /* whose turn it takes */
    const struct recording *recording; /* how far it was read; its descriptor is lent */
    bool ended;                        /* nobody writes any more */
    bool find_first;                   /* an earlier agent's: begins behind what that one consumed */
};

struct jvm_read {
    bool known; /* false: the child ended before it could tell; reading may go on from where it was */
    enum recording_result result;
    struct recording recording; /* without a descriptor */
    struct jfr_chunk *chunk;    /* with RECORDING_CHUNK; the reference is the callee's */
};
typedef void jvm_read_done(void *arg, struct jvm_read *r);

/* One step: the next finished chunk, if there is one. Returns priv's call id. */
uint64_t jvm_read_recording(struct priv *p, const struct jvm_reading *r, jvm_read_done *done, void *arg);

/* Closes a recording: what freeing its blocks costs is a child's affair. Takes the descriptor. */
void jvm_close_recording(struct priv *p, uint64_t user, int fd);

/* The operations, for the table of the helper. */
void jvm_op_read(struct priv_call *call);
void jvm_op_close(struct priv_call *call);
