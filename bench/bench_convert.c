/* Speed of turning recordings into profiles, in MB of JFR per second, without and with compression of the result.
 *
 * The floor is what reading every byte of a recording as variable-length integers takes: no converter that looks at all of it is
 * faster. Memory is what the heap grew by at the end of a conversion, results included. Recordings lie beside the checkout
 * (../shared/corpus/jfr, or what SMOLDER_JFR_CORPUS names).
 */
#include <dirent.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "jfr/chunk.h"
#include "jfr/varint.h"
#include "pprof/from_jfr.h"

enum { MB = 1 << 20, FILE_MAX = 64 * MB };
static const double SECONDS = 0.2, MEGA = 1e6, KIB = 1024;

static volatile uint64_t sink;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const char *corpus(void)
{
    const char *dir = getenv("SMOLDER_JFR_CORPUS");
    return dir ? dir : SOURCE_ROOT "/../shared/corpus/jfr";
}

static bool read_gzip(const char *name, struct buf *out)
{
    cleanup_free char *path = xasprintf("%s/%s", corpus(), name);
    cleanup_fclose FILE *f = fopen(path, "rb");
    cleanup_buf struct buf packed = BUF_INIT(FILE_MAX);
    for (size_t n = 1; f && n > 0; packed.len += n) {
        uint8_t *to = buf_reserve(&packed, MB);
        n = to ? fread(to, 1, MB, f) : 0;
    }
    return f && gzip_inflate(buf_slice(&packed), out, NULL) == 0;
}

static void floor_of(struct str file, size_t *heap)
{
    const uint8_t *p = (const uint8_t *)file.p, *end = p + file.n;
    uint64_t sum = 0, v;
    while (p && p < end && (p = jfr_varint(p, end, &v)))
        sum += v;
    sink = sum;
    *heap = 0;
}

static void convert(struct str file, bool gzip, size_t *heap)
{
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd, n;
    struct conversion *c = conversion_new(&(struct conversion_options){.event = "", .cpu_ns = 10000000, .gzip = gzip});
    struct pprof_result *results;
    struct err err = {0};
    while (file.n >= JFR_HEADER_SIZE) {
        int64_t size = jfr_chunk_finished((const uint8_t *)file.p);
        if (size <= 0 || (uint64_t)size > file.n || conversion_add(c, file.p, (size_t)size, &err) < 0)
            break;
        file = (struct str){file.p + size, file.n - (size_t)size};
    }
    if (file.n || conversion_finish(c, &results, &n, &err) < 0)
        printf("refused: %s\n", err.text);
    *heap = mallinfo2().uordblks + mallinfo2().hblkhd - before;
    conversion_free(c);
}

static void plain(struct str file, size_t *heap)
{
    convert(file, false, heap);
}

static void packed(struct str file, size_t *heap)
{
    convert(file, true, heap);
}

static double megabytes_per_second(void (*run)(struct str file, size_t *heap), struct str file, size_t *heap)
{
    run(file, heap); /* warm */
    unsigned rounds = 0;
    double start = now(), took = 0;
    for (; took < SECONDS; took = now() - start, rounds++)
        run(file, heap);
    return (double)file.n * rounds / took / MEGA;
}

int main(void)
{
    double logs[3] = {0};
    unsigned files = 0;
    cleanup_closedir DIR *d = opendir(corpus());
    printf("%-42s %9s %10s %10s %10s %10s\n", "recording", "bytes", "floor MB/s", "pprof", "gzip", "heap KiB");
    for (const struct dirent *e; d && (e = readdir(d));) {
        cleanup_buf struct buf file = BUF_INIT(FILE_MAX);
        if (!str_has_suffix(str_of(e->d_name), STR(".jfr.gz")) || !read_gzip(e->d_name, &file))
            continue;
        size_t ignored, heap;
        double speeds[3] = {megabytes_per_second(floor_of, buf_slice(&file), &ignored),
                            megabytes_per_second(plain, buf_slice(&file), &heap),
                            megabytes_per_second(packed, buf_slice(&file), &ignored)};
        printf("%-42s %9zu %10.0f %10.0f %10.0f %10.0f\n", e->d_name, file.len, speeds[0], speeds[1], speeds[2],
               (double)heap / KIB);
        for (size_t i = 0; i < 3; i++)
            logs[i] += log(speeds[i]);
        files++;
    }
    if (files == 0) {
        printf("no recordings in %s\n", corpus());
        return 77; /* skipped */
    }
    printf("%-42s %9s %10.0f %10.0f %10.0f\n", "geometric mean", "", exp(logs[0] / files), exp(logs[1] / files),
           exp(logs[2] / files));
    return 0;
}
