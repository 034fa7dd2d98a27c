/* Events of any content, in a chunk whose metadata and pools are fine, with any options of the conversion: profiles
 * come out that can be read again, or nothing of the chunk stays.
 *
 * Two bytes are the options; then each event is a byte for its type, one for its length, and its payload. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pprof/decode.h"
#include "pprof/from_jfr.h"
#include "pprof/recording.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PROFILE_MAX = 64 << 20, INPUT_MAX = 1 << 16, TEXT_MAX = 1 << 16 };

static const uint8_t types[] = {101, 102, 103, 104, 105, 106, 108, 115, 118,
                                119, 120, 121, 122, 123, 124, 126, 151, 152};

/* Types of async-profiler and, for every second input, of the JDK's recorder. */
static struct chunk_builder begin(bool jdk)
{
    struct buf all = BUF_INIT(TEXT_MAX);
    buf_printf(&all, "%s%s", recording_types, jdk ? recording_jdk_types : recording_more_types);
    struct chunk_builder c = chunk_begin(buf_cstr(&all));
    buf_done(&all);
    return c;
}

static void put_events(struct chunk_builder *c, const uint8_t *data, size_t size)
{
    while (size >= 2) {
        size_t n = data[1] < size - 2 ? data[1] : size - 2;
        chunk_event(c, types[data[0] % sizeof types]);
        buf_append(&c->b, data + 2, n);
        chunk_event_end(c);
        data += 2 + n;
        size -= 2 + n;
    }
}

static void read_again(const struct pprof_result *r)
{
    struct symbols symbols;
    struct profile p;
    symbols_init(&symbols, PROFILE_MAX);
    if (r->samples == 0 || pprof_decode(r->bytes, r->len, PROFILE_MAX, &symbols, &p, NULL) < 0)
        abort();
    profile_done(&p);
    symbols_done(&symbols);
}

static void convert(const struct chunk_builder *chunk, const struct conversion_options *options)
{
    struct conversion *c = conversion_new(options);
    struct pprof_result *results;
    size_t n;
    int code = conversion_add(c, chunk->b.p, chunk->b.len, NULL);
    if (conversion_finish(c, &results, &n, NULL) < 0 || (code < 0 && n > 0))
        abort();
    for (size_t i = 0; i < n; i++)
        read_again(&results[i]);
    conversion_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct chunk_builder prefix[2];
    if (size < 2 || size > INPUT_MAX)
        return 0;
    const unsigned bits = data[0] | (unsigned)data[1] << 8, jdk = bits & 1;
    if (!prefix[jdk].b.p)
        prefix[jdk] = begin(jdk);
    struct chunk_builder chunk = prefix[jdk];
    chunk.b = (struct buf){.max = CHUNK_MAX};
    buf_append(&chunk.b, prefix[jdk].b.p, prefix[jdk].b.len);
    put_events(&chunk, data + 2, size - 2);
    recording_end(&chunk);
    convert(&chunk, &(struct conversion_options){.event = bits & 2 ? "wall" : "cpu",
                                                 .cpu_ns = 10,
                                                 .per_thread = bits & 4,
                                                 .raw_threads = bits & 8,
                                                 .threads_max = bits & 16 ? 1 : 0,
                                                 .allocated_class = bits & 32,
                                                 .lock_class = bits & 64,
                                                 .raw_names = bits & 128,
                                                 .no_lines = bits & 256,
                                                 .frame_types = bits & 512,
                                                 .libraries = bits & 1024,
                                                 .mark_truncated = bits & 2048,
                                                 .compat = bits & 4096});
    buf_done(&chunk.b);
    return 0;
}
