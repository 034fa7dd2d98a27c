/* The component in a running graph, on a real database. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "components/forward_fixture.h"
#include "pprof_maker.h"
#include "store/store.h"

extern const struct component_def pyroscope_store;

enum { KEEP_S = 3600, KEEP_BYTES = 64 << 20 };

static char dir[64];

static void directory_begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/smolder-test-XXXXXX");
    if (!mkdtemp(dir))
        abort();
}

static void directory_end(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    CHECK_INT(system(command), 0);
}

static void load(struct controller *c, const char *arguments)
{
    char text[1024];
    snprintf(text, sizeof text,
             "pyroscope.store \"k\" {\n%s\n}\n"
             "test.source \"s\" {\n forward_to = [pyroscope.store.k.receiver]\n}\n",
             arguments);
    LOAD(c, text, "");
}

/* One of its own in the directory. */
static void load_own(struct controller *c)
{
    char path[100];
    snprintf(path, sizeof path, "path = \"%s/own\"", dir);
    load(c, path);
}

static struct profile_origin *origin; /* of what is sent; NULL = nobody asks */

static void send_pprof(const char *service, struct str pprof)
{
    struct labels *labels = LABELS("__name__", "process_cpu", "service_name", service, "__process_pid__", "7");
    uint8_t *bytes = xmalloc(pprof.n);
    memcpy(bytes, pprof.p, pprof.n);
    struct encoded_profile *p = encoded_profile_new(bytes, pprof.n, 1, 0, 0);
    p->origin = origin ? profile_origin_ref(origin) : NULL;
    if (to->ctx)
        to->append(to->ctx, labels, p);
    encoded_profile_unref(p);
    labels_unref(labels);
}

static void send_sample(const char *service, int64_t value)
{
    const struct made_sample samples[] = {{"main;work", {value}}};
    cleanup_buf struct buf pprof = make_profile(&(struct made_profile){.types = {{"cpu", "nanoseconds"}},
                                                                       .period = {"cpu", "nanoseconds"},
                                                                       .time_ns = clock_wall_ns(),
                                                                       .samples = samples,
                                                                       .n = 1});
    send_pprof(service, buf_slice(&pprof));
}

static bool counted(struct controller *c, const char *what, const char *n)
{
    return strcmp(debug_member(c, "pyroscope.store.k", what), n) == 0;
}

static bool is_healthy(struct controller *c)
{
    struct component_view view;
    return controller_view(c, "pyroscope.store.k", &view) && view.health == HEALTH_HEALTHY;
}

/* ---- what a store has ---- */

static void flag_up(void *arg)
{
    *(bool *)arg = true;
}

static struct store *store_of(const char *name)
{
    char path[100];
    struct err err = {0};
    struct store *s = NULL;
    snprintf(path, sizeof path, "%s%s%s", dir, *name ? "/" : "", name);
    if (store_open(
            &(struct store_options){.loop = &loop, .dir = path, .keep_seconds = KEEP_S, .keep_bytes = KEEP_BYTES}, &s,
            NULL, &err) < 0)
        FAIL_("%s", err.text);
    return s;
}

static void store_shut(struct store *s)
{
    bool closed = false;
    store_close(s, flag_up, &closed);
    WAIT_FOR(closed);
}

struct services {
    struct buf names;
    uint64_t profiles;
    bool done;
};

static void note_service(void *arg, const struct store_service *s)
{
    struct services *a = arg;
    buf_str(&a->names, s->name);
    buf_byte(&a->names, ' ');
    a->profiles += s->profiles;
}

static void read_services(void *arg, struct store_reader *r)
{
    struct services *a = arg;
    struct err err = {0};
    CHECK_INT(store_services(r, (struct store_range){0, INT64_MAX / 1000000}, note_service, a, &err), 0);
}

static void services_done(void *arg)
{
    ((struct services *)arg)->done = true;
}

/* "api shop ", and how many profiles there are. */
static const char *services_of(struct store *s, uint64_t profiles)
{
    static char text[256];
    struct services a = {.names = BUF_INIT(sizeof text - 1)};
    CHECK_INT(store_read(s, read_services, services_done, &a), 0);
    WAIT_FOR(a.done);
    CHECK_INT(a.profiles, profiles);
    snprintf(text, sizeof text, "%s", buf_cstr(&a.names));
    buf_done(&a.names);
    return text;
}

/* ---- tests ---- */

static void profiles_are_kept_in_a_database_of_its_own(void)
{
    directory_begin();
    struct controller *c = forward_begin(&pyroscope_store);
    load_own(c);
    send_sample("shop", 1000);
    send_sample("api", 2000);
    WAIT_FOR(counted(c, "stored", "2"));
    CHECK(is_healthy(c));
    WAIT_FOR(!counted(c, "bytes", "0"));
    controller_stop(c, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    struct store *s = store_of("own");
    CHECK_STR(services_of(s, 2), "api shop ");
    store_shut(s);
    forward_end(c);
    directory_end();
}

static void without_a_path_it_is_the_agents_store(void)
{
    directory_begin();
    struct controller *c = forward_begin(&pyroscope_store);
    struct store *s = store_of("");
    env.store = s;
    load(c, "");
    send_sample("shop", 1000);
    WAIT_FOR(counted(c, "stored", "1"));
    CHECK_STR(services_of(s, 1), "shop ");
    CHECK(counted(c, "path", "\"\""));
    store_shut(s);
    env.store = NULL;
    forward_end(c);
    directory_end();
}

static void without_an_agents_store_it_is_in_the_data_directory(void)
{
    char path[100];
    directory_begin();
    struct controller *c = forward_begin(&pyroscope_store);
    env.storage_path = dir;
    load(c, "");
    send_sample("shop", 1000);
    WAIT_FOR(counted(c, "stored", "1"));
    snprintf(path, sizeof path, "%s/store.db", dir);
    CHECK_INT(access(path, F_OK), 0);
    load(c, "path = \"team/a\"");
    send_sample("shop", 2000);
    WAIT_FOR(counted(c, "stored", "2"));
    snprintf(path, sizeof path, "%s/team/a/store.db", dir);
    CHECK_INT(access(path, F_OK), 0);
    env.storage_path = NULL;
    forward_end(c);
    c = forward_begin(&pyroscope_store);
    load(c, "");
    WAIT_FOR(!is_healthy(c));
    CHECK_HAS(debug_member(c, "pyroscope.store.k", "last_error"), "path must be absolute");
    forward_end(c);
    directory_end();
}

static void a_profile_that_cannot_be_read_is_refused_alone(void)
{
    directory_begin();
    struct controller *c = forward_begin(&pyroscope_store);
    load_own(c);
    origin = profile_origin_new();
    send_pprof("shop", STR("no pprof"));
    send_sample("shop", 1000);
    WAIT_FOR(counted(c, "stored", "1") && counted(c, "refused", "1"));
    CHECK(is_healthy(c));
    CHECK_INT(origin->delivered, 1);
    CHECK_INT(origin->dropped, 1);
    CHECK_INT(origin->rejected, 1);
    profile_origin_unref(TAKE_PTR(origin));
    forward_end(c);
    directory_end();
}

/* What is in its place may be gone at the next attempt; until then profiles wait. */
static void a_store_that_cannot_be_opened_is_reported(void)
{
    char path[100];
    directory_begin();
    snprintf(path, sizeof path, "%s/own", dir);
    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    struct controller *c = forward_begin(&pyroscope_store);
    load_own(c);
    send_sample("shop", 1000);
    WAIT_FOR(!is_healthy(c));
    CHECK_HAS(debug_member(c, "pyroscope.store.k", "last_error"), path);
    CHECK(!counted(c, "queued_bytes", "0"));
    CHECK_INT(unlink(path), 0);
    load(c, ""); /* the same again: refused, as there is no data directory */
    load_own(c);
    WAIT_FOR(counted(c, "stored", "1"));
    CHECK(is_healthy(c));
    forward_end(c);
    directory_end();
}

static void a_store_in_use_is_not_opened_twice(void)
{
    directory_begin();
    struct controller *c = forward_begin(&pyroscope_store);
    struct store *s = store_of("own");
    load_own(c);
    WAIT_FOR(!is_healthy(c));
    CHECK_HAS(debug_member(c, "pyroscope.store.k", "last_error"), "belongs to another store");
    store_shut(s);
    forward_end(c);
    directory_end();
}

static void a_damaged_database_is_moved_aside(void)
{
    char path[100];
    directory_begin();
    snprintf(path, sizeof path, "%s/own", dir);
    CHECK_INT(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/own/store.db", dir);
    FILE *f = fopen(path, "we");
    fputs("this is no database, and it is long enough to be seen as none", f);
    fclose(f);
    struct controller *c = forward_begin(&pyroscope_store);
    load_own(c);
    send_sample("shop", 1000);
    WAIT_FOR(counted(c, "stored", "1"));
    CHECK(is_healthy(c));
    forward_end(c);
    directory_end();
}

static void the_queue_is_bounded(void)
{
    enum { LARGE = 3 << 20 };
    directory_begin();
    struct controller *c = forward_begin(&pyroscope_store);
    load_own(c);
    cleanup_free char *large = xcalloc(1, LARGE);
    for (int i = 0; i < 8; i++) /* before it is open */
        send_pprof("shop", (struct str){large, LARGE});
    CHECK(counted(c, "queue_full", "6"));
    CHECK(strtol(debug_member(c, "pyroscope.store.k", "queued_bytes"), NULL, 10) <= 8 << 20);
    WAIT_FOR(counted(c, "refused", "2"));
    forward_end(c);
    directory_end();
}

/* What was handed over before the stop is stored. */
static void what_waits_is_stored_at_a_stop(void)
{
    directory_begin();
    struct controller *c = forward_begin(&pyroscope_store);
    load_own(c);
    for (int i = 0; i < 200; i++)
        send_sample("shop", 1000 + i);
    controller_stop(c, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    struct store *s = store_of("own");
    CHECK_STR(services_of(s, 200), "shop ");
    store_shut(s);
    forward_end(c);
    directory_end();
}

static void arguments_that_cannot_be_are_rejected(void)
{
#define WRONG "f:1:1: Failed to build component: decoding configuration: "
    static const char *const bad[][2] = {
        {"keep = \"30s\"", WRONG "keep must be at least 1m"},
        {"max_size = \"much\"", WRONG "max_size \"much\" is not a size such as 1GiB or 512MiB"},
        {"max_size = \"64k\"", WRONG "max_size must be at least 1MiB"},
        {"listen = \":4040\"", "f:2:1: unrecognized attribute name \"listen\""},
    };
    struct controller *c = forward_begin(&pyroscope_store);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char text[200];
        snprintf(text, sizeof text, "pyroscope.store \"k\" {\n%s\n}\n", bad[i][0]);
        LOAD(c, text, bad[i][1]);
    }
    forward_end(c);
}

int main(void)
{
    RUN(profiles_are_kept_in_a_database_of_its_own);
    RUN(without_a_path_it_is_the_agents_store);
    RUN(without_an_agents_store_it_is_in_the_data_directory);
    RUN(a_profile_that_cannot_be_read_is_refused_alone);
    RUN(a_store_that_cannot_be_opened_is_reported);
    RUN(a_store_in_use_is_not_opened_twice);
    RUN(a_damaged_database_is_moved_aside);
    RUN(the_queue_is_bounded);
    RUN(what_waits_is_stored_at_a_stop);
    RUN(arguments_that_cannot_be_are_rejected);
    return REPORT();
}
