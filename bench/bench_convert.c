/* Our side of bench/convert.py: turns recordings into profiles and says how long that took. Lines in, lines out, as the peers do:
 *
 *     plain SECONDS FILE    converts the recording again and again; answers "ROUNDS CPU_SECONDS BYTES"
 *     gzip SECONDS FILE     the same with every profile compressed
 *     floor SECONDS FILE    reads every byte as a part of a variable-length integer and does nothing else: no converter that looks
 *                           at all of a recording is faster
 */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "jfr/chunks.h"
#include "jfr/varint.h"
#include "os/mapped.h"
#include "pprof/from_jfr.h"

enum { LINE = 4096, MB = 1 << 20 };

static volatile uint64_t sink;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Bytes of all profiles. */
static size_t convert(const struct mapped *file, bool gzip)
{
    struct conversion *c = conversion_new(&(struct conversion_options){.event = "", .cpu_ns = 10000000, .gzip = gzip});
    struct jfr_chunks it = jfr_chunks_of(file->p, file->n);
    struct pprof_result *results;
    struct str chunk;
    struct err err = {0};
    size_t total = 0, n;
    for (int more; (more = jfr_chunks_next(&it, &chunk, &err)) != 0;) {
        if (more < 0 || conversion_add(c, chunk.p, chunk.n, &err) < 0)
            printf("error: %s\n", err.text);
    }
    if (conversion_finish(c, &results, &n, &err) < 0)
        printf("error: %s\n", err.text);
    else
        for (size_t i = 0; i < n; i++)
            total += results[i].len;
    conversion_free(c);
    return total;
}

static size_t floor_of(const struct mapped *file)
{
    const uint8_t *p = file->p, *end = p + file->n;
    uint64_t sum = 0, v;
    while (p && p < end && (p = jfr_varint(p, end, &v)))
        sum += v;
    sink = sum;
    return 0;
}

static void repeat(const char *mode, double seconds, const struct mapped *file)
{
    unsigned rounds = 0;
    size_t bytes = 0;
    const double start = now();
    double took = 0;
    for (; took < seconds; took = now() - start, rounds++)
        bytes = strcmp(mode, "floor") == 0 ? floor_of(file) : convert(file, strcmp(mode, "gzip") == 0);
    printf("%u %.6f %zu\n", rounds, took, bytes);
}

static void serve(const char *line)
{
    char mode[LINE], path[LINE];
    double seconds = 0;
    cleanup_mapped struct mapped file = MAPPED_INIT;
    struct err err = {0};
    if (sscanf(line, "%s %lf %4095[^\n]", mode, &seconds, path) != 3 &&
        sscanf(line, "%s %4095[^\n]", mode, path) != 2) {
        printf("error: what is %s\n", line);
        return;
    }
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || mapped_open(fd, &file, &err) < 0)
        printf("error: %s: %s\n", path, fd < 0 ? "cannot be opened" : err.text);
    else
        repeat(mode, seconds, &file);
}

int main(void)
{
    /* What one conversion gives back is there for the next, as in any program that converts one after the other. */
    (void)mallopt(M_MMAP_THRESHOLD, 64 * MB);
    (void)mallopt(M_TRIM_THRESHOLD, 64 * MB);
    for (char line[LINE]; fgets(line, sizeof line, stdin); fflush(stdout))
        serve(line);
    return 0;
}
