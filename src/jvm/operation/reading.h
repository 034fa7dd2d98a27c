/* Reads a target's recording in a child of the helper: the main process makes no call on such a file that the target
 * can block.
 *
 * A writer holds the inode lock until its data has been copied, and the source can be a page of a hanging FUSE file.
 * Reading then blocks on some file systems, hole punching on all, uninterruptibly; here that costs a child, accounted
 * to the target's user. A child takes the privileges of the file's owner, continues where the last one ended, sends a
 * finished chunk or puts it into a memfd, punches a hole in its place, and stays for the next step of the same user.
 * The main process only makes calls that cannot block: fstat(2), non-blocking flock(2), and close(2) while the file is
 * small or others have it open.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "jvm/operation/recording.h"
#include "priv/priv.h"

/* How long each may take; the most bytes of a call. */
enum { JVM_READ_MS = 5000, JVM_CLOSE_MS = 60000, JVM_READ_BYTES = 1024 };

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
