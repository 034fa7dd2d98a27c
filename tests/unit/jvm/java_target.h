/* Real JVMs to test against: finds the JDKs of this machine, compiles one small program, and runs it with its output in
 * a file.
 *
 * SMOLDER_JDKS (colon-separated homes) names the JDKs; without it those below /usr/lib/jvm count, each once.
 */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { JDKS_MAX = 4 };

struct java_target {
    pid_t pid;
    char output[64]; /* file with what it wrote to stdout and stderr */
};

/* Computes a third of a core, allocates, and has two threads that contend for a lock. Each stays away from it for a
 * moment: a HotSpot monitor is not fair, and one that comes back at once may keep the other out for ten seconds and
 * more. */
static const char java_program[] =
    "public class Busy {\n"
    "    static volatile long sink;\n"
    "    static volatile Object kept;\n"
    "    static final Object lock = new Object();\n"
    "    static void compute() { long x = 1; for (int i = 0; i < 3000000; i++) x = x * 31 ^ i; sink = x; }\n"
    "    static void allocate() { for (int i = 0; i < 200; i++) kept = new byte[8192]; }\n"
    "    static void contend() {\n"
    "        try {\n"
    "            while (true) { synchronized (lock) { Thread.sleep(20); } Thread.sleep(1); }\n"
    "        } catch (InterruptedException e) { }\n"
    "    }\n"
    "    public static void main(String[] args) throws Exception {\n"
    "        for (int i = 0; i < 2; i++) {\n"
    "            Thread t = new Thread(Busy::contend, \"contender\"); t.setDaemon(true); t.start();\n"
    "        }\n"
    "        System.out.println(\"ready\");\n"
    "        while (true) { compute(); allocate(); Thread.sleep(10); }\n"
    "    }\n"
    "}\n";

static char java_dir[] = "/tmp/smolder-java-XXXXXX";
static bool java_compiled;

static bool java_spawn(char *const argv[], const char *output, pid_t *ret)
{
    posix_spawn_file_actions_t fa;
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&fa, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&fa, 1, 2);
    int code = posix_spawn(ret, argv[0], &fa, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&fa);
    return code == 0;
}

/* Homes of the JDKs, at most JDKS_MAX; returns how many. Free each. */
static size_t java_homes(char *homes[JDKS_MAX])
{
    size_t n = 0;
    const char *named = getenv("SMOLDER_JDKS");
    if (named) {
        char *all = strdup(named), *rest = all, *one;
        while (n < JDKS_MAX && (one = strsep(&rest, ":")))
            homes[n++] = strdup(one);
        free(all);
        return n;
    }
    DIR *d = opendir("/usr/lib/jvm");
    for (struct dirent *e; d && n < JDKS_MAX && (e = readdir(d));) {
        char path[PATH_MAX], real[PATH_MAX];
        snprintf(path, sizeof path, "/usr/lib/jvm/%s", e->d_name);
        bool known = e->d_name[0] == '.' || !realpath(path, real);
        for (size_t i = 0; i < n && !known; i++)
            known = strcmp(homes[i], real) == 0;
        if (!known)
            snprintf(path, sizeof path, "%.4000s/bin/javac", real);
        if (!known && access(path, X_OK) == 0)
            homes[n++] = strdup(real);
    }
    if (d)
        closedir(d);
    return n;
}

/* Runs `tests` with the home of each JDK; returns how many there are. */
__attribute__((unused)) static size_t java_each(void (*tests)(const char *home))
{
    char *homes[JDKS_MAX];
    const size_t n = java_homes(homes);
    for (size_t i = 0; i < n; i++) {
        tests(homes[i]);
        free(homes[i]);
    }
    return n;
}

/* Once, by the first JDK, for a release that every later one runs. */
static bool java_compile(const char *home)
{
    if (java_compiled)
        return true;
    char javac[PATH_MAX], source[PATH_MAX], log[PATH_MAX];
    if (!mkdtemp(java_dir))
        return false;
    snprintf(javac, sizeof javac, "%s/bin/javac", home);
    snprintf(source, sizeof source, "%s/Busy.java", java_dir);
    snprintf(log, sizeof log, "%s/javac.log", java_dir);
    FILE *f = fopen(source, "we");
    if (!f)
        return false;
    fputs(java_program, f);
    fclose(f);
    pid_t pid;
    int status = -1;
    char *argv[] = {javac, (char *)"--release", (char *)"11", (char *)"-d", java_dir, source, NULL};
    return java_compiled = java_spawn(argv, log, &pid) && waitpid(pid, &status, 0) == pid && status == 0;
}

static size_t java_output(const struct java_target *t, char *ret, size_t size)
{
    int fd = open(t->output, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, ret, size - 1);
    if (fd >= 0)
        close(fd);
    ret[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

static bool java_ready(const struct java_target *t)
{
    char text[64] = "";
    for (int i = 0; i < 3000 && strcmp(text, "ready\n") != 0; i++) {
        java_output(t, text, sizeof text);
        usleep(10000);
    }
    return strcmp(text, "ready\n") == 0;
}

/* Begun with up to JAVA_OPTIONS_MAX options before the class; `options` ends with NULL. */
enum { JAVA_OPTIONS_MAX = 8 };
static bool java_begin(const char *home, const char *const *options, struct java_target *ret)
{
    static unsigned runs;
    char java[PATH_MAX];
    if (!java_compile(home))
        return false;
    snprintf(java, sizeof java, "%s/bin/java", home);
    snprintf(ret->output, sizeof ret->output, "%s/out-%u", java_dir, runs++);
    char *argv[8 + JAVA_OPTIONS_MAX] = {java, (char *)"-Xmx64m", (char *)"-XX:+UseSerialGC", (char *)"-cp", java_dir};
    size_t n = 5;
    for (; options && *options && n < 5 + JAVA_OPTIONS_MAX; options++)
        argv[n++] = (char *)*options;
    argv[n] = (char *)"Busy";
    return java_spawn(argv, ret->output, &ret->pid);
}

/* Running and ready; false when this JDK cannot. */
__attribute__((unused)) static bool java_run(const char *home, struct java_target *ret)
{
    return java_begin(home, NULL, ret) && java_ready(ret);
}

__attribute__((unused)) static void java_kill(struct java_target *t)
{
    kill(t->pid, SIGCONT);
    kill(t->pid, SIGKILL);
    waitpid(t->pid, NULL, 0);
}

__attribute__((unused)) static void java_clean_up(void)
{
    DIR *d = opendir(java_dir);
    for (struct dirent *e; d && (e = readdir(d));)
        (void)unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
    rmdir(java_dir);
}
