#include "jvm/attach/target.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/namespace.h"

/* The descriptor is the JVM's to close and to use again; what is opened here is looked at before it is used. */
static void open_recording(struct jvm_target *t)
{
    char name[32];
    snprintf(name, sizeof name, "fd/%d", t->probe.recording);
    if (t->probe.recording >= 0)
        t->recording = pidref_openat(&t->view.p, name, O_PATH);
}

int jvm_target_find(struct jvm_target *t, pid_t pid, uint64_t start_time, struct err *err)
{
    int code = jvm_view_open(&t->view, pid, start_time, err);
    if (code == 0)
        code = jvm_probe_process(&t->view, &t->probe, err);
    if (code < 0)
        return code;
    if (!t->probe.hotspot && !t->probe.openj9)
        return err_set(err, -ENOEXEC, "no HotSpot JVM in this process");
    open_recording(t);
    return 0;
}

/* The JVM connects to a port, and waits for a semaphore. */
static int enter_openj9(const struct jvm_target *t, struct err *err)
{
    static const char *const names[] = {"net", "ipc"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct err why = {0};
        const int code = namespace_enter(&t->view.p, names[i], &why);
        if (code < 0)
            return err_set(err, code == -EPERM ? -ENOTSUP : code,
                           "an attach to OpenJ9 needs the JVM's network and IPC namespaces: %s", why.text);
    }
    return 0;
}

int jvm_target_become(struct jvm_target *t, struct err *err)
{
    int code = t->probe.openj9 ? enter_openj9(t, err) : 0;
    if (code == 0)
        code = jvm_view_become(&t->view, err);
    if (code == 0)
        jvm_probe_root(&t->view, &t->probe);
    return code;
}

int jvm_target_enter(struct jvm_target *t, struct err *err)
{
    return jvm_attach_open(&t->attach, &t->view, &t->probe, err);
}

int jvm_target_open(struct jvm_target *t, pid_t pid, uint64_t start_time, struct err *err)
{
    int code = jvm_target_find(t, pid, start_time, err);
    if (code == 0)
        code = jvm_target_become(t, err);
    return code == 0 ? jvm_target_enter(t, err) : code;
}

void jvm_target_undo(void *target)
{
    struct jvm_target *t = target;
    jvm_target_dir_remove(&t->dir);
    jvm_attach_undo(&t->attach);
}

void jvm_target_done(struct jvm_target *t)
{
    jvm_target_dir_done(&t->dir);
    jvm_attach_done(&t->attach);
    if (t->recording >= 0)
        close(t->recording);
    t->recording = -1;
    jvm_view_done(&t->view);
}
