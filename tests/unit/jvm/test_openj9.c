/* The exchange with an OpenJ9 JVM, played by a process of this file: a whole one is tests/daemon/openj9.c. */
#include "jvm/attach/openj9.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "openj9_place.h"

enum played { ANSWERS, CLOSES, DIES, MUTE };

static int semaphore;

static int reply_port(char key[64])
{
    int port = 0;
    FILE *f = fopen(place_path(place.own, "replyInfo"), "r");
    if (f) {
        if (fscanf(f, "%63s %d", key, &port) != 2)
            port = 0;
        fclose(f);
    }
    return port;
}

static int connect_to(int port)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
        _exit(3);
    return fd;
}

static void say(int fd, const char *text)
{
    if (send(fd, text, strlen(text) + 1, MSG_NOSIGNAL) < 0)
        _exit(4);
}

/* Strangers come first, as many as there are places and more: they say nothing, something else, or a part of it. */
static void send_strangers(int port, const char *greeting)
{
    for (int i = 0; i < 12; i++) {
        const int fd = connect_to(port);
        if (i % 3)
            (void)!send(fd, i % 3 == 1 ? "GET / HTTP/1.1" : greeting, 14, MSG_NOSIGNAL);
    }
}

static void answer_commands(int fd)
{
    char text[512];
    for (size_t n = 0;;) {
        const ssize_t got = recv(fd, text + n, sizeof text - n, 0);
        if (got <= 0)
            _exit(5);
        n += (size_t)got;
        if (text[n - 1])
            continue;
        /* Two at once would be one to OpenJ9. */
        if (strlen(text) != n - 1)
            _exit(6);
        n = 0;
        if (strcmp(text, "ATTACH_DETACHED") == 0) {
            say(fd, "ATTACH_DETACHED");
            _exit(0);
        }
        say(fd, strcmp(text, "ATTACH_LOADAGENTPATH(/a.so,stop)") == 0    ? "ATTACH_ERR AgentInitializationException200"
                : strcmp(text, "ATTACH_LOADAGENTPATH(/a.so,start)") == 0 ? "ATTACH_ACK"
                                                                         : "ATTACH_ERR unknown");
    }
}

static _Noreturn void play(enum played how)
{
    char key[64], greeting[128];
    struct sembuf take = {.sem_op = -1};
    if (semop(semaphore, &take, 1) < 0)
        _exit(1);
    const int port = reply_port(key);
    if (port == 0)
        _exit(2);
    if (how == DIES)
        _exit(0);
    snprintf(greeting, sizeof greeting, "ATTACH_CONNECTED %s ", key);
    send_strangers(port, greeting);
    if (how == MUTE)
        for (;;)
            pause();
    const int fd = connect_to(port);
    say(fd, greeting);
    if (how == CLOSES)
        _exit(0);
    answer_commands(fd);
    _exit(0);
}

static pid_t set_up(enum played how)
{
    place_set_up();
    semaphore = semget(ftok(place_path(place.common, "_notifier"), 0xa1), 2, IPC_CREAT | 0600);
    CHECK(semaphore >= 0);
    const pid_t pid = fork();
    if (pid == 0)
        play(how);
    pidref_done(&place.view.p);
    CHECK_INT(pidref_open(pid, 0, &place.view.p, NULL), 0);
    return pid;
}

/* What is left must be as if nobody had come. */
static int tear_down(pid_t pid, bool end)
{
    int status = -1;
    CHECK(access(place_path(place.own, "replyInfo"), F_OK) < 0);
    CHECK_INT(semctl(semaphore, 0, GETVAL), 0);
    CHECK_INT(semctl(semaphore, 0, IPC_RMID), 0);
    if (end)
        kill(pid, SIGKILL);
    CHECK_INT(waitpid(pid, &status, 0), pid);
    place_tear_down();
    return status;
}

static int exchange(int timeout_ms, size_t n, struct buf replies[2], struct err *err)
{
    static const char *const stop[] = {"/a.so", "true", "stop"}, *const start[] = {"/a.so", "true", "start"};
    const struct openj9_call calls[] = {{"load", stop, &replies[0]}, {"load", start, &replies[1]}};
    struct openj9_files f;
    CHECK_INT(place_open(&f, err), 0);
    const int code = openj9_exchange(&f, clock_ms() + timeout_ms, calls, n, err);
    openj9_files_done(&f);
    return code;
}

/* Checks the end of an exchange that the JVM does not let come to one. */
static void fails(enum played how, int timeout_ms, int code, const char *why)
{
    struct err err = {0};
    struct buf replies[2] = {BUF_INIT(1024), BUF_INIT(1024)};
    const pid_t pid = set_up(how);
    CHECK_INT(exchange(timeout_ms, 1, replies, &err), code);
    CHECK_HAS(err.text, why);
    CHECK_INT(replies[0].len, 0);
    tear_down(pid, true);
}

static void commands_are_answered_in_their_order(void)
{
    struct err err = {0};
    struct buf replies[2] = {BUF_INIT(1024), BUF_INIT(1024)};
    const pid_t pid = set_up(ANSWERS);
    CHECK_INT(exchange(60000, 2, replies, &err), 0);
    CHECK_STR(buf_cstr(&replies[0]), "0\nreturn code: 200\n");
    CHECK_STR(buf_cstr(&replies[1]), "0\nreturn code: 0\n");
    for (int i = 0; i < 2; i++)
        buf_done(&replies[i]);
    CHECK_INT(tear_down(pid, false), 0);
}

static void who_does_not_answer_ends_it_at_the_deadline(void)
{
    fails(MUTE, 1500, -ETIMEDOUT, "did not answer in time");
}

static void who_closes_the_connection_ends_it(void)
{
    fails(CLOSES, 60000, -ECONNRESET, "closed the connection");
}

static void a_jvm_that_ends_is_not_waited_for(void)
{
    fails(DIES, 60000, -ESRCH, "is gone");
}

static void without_its_semaphore_nobody_is_woken(void)
{
    struct err err = {0};
    struct openj9_files f;
    struct buf replies[2] = {BUF_INIT(1024), BUF_INIT(1024)};
    place_set_up();
    CHECK_INT(place_open(&f, &err), 0);
    CHECK_INT(openj9_check(&f, &err), -ENOTSUP);
    openj9_files_done(&f);
    CHECK_INT(exchange(60000, 1, replies, &err), -ENOTSUP);
    CHECK_HAS(err.text, "the semaphore of OpenJ9's attach directory");
    CHECK(access(place_path(place.own, "replyInfo"), F_OK) < 0);
    place_tear_down();
}

int main(void)
{
    RUN(commands_are_answered_in_their_order);
    RUN(who_does_not_answer_ends_it_at_the_deadline);
    RUN(who_closes_the_connection_ends_it);
    RUN(a_jvm_that_ends_is_not_waited_for);
    RUN(without_its_semaphore_nobody_is_woken);
    return REPORT();
}
