/* Every place an option can stand, read from a process of our own that poses as `java`. */
#include "jvm/probe/vm_flags.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/rootfs.h"
#include "test.h"

static char dir[] = "/tmp/smolder-options-XXXXXX";
static char program[64];

static bool copy_self_as(const char *name)
{
    struct stat st;
    snprintf(program, sizeof program, "%s/%s", dir, name);
    cleanup_close int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    cleanup_close int to = open(program, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    if (from < 0 || to < 0 || fstat(from, &st) < 0)
        return false;
    for (off_t left = st.st_size; left > 0;) {
        ssize_t n = sendfile(to, from, NULL, (size_t)left);
        if (n <= 0)
            return false;
        left -= n;
    }
    return true;
}

static void write_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    cleanup_fclose FILE *f = fopen(path, "we");
    if (f)
        fputs(text, f);
}

/* What is read of `java args…` with `variable` in its environment. */
static struct vm_flags read_of(const char *variable, const char *const *args)
{
    char *argv[16] = {program}, *envp[] = {(char *)variable, NULL}, ready = 0;
    struct vm_flags o = {0};
    struct jvm_view v = JVM_VIEW_INIT;
    int pipes[2];
    pid_t pid;
    for (size_t n = 1; *args; n++)
        argv[n] = (char *)*args++;
    posix_spawn_file_actions_t fa;
    posix_spawn_file_actions_init(&fa);
    CHECK_INT(pipe2(pipes, O_CLOEXEC), 0);
    posix_spawn_file_actions_adddup2(&fa, pipes[1], STDOUT_FILENO);
    CHECK_INT(posix_spawn(&pid, program, &fa, NULL, argv, envp), 0);
    close(pipes[1]);
    CHECK_INT(read(pipes[0], &ready, 1), 1);
    CHECK_INT(jvm_view_open(&v, pid, 0, NULL), 0);
    vm_flags_read(&v, &o);
    jvm_view_done(&v);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(pipes[0]);
    posix_spawn_file_actions_destroy(&fa);
    return o;
}
#define READ(variable, ...) read_of(variable, (const char *const[]){__VA_ARGS__, NULL})

static void the_command_line_counts_up_to_the_main_class(void)
{
    struct vm_flags o = READ("A=b", "-XX:+DisableAttachMechanism", "-cp", "x", "Main", "-Xrs");
    CHECK(o.attach_off && !o.reduced_signals && !o.no_dynamic_agents && o.complete);
    o = READ("A=b", "-Xrs", "-XX:-EnableDynamicAgentLoading", "-jar", "x.jar", "-XX:+DisableAttachMechanism");
    CHECK(!o.attach_off && o.reduced_signals && o.no_dynamic_agents && o.complete);
    o = READ("A=b", "-XX:+ReduceSignalUsage", "--add-modules", "m", "-XX:+DisableAttachMechanism", "-m", "m/Main");
    CHECK(o.attach_off && o.reduced_signals && o.complete);
}

static void the_last_one_wins(void)
{
    struct vm_flags o = READ("A=b", "-XX:+DisableAttachMechanism", "-XX:-DisableAttachMechanism", "Main");
    CHECK(!o.attach_off && o.complete);
    o = READ("_JAVA_OPTIONS=-XX:+DisableAttachMechanism", "-XX:-DisableAttachMechanism", "Main");
    CHECK(o.attach_off);
    o = READ("JAVA_TOOL_OPTIONS=-XX:+DisableAttachMechanism", "-XX:-DisableAttachMechanism", "Main");
    CHECK(!o.attach_off);
}

static void variables_count_with_their_quotes(void)
{
    struct vm_flags o = READ("JAVA_TOOL_OPTIONS=-Da='x y' \"-XX:+DisableAttach\"Mechanism -Xrs", "Main");
    CHECK(o.attach_off && o.reduced_signals && o.complete);
    o = READ("JDK_JAVA_OPTIONS=-Xrs", "Main");
    CHECK(o.reduced_signals && o.complete);
}

static void files_are_followed(void)
{
    char at[128], vm[128], flags[128], gone[128];
    write_file("args", "# -Xrs\n-Da=b \"-XX:+DisableAttachMechanism\"\n");
    write_file("vm", "-XX:+ReduceSignalUsage\n");
    write_file("flags", "# +ReduceSignalUsage\n-EnableDynamicAgentLoading\n");
    snprintf(at, sizeof at, "@%s/args", dir);
    snprintf(vm, sizeof vm, "-XX:VMOptionsFile=%s/vm", dir);
    snprintf(flags, sizeof flags, "-XX:Flags=%s/flags", dir);
    snprintf(gone, sizeof gone, "@%s/gone", dir);
    struct vm_flags o = READ("A=b", at, "Main");
    CHECK(o.attach_off && !o.reduced_signals && o.complete);
    o = READ("A=b", vm, "Main");
    CHECK(o.reduced_signals && o.complete);
    o = READ("A=b", flags, "Main");
    CHECK(o.no_dynamic_agents && !o.reduced_signals && o.complete);
    o = READ("A=b", gone, "Main");
    CHECK(!o.complete);
    write_file("args", "-Da=\"b\\\" -Xrs\n");
    o = READ("A=b", at, "Main");
    CHECK(!o.complete); /* escapes are not followed */
}

static void a_trap_in_place_of_a_file_is_not_read(void)
{
    char path[128], at[128];
    snprintf(path, sizeof path, "%s/fifo", dir);
    snprintf(at, sizeof at, "@%s/fifo", dir);
    CHECK_INT(mkfifo(path, 0666), 0);
    struct vm_flags o = READ("A=b", at, "Main");
    CHECK(!o.complete);
    unlink(path);
    CHECK_INT(symlink("/etc/passwd", path), 0);
    o = READ("A=b", at, "Main");
    CHECK(!o.complete);
    unlink(path);
}

static void another_program_with_a_jvm_inside_is_never_completely_known(void)
{
    copy_self_as("launcher");
    struct vm_flags o = READ("A=b", "-J-XX:+DisableAttachMechanism", "x", "-Xrs");
    CHECK(o.attach_off && o.reduced_signals && !o.complete);
}

static void the_last_error_file_counts(void)
{
    CHECK_STR(READ("A=b", "-Xmx1g", "Main").error_file, "");
    CHECK_STR(READ("A=b", "-XX:ErrorFile=/var/log/a b%p.log", "Main").error_file, "/var/log/a b%p.log");
    CHECK_STR(READ("JAVA_TOOL_OPTIONS=-XX:ErrorFile=x", "-XX:ErrorFile=y", "Main").error_file, "y");
    CHECK_STR(READ("_JAVA_OPTIONS=-XX:ErrorFile=x", "-XX:ErrorFile=y", "Main").error_file, "x");
    CHECK_STR(READ("A=b", "-XX:ErrorFile=x", "-XX:ErrorFile=", "Main", "-XX:ErrorFile=z").error_file, "");
    char option[2048] = "-XX:ErrorFile=";
    memset(option + strlen(option), 'x', VM_FLAGS_PATH_MAX);
    CHECK_STR(READ("A=b", option, "Main").error_file, "");
}

int main(int argc, char **argv)
{
    (void)argc;
    if (!strstr(argv[0], "test_vm_flags")) {
        (void)!write(STDOUT_FILENO, "", 1);
        pause();
        return 0;
    }
    if (!mkdtemp(dir) || !copy_self_as("java"))
        return 1;
    RUN(the_command_line_counts_up_to_the_main_class);
    RUN(the_last_one_wins);
    RUN(the_last_error_file_counts);
    RUN(variables_count_with_their_quotes);
    RUN(files_are_followed);
    RUN(a_trap_in_place_of_a_file_is_not_read);
    RUN(another_program_with_a_jvm_inside_is_never_completely_known);
    static const char *const names[] = {"java", "launcher", "args", "vm", "flags", "fifo"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
    return REPORT();
}
