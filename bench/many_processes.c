/* many_processes COUNT [PERIOD_MS]: that many processes, which wait; or, with a period, which wake up, do next to
 * nothing and wait again. The first line of its output says that all are there. They end with it.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static void wait_for_ever(int period_ms)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
        poll(NULL, 0, period_ms);
}

int main(int argc, char **argv)
{
    const int count = argc > 1 ? atoi(argv[1]) : 0, period_ms = argc > 2 ? atoi(argv[2]) : -1;
    for (int i = 0; i < count; i++) {
        const pid_t pid = fork();
        if (pid == 0)
            wait_for_ever(period_ms);
        if (pid < 0) {
            perror("many_processes: fork");
            return 1;
        }
    }
    printf("%d processes\n", count);
    fflush(stdout);
    for (;;)
        pause();
}
