/* What blocks of the store cost: bytes, and time in the parser process. CPU time of this process, on one thread; no
 * database, no parser process.
 *
 * - a day: 24 trees of 10,000 nodes, and sums of 20 series with 3,000 nodes in each, made up. One flame graph of all.
 * - recordings, as arguments: each chunk is an interval of one service. Its profiles as the agent writes them are
 *   packed a few MiB at a time, then joined; beside it the flame graph of the same bodies.
 *
 *     bench_block [RECORDING…]
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "jfr/chunks.h"
#include "os/mapped.h"
#include "pprof/from_jfr.h"
#include "store/block.h"
#include "store/block_grow.h"
#include "store/block_rows.h"
#include "store/body_samples.h"
#include "store/digest.h"
#include "store/flame_merge.h"

enum { MAX = 1 << 30, ROUNDS = 5, REQUEST_BYTES = 4 << 20 };
static const double MILLI = 1e3, KB = 1e3;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(int code, const struct err *err)
{
    if (code < 0) {
        fprintf(stderr, "bench_block: %s\n", err->text);
        exit(1);
    }
}

static struct buf ask(const struct parser_service *s, const struct parser_item *items, size_t n)
{
    struct buf out = BUF_INIT(MAX);
    struct err err = {.text = "failed"};
    must(s->serve(items, n, &out, &err), &err);
    return out;
}

/* Milliseconds of the fastest round, and the size of the graph. */
static double flame_ms(const struct parser_service *s, const struct parser_item *items, size_t n, size_t *nodes)
{
    double best = 1e9;
    for (int i = 0; i < ROUNDS; i++) {
        const double start = now();
        cleanup_buf struct buf answer = ask(s, items, n);
        cleanup_flame struct flame f;
        flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
        const double took = now() - start;
        best = took < best ? took : best;
        flame_merge_add(&f, NULL, buf_slice(&answer));
        *nodes = f.node_count;
        if (flame_merge_damaged(buf_slice(&answer)))
            abort();
    }
    return best * MILLI;
}

/* ---- a day ---- */

enum { HOURS = 24, SERIES = 20, NODES = 10000, SUM_NODES = 3000, FUNCTIONS = 3000, SUM_ROWS = 8 };

static uint64_t seed = 1;

static unsigned below(unsigned n)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(seed >> 33) % n;
}

/* Stacks of 10,000 nodes: mostly long ones that leave one another deep down. */
static struct buf made_tree(struct gzip_packer *packer)
{
    struct grown_tree g = {0};
    struct symbols s;
    struct err err = {0};
    struct buf out = BUF_INIT(MAX);
    symbols_init(&s, MAX);
    must(grown_tree_begin(&g, STR(""), &err), &err);
    for (uint32_t node = 0; g.node_count < NODES;) {
        char name[64];
        bool added;
        const unsigned of = below(FUNCTIONS);
        snprintf(name, sizeof name, "com.example.part%u.Class%u.method%u", of % 40, of / 4, of);
        const struct pprof_function f = {.name = symbols_string(&s, str_of(name))};
        const struct pprof_location l = {.function = symbols_function(&s, f), .line = (int32_t)below(3)};
        node = grown_tree_child(&g, node, grown_tree_frame(&g, &s, symbols_location(&s, l)), &added);
        if (below(12) == 0)
            node = below((unsigned)g.node_count);
    }
    const struct grown_size size = grown_tree_size(&g);
    must(grown_tree_put(&g, &size, packer, &out), &err);
    grown_tree_done(&g);
    symbols_done(&s);
    return out;
}

static struct buf made_sum(struct gzip_packer *packer)
{
    struct block_rows_maker m = BLOCK_ROWS_MAKER_INIT;
    struct block_ids ids = BLOCK_IDS_INIT;
    struct err err = {0};
    cleanup_free struct block_value *values = xcalloc(SUM_NODES, sizeof *values);
    cleanup_buf struct buf rows = BUF_INIT(MAX);
    struct buf sum = BUF_INIT(MAX);
    for (size_t i = 0; i < SUM_NODES; i++)
        values[i] = (struct block_value){.node = below(NODES), .value = 10000000 * (1 + (int64_t)below(400))};
    const struct block_row row = {values, SUM_NODES, 10000000};
    for (int i = 0; i < SUM_ROWS; i++)
        block_rows_count(&m, &row);
    block_rows_rank(&m);
    for (int i = 0; i < SUM_ROWS; i++)
        block_rows_add(&m, &row);
    must(block_rows_put(&m, &ids, packer, &rows, &sum), &err);
    block_rows_maker_done(&m);
    return sum;
}

static void bench_day(void)
{
    struct parser_item items[HOURS];
    struct buf heads[HOURS], bytes[HOURS];
    const struct flame_ask how = {.nodes = FLAME_NODES_MAX};
    cleanup_gzip_packer struct gzip_packer packer = GZIP_PACKER_INIT(BLOCK_DEFLATE_LEVEL);
    size_t trees = 0, sums = 0, nodes;
    for (size_t h = 0; h < HOURS; h++) {
        cleanup_buf struct buf tree = made_tree(&packer);
        struct buf made[SERIES];
        struct block_want wants[SERIES];
        trees += tree.len;
        for (size_t i = 0; i < SERIES; i++) {
            made[i] = made_sum(&packer);
            sums += made[i].len;
            wants[i] = (struct block_want){.blob = buf_slice(&made[i]), .is_sum = true};
        }
        heads[h] = BUF_INIT(MAX);
        bytes[h] = BUF_INIT(MAX);
        flame_ask_put(&how, &heads[h]);
        block_wants_put(buf_slice(&tree), wants, SERIES, &heads[h], &bytes[h]);
        items[h] = (struct parser_item){buf_slice(&heads[h]), buf_slice(&bytes[h])};
        for (size_t i = 0; i < SERIES; i++)
            buf_done(&made[i]);
    }
    const double ms = flame_ms(&block_flame_service, items, HOURS, &nodes);
    printf("a day, %d trees of %d nodes, %d sums of %d: %.1f ms for a graph of %zu nodes; %.2f B per node with its "
           "names, %.1f KB per sum\n",
           HOURS, NODES, HOURS * SERIES, SUM_NODES, ms, nodes, (double)trees / HOURS / NODES,
           (double)sums / KB / HOURS / SERIES);
    for (size_t h = 0; h < HOURS; h++) {
        buf_done(&heads[h]);
        buf_done(&bytes[h]);
    }
}

/* ---- recordings ---- */

enum { BODIES_MAX = 4096, PARTS_MAX = 64, SLICES_MAX = 256, REQUESTS_MAX = 64 };

struct bench_series {
    char type[256];
    int64_t split;
    struct buf rows[REQUESTS_MAX], joined, sum;
    size_t profiles;
};
struct service {
    struct str pprofs[BODIES_MAX]; /* gzip */
    const char *names[BODIES_MAX];
    size_t count, bytes, plain;
    struct block_part parts[BODIES_MAX][PARTS_MAX];
    size_t part_count[BODIES_MAX];
    struct bench_series series[SLICES_MAX];
    size_t series_count;
    struct buf tree;
    uint32_t nodes;
    size_t requests;
};

static void service_add_chunk(struct service *s, struct str chunk)
{
    struct conversion *c =
        conversion_new(&(struct conversion_options){.event = "itimer", .cpu_ns = 2000000, .gzip = true});
    struct pprof_result *results;
    struct err err = {0};
    size_t n;
    must(conversion_add(c, chunk.p, chunk.n, &err), &err);
    must(conversion_finish(c, &results, &n, &err), &err);
    for (size_t i = 0; i < n && s->count < BODIES_MAX; i++) {
        s->names[s->count] = results[i].name;
        s->bytes += results[i].len;
        s->pprofs[s->count++] = (struct str){(char *)TAKE_PTR(results[i].bytes), results[i].len};
    }
    conversion_free(c);
}

static void service_add_recording(struct service *s, const char *path)
{
    struct mapped file;
    struct str chunk;
    struct err err = {0};
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    must(mapped_open(fd, &file, &err), &err);
    struct jfr_chunks it = jfr_chunks_of(file.p, file.n);
    for (int more; (more = jfr_chunks_next(&it, &chunk, &err)) != 0;) {
        must(more, &err);
        service_add_chunk(s, chunk);
    }
    mapped_done(&file);
}

static uint32_t service_series(struct service *s, const char *name, struct str type, int64_t split)
{
    char key[256];
    snprintf(key, sizeof key, "%s:%.*s", name, STR_ARG(type));
    for (size_t i = 0; i < s->series_count; i++) {
        if (s->series[i].split == split && strcmp(s->series[i].type, key) == 0)
            return (uint32_t)i;
    }
    if (s->series_count == SLICES_MAX)
        abort();
    struct bench_series *new = &s->series[s->series_count];
    memcpy(new->type, key, sizeof key);
    new->split = split;
    return (uint32_t)s->series_count++;
}

/* As the store does at a push. */
static void service_digest(struct service *s, size_t body)
{
    const struct parser_item item = {.bytes = s->pprofs[body]};
    cleanup_buf struct buf answer = ask(&digest_service, &item, 1);
    struct cursor c = cursor_of(answer.p, answer.len);
    cleanup_digest struct digest d = {0};
    struct err err = {0};
    must(digest_read(&c, &d, &err), &err);
    size_t n = 0;
    for (size_t i = 0; i < d.split_count; i++) {
        for (uint32_t t = 0; t < d.type_count && n < PARTS_MAX; t++) {
            const uint32_t slice = service_series(s, s->names[body], d.types[t], d.splits[i].number);
            s->parts[body][n++] = (struct block_part){d.splits[i].number, t, slice};
            s->series[slice].profiles++;
        }
    }
    s->part_count[body] = n;
}

/* Of what is inflated (RFC 1952 §2.3.1). */
static size_t plain_size(struct str gzip)
{
    uint32_t size;
    memcpy(&size, gzip.p + gzip.n - 4, sizeof size);
    return size;
}

/* Packs some of the bodies; how many. */
static size_t service_pack(struct service *s, size_t first)
{
    static struct block_body bodies[BODIES_MAX];
    size_t n = 0, plain = 0;
    for (; first + n < s->count && (n == 0 || plain + plain_size(s->pprofs[first + n]) <= REQUEST_BYTES); n++) {
        plain += plain_size(s->pprofs[first + n]);
        bodies[n] = (struct block_body){s->pprofs[first + n], s->parts[first + n], s->part_count[first + n]};
    }
    s->plain += plain;
    cleanup_buf struct buf head = BUF_INIT(MAX), bytes = BUF_INIT(MAX);
    block_pack_request(buf_slice(&s->tree), bodies, n, (uint32_t)s->series_count, &head, &bytes);
    const struct parser_item item = {buf_slice(&head), buf_slice(&bytes)};
    cleanup_buf struct buf answer = ask(&block_pack_service, &item, 1);
    cleanup_block_packed struct block_packed packed = {0};
    struct err err = {0};
    must(block_pack_read(buf_slice(&answer), &packed, &err), &err);
    buf_reset(&s->tree);
    buf_str(&s->tree, packed.tree);
    s->nodes = packed.nodes;
    for (size_t i = 0; i < packed.slice_count && s->requests < REQUESTS_MAX; i++) {
        s->series[i].rows[s->requests] = BUF_INIT(MAX);
        buf_str(&s->series[i].rows[s->requests], packed.slices[i].rows);
    }
    s->requests++;
    return n;
}

static void service_join(struct service *s)
{
    for (size_t i = 0; i < s->series_count; i++) {
        struct str rows[REQUESTS_MAX];
        struct block_slice joined;
        struct err err = {0};
        cleanup_buf struct buf head = BUF_INIT(MAX), bytes = BUF_INIT(MAX);
        for (size_t k = 0; k < s->requests; k++)
            rows[k] = buf_slice(&s->series[i].rows[k]);
        block_join_request(rows, s->requests, &head, &bytes);
        const struct parser_item item = {buf_slice(&head), buf_slice(&bytes)};
        cleanup_buf struct buf answer = ask(&block_join_service, &item, 1);
        struct cursor c = cursor_of(answer.p, answer.len);
        must(block_join_read(&c, &joined, &err), &err);
        s->series[i].joined = BUF_INIT(MAX);
        s->series[i].sum = BUF_INIT(MAX);
        buf_str(&s->series[i].joined, joined.rows);
        buf_str(&s->series[i].sum, joined.sum);
    }
}

/* The graph of one type, of all that its series have. */
static void service_flame(struct service *s, size_t of)
{
    const struct flame_ask how = {.nodes = FLAME_NODES_MAX};
    static struct parser_item items[BODIES_MAX];
    static struct buf heads[BODIES_MAX];
    size_t n = 0, nodes = 0, block_nodes = 0;
    for (size_t b = 0; b < s->count; b++) {
        heads[n] = BUF_INIT(MAX);
        flame_ask_put(&how, &heads[n]);
        for (size_t k = 0; k < s->part_count[b]; k++) {
            const struct body_part part = {s->parts[b][k].split, s->parts[b][k].type};
            if (s->parts[b][k].slice == of)
                buf_append(&heads[n], &part, sizeof part);
        }
        items[n] = (struct parser_item){buf_slice(&heads[n]), s->pprofs[b]};
        n += heads[n].len > sizeof(struct flame_how);
    }
    const double bodies_ms = flame_ms(&flame_merge_service, items, n, &nodes);
    const struct bench_series *series = &s->series[of];
    const struct block_want wants[] = {{.blob = buf_slice(&series->joined)},
                                       {.blob = buf_slice(&series->sum), .is_sum = true}};
    double ms[2] = {0};
    for (int k = 0; k < (series->sum.len ? 2 : 1); k++) {
        cleanup_buf struct buf head = BUF_INIT(MAX), bytes = BUF_INIT(MAX);
        flame_ask_put(&how, &head);
        block_wants_put(buf_slice(&s->tree), &wants[k], 1, &head, &bytes);
        const struct parser_item item = {buf_slice(&head), buf_slice(&bytes)};
        ms[k] = flame_ms(&block_flame_service, &item, 1, &block_nodes);
        if (block_nodes != nodes)
            abort();
    }
    printf("  %s: %zu profiles, rows %.0f B each, sum %.1f KB; graph of %zu nodes %.2f ms from bodies, %.2f from rows, "
           "%.2f from the sum\n",
           series->type, series->profiles, (double)series->joined.len / (double)series->profiles,
           (double)series->sum.len / KB, nodes, bodies_ms, ms[0], ms[1]);
}

static void bench_recording(const char *path, int more, char **others)
{
    struct service *s = xcalloc(1, sizeof *s);
    size_t rows = 0, sums = 0;
    s->tree = BUF_INIT(MAX);
    service_add_recording(s, path);
    for (int i = 0; i < more; i++)
        service_add_recording(s, others[i]);
    for (size_t i = 0; i < s->count; i++)
        service_digest(s, i);
    const double start = now();
    for (size_t at = 0; at < s->count;)
        at += service_pack(s, at);
    const double packed = now();
    service_join(s);
    const double joined = now();
    for (size_t i = 0; i < s->series_count; i++) {
        rows += s->series[i].joined.len;
        sums += s->series[i].sum.len;
    }
    const double block = (double)(s->tree.len + rows + sums);
    printf(
        "%s: %zu profiles of %.1f KB gzip: %.0f B each in a block, %.1f %%; tree of %u nodes %.1f KB, %.2f B per node; "
        "rows %.1f KB, sums %.1f KB; packing %.1f ms per MiB, joining %.1f ms\n",
        path, s->count, (double)s->bytes / KB / (double)s->count, block / (double)s->count,
        100 * block / (double)s->bytes, s->nodes, (double)s->tree.len / KB, (double)s->tree.len / s->nodes,
        (double)rows / KB, (double)sums / KB, (packed - start) * MILLI / ((double)s->plain / (1 << 20)),
        (joined - packed) * MILLI);
    for (size_t i = 0; i < s->series_count; i++)
        service_flame(s, i);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    bench_day();
    if (argc > 1)
        bench_recording(argv[1], argc - 2, argv + 2);
    return 0;
}
