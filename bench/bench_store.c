/* Profiles for store.py.
 *
 *   bench_store profiles JVMS BEGIN_S SECONDS THREADS
 *                                      to standard output: what so many JVMs of one service push, every 15 s
 *   bench_store repeat DATABASE HOURS  what a closed store has, again before that, until it is so many hours
 *   bench_store age DATABASE           its blocks were not changed lately: they are sealed at the next start
 *
 * A record of the first is three numbers of 32 bits, the JVM, the kind (0 cpu, 1 alloc, 2 lock) and the size, the
 * totals of its two sample types, then a pprof, gzip-compressed at the level of the agent. Stacks are drawn from a
 * program of 8,000 by Zipf's law, so that a profile has some hundred, as profiles of a busy JVM do, and always some
 * that none before it had. All JVMs run the same program; each has favourites of its own. With THREADS, samples have
 * a label `thread` of so many values, which makes as many series.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "pprof/encode.h"
#include "store/slices.h"

enum {
    STACKS = 8000,
    METHODS = 3000,
    DEPTH_MAX = 64,
    DEPTH_FIRST = 20,
    BRANCH_MAX = 8,
    THREADS_MAX = 1000,
    PROFILE_MAX = 16 << 20,
    GZIP_LEVEL = 6
};
enum { INTERVAL_S = 15, TICK_NS = 10000000 };

static struct symbols symbols;
static uint32_t stacks[STACKS];
static double up_to[STACKS]; /* of all samples, those of the stacks up to this one */
static uint32_t threads[THREADS_MAX];
static size_t thread_count;

static uint64_t state = 88172645463325252ULL;

static uint64_t next(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 2685821657736338717ULL;
}

static uint64_t below(uint64_t n)
{
    return (next() >> 33) % n;
}

static double fraction(void)
{
    return (double)(next() >> 11) / 9007199254740992.0;
}

static uint32_t make_frame(uint64_t method)
{
    static const char *const parts[] = {"Order", "Cart", "Price", "Stock", "Session", "Buffer", "Codec", "Worker"};
    char name[128], file[64];
    snprintf(name, sizeof name, "com/example/shop/module%llu/%s%sController.handle%s%llu",
             (unsigned long long)(method % 37), parts[method % 8], parts[method / 8 % 8], parts[method / 64 % 8],
             (unsigned long long)(method % 997));
    snprintf(file, sizeof file, "%s%sController.java", parts[method % 8], parts[method / 8 % 8]);
    const struct pprof_function f = {.name = symbols_string(&symbols, str_of(name)),
                                     .system_name = symbols_string(&symbols, str_of(name)),
                                     .filename = symbols_string(&symbols, str_of(file)),
                                     .start_line = (int32_t)(method % 400)};
    return symbols_location(&symbols, (struct pprof_location){.function = symbols_function(&symbols, f),
                                                              .line = (int32_t)(method % 400 + below(4))});
}

/* Each leaves an earlier one somewhere, as calls do. */
static void make_program(void)
{
    static uint32_t frames[STACKS][DEPTH_MAX]; /* from the root */
    static size_t depths[STACKS];
    double sum = 0;
    symbols_init(&symbols, 512 << 20);
    for (size_t i = 0; i < STACKS; i++) {
        size_t depth = 0;
        if (i) {
            const size_t from = below(i < 400 ? i : 400 + below(i - 399));
            depth = depths[from] / 2 + below(depths[from] / 2);
            memcpy(frames[i], frames[from], depth * sizeof **frames);
        }
        const size_t more = i ? 1 + below(BRANCH_MAX) : DEPTH_FIRST;
        for (size_t k = 0; k < more && depth < DEPTH_MAX; k++)
            frames[i][depth++] = make_frame(below(METHODS));
        depths[i] = depth;
        uint32_t leaf_first[DEPTH_MAX];
        for (size_t k = 0; k < depth; k++)
            leaf_first[k] = frames[i][depth - 1 - k];
        stacks[i] = symbols_stack(&symbols, leaf_first, depth);
        sum += pow((double)i + 1, -1.2);
        up_to[i] = sum;
    }
}

static void make_threads(size_t n)
{
    for (; thread_count < n && thread_count < THREADS_MAX; thread_count++) {
        char name[32];
        snprintf(name, sizeof name, "http-worker-%zu", thread_count);
        const struct pprof_label label = {.key = symbols_string(&symbols, STR("thread")),
                                          .str = symbols_string(&symbols, str_of(name))};
        threads[thread_count] = symbols_labels(&symbols, &label, 1);
    }
}

static size_t draw_stack(void)
{
    const double at = fraction() * up_to[STACKS - 1];
    size_t low = 0, high = STACKS - 1;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (up_to[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct kind {
    const char *types[2][2];
    uint64_t samples;
};
static const struct kind kinds[] = {
    {{{"cpu", "nanoseconds"}}, 800},
    {{{"alloc_in_new_tlab_objects", "count"}, {"alloc_in_new_tlab_bytes", "bytes"}}, 400},
    {{{"contentions", "count"}, {"delay", "nanoseconds"}}, 60}};

static void make_profile_of(size_t jvm, const struct kind *kind, int64_t time_ns, int64_t totals[2], struct buf *out)
{
    struct profile p;
    profile_init(&p, &symbols);
    for (size_t t = 0; t < 2 && kind->types[t][0]; t++)
        (void)profile_add_type(&p, str_of(kind->types[t][0]), str_of(kind->types[t][1]));
    p.period_type.type = symbols_string(&symbols, str_of(kind->types[0][0]));
    p.period_type.unit = symbols_string(&symbols, str_of(kind->types[0][1]));
    p.period = kind == kinds ? TICK_NS : 524288;
    p.time_nanos = time_ns;
    p.duration_nanos = (int64_t)INTERVAL_S * 1000000000 + (int64_t)below(4000000);
    const uint64_t n = kind->samples / 2 + below(kind->samples);
    for (uint64_t i = 0; i < n; i++) {
        /* Half of the time is spent where all JVMs spend it. */
        const size_t stack = (draw_stack() + (i % 2 ? jvm * 13 : 0)) % STACKS;
        const int64_t values[2] = {kind == kinds ? TICK_NS : 1, (int64_t)(512 + below(65536) * 8)};
        (void)profile_add(&p, stacks[stack], thread_count ? threads[below(thread_count)] : 0, values);
        totals[0] += values[0];
        totals[1] += values[1];
    }
    cleanup_buf struct buf plain = BUF_INIT(PROFILE_MAX);
    pprof_encode(&p, &plain);
    if (!buf_ok(&plain) || gzip_deflate(buf_slice(&plain), GZIP_LEVEL, out) < 0)
        exit(1);
    profile_done(&p);
}

static void write_profiles(uint32_t jvms, int64_t begin_s, int64_t seconds)
{
    for (int64_t at = 0; at < seconds; at += INTERVAL_S) {
        for (uint32_t jvm = 0; jvm < jvms; jvm++) {
            for (uint32_t kind = 0; kind < ARRAY_LEN(kinds); kind++) {
                cleanup_buf struct buf out = BUF_INIT(PROFILE_MAX);
                const int64_t ns = (begin_s + at) * 1000000000 + jvm * 37000000 + (int64_t)below(3000000);
                int64_t totals[2] = {0};
                make_profile_of(jvm, &kinds[kind], ns, totals, &out);
                const uint32_t head[] = {jvm, kind, (uint32_t)out.len};
                fwrite(head, sizeof head, 1, stdout);
                fwrite(totals, sizeof totals, 1, stdout);
                fwrite(out.p, out.len, 1, stdout);
            }
        }
    }
}

/* ---- repeating ---- */

static void check(int code, const struct err *err)
{
    if (code >= 0)
        return;
    fprintf(stderr, "bench_store: %s\n", err->text);
    exit(1);
}

static void repeat_slice(struct db *db, const struct slice *s, int64_t series, int64_t block, int64_t shift_ns)
{
    struct err err = {0};
    struct slice_profiles p = {0};
    check(slice_read(db, s, &p, &err) == 1 ? 0 : -1, &err);
    for (size_t i = 0; i < p.columns.n; i++)
        p.columns.times[i] -= shift_ns;
    sqlite3_stmt *st = db_statement(db, DB_SLICE_STACKS, &err);
    db_bind(st, 1, s->id);
    check(db_step(db, st, &err), &err);
    const struct slice_new new = {.series = series,
                                  .block = block,
                                  .columns = p.columns,
                                  .ids = p.ids,
                                  .sum = db_column(st, 0),
                                  .rows = db_column(st, 1)};
    check(slice_add(db, &new, &err), &err);
    sqlite3_reset(st);
    slice_profiles_done(&p);
}

static int64_t repeat_block(struct db *db, int64_t block, int64_t hours)
{
    struct err err = {0};
    cleanup_free char *copy =
        xasprintf("INSERT INTO block(service, hour, sealed, full, changed_s, profiles, first_ns, last_ns, nodes, tree)"
                  " SELECT service, hour - %lld, 1, full, changed_s, profiles, first_ns - %lld * 3600000000000,"
                  " last_ns - %lld * 3600000000000, nodes, tree FROM block WHERE id = %lld",
                  (long long)hours, (long long)hours, (long long)hours, (long long)block);
    check(db_exec(db, copy, &err), &err);
    return sqlite3_last_insert_rowid(db->handle);
}

static void repeat_all(struct db *db, int64_t hours)
{
    struct err err = {0};
    struct {
        int64_t series;
        struct slice slice;
    } *all = NULL;
    size_t n = 0, cap = 0;
    sqlite3_stmt *st;
    if (sqlite3_prepare_v2(db->handle, "SELECT series, id, block, profiles FROM slice ORDER BY block", -1, &st, NULL))
        check(db_error(db, "slices", &err), &err);
    while (sqlite3_step(st) == SQLITE_ROW) {
        xgrow(&all, &cap, n + 1, sizeof *all);
        all[n].series = sqlite3_column_int64(st, 0);
        all[n++].slice = (struct slice){.id = sqlite3_column_int64(st, 1),
                                        .block = sqlite3_column_int64(st, 2),
                                        .profiles = (size_t)sqlite3_column_int64(st, 3)};
    }
    sqlite3_finalize(st);
    int64_t span = 1;
    check(db_number(db, "SELECT max(hour) - min(hour) + 1 FROM block", &span, &err), &err);
    for (int64_t shift = span; shift < hours; shift += span) {
        check(db_exec(db, "BEGIN", &err), &err);
        int64_t copy = 0;
        for (size_t i = 0; i < n; i++) {
            if (i == 0 || all[i].slice.block != all[i - 1].slice.block)
                copy = repeat_block(db, all[i].slice.block, shift);
            repeat_slice(db, &all[i].slice, all[i].series, copy, shift * STORE_HOUR_NS);
        }
        check(db_exec(db, "COMMIT", &err), &err);
    }
    free(all);
}

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "profiles") == 0) {
        make_program();
        make_threads(strtoul(argv[5], NULL, 10));
        write_profiles((uint32_t)strtoul(argv[2], NULL, 10), strtoll(argv[3], NULL, 10), strtoll(argv[4], NULL, 10));
        return fflush(stdout) ? 1 : 0;
    }
    if (argc == 4 && strcmp(argv[1], "repeat") == 0) {
        struct db db = DB_INIT;
        struct err err = {0};
        check(db_open(argv[2], &db, &err), &err);
        repeat_all(&db, strtoll(argv[3], NULL, 10));
        db_close(&db);
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "age") == 0) {
        struct db db = DB_INIT;
        struct err err = {0};
        check(db_open(argv[2], &db, &err), &err);
        check(db_exec(&db, "UPDATE block SET changed_s = 0", &err), &err);
        db_close(&db);
        return 0;
    }
    fprintf(stderr,
            "usage: bench_store profiles JVMS BEGIN_S SECONDS THREADS | repeat DATABASE HOURS | age DATABASE\n");
    return 2;
}
