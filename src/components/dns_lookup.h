/* Looks up DNS records by the servers and search domains of /etc/resolv.conf.
 *
 * Blocks for some seconds at most: in a worker. glibc's resolver: EDNS, TCP for answers that were truncated.
 * Sources: resolver(3), resolv.conf(5); RFC 1035, RFC 2782.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum dns_type { DNS_SRV, DNS_A, DNS_AAAA, DNS_MX, DNS_NS };
enum { DNS_NAME_MAX = 1025, DNS_RECORDS_MAX = 10000 };

struct dns_record {
    char *host;    /* owned: an address, or a name as in the record, without the dot at its end */
    uint16_t port; /* SRV only */
};
struct dns_records {
    struct dns_record *items;
    size_t len, cap;
};

/* In the order of host and port. A name that does not exist, or has no such record, has no records; -EAGAIN: no server
 * answered. */
must_check int dns_lookup(const char *name, enum dns_type type, struct dns_records *ret, struct err *err);
void dns_records_done(struct dns_records *r);
