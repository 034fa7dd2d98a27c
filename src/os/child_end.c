#include "os/child_end.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/clock.h"

static int64_t child_end_ns(struct timeval t)
{
    return t.tv_sec * NS_PER_SEC + t.tv_usec * NS_PER_US;
}

struct child_end child_end(pid_t pid, bool closed)
{
    struct rusage used = {0};
    int status = 0;
    pid_t ended = wait4(pid, &status, WNOHANG, &used);
    for (int ms = 0; closed && ended == 0 && ms < CHILD_END_MS; ms++) {
        poll(NULL, 0, 1);
        ended = wait4(pid, &status, WNOHANG, &used);
    }
    if (ended == 0) {
        kill(pid, SIGKILL);
        while ((ended = wait4(pid, &status, 0, &used)) < 0 && errno == EINTR)
            ;
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
            status = 0;
    }
    return (struct child_end){status, ended < 0 ? 0 : child_end_ns(used.ru_utime) + child_end_ns(used.ru_stime)};
}
