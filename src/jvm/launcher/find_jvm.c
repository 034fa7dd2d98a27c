#include "jvm/launcher/find_jvm.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "jvm/perfdata.h"
#include "jvm/traits.h"
#include "os/procfs.h"
#include "os/rootfs.h"

enum { COUNTERS_MAX = 1 << 20 };

/* The first word of sun.rt.javaCommand is the main class or the jar; jps shows what follows its last '.' or '/'. */
static bool is_called(int root, const struct jvm_traits *t, const char *word)
{
    cleanup_buf struct buf counters = BUF_INIT(COUNTERS_MAX);
    struct str command, main;
    if (!perfdata_read(root, t->ns_pid, t->euid, &counters) ||
        !perfdata_string(buf_slice(&counters), "sun.rt.javaCommand", &command) || !str_split(&command, ' ', &main))
        return false;
    size_t n = strlen(word);
    return main.n >= n && memcmp(main.p + main.n - n, word, n) == 0 &&
           (main.n == n || main.p[main.n - n - 1] == '.' || main.p[main.n - n - 1] == '/');
}

static bool fits(pid_t pid, const char *word)
{
    cleanup_pidref struct pidref p = PIDREF_INIT;
    struct jvm_traits traits;
    if (pidref_open(pid, 0, &p, NULL) < 0)
        return false;
    cleanup_close int root = rootfs_open(&p, NULL);
    if (root < 0 || jvm_traits_read(&p, root, &traits, NULL) < 0 || !traits.hotspot)
        return false;
    return strcmp(word, "jps") == 0 || is_called(root, &traits, word);
}

int find_jvm(const char *word, pid_t *ret, struct err *err)
{
    char *end;
    if (isdigit((unsigned char)word[0])) {
        long number = strtol(word, &end, 10);
        if (*end || number <= 0 || number > INT32_MAX)
            return err_set(err, -EINVAL, "\"%s\" is no process ID", word);
        *ret = (pid_t)number;
        return 0;
    }
    cleanup_free pid_t *pids = NULL;
    size_t n;
    pid_t found = 0;
    int code = procfs_pids(&pids, &n, err);
    for (size_t i = 0; code == 0 && i < n; i++) {
        if (!fits(pids[i], word))
            continue;
        if (found)
            return err_set(err, -EINVAL, "more than one JVM fits \"%s\": %d and %d; name one by its process ID", word,
                           (int)found, (int)pids[i]);
        found = pids[i];
    }
    if (code < 0)
        return code;
    if (!found)
        return err_set(err, -ESRCH, "no JVM fits \"%s\"", word);
    *ret = found;
    return 0;
}
