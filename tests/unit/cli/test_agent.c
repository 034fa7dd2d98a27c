/* The agent from its start to its end, in a process of its own each time: exit status, what is logged, signals, its
 * helper. */
#include "cli/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "cli/command.h"
#include "os/fsutil.h"
#include "parser/parser_main.h"
#include "test.h"

enum { WAIT_MS = 30000, OUTPUT_MAX = 1 << 20 };

static char folder[] = "/tmp/smolder-test-agent-XXXXXX";

struct run {
    pid_t pid;
    char output[64], config[64], data[64];
};

static void write_file(const char *path, const char *text)
{
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    CHECK(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0);
}

/* An agent with this configuration; `s` is completed. */
static struct run agent_started(const char *config, struct agent_settings s)
{
    static int count;
    struct run r = {0};
    count++;
    snprintf(r.output, sizeof r.output, "%s/%d.log", folder, count);
    snprintf(r.config, sizeof r.config, "%s/%d.alloy", folder, count);
    snprintf(r.data, sizeof r.data, "%s/%d.data", folder, count);
    write_file(r.config, config);
    const char *const paths[] = {s.path_count ? s.paths[0] : r.config};
    s.listen = s.listen ? s.listen : "127.0.0.1:0";
    s.store_listen = s.store_listen ? s.store_listen : "";
    s.stability = s.stability ? s.stability : "generally-available";
    s.allowed_hosts = s.flags = "";
    s.ui_prefix = "/";
    s.storage_path = r.data;
    s.paths = paths;
    s.path_count = 1;
    r.pid = fork();
    if (r.pid < 0)
        abort();
    if (r.pid == 0) {
        const int out = open(r.output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
        exit(agent_run(&s));
    }
    return r;
}

/* What it has written so far, in a static buffer. */
static const char *written(const struct run *r)
{
    static struct buf text = {.max = OUTPUT_MAX};
    buf_reset(&text);
    cleanup_close int fd = open(r->output, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fs_read(fd, &text, NULL) < 0)
        return "";
    return buf_cstr(&text);
}

static bool writes(const struct run *r, const char *what)
{
    for (const int64_t deadline = clock_ms() + WAIT_MS; clock_ms() < deadline; usleep(5000))
        if (strstr(written(r), what))
            return true;
    FAIL_("it did not write \"%s\" but %s", what, written(r));
    return false;
}

/* Its exit status; 128 + the signal that ended it. */
static int ended(const struct run *r)
{
    int status = 0;
    for (const int64_t deadline = clock_ms() + WAIT_MS; clock_ms() < deadline; usleep(5000))
        if (waitpid(r->pid, &status, WNOHANG) == r->pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    FAIL_("the agent goes on: %s", written(r));
    kill(r->pid, SIGKILL);
    waitpid(r->pid, NULL, 0);
    return -1;
}

static void it_runs_until_it_is_told_to_stop(void)
{
    static const struct {
        int number;
        const char *name;
    } signals[] = {{SIGTERM, "signal=SIGTERM"}, {SIGINT, "signal=SIGINT"}};
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        const struct run r = agent_started("", (struct agent_settings){0});
        if (writes(&r, "smolder is running"))
            CHECK_HAS(written(&r), "api=127.0.0.1:");
        CHECK_INT(kill(r.pid, signals[i].number), 0);
        CHECK_INT(ended(&r), 0);
        CHECK_HAS(written(&r), signals[i].name);
    }
}

static void a_configuration_that_will_not_do_ends_it_with_its_place(void)
{
    const struct run wrong = agent_started("logging {\n  level = \"loud\"\n}\n", (struct agent_settings){0});
    CHECK_INT(ended(&wrong), EXIT_INPUT);
    CHECK_HAS(written(&wrong), ".alloy:2:11");
    CHECK(!strstr(written(&wrong), "smolder is running"));
    const char *const nowhere[] = {"/nowhere/smolder.alloy"};
    const struct run none = agent_started("", (struct agent_settings){.paths = nowhere, .path_count = 1});
    CHECK_INT(ended(&none), EXIT_INPUT);
    CHECK_HAS(written(&none), "/nowhere/smolder.alloy");
}

static void what_the_system_refuses_ends_it(void)
{
    const struct run level = agent_started("", (struct agent_settings){.stability = "shaky"});
    CHECK_INT(ended(&level), EXIT_SYSTEM);
    CHECK_HAS(written(&level), "--stability.level=shaky");
    const struct run address = agent_started("", (struct agent_settings){.listen = "not-an-address"});
    CHECK_INT(ended(&address), EXIT_SYSTEM);
    CHECK_HAS(written(&address), "not-an-address");
    const struct run store = agent_started("", (struct agent_settings){.store_listen = "192.0.2.1:0"});
    CHECK_INT(ended(&store), EXIT_SYSTEM);
    CHECK_HAS(written(&store), "192.0.2.1:0");
}

static void without_addresses_it_listens_nowhere(void)
{
    const struct run r = agent_started("", (struct agent_settings){.listen = ""});
    if (writes(&r, "smolder is running"))
        CHECK(!strstr(written(&r), "api="));
    CHECK_INT(kill(r.pid, SIGTERM), 0);
    CHECK_INT(ended(&r), 0);
}

static void a_reload_that_fails_leaves_it_running(void)
{
    const struct run r = agent_started("", (struct agent_settings){0});
    CHECK(writes(&r, "smolder is running"));
    write_file(r.config, "nonsense {\n");
    CHECK_INT(kill(r.pid, SIGHUP), 0);
    CHECK(writes(&r, "level=error"));
    write_file(r.config, "logging {\n  level = \"debug\"\n}\n");
    CHECK_INT(kill(r.pid, SIGHUP), 0);
    CHECK(writes(&r, "level=info msg=\"config"));
    CHECK_INT(kill(r.pid, SIGTERM), 0);
    CHECK_INT(ended(&r), 0);
}

static void its_data_is_for_its_user_alone(void)
{
    const struct run r = agent_started("", (struct agent_settings){.store_listen = "127.0.0.1:0"});
    struct stat st = {0};
    CHECK(writes(&r, "smolder is running"));
    CHECK(stat(r.data, &st) == 0 && (st.st_mode & 077) == 0);
    CHECK_INT(kill(r.pid, SIGTERM), 0);
    CHECK_INT(ended(&r), 0);
}

/* Of what root alone may read, the agent has what it was started with; a reload is the business of its user. */
static void what_root_alone_may_read_is_read_at_the_start(void)
{
    if (geteuid() != 0) {
        printf("  skipped: only root starts an agent that becomes another user\n");
        return;
    }
    struct run r = {0};
    snprintf(r.config, sizeof r.config, "%s/secret.alloy", folder);
    write_file(r.config, "logging {\n  level = \"debug\"\n}\n");
    CHECK_INT(chmod(r.config, 0600), 0);
    const char *const paths[] = {r.config};
    const struct run root = agent_started("", (struct agent_settings){.paths = paths, .path_count = 1});
    CHECK(writes(&root, "smolder is running"));
    CHECK_INT(kill(root.pid, SIGHUP), 0);
    CHECK(writes(&root, "secret.alloy: Permission denied: let user "));
    CHECK_INT(kill(root.pid, SIGTERM), 0);
    CHECK_INT(ended(&root), 0);
}

/* A child of the process other than `not`, once there is one. */
static pid_t other_child(pid_t pid, pid_t not )
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    for (const int64_t deadline = clock_ms() + WAIT_MS; clock_ms() < deadline; usleep(5000)) {
        cleanup_fclose FILE *f = fopen(path, "re");
        for (int child; f && fscanf(f, "%d", &child) == 1;)
            if (child != not )
                return child;
    }
    FAIL_("process %d has no such child", (int)pid);
    return 0;
}

static void a_helper_that_dies_is_replaced(void)
{
    const struct run r = agent_started("", (struct agent_settings){0});
    CHECK(writes(&r, "smolder is running"));
    const pid_t guard = other_child(r.pid, 0), first = other_child(guard, 0);
    if (first > 0)
        CHECK_INT(kill(first, SIGKILL), 0);
    CHECK(writes(&r, "the privileged helper died or did not answer; restarted"));
    const pid_t second = other_child(guard, first);
    CHECK_INT(kill(r.pid, SIGTERM), 0);
    CHECK_INT(ended(&r), 0);
    CHECK(second <= 0 || (kill(second, 0) < 0 && errno == ESRCH));
}

int main(int argc, char **argv)
{
    parser_main(argc, argv, NULL, NULL);
    if (!mkdtemp(folder) || chmod(folder, 0755) < 0) /* for the user that an agent of root becomes */
        return 1;
    RUN(it_runs_until_it_is_told_to_stop);
    RUN(a_configuration_that_will_not_do_ends_it_with_its_place);
    RUN(what_the_system_refuses_ends_it);
    RUN(without_addresses_it_listens_nowhere);
    RUN(a_reload_that_fails_leaves_it_running);
    RUN(its_data_is_for_its_user_alone);
    RUN(what_root_alone_may_read_is_read_at_the_start);
    RUN(a_helper_that_dies_is_replaced);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    (void)!system(command);
    return REPORT();
}
