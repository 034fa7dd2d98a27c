#include "net/server_peers.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "net/server_tls.h"

enum { SWEEP_MS = 1000, SWEEP_IDLE_MS = 5000, LOOPBACK_NET = 127 };

/* The connections of one address. */
struct peer_group {
    struct list link;
    uint8_t address[16]; /* IPv6, IPv4 mapped into it */
    bool is_loopback;
    size_t count;
    size_t reply_bytes; /* of all */
};

/* --- addresses --- */

static void peer_group_set_v4(struct peer_group *g, const uint8_t address[4])
{
    g->address[10] = g->address[11] = 0xff;
    memcpy(g->address + 12, address, 4);
    g->is_loopback = address[0] == LOOPBACK_NET;
    if (g->is_loopback)
        memset(g->address + 13, 0, 3);
}

static void peer_group_set_v6(struct peer_group *g, const struct in6_addr *address)
{
    enum { SITE_BYTES = 8 };
    if (IN6_IS_ADDR_V4MAPPED(address))
        peer_group_set_v4(g, address->s6_addr + 12);
    else if (IN6_IS_ADDR_LOOPBACK(address))
        peer_group_set_v4(g, (const uint8_t[4]){LOOPBACK_NET, 0, 0, 1}); /* the same host */
    else
        memcpy(g->address, address->s6_addr, SITE_BYTES);
}

static struct peer_group *peer_group_of(struct server *s, struct MHD_Connection *connection)
{
    struct peer_group wanted = {0};
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *from = info ? info->client_addr : NULL;
    if (from && from->sa_family == AF_INET)
        peer_group_set_v4(&wanted, (const uint8_t *)&((const struct sockaddr_in *)(const void *)from)->sin_addr);
    else if (from && from->sa_family == AF_INET6)
        peer_group_set_v6(&wanted, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr);
    list_each(&s->groups, node)
    {
        struct peer_group *g = list_entry(node, struct peer_group, link);
        if (memcmp(g->address, wanted.address, sizeof g->address) == 0)
            return g;
    }
    struct peer_group *g = xcalloc(1, sizeof *g);
    *g = wanted;
    list_push(&s->groups, &g->link);
    return g;
}

/* --- eviction --- */

static bool peer_is_evictable(const struct peer *p)
{
    return p->phase != PEER_AT_WORK && p->phase != PEER_LEAVING;
}

/* Bytes a second. */
static uint64_t peer_speed(const struct peer *p, uint64_t now)
{
    return p->body_bytes * 1000 / (now - p->since + 1);
}

/* Whether `a` goes before `b`. */
static bool peer_goes_first(const struct peer *a, const struct peer *b, uint64_t now)
{
    if (a->group->count != b->group->count)
        return a->group->count > b->group->count;
    if (a->phase != b->phase)
        return a->phase < b->phase;
    if (a->phase == PEER_BODY && peer_speed(a, now) != peer_speed(b, now))
        return peer_speed(a, now) < peer_speed(b, now);
    return a->since < b->since;
}

/* Of one address, or of all (NULL); never `newcomer`. */
static void peer_evict(struct server *s, const struct peer_group *of, const struct peer *newcomer)
{
    struct peer *first = NULL;
    list_each(&s->peers, node)
    {
        struct peer *p = list_entry(node, struct peer, link);
        if (p == newcomer || !peer_is_evictable(p) || (of && p->group != of))
            continue;
        if (!first || peer_goes_first(p, first, uv_now(s->loop)))
            first = p;
    }
    if (first)
        peer_hang_up(first);
}

/* Of one address, or of all (NULL). */
static size_t peer_count_evictable(const struct server *s, const struct peer_group *of)
{
    size_t n = 0;
    list_each(&s->peers, node)
    {
        const struct peer *p = list_entry(node, struct peer, link);
        n += peer_is_evictable(p) && (!of || p->group == of);
    }
    return n;
}

/* --- memory of replies --- */

static void peer_release_reply(struct peer *p)
{
    p->group->reply_bytes -= p->reply_bytes;
    p->daemon->server->replies -= p->reply_bytes;
    p->reply_bytes = 0;
}

/* NULL: nobody but `newcomer`, or those who began a moment ago. */
static struct peer *peer_slowest_reader(struct server *s, const struct peer *newcomer)
{
    struct peer *first = NULL;
    list_each(&s->peers, node)
    {
        struct peer *p = list_entry(node, struct peer, link);
        if (p == newcomer || p->reply_bytes == 0 || p->since + REPLY_QUICK_MS >= uv_now(s->loop))
            continue;
        if (!first || p->group->reply_bytes > first->group->reply_bytes ||
            (p->group->reply_bytes == first->group->reply_bytes && p->since < first->since))
            first = p;
    }
    return first;
}

static void peer_limit_replies(struct server *s, const struct peer *newcomer)
{
    struct peer *first;
    while (s->replies > s->max_replies && (first = peer_slowest_reader(s, newcomer))) {
        peer_release_reply(first); /* libmicrohttpd frees it within this turn of the loop */
        peer_hang_up(first);
    }
}

/* --- sweep --- */

static bool peer_is_in_time(const struct peer *p, uint64_t now)
{
    if (p->deadline && p->deadline < now)
        return false;
    return p->phase != PEER_BODY || now < p->since + BODY_GRACE_MS || peer_speed(p, now) >= BODY_LEAST;
}

static void peer_on_sweep(uv_timer_t *t);

static void peer_sweep_in(struct server *s, uint64_t ms)
{
    if (ms > s->request_ms)
        ms = s->request_ms;
    if (!uv_is_active((uv_handle_t *)&s->sweep) || uv_timer_get_due_in(&s->sweep) > ms)
        uv_timer_start(&s->sweep, peer_on_sweep, ms, 0);
}

static void peer_on_sweep(uv_timer_t *t)
{
    struct server *s = t->data;
    bool pending = false;
    list_each(&s->peers, node)
    {
        struct peer *p = list_entry(node, struct peer, link);
        pending |= p->phase == PEER_HEADER || p->phase == PEER_BODY;
        if (peer_is_evictable(p) && !peer_is_in_time(p, uv_now(s->loop)))
            peer_hang_up(p);
    }
    peer_limit_replies(s, NULL);
    if (s->peer_count)
        peer_sweep_in(s, pending ? SWEEP_MS : SWEEP_IDLE_MS);
}

/* --- phases --- */

static uint64_t peer_time_for(const struct server *s, enum peer_phase phase)
{
    const uint64_t most = s->request_ms;
    switch (phase) {
    case PEER_IDLE:
        return most < s->idle_ms ? most : s->idle_ms;
    case PEER_HEADER:
        return most < HEADER_MS ? most : HEADER_MS;
    case PEER_BODY:
        return most;
    case PEER_REPLY:
        return s->reply_ms;
    default:
        return 0;
    }
}

void peer_enter(struct peer *p, enum peer_phase phase)
{
    struct server *s = p->daemon->server;
    peer_release_reply(p);
    if (p->phase == PEER_LEAVING)
        return;
    const uint64_t now = uv_now(s->loop), time = peer_time_for(s, phase);
    p->phase = phase;
    p->since = now;
    p->body_bytes = 0;
    p->deadline = time ? now + time : 0;
    if (time)
        peer_sweep_in(s, phase == PEER_HEADER || phase == PEER_BODY ? SWEEP_MS : SWEEP_IDLE_MS);
}

void peer_progress(struct peer *p, size_t bytes)
{
    p->body_bytes += bytes;
}

void peer_reply(struct peer *p, size_t bytes)
{
    peer_enter(p, PEER_REPLY);
    if (p->phase == PEER_LEAVING)
        return;
    p->reply_bytes = bytes;
    p->group->reply_bytes += bytes;
    p->daemon->server->replies += bytes;
    peer_limit_replies(p->daemon->server, p);
}

void peer_reclaim_memory(struct server *s, const struct peer *asker)
{
    struct peer *first = NULL;
    list_each(&s->peers, node)
    {
        struct peer *p = list_entry(node, struct peer, link);
        if (p != asker && p->phase == PEER_BODY && p->body_bytes && (!first || p->since < first->since))
            first = p;
    }
    if (first && first->since + BODY_QUICK_MS < uv_now(s->loop))
        peer_hang_up(first);
}

bool peer_is_busy(const struct peer *p)
{
    return p->phase == PEER_BODY || p->phase == PEER_AT_WORK || p->phase == PEER_REPLY;
}

void peer_hang_up(struct peer *p)
{
    p->phase = PEER_LEAVING;
    shutdown(p->fd, SHUT_RDWR);
}

static size_t peer_most_of_one(const struct server *s)
{
    const size_t most = s->connections * PEER_CONNECTIONS / SERVER_CONNECTIONS;
    return most ? most : 1;
}

struct peer *peer_new(struct daemon *d, struct MHD_Connection *connection)
{
    struct server *s = d->server;
    struct peer *p = xcalloc(1, sizeof *p);
    p->daemon = d;
    p->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    p->group = peer_group_of(s, connection);
    p->group->count++;
    list_push(&s->peers, &p->link);
    d->peer_count++;
    s->peer_count++;
    peer_enter(p, PEER_HEADER);
    const size_t most_of_one = peer_most_of_one(s);
    if (!p->group->is_loopback && p->group->count > most_of_one && peer_count_evictable(s, p->group) > most_of_one)
        peer_evict(s, p->group, p);
    else if (s->peer_count > s->connections && peer_count_evictable(s, NULL) > s->connections)
        peer_evict(s, NULL, p);
    return p;
}

void peer_free(struct peer *p)
{
    struct server *s = p->daemon->server;
    peer_release_reply(p);
    list_del(&p->link);
    if (--p->group->count == 0) {
        list_del(&p->group->link);
        free(p->group);
    }
    tls_credentials_unref(p->credentials);
    p->daemon->peer_count--;
    if (--s->peer_count == 0)
        uv_timer_stop(&s->sweep);
    free(p);
}
