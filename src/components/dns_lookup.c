#include "components/dns_lookup.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

/* A server that does not answer costs RETRIES times RETRY_S for each of the search domains. */
enum { ANSWER_MAX = 64 << 10, RETRY_S = 2, RETRIES = 2, SRV_FIXED = 6, MX_FIXED = 2 };

static const ns_type dns_types[] = {
    [DNS_SRV] = ns_t_srv, [DNS_A] = ns_t_a, [DNS_AAAA] = ns_t_aaaa, [DNS_MX] = ns_t_mx, [DNS_NS] = ns_t_ns};

static void dns_add(struct dns_records *r, const char *host, uint16_t port)
{
    if (r->len == DNS_RECORDS_MAX)
        return;
    xgrow(&r->items, &r->cap, r->len + 1, sizeof *r->items);
    r->items[r->len++] = (struct dns_record){xstrdup(host), port};
}

/* The name at `at` in the data of a record; "" for the root. */
static bool dns_add_name(struct dns_records *r, const ns_msg *message, const ns_rr *rr, size_t at, uint16_t port)
{
    char name[DNS_NAME_MAX];
    if (ns_rr_rdlen(*rr) < at ||
        ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message), ns_rr_rdata(*rr) + at, name, sizeof name) < 0)
        return false;
    size_t n = strlen(name);
    while (n && name[n - 1] == '.')
        name[--n] = '\0';
    dns_add(r, name, port);
    return true;
}

static bool dns_add_address(struct dns_records *r, const ns_rr *rr, int family, size_t size)
{
    char text[INET6_ADDRSTRLEN];
    if (ns_rr_rdlen(*rr) != size || !inet_ntop(family, ns_rr_rdata(*rr), text, sizeof text))
        return false;
    dns_add(r, text, 0);
    return true;
}

static bool dns_add_record(struct dns_records *r, const ns_msg *message, const ns_rr *rr, enum dns_type type)
{
    if (ns_rr_type(*rr) != dns_types[type])
        return true; /* a CNAME on the way */
    switch (type) {
    case DNS_SRV:
        return ns_rr_rdlen(*rr) > SRV_FIXED &&
               dns_add_name(r, message, rr, SRV_FIXED, (uint16_t)ns_get16(ns_rr_rdata(*rr) + 4));
    case DNS_A:
        return dns_add_address(r, rr, AF_INET, sizeof(struct in_addr));
    case DNS_AAAA:
        return dns_add_address(r, rr, AF_INET6, sizeof(struct in6_addr));
    case DNS_MX:
        return dns_add_name(r, message, rr, MX_FIXED, 0);
    case DNS_NS:
        return dns_add_name(r, message, rr, 0, 0);
    }
    return false;
}

static int dns_by_host(const void *a, const void *b)
{
    const struct dns_record *x = a, *y = b;
    const int order = strcmp(x->host, y->host);
    return order ? order : (x->port > y->port) - (x->port < y->port);
}

static int dns_read_answer(const uint8_t *answer, int n, enum dns_type type, struct dns_records *r)
{
    ns_msg message;
    if (ns_initparse(answer, n, &message) < 0)
        return -EBADMSG;
    for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
        ns_rr rr;
        if (ns_parserr(&message, ns_s_an, i, &rr) < 0 || !dns_add_record(r, &message, &rr, type))
            return -EBADMSG;
    }
    if (r->len > 1)
        qsort(r->items, r->len, sizeof *r->items, dns_by_host);
    return 0;
}

int dns_lookup(const char *name, enum dns_type type, struct dns_records *ret, struct err *err)
{
    struct __res_state state = {0};
    struct dns_records records = {0};
    cleanup_free uint8_t *answer = xmalloc(ANSWER_MAX);
    if (res_ninit(&state) < 0)
        return err_set(err, -EAGAIN, "%s: /etc/resolv.conf cannot be used", name);
    state.retrans = RETRY_S;
    state.retry = RETRIES;
    state.options |= RES_USE_EDNS0;
    const int n = res_nsearch(&state, name, ns_c_in, dns_types[type], answer, ANSWER_MAX);
    const int why = state.res_h_errno;
    res_nclose(&state);
    if (n < 0 && why != HOST_NOT_FOUND && why != NO_DATA)
        return err_set(err, -EAGAIN, "could not resolve \"%s\": %s", name, hstrerror(why));
    if (n >= 0 && dns_read_answer(answer, n < ANSWER_MAX ? n : ANSWER_MAX, type, &records) < 0) {
        dns_records_done(&records);
        return err_set(err, -EBADMSG, "could not resolve \"%s\": the answer cannot be read", name);
    }
    *ret = records;
    return 0;
}

void dns_records_done(struct dns_records *r)
{
    for (size_t i = 0; i < r->len; i++)
        free(r->items[i].host);
    free(r->items);
    *r = (struct dns_records){0};
}
