/* What pushing costs: profiles through the queue of an endpoint to a server, and to the disk while there is none. Run
 * by push.py, which says what the figures of each line are.
 *
 *   bench_push push URL PPROF SECONDS     as many as the server takes, then one after the other
 *   bench_push spool DIRECTORY PPROF MIB  to a spool, and back from its files
 *
 * Times are of this process, on one thread but for the spool's worker, as in the agent. A JVM's profiles arrive four at
 * a time, in one turn of the loop.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "components/pyroscope_write_sender.h"
#include "components/pyroscope_write_spool_files.h"
#include "flow/dropped.h"

enum { TOGETHER = 4, OUTSTANDING = 64, FILE_MAX = 16 << 20, MIB = 1 << 20 };

static uv_loop_t loop;
static uint8_t *pprof;
static size_t pprof_len;

static double now(void)
{
    return (double)clock_ns() / 1e9;
}

static double cpu(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static int read_profile(const char *path)
{
    cleanup_fclose FILE *f = fopen(path, "r");
    if (!f)
        return -1;
    pprof = xmalloc(FILE_MAX);
    pprof_len = fread(pprof, 1, FILE_MAX, f);
    return pprof_len > 0 ? 0 : -1;
}

static struct sender *make_sender(char *url, const char *storage)
{
    static struct write_endpoint_args args;
    static char no_name[] = "";
    static struct sender_env env;
    struct err err = {0};
    struct sender_settings *set;
    env = (struct sender_env){&loop, "pyroscope.write.bench", "1", storage};
    args = (struct write_endpoint_args){
        .url = url,
        .name = no_name,
        .remote_timeout = 10 * NS_PER_SEC,
        .min_backoff_period = NS_PER_SEC / 2,
        .max_backoff_period = NS_PER_SEC,
        .spool = {(uint64_t)4 << 30, 3600 * NS_PER_SEC},
    };
    if (sender_settings_new(&args, &set, &err) < 0) {
        fprintf(stderr, "bench_push: %s\n", err.text);
        exit(1);
    }
    return sender_new(&env, set);
}

static void append(struct sender *s, size_t n)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    labels_set(&b, STR("__name__"), STR("process_cpu"));
    labels_set(&b, STR("service_name"), STR("bench"));
    labels_set(&b, STR("pod"), STR("bench-6d4cf56db6-x2kqm"));
    struct labels *ls = labels_build(&b, false);
    for (size_t i = 0; i < n; i++) {
        uint8_t *copy = xmalloc(pprof_len);
        memcpy(copy, pprof, pprof_len);
        struct encoded_profile *p =
            encoded_profile_new(copy, pprof_len, 100, clock_wall_ns(), (int64_t)15 * NS_PER_SEC);
        sender_append(s, ls, p, NULL);
        encoded_profile_unref(p);
    }
    labels_unref(ls);
}

static size_t outstanding(const struct sender *s)
{
    struct sender_view v;
    sender_view(s, &v);
    if (*v.last_error) {
        fprintf(stderr, "bench_push: %s\n", v.last_error);
        exit(1);
    }
    return v.queued_bytes / pprof_len;
}

/* "NAME PROFILES SECONDS CPU_SECONDS", of a queue that always holds so many. */
static void measure_push(const char *name, char *url, double seconds, size_t together, size_t most)
{
    struct sender *s = make_sender(url, NULL);
    append(s, 1); /* the connection */
    while (outstanding(s))
        uv_run(&loop, UV_RUN_ONCE);
    const double begun = now(), used = cpu();
    size_t made = 0;
    while (now() - begun < seconds) {
        for (; outstanding(s) + together <= most; made += together) {
            append(s, together);
            uv_run(&loop, UV_RUN_NOWAIT);
        }
        uv_run(&loop, UV_RUN_ONCE);
    }
    while (outstanding(s))
        uv_run(&loop, UV_RUN_ONCE);
    printf("%s %zu %.6f %.6f\n", name, made, now() - begun, cpu() - used);
    sender_free(s);
    uv_run(&loop, UV_RUN_NOWAIT);
}

static size_t spooled(const struct sender *s)
{
    struct sender_view v;
    sender_view(s, &v);
    return v.spooled_bytes;
}

static void measure_read(const char *storage)
{
    const struct spool_limits limits = {(size_t)4 << 30, 3600 * NS_PER_SEC};
    cleanup_free char *command = xasprintf("ls -d %s/spool/*", storage);
    char path[4096] = "";
    FILE *list = popen(command, "r");
    if (!list || !fgets(path, sizeof path, list))
        exit(1);
    pclose(list);
    path[strcspn(path, "\n")] = '\0';
    struct spool_files *f;
    struct spool_entry e;
    cleanup_buf struct buf room = BUF_INIT(FILE_MAX);
    struct err err = {0};
    if (spool_files_open(path, false, &f, &err) < 0) {
        fprintf(stderr, "bench_push: %s\n", err.text);
        exit(1);
    }
    const struct spool_now when = {clock_wall_ns(), clock_boot_ns()};
    const double begun = now(), used = cpu();
    size_t bytes = 0, n = 0;
    for (; spool_files_take(f, &limits, when, &room, &e) == 0; n++) {
        bytes += e.profile.n;
        spool_files_finish(f, e.place);
    }
    printf("read %zu %.6f %.6f %zu\n", n, now() - begun, cpu() - used, bytes);
    spool_files_close(f);
}

/* "NAME PROFILES SECONDS CPU_SECONDS BYTES". Nothing listens at the URL. */
static void measure_spool(const char *storage, size_t mib)
{
    char url[] = "http://127.0.0.1:1";
    struct sender *s = make_sender(url, storage);
    const size_t count = mib * MIB / pprof_len;
    const double begun = now(), used = cpu();
    for (size_t made = 0; made < count; made += TOGETHER) {
        append(s, TOGETHER);
        uv_run(&loop, UV_RUN_NOWAIT);
        struct sender_view v;
        for (sender_view(s, &v); v.queued_bytes > 8 * MIB; sender_view(s, &v))
            uv_run(&loop, UV_RUN_ONCE); /* for the disk */
    }
    while (spooled(s) < count * pprof_len)
        uv_run(&loop, UV_RUN_ONCE);
    printf("write %zu %.6f %.6f %zu\n", count, now() - begun, cpu() - used, spooled(s));
    sender_free(s);
    while (loop.active_reqs.count)
        uv_run(&loop, UV_RUN_ONCE);
    if (metric_value(&dropped_profiles_total, "queue_full") > 0)
        exit(1);
    measure_read(storage);
}

int main(int argc, char **argv)
{
    if (argc != 5 || read_profile(argv[3]) < 0) {
        fprintf(stderr, "usage: bench_push push URL PPROF SECONDS | spool DIRECTORY PPROF MIB\n");
        return 2;
    }
    log_setup(LOG_ERROR, LOG_LOGFMT);
    uv_loop_init(&loop);
    if (strcmp(argv[1], "spool") == 0) {
        measure_spool(argv[2], strtoul(argv[4], NULL, 10));
        return 0;
    }
    measure_push("together", argv[2], strtod(argv[4], NULL), TOGETHER, OUTSTANDING);
    measure_push("single", argv[2], strtod(argv[4], NULL), 1, 1);
    return 0;
}
