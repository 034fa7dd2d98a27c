/* The JVMs of this host as a command sees them: found in /proc and examined by the operations of the agent
 * (jvm/operation), in a privileged helper of the command's own, with the privileges of whoever runs it.
 *
 * Synchronous: the functions run the loop until they are done. Nothing here touches a JVM.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "jvm/operation/examine.h"
#include "priv/priv.h"

struct local; /* helper and loop */

struct local_jvm {
    pid_t pid;
    uint64_t start_time;
    uint32_t uid;
    char *user, *container, *exe, *main; /* owned; "" = unknown. The container's ID; main class or jar */
    char *service;                       /* owned; the service name it declares, "" = none */
    bool delegated;                      /* the container is what its user says (os/procfs.h) */
    struct jvm_examination *examined;    /* owned; NULL before local_examine() */
};
struct local_list {
    struct local_jvm *items; /* owned; by PID */
    size_t len, cap;
    size_t hidden, hidden_java; /* processes that may not be read; those of them that are called java */
};
void local_list_done(struct local_list *l);
#define cleanup_local_list __attribute__((cleanup(local_list_done)))

/* Starts the helper: call before any thread exists. */
must_check int local_open(struct local **ret, struct err *err);
uv_loop_t *local_loop(struct local *l);
struct priv *local_priv(struct local *l);
/* Runs the loop until *done; -EPIPE when the helper was lost. */
must_check int local_run(struct local *l, const bool *done, struct err *err);
void local_close(struct local *l); /* NULL is fine */

/* All processes that are JVMs. */
must_check int local_scan(struct local *l, struct local_list *ret, struct err *err);
/* Fills in `examined` of each, with the settings in `request`, and main classes that the scan could not know. */
must_check int local_examine(struct local *l, const struct jvm_request *request, struct local_jvm *items, size_t n,
                             struct err *err);

/* Selects by PID, main class (with or without its package), jar, container ID (12 digits or more) or, once examined,
 * the host name of the container, in Kubernetes the pod's. *ret = index. A PID that is no JVM is -ENOENT with *pid set,
 * -ESRCH: nothing matches, -EINVAL: more than one does; the error names them. */
must_check int local_choose(const struct local_list *l, const char *word, size_t *ret, pid_t *pid, struct err *err);

/* Selects as that, and has the one that was chosen examined: first by the names that a scan knows, then by all. */
must_check int local_find(struct local *l, struct local_list *list, const char *word, const struct jvm_request *request,
                          size_t *ret, pid_t *pid, struct err *err);

/* Keys of quarantined JVMs in <storage path>, for struct jvm_request; to be freed. */
must_check int local_condemned(const char *storage_path, char **ret, struct err *err);
