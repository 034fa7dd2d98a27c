#include "net/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "test.h"

struct listening {
    int fd;
    char text[LISTEN_ADDRESS_MAX];
    uint16_t port;
    struct err err;
    int code;
};

static struct listening listening_at(const char *address)
{
    struct listening l = {.fd = -1};
    l.code = listen_open(address, &l.fd, l.text, &l.port, &l.err);
    return l;
}

static void listening_done(struct listening *l)
{
    if (l->fd >= 0)
        close(l->fd);
}
#define cleanup_listening __attribute__((cleanup(listening_done)))

static void check_bound(const char *address, const char *host)
{
    cleanup_listening struct listening l = listening_at(address);
    char want[LISTEN_ADDRESS_MAX];
    snprintf(want, sizeof want, "%s:%u", host, l.port);
    CHECK_INT(l.code, 0);
    CHECK_STR(l.err.text, "");
    CHECK_STR(l.text, want);
    CHECK(l.port > 0);
    CHECK(fcntl(l.fd, F_GETFD) & FD_CLOEXEC);
    CHECK(fcntl(l.fd, F_GETFL) & O_NONBLOCK);
}

static void every_form_of_an_address_is_taken(void)
{
    check_bound("127.0.0.1:0", "127.0.0.1");
    check_bound("127.0.0.2:0", "127.0.0.2");
    check_bound("localhost:0", "127.0.0.1");
    check_bound("0.0.0.0:0", "0.0.0.0");
    cleanup_close int v6 = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (v6 < 0) {
        SKIP(every_form_of_an_address_is_taken, "no IPv6 here: its forms are left out");
        check_bound(":0", "0.0.0.0");
        return;
    }
    check_bound("[::1]:0", "[::1]");
    check_bound(":0", "[::]");
}

static void what_is_no_address_is_refused(void)
{
    static const char *const bad[] = {
        "",
        ":",
        "4040",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:x",
        "127.0.0.1:-1",
        "127.0.0.1:65536",
        "127.0.0.1:4294971336", /* 4040 if it were cut to 32 bits */
        "127.0.0.1:99999999999999999999",
        "127.0.0.1: 80",
        "127.0.0.1 :80",
        "::1:80",
        "[::1]",
        "[::1:80",
        "::1]:80",
        "[]:80",
        "[:80",
        "]:80",
        "[127.0.0.1]:80",
        "[::1%lo]:80",
        "example.org:80",
        "256.0.0.1:80",
        "0123456789012345678901234567890123456789012345678901234567890123456789:80",
        "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:80",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        cleanup_listening struct listening l = listening_at(bad[i]);
        if (l.code != -EINVAL || l.fd >= 0)
            FAIL_("\"%s\" gives %d", bad[i], l.code);
        CHECK_HAS(l.err.text, bad[i]);
        CHECK_HAS(l.err.text, "expected ADDRESS:PORT");
    }
}

static void a_taken_port_is_told_with_its_holder(void)
{
    cleanup_listening struct listening first = listening_at("127.0.0.1:0");
    cleanup_listening struct listening second = listening_at(first.text);
    char holder[64];
    snprintf(holder, sizeof holder, "(pid %d)", (int)getpid());
    CHECK_INT(second.code, -EADDRINUSE);
    CHECK_INT(second.fd, -1);
    CHECK_HAS(second.err.text, "address already in use by test_listen ");
    CHECK_HAS(second.err.text, holder);
}

static void an_address_that_is_not_here_is_told(void)
{
    cleanup_listening struct listening l = listening_at("192.0.2.1:0"); /* RFC 5737: nobody's */
    CHECK_INT(l.code, -EADDRNOTAVAIL);
    CHECK_HAS(l.err.text, "listen 192.0.2.1:0: ");
}

static void a_port_is_free_again_at_once(void)
{
    struct listening first = listening_at("127.0.0.1:0");
    char address[LISTEN_ADDRESS_MAX];
    snprintf(address, sizeof address, "%s", first.text);
    listening_done(&first);
    cleanup_listening struct listening again = listening_at(address);
    CHECK_INT(again.code, 0);
    CHECK_INT(again.port, first.port);
}

int main(void)
{
    RUN(every_form_of_an_address_is_taken);
    RUN(what_is_no_address_is_refused);
    RUN(a_taken_port_is_told_with_its_holder);
    RUN(an_address_that_is_not_here_is_told);
    RUN(a_port_is_free_again_at_once);
    return REPORT();
}
