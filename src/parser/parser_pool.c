#include "parser/parser_pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "os/self_exec.h"
#include "parser/parser_process.h"
#include "parser/parser_wire.h"

/* Of an interval that a process may have to read again: enough for what JVMs write. */
enum { HELD_BYTES_MAX = 48 << 20, HELD_CHUNKS_MAX = 128 };

/* A client waits this long for the process that runs before a second one is started. */
enum { RUNNING_WAIT_MS = 100 };

struct parser_slot {
    pid_t pid; /* 0 = none */
    int sock;
    unsigned generation, failures;
    int64_t start_ms; /* not before that */
    int64_t given_ms; /* when it was given back */
    bool busy, served, retired;
    bool starter; /* it is the starter's child */
};

struct parser_pool {
    char *name;
    struct parser_starter starter;
    pthread_mutex_t lock;
    pthread_cond_t given;
    struct parser_slot slots[PARSER_PROCESSES];
    unsigned generations;
    uint32_t layers;
    bool layers_known;
    uint64_t held_bytes;
    unsigned held_chunks;
};

struct parser_pool *parser_pool_new(const char *name, const struct parser_starter *starter)
{
    struct parser_pool *p = xcalloc(1, sizeof *p);
    p->name = xstrdup(name);
    if (starter)
        p->starter = *starter;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->given, NULL);
    return p;
}

/* How it ended: child_end(). */
static struct child_end slot_end(struct parser_pool *p, struct parser_slot *s, bool closed)
{
    struct child_end end = {0};
    close(s->sock);
    if (s->starter)
        (void)p->starter.end(p->starter.arg, (unsigned)(s - p->slots), closed, &end);
    else
        end = child_end(s->pid, closed);
    s->pid = 0;
    s->sock = -1;
    s->served = s->retired = false;
    return end;
}

void parser_pool_free(struct parser_pool *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < PARSER_PROCESSES; i++) {
        if (p->slots[i].pid)
            (void)slot_end(p, &p->slots[i], false);
    }
    pthread_cond_destroy(&p->given);
    pthread_mutex_destroy(&p->lock);
    free(p->name);
    free(p);
}

/* ---- starting one ---- */

/* By this process, whose child it is. */
static int pool_spawn(const struct parser_pool *p, unsigned number, int *sock, pid_t *pid, struct err *err)
{
    char text[16], command[] = PARSER_COMMAND;
    int ends[2];
    snprintf(text, sizeof text, "%u", number);
    char *const argv[] = {p->name, command, text, NULL};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return err_errno(err, "socketpair");
    const int code = self_exec_start(argv, ends[1], PARSER_SOCKET, pid);
    close(ends[1]);
    if (code < 0) {
        close(ends[0]);
        return err_set(err, code, "%s", strerror(-code));
    }
    *sock = ends[0];
    return 0;
}

static int slot_start(struct parser_pool *p, struct parser_slot *s, uint32_t *layers, struct err *err)
{
    const unsigned number = (unsigned)(s - p->slots);
    struct parser_watch watch;
    int code = -EPIPE;
    s->starter = p->starter.start != NULL;
    if (s->starter)
        code = p->starter.start(p->starter.arg, number, &s->sock, &s->pid, err);
    if (code == -EPIPE) {
        s->starter = false;
        code = pool_spawn(p, number, &s->sock, &s->pid, err);
    }
    if (code < 0) {
        s->pid = 0;
        return err_wrap(err, code, "start the parser");
    }
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

static bool pool_runs(const struct parser_pool *p)
{
    for (size_t i = 0; i < PARSER_PROCESSES; i++) {
        if (p->slots[i].pid)
            return true;
    }
    return false;
}

/* Free, and there or allowed to be started: the first such, so that the second process is an exception. */
static struct parser_slot *pool_choose(struct parser_pool *p, int slot, unsigned generation, int64_t *retry_ms)
{
    const int64_t now = clock_ms();
    const bool any = slot < 0 || p->slots[slot].generation != generation;
    const bool running_only = slot == PARSER_RUNNING && pool_runs(p);
    *retry_ms = INT64_MAX;
    for (int i = 0; i < PARSER_PROCESSES; i++) {
        struct parser_slot *s = &p->slots[i];
        if (s->busy || (!any && i != slot) || (running_only && !s->pid))
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
    uint32_t layers = 0;
    if (s->pid && ((fresh && s->served) || slot_is_old(s)))
        (void)slot_end(p, s, false);
    if (s->pid)
        return 0;
    const int code = slot_start(p, s, &layers, err);
    if (code < 0 && s->pid)
        (void)slot_end(p, s, false);
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
    s->given_ms = clock_ms();
    pthread_cond_broadcast(&p->given);
}

/* Until one is given back; false when the time is over. */
static bool pool_wait_until(struct parser_pool *p, int64_t until_ms)
{
    const struct timespec t = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * NS_PER_MS};
    return pthread_cond_clockwait(&p->given, &p->lock, CLOCK_MONOTONIC, &t) != ETIMEDOUT;
}

int parser_pool_take(struct parser_pool *p, int slot, unsigned generation, bool fresh, struct parser_process_ref *ret,
                     int64_t *retry_ms, struct err *err)
{
    struct parser_slot *s;
    const int64_t until_ms = clock_ms() + RUNNING_WAIT_MS;
    pthread_mutex_lock(&p->lock);
    while (!(s = pool_choose(p, slot, generation, retry_ms)) && *retry_ms == INT64_MAX) {
        if (slot != PARSER_RUNNING)
            pthread_cond_wait(&p->given, &p->lock);
        else if (!pool_wait_until(p, until_ms))
            slot = PARSER_ANY;
    }
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
    const struct child_end end = slot_end(p, s, closed);
    *cpu_ns = end.cpu_ns;
    pthread_mutex_lock(&p->lock);
    if (delay)
        slot_failed(s);
    else
        s->generation = 0;
    slot_let_go(p, s);
    pthread_mutex_unlock(&p->lock);
    return end.status;
}

int parser_pool_end(struct parser_pool *p, const struct parser_process_ref *r, bool closed, int64_t *cpu_ns)
{
    return pool_end(p, r, closed, true, cpu_ns);
}

int parser_pool_end_for_client(struct parser_pool *p, const struct parser_process_ref *r, bool closed, int64_t *cpu_ns)
{
    return pool_end(p, r, closed, false, cpu_ns);
}

static bool slot_is_idle(const struct parser_slot *s, int64_t idle_ms)
{
    return !s->busy && s->pid && clock_ms() - s->given_ms >= idle_ms;
}

bool parser_pool_is_idle(struct parser_pool *p, int64_t idle_ms)
{
    bool idle = false;
    pthread_mutex_lock(&p->lock);
    for (size_t i = 1; i < PARSER_PROCESSES; i++)
        idle = idle || slot_is_idle(&p->slots[i], idle_ms);
    pthread_mutex_unlock(&p->lock);
    return idle;
}

void parser_pool_trim(struct parser_pool *p, int64_t idle_ms)
{
    for (size_t i = 1; i < PARSER_PROCESSES; i++) {
        struct parser_slot *s = &p->slots[i];
        pthread_mutex_lock(&p->lock);
        const bool idle = slot_is_idle(s, idle_ms);
        s->busy = s->busy || idle;
        pthread_mutex_unlock(&p->lock);
        if (!idle)
            continue;
        (void)slot_end(p, s, false);
        pthread_mutex_lock(&p->lock);
        s->generation = 0;
        slot_let_go(p, s);
        pthread_mutex_unlock(&p->lock);
    }
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
