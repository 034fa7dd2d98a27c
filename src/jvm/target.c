#include "jvm/target.h"

#include <errno.h>
#include <unistd.h>

#include "os/rootfs.h"

int jvm_target_open(struct jvm_target *t, pid_t pid, uint64_t start_time, struct err *err)
{
    int code = pidref_open(pid, start_time, &t->p, err);
    if (code < 0)
        return code == -ENOENT ? err_set(err, -ESRCH, "process %d is gone", (int)pid) : code;
    const char state = pidref_state(&t->p);
    if (state == 0 || state == 'Z' || state == 'X')
        return err_set(err, -ESRCH, "process %d is gone", (int)pid);
    if (state == 'T' || state == 't')
        return err_set(err, -ETIMEDOUT, "process %d is stopped", (int)pid);
    t->root = rootfs_open(&t->p, err);
    if (t->root < 0)
        return pidref_alive(&t->p) ? t->root : err_set(err, -ESRCH, "process %d is gone", (int)pid);
    code = jvm_traits_read(&t->p, t->root, &t->traits, err);
    if (code < 0)
        return code;
    if (!t->traits.hotspot)
        return err_set(err, -ENOEXEC, "%s",
                       t->traits.openj9 ? "OpenJ9 is not supported" : "no HotSpot JVM in this process");
    return jvm_attach_open(&t->attach, &t->p, t->root, &t->traits, err);
}

void jvm_target_done(struct jvm_target *t)
{
    jvm_plant_done(&t->plant);
    jvm_attach_done(&t->attach);
    if (t->root >= 0)
        close(t->root);
    t->root = -1;
    pidref_done(&t->p);
}
