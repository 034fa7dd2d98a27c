/* Packed bytes of any format: they end, with an error or without, and nothing is written beyond the room. */
#include <stdint.h>
#include <stdlib.h>

#include "base/unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_MAX = 1 << 20, ROOM = 777 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct unpacker *u;
    const struct unpack_format *f = unpack_recognise((struct str){(const char *)data, size});
    if (!f || unpacker_new(f, &u, NULL) < 0)
        return 0;
    uint8_t room[ROOM];
    size_t made = 0;
    struct unpack_io io = {data, size, NULL, 0};
    int code = 0;
    while (code == 0 && made < OUT_MAX) {
        io.out = room;
        io.out_len = sizeof room;
        code = unpacker_step(u, &io, true, NULL);
        if (io.out_len > sizeof room || io.out != room + sizeof room - io.out_len)
            abort();
        made += sizeof room - io.out_len;
    }
    unpacker_free(u);
    return 0;
}
