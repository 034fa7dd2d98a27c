#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "colliding.h"
#include "pprof_maker.h"
#include "selection.h"
#include "test.h"

enum { DEADLINE_MS = 20000 };
#define SECOND 1000000000LL

static uv_loop_t loop;
static char dir[64];

static int64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * SECOND + ts.tv_nsec;
}

/* Runs the loop until *flag, or says that it took too long. */
static void wait_for(const bool *flag)
{
    for (int64_t deadline = now_ns() + DEADLINE_MS * 1000000LL; !*flag && now_ns() < deadline;)
        uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(*flag);
}

static struct store *open_store(const char *where, int64_t keep_seconds, int64_t keep_bytes, struct buf *notice)
{
    struct err err = {0};
    struct store *s = NULL;
    int code = store_open(
        &(struct store_options){.loop = &loop, .dir = where, .keep_seconds = keep_seconds, .keep_bytes = keep_bytes},
        &s, notice, &err);
    CHECK_INT(code, 0);
    if (code < 0) {
        printf("  %s\n", err.text);
        exit(1);
    }
    return s;
}

static void flag_up(void *arg)
{
    *(bool *)arg = true;
}

static void close_store(struct store *s)
{
    bool closed = false;
    store_close(s, flag_up, &closed);
    wait_for(&closed);
}

struct outcome {
    bool done;
    enum store_result result;
    struct err err;
};

static void on_pushed(void *arg, enum store_result result, const struct err *err)
{
    *(struct outcome *)arg = (struct outcome){true, result, *err};
}

static struct label shop[] = {{{"service_name", 12}, {"shop", 4}}, {{"__name__", 8}, {"process_cpu", 11}}};

static struct outcome push_labels(struct store *s, struct label *labels, size_t n, struct str pprof)
{
    struct series series = {.labels = labels, .label_count = n, .profiles = &pprof, .profile_count = 1};
    struct outcome o = {0};
    CHECK_INT(store_push(s, &series, 1, pprof.n, on_pushed, &o), 0);
    wait_for(&o.done);
    return o;
}

static struct outcome push(struct store *s, const struct made_profile *m)
{
    cleanup_buf struct buf pprof = make_profile(m);
    return push_labels(s, shop, ARRAY_LEN(shop), buf_slice(&pprof));
}

static const struct made_sample two_stacks[] = {{"main;work;sum", {30}}, {"main;work", {5}}, {"main;idle", {7}}};
#define CPU                                                                                                            \
    .types = {{"cpu", "nanoseconds"}}, .period = {"cpu", "nanoseconds"}, .samples = two_stacks,                        \
    .n = ARRAY_LEN(two_stacks)
static const char cpu_type[] = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";

/* ---- asking ---- */

struct question {
    bool done;
    struct selection what;
    struct flame flame;
    struct store_span span;
    struct buf text; /* names seen by a visitor */
    int64_t buckets[10], step_ms;
    int code;
    struct err err;
};

static struct store_range always(void)
{
    return (struct store_range){0, INT64_MAX / 1000000};
}

static void ask_flame(void *arg, struct store_reader *r)
{
    struct question *q = arg;
    q->code = selection_flame(r, &q->what, &q->flame, &q->span, &q->err);
    flame_finish(&q->flame);
}

static void on_answer(void *arg)
{
    ((struct question *)arg)->done = true;
}

static void ask(struct store *s, void (*work)(void *arg, struct store_reader *r), struct question *q)
{
    CHECK_INT(store_read(s, work, on_answer, q), 0);
    wait_for(&q->done);
    CHECK_INT(q->code, 0);
}

static struct question flame_of(struct store *s, const char *service, const char *type, struct store_range range,
                                const struct label *labels, size_t n)
{
    struct question q = {.what = {str_of(service), str_of(type), labels, n, range}};
    flame_init(&q.flame, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    ask(s, ask_flame, &q);
    return q;
}

static int64_t total_of(struct store *s, const char *service, const char *type, struct store_range range)
{
    struct question q = flame_of(s, service, type, range, NULL, 0);
    int64_t total = q.flame.nodes[0].total;
    flame_done(&q.flame);
    return total;
}

/* The node reached by "main;work" from the root; NULL when there is none. */
static const struct flame_node *find(const struct flame *f, const char *path)
{
    const struct flame_node *at = &f->nodes[0];
    struct str rest = str_of(path), name;
    while (str_split(&rest, ';', &name)) {
        uint32_t child = at->first_child;
        while (child && !str_eq(f->names[f->nodes[child].name], name))
            child = f->nodes[child].next_sibling;
        if (!child)
            return NULL;
        at = &f->nodes[child];
    }
    return at;
}

/* ---- tests ---- */

static void merges_profiles_into_one_tree(void)
{
    struct store *s = open_store(NULL, 0, 0, NULL);
    int64_t t = now_ns();
    CHECK_INT(push(s, &(struct made_profile){CPU, .time_ns = t - 2 * SECOND, .duration_ns = SECOND}).result, STORE_OK);
    CHECK_INT(push(s, &(struct made_profile){CPU, .time_ns = t - SECOND, .duration_ns = SECOND}).result, STORE_OK);
    struct question q = flame_of(s, "shop", cpu_type, always(), NULL, 0);
    CHECK_INT(q.flame.nodes[0].total, 84);
    const struct flame_node *work = find(&q.flame, "main;work"), *sum = find(&q.flame, "main;work;sum");
    CHECK(work && sum);
    if (work && sum) {
        CHECK_INT(work->total, 70);
        CHECK_INT(work->self, 10);
        CHECK_INT(sum->total, 60);
        CHECK_INT(sum->self, 60);
    }
    CHECK_INT(q.span.profiles, 2);
    CHECK_INT(q.span.first_ns, t - 2 * SECOND);
    CHECK_INT(q.span.last_ns, t);
    flame_done(&q.flame);
    close_store(s);
}

static void counts_a_repeated_push_once(void)
{
    struct store *s = open_store(NULL, 0, 0, NULL);
    struct made_profile m = {CPU, .time_ns = now_ns()}, timeless = {CPU};
    cleanup_buf struct buf plain = make_profile(&m), packed = BUF_INIT(1 << 20);
    CHECK_INT(gzip_deflate(buf_slice(&plain), 6, &packed), 0);
    CHECK_INT(push_labels(s, shop, 2, buf_slice(&plain)).result, STORE_OK);
    CHECK_INT(push_labels(s, shop, 2, buf_slice(&plain)).result, STORE_OK);
    CHECK_INT(push_labels(s, shop, 2, buf_slice(&packed)).result, STORE_OK);
    CHECK_INT(total_of(s, "shop", cpu_type, always()), 42);
    /* Without a time it gets the time of its first arrival, and is still the same profile. */
    CHECK_INT(push(s, &timeless).result, STORE_OK);
    CHECK_INT(push(s, &timeless).result, STORE_OK);
    CHECK_INT(total_of(s, "shop", cpu_type, always()), 84);
    close_store(s);
}

static void drops_samples_that_say_nothing(void)
{
    struct store *s = open_store(NULL, 0, 0, NULL);
    static const struct made_sample odd[] = {{"a", {10}}, {"b", {-3}}, {"c", {0}}, {"d", {7}}};
    static const struct made_sample empty[] = {{"a", {0}}};
    struct made_profile m = {.types = {{"cpu", "nanoseconds"}},
                             .period = {"cpu", "nanoseconds"},
                             .samples = odd,
                             .n = 4,
                             .time_ns = now_ns()};
    CHECK_INT(push(s, &m).result, STORE_OK);
    m.samples = empty;
    m.n = 1;
    CHECK_INT(push(s, &m).result, STORE_OK);
    struct question q = flame_of(s, "shop", cpu_type, always(), NULL, 0);
    CHECK_INT(q.flame.nodes[0].total, 17);
    CHECK(!find(&q.flame, "b"));
    CHECK_INT(q.span.profiles, 1);
    flame_done(&q.flame);
    close_store(s);
}

static void list_service(void *arg, const struct store_service *service)
{
    buf_printf(arg, "%.*s=%llu ", STR_ARG(service->name), (unsigned long long)service->profiles);
}

static void ask_services(void *arg, struct store_reader *r)
{
    struct question *q = arg;
    q->code = store_services(r, q->what.range, list_service, &q->text, &q->err);
}

static void list_type(void *arg, const struct store_type *t)
{
    buf_printf(arg, "%.*s=%lld ", STR_ARG(t->id), (long long)t->total);
}

static void ask_types(void *arg, struct store_reader *r)
{
    struct question *q = arg;
    q->code = store_types(r, q->what.service, q->what.range, list_type, &q->text, &q->err);
}

static void ask_timeline(void *arg, struct store_reader *r)
{
    struct question *q = arg;
    q->code = selection_timeline(r, &q->what, q->step_ms, q->buckets, ARRAY_LEN(q->buckets), &q->err);
}

static void lists_services_types_and_totals_over_time(void)
{
    struct store *s = open_store(NULL, 0, 0, NULL);
    int64_t t = (now_ns() / SECOND - 100) * SECOND;
    static const struct made_sample alloc[] = {{"main;new", {3, 4096}}};
    struct label nobody[] = {{{"__name__", 8}, {"memory", 6}}};
    cleanup_buf struct buf memory = make_profile(
        &(struct made_profile){.types = {{"alloc_in_new_tlab_objects", "count"}, {"alloc_in_new_tlab_bytes", "bytes"}},
                               .samples = alloc,
                               .n = 1,
                               .time_ns = t});
    CHECK_INT(push_labels(s, nobody, 1, buf_slice(&memory)).result, STORE_OK);
    CHECK_INT(push(s, &(struct made_profile){CPU, .time_ns = t + 15 * SECOND}).result, STORE_OK);
    struct question services = {.what.range = always(), .text = BUF_INIT(4096)};
    ask(s, ask_services, &services);
    CHECK_STR(buf_cstr(&services.text), "shop=1 unknown_service=2 ");
    struct question late = {.what.range = {t / 1000000 + 1, INT64_MAX / 1000000}, .text = BUF_INIT(4096)};
    ask(s, ask_services, &late);
    CHECK_STR(buf_cstr(&late.text), "shop=1 ");
    struct question types = {.what = {.service = STR("unknown_service"), .range = always()}, .text = BUF_INIT(4096)};
    ask(s, ask_types, &types);
    CHECK_STR(buf_cstr(&types.text),
              "memory:alloc_in_new_tlab_bytes:bytes::=4096 memory:alloc_in_new_tlab_objects:count::=3 ");
    struct question line = {
        .what = {.service = STR("shop"), .type = str_of(cpu_type), .range = {t / 1000000, t / 1000000 + 100000}},
        .step_ms = 10000};
    ask(s, ask_timeline, &line);
    CHECK_INT(line.buckets[0], 0);
    CHECK_INT(line.buckets[1], 42);
    buf_done(&services.text);
    buf_done(&late.text);
    buf_done(&types.text);
    close_store(s);
}

static void splits_a_profile_by_the_labels_of_its_samples(void)
{
    struct store *s = open_store(NULL, 0, 0, NULL);
    static const struct made_sample threads[] = {
        {"run;a", {1}, "http-1"}, {"run;b", {2}, "http-2"}, {"run;a", {4}, "http-2"}, {"vm", {8}, NULL}};
    CHECK_INT(push(s, &(struct made_profile){.types = {{"cpu", "nanoseconds"}},
                                             .period = {"cpu", "nanoseconds"},
                                             .samples = threads,
                                             .n = 4,
                                             .time_ns = now_ns()})
                  .result,
              STORE_OK);
    CHECK_INT(total_of(s, "shop", cpu_type, always()), 15);
    struct label http2 = {{"thread", 6}, {"http-2", 6}};
    struct question q = flame_of(s, "shop", cpu_type, always(), &http2, 1);
    CHECK_INT(q.flame.nodes[0].total, 6);
    CHECK_INT(find(&q.flame, "run;a") ? find(&q.flame, "run;a")->self : -1, 4);
    CHECK(!find(&q.flame, "vm"));
    flame_done(&q.flame);
    struct label none = {{"thread", 6}, {"", 0}};
    q = flame_of(s, "shop", cpu_type, always(), &none, 1);
    CHECK_INT(q.flame.nodes[0].total, 8);
    flame_done(&q.flame);
    close_store(s);
}

/* The number of a series on disk is a hash that everybody can compute. */
static void labels_that_hash_alike_are_two_series(void)
{
    struct store *s = open_store(NULL, 0, 0, NULL);
    char names[2][COLLIDING_BYTES + 1] = {0};
    for (unsigned i = 0; i < 2; i++)
        (void)colliding_text(i, names[i]);
    const struct made_sample threads[] = {{"run;a", {1}, names[0]}, {"run;b", {2}, names[1]}, {"vm", {4}, NULL}};
    CHECK_INT(push(s, &(struct made_profile){.types = {{"cpu", "nanoseconds"}},
                                             .period = {"cpu", "nanoseconds"},
                                             .samples = threads,
                                             .n = 3,
                                             .time_ns = now_ns()})
                  .result,
              STORE_OK);
    for (unsigned i = 0; i < 2; i++) {
        struct label thread = {{"thread", 6}, {names[i], COLLIDING_BYTES}};
        struct question q = flame_of(s, "shop", cpu_type, always(), &thread, 1);
        CHECK_INT(q.flame.nodes[0].total, 1 + i);
        CHECK(find(&q.flame, i ? "run;b" : "run;a"));
        flame_done(&q.flame);
    }
    CHECK_INT(total_of(s, "shop", cpu_type, always()), 7);
    close_store(s);
}

static void refuses_a_bad_push_and_keeps_its_neighbours(void)
{
    struct store *s = open_store(NULL, 0, 0, NULL);
    cleanup_buf struct buf good = make_profile(&(struct made_profile){CPU, .time_ns = now_ns()});
    struct str both[] = {buf_slice(&good), STR("\x0a\xff\xff\xff not a profile")}, one[] = {buf_slice(&good)};
    struct label nameless[] = {{{"service_name", 12}, {"x", 1}}};
    struct label twice[] = {shop[0], shop[1], shop[0]};
    struct label other[] = {{{"service_name", 12}, {"other", 5}}, shop[1]};
    struct series bad = {shop, 2, both, 2}, unnamed = {nameless, 1, one, 1}, doubled = {twice, 3, one, 1},
                  fine = {other, 2, one, 1};
    struct outcome o[4] = {0};
    CHECK_INT(store_push(s, &bad, 1, 1, on_pushed, &o[0]), 0);
    CHECK_INT(store_push(s, &unnamed, 1, 1, on_pushed, &o[1]), 0);
    CHECK_INT(store_push(s, &doubled, 1, 1, on_pushed, &o[2]), 0);
    CHECK_INT(store_push(s, &fine, 1, 1, on_pushed, &o[3]), 0);
    for (size_t i = 0; i < ARRAY_LEN(o); i++)
        wait_for(&o[i].done);
    CHECK_INT(o[0].result, STORE_INVALID);
    CHECK_HAS(o[0].err.text, "shop");
    CHECK_INT(o[1].result, STORE_INVALID);
    CHECK_STR(o[1].err.text, "invalid labels '{service_name=\"x\"}' with error: invalid metric name");
    CHECK_INT(o[2].result, STORE_INVALID);
    CHECK_HAS(o[2].err.text, "duplicate label name: service_name");
    CHECK_INT(o[3].result, STORE_OK);
    /* All of a push or nothing: its good half is not there. */
    CHECK_INT(total_of(s, "shop", cpu_type, always()), 0);
    CHECK_INT(total_of(s, "other", cpu_type, always()), 42);
    close_store(s);
}

static void asks_senders_to_wait_when_the_queue_is_full(void)
{
    struct store *s = open_store(NULL, 0, 0, NULL);
    cleanup_buf struct buf good = make_profile(&(struct made_profile){CPU, .time_ns = now_ns()});
    struct str one[] = {buf_slice(&good)};
    struct series series = {shop, 2, one, 1};
    struct outcome o[3] = {0};
    /* The first is under way at once, the second waits and fills the queue. */
    CHECK_INT(store_push(s, &series, 1, STORE_QUEUE_MAX, on_pushed, &o[0]), 0);
    CHECK_INT(store_push(s, &series, 1, STORE_QUEUE_MAX, on_pushed, &o[1]), 0);
    CHECK_INT(store_push(s, &series, 1, STORE_QUEUE_MAX, on_pushed, &o[2]), -EAGAIN);
    wait_for(&o[1].done);
    CHECK(!o[2].done);
    CHECK_INT(store_push(s, &series, 1, 1, on_pushed, &o[2]), 0);
    wait_for(&o[2].done);
    close_store(s);
}

static void keeps_what_it_has_over_a_restart(void)
{
    struct store *s = open_store(dir, 0, 0, NULL);
    CHECK_INT(push(s, &(struct made_profile){CPU, .time_ns = now_ns()}).result, STORE_OK);
    close_store(s);
    s = open_store(dir, 0, 0, NULL);
    CHECK_INT(total_of(s, "shop", cpu_type, always()), 42);
    close_store(s);
}

static void forgets_profiles_that_are_too_old(void)
{
    struct store *s = open_store(dir, 0, 0, NULL);
    CHECK_INT(push(s, &(struct made_profile){CPU, .time_ns = now_ns() - 7200 * SECOND}).result, STORE_OK);
    int64_t before = total_of(s, "shop", cpu_type, always());
    close_store(s);
    /* The sweep runs first thing after opening, ahead of this query in its lane only when in memory: ask until it
     * shows. */
    s = open_store(dir, 3600, 0, NULL);
    int64_t after = before;
    for (int64_t deadline = now_ns() + 10 * SECOND; after == before && now_ns() < deadline;)
        after = total_of(s, "shop", cpu_type, always());
    CHECK_INT(after, before - 42);
    close_store(s);
}

static int64_t file_bytes(const char *name)
{
    char path[128];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

static void forgets_the_oldest_when_it_grows_too_large(void)
{
    enum { PROFILES = 60, STACKS = 400, LIMIT = 200 << 10 };
    struct store *s = open_store(dir, 0, 0, NULL);
    int64_t t = now_ns() - 1000 * SECOND;
    static char names[STACKS][80];
    static struct made_sample samples[STACKS];
    for (int p = 0; p < PROFILES; p++) {
        for (int i = 0; i < STACKS; i++) {
            snprintf(names[i], sizeof names[i], "m%x;n%x;o%x", (p * 7919 + i) * 2654435761U, (p + i) * 40503U * 65537U,
                     i * 2246822519U ^ (unsigned)p);
            samples[i] = (struct made_sample){names[i], {1}};
        }
        struct made_profile m = {CPU, .time_ns = t + p * SECOND};
        m.samples = samples;
        m.n = STACKS;
        CHECK_INT(push(s, &m).result, STORE_OK);
    }
    close_store(s);
    int64_t before = file_bytes("store.db");
    s = open_store(dir, 0, LIMIT, NULL);
    bool small = false;
    for (int64_t deadline = now_ns() + 10 * SECOND; !small && now_ns() < deadline;) {
        /* The newest go last. */
        struct question q = flame_of(s, "shop", cpu_type, always(), NULL, 0);
        small = q.span.profiles < PROFILES;
        flame_done(&q.flame);
    }
    CHECK(small);
    close_store(s);
    CHECK(before > 2 * LIMIT);
    CHECK(file_bytes("store.db") <= LIMIT + (64 << 10));
}

static void moves_a_damaged_database_aside(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/store.db", dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    static const char junk[] =
        "This is not a database, whatever its name may say about it. It is long enough to be read.";
    CHECK_INT(write(fd, junk, sizeof junk), sizeof junk);
    close(fd);
    cleanup_buf struct buf notice = BUF_INIT(4096);
    struct store *s = open_store(dir, 0, 0, &notice);
    CHECK_HAS(buf_cstr(&notice), "store.db is damaged (");
    CHECK_HAS(buf_cstr(&notice), "moved to");
    CHECK_INT(push(s, &(struct made_profile){CPU, .time_ns = now_ns()}).result, STORE_OK);
    CHECK_INT(total_of(s, "shop", cpu_type, always()), 42);
    close_store(s);
}

static void deletes_what_was_moved_aside_long_ago(void)
{
    const struct timespec long_ago[2] = {{1000, 0}, {1000, 0}};
    cleanup_free char *old = xasprintf("%s/store.db.damaged-1000", dir);
    int fd = open(old, O_WRONLY | O_CREAT, 0600);
    CHECK_INT(futimens(fd, long_ago), 0);
    close(fd);
    cleanup_buf struct buf notice = BUF_INIT(4096);
    close_store(open_store(dir, 0, 0, &notice));
    CHECK_HAS(buf_cstr(&notice), "1 files of damaged databases in");
    CHECK_INT(access(old, F_OK), -1);
}

struct messages {
    struct buf text;
    bool done; /* the last one came */
};

static void on_problem(void *arg, const char *text)
{
    struct messages *m = arg;
    buf_printf(&m->text, "%s\n", text);
    m->done = m->done || strstr(text, "recovered");
}

static struct store *open_with_messages(struct messages *m)
{
    struct err err = {0};
    struct store *s = NULL;
    m->text = BUF_INIT(1 << 16);
    CHECK_INT(store_open(&(struct store_options){.loop = &loop, .dir = dir, .problem = on_problem, .problem_arg = m},
                         &s, NULL, &err),
              0);
    return s;
}

/* The pages from one on. */
static void damage_pages(int64_t from, int64_t until)
{
    char path[128], junk[4096];
    snprintf(path, sizeof path, "%s/store.db", dir);
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    memset(junk, 0xa5, sizeof junk);
    for (int64_t at = from; at < until; at++)
        CHECK_INT(pwrite(fd, junk, sizeof junk, (at - 1) * 4096), sizeof junk);
    close(fd);
}

static void remove_database(void)
{
    cleanup_free char *command = xasprintf("rm -f %s/store.db*", dir);
    CHECK_INT(system(command), 0);
}

/* Table, index, schema: whatever is damaged, at work or before the start, the other profiles come back. */
static void recovers_what_is_not_damaged(int64_t page, bool at_work)
{
    struct messages m = {0};
    remove_database();
    struct store *s = open_with_messages(&m);
    for (int64_t i = 0; i < 3; i++)
        CHECK_INT(push(s, &(struct made_profile){CPU, .time_ns = now_ns() - i * SECOND}).result, STORE_OK);
    close_store(s);
    buf_done(&m.text);
    if (!at_work)
        damage_pages(page, page + 1);
    s = open_with_messages(&m);
    if (at_work) {
        damage_pages(page, page + 1);
        struct outcome o = push(s, &(struct made_profile){CPU, .time_ns = now_ns() - 9 * SECOND});
        CHECK_INT(o.result, STORE_DAMAGED);
    }
    /* Beside it, pushes are stored. */
    CHECK_INT(push(s, &(struct made_profile){CPU, .time_ns = now_ns() - 4 * SECOND}).result, STORE_OK);
    wait_for(&m.done);
    CHECK_HAS(buf_cstr(&m.text), "recovered 3 profiles, 1 series and 0 blocks, lost 0 profiles");
    CHECK_INT(total_of(s, "shop", cpu_type, always()), 4 * 42);
    close_store(s);
    buf_done(&m.text);
    m.done = false;
    s = open_with_messages(&m);
    CHECK_INT(total_of(s, "shop", cpu_type, always()), 4 * 42);
    close_store(s);
    CHECK_STR(buf_cstr(&m.text), "");
    buf_done(&m.text);
}

static void recovers_from_a_damaged_header(void)
{
    recovers_what_is_not_damaged(1, false);
}

static void recovers_from_a_damaged_index_at_work(void)
{
    recovers_what_is_not_damaged(4, true);
}

/* As where the process was killed in between: all of it is done at the next start. */
static void finishes_what_another_start_has_begun(void)
{
    struct messages m = {0};
    remove_database();
    struct store *s = open_with_messages(&m);
    CHECK_INT(push(s, &(struct made_profile){CPU, .time_ns = now_ns()}).result, STORE_OK);
    close_store(s);
    buf_done(&m.text);
    damage_pages(1, 2);
    cleanup_free char *command = xasprintf("cd %s && mv store.db store.db.damaged-5 && echo store.db.damaged-5 >"
                                           " store.db.salvage",
                                           dir);
    CHECK_INT(system(command), 0);
    s = open_with_messages(&m);
    wait_for(&m.done);
    CHECK_HAS(buf_cstr(&m.text), "store.db.damaged-5: recovered 1 profiles");
    CHECK_INT(total_of(s, "shop", cpu_type, always()), 42);
    close_store(s);
    buf_done(&m.text);
}

static void keeps_splits_apart_over_a_restart(void)
{
    static const struct made_sample threads[] = {{"a", {1}, "t1"}, {"b", {2}, "t2"}};
    struct store *s = open_store(dir, 0, 0, NULL);
    CHECK_INT(push(s,
                   &(struct made_profile){
                       .types = {{"wall", "nanoseconds"}}, .samples = threads, .n = 2, .time_ns = now_ns()})
                  .result,
              STORE_OK);
    close_store(s);
    s = open_store(dir, 0, 0, NULL);
    struct label t2 = {{"thread", 6}, {"t2", 2}};
    struct question q = flame_of(s, "shop", "process_cpu:wall:nanoseconds::", always(), &t2, 1);
    CHECK_INT(q.flame.nodes[0].total, 2);
    flame_done(&q.flame);
    close_store(s);
}

static void says_where_it_cannot_be_opened(void)
{
    struct err err = {0};
    struct store *s = NULL;
    CHECK(store_open(&(struct store_options){.loop = &loop, .dir = "/proc/no/such"}, &s, NULL, &err) < 0);
    CHECK_HAS(err.text, "/proc/no");
    CHECK(!s);
}

int main(void)
{
    uv_loop_init(&loop);
    snprintf(dir, sizeof dir, "/tmp/smolder-test-XXXXXX");
    if (!mkdtemp(dir))
        return 1;
    RUN(merges_profiles_into_one_tree);
    RUN(counts_a_repeated_push_once);
    RUN(drops_samples_that_say_nothing);
    RUN(lists_services_types_and_totals_over_time);
    RUN(splits_a_profile_by_the_labels_of_its_samples);
    RUN(labels_that_hash_alike_are_two_series);
    RUN(refuses_a_bad_push_and_keeps_its_neighbours);
    RUN(asks_senders_to_wait_when_the_queue_is_full);
    RUN(keeps_what_it_has_over_a_restart);
    RUN(forgets_profiles_that_are_too_old);
    RUN(forgets_the_oldest_when_it_grows_too_large);
    RUN(moves_a_damaged_database_aside);
    RUN(deletes_what_was_moved_aside_long_ago);
    RUN(recovers_from_a_damaged_header);
    RUN(recovers_from_a_damaged_index_at_work);
    RUN(finishes_what_another_start_has_begun);
    RUN(keeps_splits_apart_over_a_restart);
    RUN(says_where_it_cannot_be_opened);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    cleanup_free char *command = xasprintf("rm -rf %s", dir);
    return system(command) == 0 ? REPORT() : 1;
}
