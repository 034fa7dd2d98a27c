#include "os/self_exec.h"

#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

static void self_exec_environment(char *ret[], size_t max)
{
    static char bind_now[] = "LD_BIND_NOW=1";
    static const char *const kept[] = {"LD_LIBRARY_PATH=", "ASAN_OPTIONS=", "UBSAN_OPTIONS="};
    size_t n = 0;
    ret[n++] = bind_now;
    for (char **e = environ; *e; e++) {
        for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
            if (n + 1 < max && strncmp(*e, kept[i], strlen(kept[i])) == 0)
                ret[n++] = *e;
        }
    }
    ret[n] = NULL;
}

int self_exec_start(char *const *argv, int sock, int as, pid_t *ret)
{
    char *env[5];
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;
    self_exec_environment(env, ARRAY_LEN(env));
    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    /* Onto itself it only loses its close-on-exec flag. */
    int code = posix_spawn_file_actions_adddup2(&files, sock, as);
    if (code == 0)
        code = posix_spawn(ret, "/proc/self/exe", &files, &attributes, argv, env);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return -code;
}
