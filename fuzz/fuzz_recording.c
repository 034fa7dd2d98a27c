/* A recording of any bytes, tailed live, after its end, and by a later agent: never more than the file holds, never
 * without an end. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "jvm/operation/recording.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t last_byte; /* the sanitizer sees that all of a chunk is there */

static void drain(struct recording *r, bool ended)
{
    for (size_t looks = 0; looks < 1000; looks++) {
        struct jfr_chunk *c;
        enum recording_result result = recording_next(r, ended, &c);
        if (result == RECORDING_CHUNK) {
            if (c->len > RECORDING_CHUNK_MAX || c->end_ns < c->start_ns || c->bytes[0] != 'F')
                abort();
            last_byte = c->bytes[c->len - 1];
            jfr_chunk_unref(c);
        } else if (result != RECORDING_DROPPED && looks > 1) {
            return;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("recording", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    struct recording live = RECORDING_INIT, later = RECORDING_INIT;
    live.fd = fd;
    later.fd = dup(fd);
    drain(&live, false);
    if (recording_find_first(&later, NULL) == 0)
        drain(&later, true);
    recording_done(&live);
    recording_done(&later);
    return 0;
}
