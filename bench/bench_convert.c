/* Our side of bench/convert.py: turns recordings into profiles and says how long that took. Lines in, lines out, as the
 * peers do:
 *
 *     plain SECONDS FILE    converts the recording again and again; answers "ROUNDS CPU_SECONDS BYTES"
 *     gzip SECONDS FILE     the same with every profile compressed
 *     count SECONDS FILE    converts it once; answers "EVENTS FRAMES": those that went into profiles, and those of
 *                           all stacks
 *     floor SECONDS FILE    reads every byte as a part of a variable-length integer and does nothing else: no
 *                           converter that looks at all of a recording is faster
 */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "jfr/chunks.h"
#include "jfr/cpool.h"
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

static struct conversion *converted(const struct mapped *file, bool gzip)
{
    struct conversion *c = conversion_new(&(struct conversion_options){.event = "", .cpu_ns = 10000000, .gzip = gzip});
    struct jfr_chunks it = jfr_chunks_of(file->p, file->n);
    struct str chunk;
    struct err err = {0};
    for (int more; (more = jfr_chunks_next(&it, &chunk, &err)) != 0;) {
        if (more < 0 || conversion_add(c, chunk.p, chunk.n, &err) < 0)
            printf("error: %s\n", err.text);
    }
    return c;
}

/* Bytes of all profiles. */
static size_t convert(const struct mapped *file, bool gzip)
{
    struct conversion *c = converted(file, gzip);
    struct pprof_result *results;
    struct err err = {0};
    size_t total = 0, n;
    if (conversion_finish(c, &results, &n, &err) < 0)
        printf("error: %s\n", err.text);
    else
        for (size_t i = 0; i < n; i++)
            total += results[i].len;
    conversion_free(c);
    return total;
}

/* Frames of the stacks of a chunk, 0 where it cannot be read. */
static uint64_t frames_of(struct str chunk)
{
    enum { ARENA_MAX = 16 * MB };
    struct jfr_header header;
    cleanup_arena struct arena arena = ARENA_INIT(ARENA_MAX);
    cleanup_jfr_metadata struct jfr_metadata m = JFR_METADATA_INIT;
    struct jfr_pool stacks = {.type = "jdk.types.StackTrace", .fields = {"frames"}};
    const uint8_t *p = (const uint8_t *)chunk.p, *end = p + chunk.n;
    uint64_t frames = 0, n;
    if (jfr_header_read(p, chunk.n, &header, NULL) == 0 &&
        jfr_metadata_read(p, chunk.n, header.metadata, &arena, &m, NULL) == 0 &&
        jfr_pools_read(p, &header, &m, &arena, &stacks, 1, NULL) == 0) {
        for (size_t i = 0; i < stacks.len; i++) {
            struct jfr_record stack = {0};
            if (jfr_plan_look(&stacks.plan, p + stacks.entries[i].at, end, &stack) &&
                jfr_varint(stack.v[0].at, end, &n))
                frames += n;
        }
    }
    jfr_pools_done(&stacks, 1);
    return frames;
}

static void count(const struct mapped *file)
{
    struct conversion *c = converted(file, false);
    size_t n;
    const struct conversion_event *events = conversion_events(c, &n);
    uint64_t event_count = 0, frames = 0;
    for (size_t i = 0; i < n; i++)
        event_count += events[i].count;
    struct jfr_chunks it = jfr_chunks_of(file->p, file->n);
    struct str chunk;
    for (int more; (more = jfr_chunks_next(&it, &chunk, NULL)) != 0;)
        frames += more > 0 ? frames_of(chunk) : 0;
    printf("%llu %llu\n", (unsigned long long)event_count, (unsigned long long)frames);
    conversion_free(c);
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
    else if (strcmp(mode, "count") == 0)
        count(&file);
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
