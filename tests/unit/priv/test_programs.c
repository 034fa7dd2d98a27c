#include "priv/programs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "priv/priv.h"
#include "test.h"

enum { SOCKET = 3 };

static char name[] = "test", command[] = "echo";
static char *const echo[] = {name, command, NULL};
static const struct priv_program table[] = {{echo, SOCKET}, {NULL, 0}};
static const struct priv_op no_ops[] = {{NULL, NULL}};

/* The program: sends back what it gets; an 'x' ends it. */
static int run_echo(void)
{
    char byte;
    while (recv(SOCKET, &byte, 1, 0) == 1) {
        if (byte == 'x')
            return 7;
        if (byte == 's')
            abort();
        (void)!send(SOCKET, &byte, 1, MSG_NOSIGNAL);
    }
    return 0;
}

static bool answers(int sock)
{
    char byte = 'a';
    return send(sock, &byte, 1, MSG_NOSIGNAL) == 1 && recv(sock, &byte, 1, 0) == 1 && byte == 'a';
}

static pid_t parent_of(pid_t pid)
{
    char path[64], text[512];
    int parent = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    if (f && fgets(text, sizeof text, f))
        (void)!sscanf(strrchr(text, ')') + 1, " %*c %d", &parent);
    if (f)
        fclose(f);
    return parent;
}

static void a_program_runs_beside_and_is_ended(void)
{
    struct priv *p;
    int sock;
    pid_t pid;
    struct err err = {0};
    struct child_end end;
    CHECK_INT(priv_start(no_ops, table, &p, &err), 0);
    CHECK_INT(priv_program_start(p, 0, &sock, &pid, &err), 0);
    CHECK(answers(sock));
    CHECK(parent_of(pid) > 0 && parent_of(pid) != getpid());
    CHECK_INT(priv_program_end(p, 0, false, &end), 0);
    CHECK_INT(end.status, 0);
    CHECK(kill(pid, 0) < 0 && errno == ESRCH);
    CHECK(!answers(sock));
    close(sock);
    CHECK_INT(priv_program_end(p, 0, false, &end), 0); /* none runs */
    CHECK_INT(priv_program_start(p, 1, &sock, &pid, &err), -EINVAL);
    priv_stop(p);
}

static void it_is_told_how_one_ended(void)
{
    struct priv *p;
    struct err err = {0};
    CHECK_INT(priv_start(no_ops, table, &p, &err), 0);
    for (int crash = 0; crash < 2; crash++) {
        int sock;
        pid_t pid;
        struct child_end end;
        CHECK_INT(priv_program_start(p, 0, &sock, &pid, &err), 0);
        CHECK_INT(send(sock, crash ? "s" : "x", 1, MSG_NOSIGNAL), 1);
        CHECK_INT(priv_program_end(p, 0, true, &end), 0);
        CHECK(crash ? WIFSIGNALED(end.status) && WTERMSIG(end.status) == SIGABRT
                    : WIFEXITED(end.status) && WEXITSTATUS(end.status) == 7);
        close(sock);
    }
    priv_stop(p);
}

/* A start ends the one before: its number is free again. */
static void one_of_each_runs_at_a_time(void)
{
    struct priv *p;
    int first, second;
    pid_t one, two;
    struct err err = {0};
    CHECK_INT(priv_start(no_ops, table, &p, &err), 0);
    CHECK_INT(priv_program_start(p, 0, &first, &one, &err), 0);
    CHECK_INT(priv_program_start(p, 0, &second, &two, &err), 0);
    CHECK(!answers(first));
    CHECK(answers(second));
    close(first);
    close(second);
    priv_stop(p);
    CHECK(kill(two, 0) < 0 && errno == ESRCH);
}

static void without_the_guard_nothing_is_started(void)
{
    struct priv *p;
    int sock;
    pid_t pid;
    struct err err = {0};
    struct child_end end;
    CHECK_INT(priv_start(no_ops, table, &p, &err), 0);
    CHECK_INT(priv_program_start(p, 0, &sock, &pid, &err), 0);
    const pid_t guard = parent_of(pid);
    CHECK(guard > 1 && guard != getpid());
    if (guard > 1 && guard != getpid())
        kill(guard, SIGKILL);
    CHECK_INT(priv_program_end(p, 0, false, &end), -EPIPE);
    close(sock);
    CHECK_INT(priv_program_start(p, 0, &sock, &pid, &err), -EPIPE);
    priv_stop(p);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], command) == 0)
        return run_echo();
    RUN(a_program_runs_beside_and_is_ended);
    RUN(it_is_told_how_one_ended);
    RUN(one_of_each_runs_at_a_time);
    RUN(without_the_guard_nothing_is_started);
    return REPORT();
}
