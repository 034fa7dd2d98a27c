#include "net/listen.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"

/* A full queue makes the kernel drop a newcomer, who tries again after a second. */
enum { BACKLOG = 4096, TCP_LISTEN_STATE = 0x0a /* include/net/tcp_states.h */ };

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
    socklen_t len;
    bool everywhere; /* no host was given */
};

static int listen_not_an_address(const char *text, struct err *err)
{
    return err_set(err, -EINVAL, "listen address \"%s\": expected ADDRESS:PORT, such as 127.0.0.1:4040 or [::1]:4040",
                   text);
}

static int listen_parse(const char *text, struct address *ret, struct err *err)
{
    const char *colon = strrchr(text, ':');
    uint64_t port;
    if (!colon || !str_to_u64(str_of(colon + 1), &port) || port > UINT16_MAX)
        return listen_not_an_address(text, err);
    char host[INET6_ADDRSTRLEN + 2];
    size_t n = (size_t)(colon - text);
    if (n >= sizeof host)
        return listen_not_an_address(text, err);
    memcpy(host, text, n);
    host[n] = '\0';

    struct address a = {.everywhere = n == 0};
    if (strcmp(host, "localhost") == 0)
        snprintf(host, sizeof host, "127.0.0.1");
    if (a.everywhere) {
        a.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
        a.len = sizeof a.v6;
    } else if (host[0] == '[' && host[n - 1] == ']') {
        host[n - 1] = '\0';
        a.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
        a.len = sizeof a.v6;
        if (inet_pton(AF_INET6, host + 1, &a.v6.sin6_addr) != 1)
            return listen_not_an_address(text, err);
    } else {
        a.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        a.len = sizeof a.v4;
        if (inet_pton(AF_INET, host, &a.v4.sin_addr) != 1)
            return listen_not_an_address(text, err);
    }
    *ret = a;
    return 0;
}

/* A listening socket's inode and owner, from one of the tables of proc(5) net/tcp. */
static bool listen_find_socket(const char *table, uint16_t port, unsigned long *ret_inode, unsigned *ret_uid)
{
    cleanup_fclose FILE *f = fopen(table, "re");
    char line[512];
    while (f && fgets(line, sizeof line, f)) {
        unsigned local_port, state, uid;
        unsigned long inode;
        if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x %u %*d %lu", &local_port,
                   &state, &uid, &inode) == 4 &&
            local_port == port && state == TCP_LISTEN_STATE) {
            *ret_inode = inode;
            *ret_uid = uid;
            return true;
        }
    }
    return false;
}

static bool listen_process_holds(const char *pid, const char *wanted_link)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
    cleanup_closedir DIR *fds = opendir(path);
    for (struct dirent *e; fds && (e = readdir(fds));) {
        char link[64];
        ssize_t n = readlinkat(dirfd(fds), e->d_name, link, sizeof link - 1);
        if (n <= 0)
            continue;
        link[n] = '\0';
        if (strcmp(link, wanted_link) == 0)
            return true;
    }
    return false;
}

static void listen_read_comm(const char *pid, char *out, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%.20s/comm", pid);
    cleanup_fclose FILE *f = fopen(path, "re");
    if (!f || !fgets(out, (int)size, f))
        snprintf(out, size, "a process");
    out[strcspn(out, "\n")] = '\0';
}

/* " by java (pid 123)", or as much of it as can be seen from here. */
static void listen_describe_holder(uint16_t port, char *out, size_t size)
{
    unsigned long inode;
    unsigned uid;
    out[0] = '\0';
    if (!listen_find_socket("/proc/self/net/tcp", port, &inode, &uid) &&
        !listen_find_socket("/proc/self/net/tcp6", port, &inode, &uid))
        return;
    snprintf(out, size, " by a process of uid %u", uid);
    char wanted[64];
    snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
    cleanup_closedir DIR *proc = opendir("/proc");
    for (struct dirent *e; proc && (e = readdir(proc));) {
        if (!isdigit((unsigned char)e->d_name[0]) || !listen_process_holds(e->d_name, wanted))
            continue;
        char comm[32];
        listen_read_comm(e->d_name, comm, sizeof comm);
        snprintf(out, size, " by %s (pid %.20s)", comm, e->d_name);
        return;
    }
}

static void listen_print(const struct address *a, char text[LISTEN_ADDRESS_MAX], uint16_t *port)
{
    char host[INET6_ADDRSTRLEN] = "";
    bool v6 = a->any.sa_family == AF_INET6;
    *port = ntohs(v6 ? a->v6.sin6_port : a->v4.sin_port);
    if (v6)
        inet_ntop(AF_INET6, &a->v6.sin6_addr, host, sizeof host);
    else
        inet_ntop(AF_INET, &a->v4.sin_addr, host, sizeof host);
    snprintf(text, LISTEN_ADDRESS_MAX, v6 ? "[%s]:%u" : "%s:%u", host, *port);
}

static int listen_open_socket(struct address *a)
{
    int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 && errno == EAFNOSUPPORT && a->everywhere) {
        a->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = a->v6.sin6_port};
        a->len = sizeof a->v4;
        fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    }
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (a->any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){!a->everywhere}, sizeof(int));
    return fd;
}

int listen_open(const char *address, int *ret_fd, char text[LISTEN_ADDRESS_MAX], uint16_t *ret_port, struct err *err)
{
    struct address a;
    int code = listen_parse(address, &a, err);
    if (code < 0)
        return code;
    cleanup_close int fd = listen_open_socket(&a);
    if (fd < 0)
        return err_errno(err, "listen %s: socket", address);
    if (bind(fd, &a.any, a.len) < 0 || listen(fd, BACKLOG) < 0) {
        if (errno != EADDRINUSE)
            return err_errno(err, "listen %s", address);
        char holder[96];
        listen_describe_holder(ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port), holder,
                               sizeof holder);
        return err_set(err, -EADDRINUSE, "listen %s: address already in use%s", address, holder);
    }
    struct address bound = {.len = sizeof(struct sockaddr_in6)};
    if (getsockname(fd, &bound.any, &bound.len) < 0)
        return err_errno(err, "listen %s: getsockname", address);
    listen_print(&bound, text, ret_port);
    *ret_fd = TAKE_FD(fd);
    return 0;
}
