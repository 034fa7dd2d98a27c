#include "parser/parser_pool.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "parser/parser_process.h"
#include "parser/parser_wire.h"

/* Of an interval that a process may have to read again: enough for what JVMs write. */
enum { HELD_BYTES_MAX = 48 << 20, HELD_CHUNKS_MAX = 128 };

struct parser_slot {
    pid_t pid; /* 0 = none */
    int sock;
    unsigned generation, failures;
    int64_t start_ms; /* not before that */
    bool busy, served, retired;
};

struct parser_pool {
    char *name;
    pthread_mutex_t lock;
    pthread_cond_t given;
    struct parser_slot slots[PARSER_PROCESSES];
    unsigned generations;
    uint32_t layers;
    bool layers_known;
    uint64_t held_bytes;
    unsigned held_chunks;
};

struct parser_pool *parser_pool_new(const char *name)
{
    struct parser_pool *p = xcalloc(1, sizeof *p);
    p->name = xstrdup(name);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->given, NULL);
    return p;
}

/* Killed and waited for: it holds nothing that a kernel could wait for. One that closed its socket is about to end,
 * most likely, and keeps its own status. */
static int slot_end(struct parser_slot *s, bool closed, int64_t *cpu_ns)
{
    enum { OWN_END_MS = 200 };
    struct rusage used = {0};
    int status = 0;
    pid_t ended = wait4(s->pid, &status, WNOHANG, &used);
    for (int ms = 0; closed && ended == 0 && ms < OWN_END_MS; ms++) {
        poll(NULL, 0, 1);
        ended = wait4(s->pid, &status, WNOHANG, &used);
    }
    if (ended == 0) {
        kill(s->pid, SIGKILL);
        while ((ended = wait4(s->pid, &status, 0, &used)) < 0 && errno == EINTR)
            ;
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
            status = 0;
    }
    close(s->sock);
    *cpu_ns = ended < 0 ? 0
                        : (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * NS_PER_SEC +
                              (used.ru_utime.tv_usec + used.ru_stime.tv_usec) * NS_PER_US;
    s->pid = 0;
    s->sock = -1;
    s->served = s->retired = false;
    return status;
}

void parser_pool_free(struct parser_pool *p)
{
    int64_t cpu_ns;
    if (!p)
        return;
    for (size_t i = 0; i < PARSER_PROCESSES; i++) {
        if (p->slots[i].pid)
            (void)slot_end(&p->slots[i], false, &cpu_ns);
    }
    pthread_cond_destroy(&p->given);
    pthread_mutex_destroy(&p->lock);
    free(p->name);
    free(p);
}

/* ---- starting one ---- */

/* What the dynamic linker needs where libraries are in another place, and what tests with sanitizers set. Names are
 * bound at the start: later, the linker would look for them in libraries that are unmapped by then. */
static void pool_environment(char *ret[], size_t max)
{
    static char bind_now[] = "LD_BIND_NOW=1";
    static const char *const kept[] = {"LD_LIBRARY_PATH=", "ASAN_OPTIONS=", "UBSAN_OPTIONS="};
    size_t n = 0;
    ret[n++] = bind_now;
    for (char **e = environ; *e; e++) {
        for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
            if (n + 1 < max && strncmp(*e, kept[i], strlen(kept[i])) == 0)
                ret[n++] = *e;
        }
    }
    ret[n] = NULL;
}

/* Not a fork: the child gets no memory of this process, not for a moment in which it could be read. */
static int pool_spawn(const struct parser_pool *p, unsigned slot, int sock, pid_t *pid)
{
    char number[16], command[] = PARSER_COMMAND, *env[5];
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;
    snprintf(number, sizeof number, "%u", slot);
    char *const argv[] = {p->name, command, number, NULL};
    pool_environment(env, ARRAY_LEN(env));
    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    /* Onto itself it only loses its close-on-exec flag. */
    int code = posix_spawn_file_actions_adddup2(&files, sock, PARSER_SOCKET);
    if (code == 0)
        code = posix_spawn(pid, "/proc/self/exe", &files, &attributes, argv, env);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return -code;
}

static int slot_start(struct parser_pool *p, struct parser_slot *s, uint32_t *layers, struct err *err)
{
    int ends[2], code;
    struct parser_watch watch;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return err_errno(err, "start the parser: socketpair");
    code = pool_spawn(p, (unsigned)(s - p->slots), ends[1], &s->pid);
    close(ends[1]);
    if (code < 0) {
        close(ends[0]);
        s->pid = 0;
        return err_set(err, code, "start the parser: %s", strerror(-code));
    }
    s->sock = ends[0];
    parser_watch_begin(&watch, s->pid);
    code = parser_wire_greet(s->sock, &watch, layers, err);
    if (code < 0)
        return err_wrap(err, code, "start the parser");
    return 0;
}

/* ---- taking turns ---- */

static void slot_failed(struct parser_slot *s)
{
    enum { DOUBLINGS_MAX = 7 };
    const unsigned n = s->failures > DOUBLINGS_MAX ? DOUBLINGS_MAX : s->failures;
    const int64_t delay = s->failures == 0 ? 0 : (int64_t)PARSER_BACKOFF_MS << (n - 1);
    s->start_ms = clock_ms() + (delay > PARSER_BACKOFF_MAX_MS ? PARSER_BACKOFF_MAX_MS : delay);
    s->failures++;
    s->generation = 0; /* no interval is there */
}

/* Replaced as long as nobody waits for an answer of it. */
static bool slot_is_old(const struct parser_slot *s)
{
    struct parser_watch w;
    struct timespec used;
    parser_watch_begin(&w, s->pid);
    return s->retired || (clock_gettime(w.clock, &used) == 0 && used.tv_sec >= PARSER_LIFE_S);
}

/* Free, and there or allowed to be started: the first such, so that the second process is an exception. */
static struct parser_slot *pool_choose(struct parser_pool *p, int slot, unsigned generation, int64_t *retry_ms)
{
    const int64_t now = clock_ms();
    const bool any = slot < 0 || p->slots[slot].generation != generation;
    *retry_ms = INT64_MAX;
    for (int i = 0; i < PARSER_PROCESSES; i++) {
        struct parser_slot *s = &p->slots[i];
        if (s->busy || (!any && i != slot))
            continue;
        if (s->pid || s->start_ms <= now)
            return s;
        if (s->start_ms - now < *retry_ms)
            *retry_ms = s->start_ms - now;
    }
    return NULL;
}

/* Others are not held up while it starts. */
static int pool_make_ready(struct parser_pool *p, struct parser_slot *s, bool fresh, struct err *err)
{
    int64_t cpu_ns;
    uint32_t layers = 0;
    if (s->pid && ((fresh && s->served) || slot_is_old(s)))
        (void)slot_end(s, false, &cpu_ns);
    if (s->pid)
        return 0;
    const int code = slot_start(p, s, &layers, err);
    if (code < 0 && s->pid)
        (void)slot_end(s, false, &cpu_ns);
    pthread_mutex_lock(&p->lock);
    if (code == 0) {
        s->generation = ++p->generations;
        p->layers = layers;
        p->layers_known = true;
    }
    pthread_mutex_unlock(&p->lock);
    return code;
}

static void slot_let_go(struct parser_pool *p, struct parser_slot *s)
{
    s->busy = false;
    pthread_cond_broadcast(&p->given);
}

int parser_pool_take(struct parser_pool *p, int slot, unsigned generation, bool fresh, struct parser_process_ref *ret,
                     int64_t *retry_ms, struct err *err)
{
    struct parser_slot *s;
    pthread_mutex_lock(&p->lock);
    while (!(s = pool_choose(p, slot, generation, retry_ms)) && *retry_ms == INT64_MAX)
        pthread_cond_wait(&p->given, &p->lock);
    if (s)
        s->busy = true;
    pthread_mutex_unlock(&p->lock);
    if (!s)
        return err_set(err, -EAGAIN, "the parser is restarted in %lld ms", (long long)*retry_ms);
    if (pool_make_ready(p, s, fresh, err) == 0) {
        *ret = (struct parser_process_ref){(unsigned)(s - p->slots), s->generation, s->pid, s->sock};
        *retry_ms = 0;
        return 0;
    }
    pthread_mutex_lock(&p->lock);
    s->failures += s->failures == 0; /* one that cannot be started will not at once */
    slot_failed(s);
    *retry_ms = s->start_ms > clock_ms() ? s->start_ms - clock_ms() : 1;
    slot_let_go(p, s);
    pthread_mutex_unlock(&p->lock);
    return -EAGAIN;
}

void parser_pool_give(struct parser_pool *p, const struct parser_process_ref *r)
{
    pthread_mutex_lock(&p->lock);
    p->slots[r->slot].failures = 0;
    p->slots[r->slot].served = true;
    slot_let_go(p, &p->slots[r->slot]);
    pthread_mutex_unlock(&p->lock);
}

static int pool_end(struct parser_pool *p, const struct parser_process_ref *r, bool closed, bool delay, int64_t *cpu_ns)
{
    struct parser_slot *s = &p->slots[r->slot];
    const int status = slot_end(s, closed, cpu_ns);
    pthread_mutex_lock(&p->lock);
    if (delay)
        slot_failed(s);
    else
        s->generation = 0;
    slot_let_go(p, s);
    pthread_mutex_unlock(&p->lock);
    return status;
}

int parser_pool_end(struct parser_pool *p, const struct parser_process_ref *r, bool closed, int64_t *cpu_ns)
{
    return pool_end(p, r, closed, true, cpu_ns);
}

int parser_pool_end_for_client(struct parser_pool *p, const struct parser_process_ref *r, bool closed, int64_t *cpu_ns)
{
    return pool_end(p, r, closed, false, cpu_ns);
}

void parser_pool_retire(struct parser_pool *p, unsigned slot, unsigned generation)
{
    pthread_mutex_lock(&p->lock);
    if (p->slots[slot].generation == generation)
        p->slots[slot].retired = true;
    pthread_mutex_unlock(&p->lock);
}

bool parser_pool_layers(struct parser_pool *p, uint32_t *layers)
{
    pthread_mutex_lock(&p->lock);
    const bool known = p->layers_known;
    *layers = p->layers;
    pthread_mutex_unlock(&p->lock);
    return known;
}

bool parser_pool_hold(struct parser_pool *p, uint64_t bytes)
{
    pthread_mutex_lock(&p->lock);
    const bool fits = p->held_bytes + bytes <= HELD_BYTES_MAX && p->held_chunks < HELD_CHUNKS_MAX;
    if (fits) {
        p->held_bytes += bytes;
        p->held_chunks++;
    }
    pthread_mutex_unlock(&p->lock);
    return fits;
}

void parser_pool_release(struct parser_pool *p, uint64_t bytes)
{
    pthread_mutex_lock(&p->lock);
    p->held_bytes -= bytes;
    p->held_chunks--;
    pthread_mutex_unlock(&p->lock);
}
