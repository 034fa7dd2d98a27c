#include "jvm/launcher/find_jvm.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "jvm/attach/target.h"
#include "jvm/probe/perfdata.h"
#include "jvm/probe/vm_memory.h"
#include "os/procfs.h"

enum { COUNTERS_MAX = 1 << 20 };

/* The first word of sun.rt.javaCommand is the main class or the jar; jps shows what follows its last '.' or '/'.
 * Without perf data the JVM's memory has the same. */
static bool is_called(const struct jvm_target *t, const char *word)
{
    cleanup_buf struct buf counters = BUF_INIT(COUNTERS_MAX);
    const struct jvm_view *v = &t->view;
    char own[VM_COMMAND_MAX];
    struct str command, main;
    if (!perfdata_read(v->root, v->ns_pid, v->rights.uid, &counters) ||
        !perfdata_string(buf_slice(&counters), "sun.rt.javaCommand", &command))
        command = (struct str){own, vm_memory_command(v->mem, t->probe.libjvm.start, own)};
    if (!str_split(&command, ' ', &main))
        return false;
    size_t n = strlen(word);
    return main.n >= n && memcmp(main.p + main.n - n, word, n) == 0 &&
           (main.n == n || main.p[main.n - n - 1] == '.' || main.p[main.n - n - 1] == '/');
}

/* In a process of its own, which becomes that JVM's user to look at its files. */
static bool find_jvm_fits(pid_t pid, const char *word)
{
    int status = -1;
    const pid_t child = fork();
    if (child == 0) {
        struct jvm_target t = JVM_TARGET_INIT;
        const bool found = jvm_target_find(&t, pid, 0, NULL) == 0 && jvm_target_become(&t, NULL) == 0 &&
                           (strcmp(word, "jps") == 0 || is_called(&t, word));
        _exit(found ? 0 : 1);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

int find_jvm(const char *word, pid_t *ret, struct err *err)
{
    char *end;
    if (isdigit((unsigned char)word[0])) {
        long number = strtol(word, &end, 10);
        if (*end || number <= 0 || number > INT32_MAX)
            return err_set(err, -EINVAL, "\"%s\" is not a process ID", word);
        *ret = (pid_t)number;
        return 0;
    }
    cleanup_free struct procfs_pid *pids = NULL;
    size_t n;
    pid_t found = 0;
    int code = procfs_pids(&pids, &n, err);
    for (size_t i = 0; code == 0 && i < n; i++) {
        if (!find_jvm_fits(pids[i].pid, word))
            continue;
        if (found)
            return err_set(err, -EINVAL, "more than one JVM matches \"%s\": %d and %d; use a process ID", word,
                           (int)found, (int)pids[i].pid);
        found = pids[i].pid;
    }
    if (code < 0)
        return code;
    if (!found)
        return err_set(err, -ESRCH, "no JVM matches \"%s\"", word);
    *ret = found;
    return 0;
}
