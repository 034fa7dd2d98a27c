/* Limits of this test's own process, which it lowers. */
#include "jvm/probe/limits.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "test.h"

static const char text[] = "Limit                     Soft Limit           Hard Limit           Units     \n"
                           "Max file size             65536                unlimited            bytes     \n"
                           "Max open files            60                   524288               files     \n"
                           "Max locked memory         unlimited            unlimited            bytes     \n";

static void soft_limits_are_read_by_name(void)
{
    uint64_t v = 0;
    CHECK(limits_soft(STR(text), "Max file size", &v));
    CHECK_INT(v, 65536);
    CHECK(limits_soft(STR(text), "Max locked memory", &v));
    CHECK_INT(v, UINT64_MAX);
    CHECK(!limits_soft(STR(text), "Max nice priority", &v));
    CHECK(!limits_soft(STR("Max file size"), "Max file size", &v));
}

static struct pidref own_process(void)
{
    struct pidref p = PIDREF_INIT;
    CHECK_INT(pidref_open(getpid(), 0, &p, NULL), 0);
    return p;
}

static void a_file_size_limit_is_seen(void)
{
    struct pidref p = own_process();
    struct rlimit old;
    uint64_t v = 0;
    CHECK_INT(getrlimit(RLIMIT_FSIZE, &old), 0);
    struct rlimit small = {1 << 16, old.rlim_max};
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &small), 0);
    CHECK(limits_file_size(&p, &v));
    CHECK_INT(v, 1 << 16);
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &old), 0);
    CHECK_INT(limits_file_size(&p, &v), old.rlim_cur != RLIM_INFINITY);
    pidref_done(&p);
}

static void used_up_descriptors_are_seen(void)
{
    struct pidref p = own_process();
    struct rlimit old;
    uint64_t used = 0, most = 0;
    CHECK(!limits_no_descriptors(&p, &used, &most));
    CHECK_INT(getrlimit(RLIMIT_NOFILE, &old), 0);
    const int last = dup(0);
    struct rlimit small = {(rlim_t)last, old.rlim_max};
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &small), 0);
    /* Reading takes descriptors itself; those of another process are not ours to spare. */
    pid_t child = fork();
    if (child == 0) {
        for (;;)
            pause();
    }
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &old), 0);
    struct pidref other = PIDREF_INIT;
    CHECK_INT(pidref_open(child, 0, &other, NULL), 0);
    CHECK(limits_no_descriptors(&other, &used, &most));
    CHECK_INT(most, last);
    CHECK(used >= most);
    kill(child, SIGKILL);
    pidref_done(&other);
    pidref_done(&p);
    close(last);
}

int main(void)
{
    RUN(soft_limits_are_read_by_name);
    RUN(a_file_size_limit_is_seen);
    RUN(used_up_descriptors_are_seen);
    return REPORT();
}
