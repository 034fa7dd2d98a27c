#include "jvm/operation/examine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "jvm/operation/examine_files.h"
#include "jvm/operation/examine_process.h"
#include "os/pidref.h"

/* ---- the examination ---- */

/* Opens the process, or reports why it cannot be. */
static bool examine_open(const struct examiner *x, struct jvm_target *t)
{
    struct err err = {0};
    const pid_t pid = x->request->id.pid;
    const int code = jvm_view_open(&t->view, pid, x->request->id.start_time, &err);
    switch (code) {
    case 0:
        examine_report(x, "process", PRECONDITION_OK, false, "", "process %d is running as user %u", (int)pid,
                       (unsigned)t->view.rights.uid);
        return true;
    case -ESRCH:
        examine_report(x, "process", PRECONDITION_PROBLEM, true, "list the JVMs with: smolder jvms", "%s", err.text);
        return false;
    case -ETIMEDOUT:
        examine_report(x, "process", PRECONDITION_PROBLEM, true, "continue it (kill -CONT), or detach the debugger",
                       "%s", err.text);
        return false;
    case -EACCES:
    case -EPERM:
        examine_report(x, "process", PRECONDITION_PROBLEM, true,
                       "run smolder as root, or as the user of the process; in a container it needs SYS_PTRACE", "%s",
                       err.text);
        return false;
    default:
        examine_report(x, "process", PRECONDITION_PROBLEM, true, "", "%s", err.text);
        return false;
    }
}

static bool examine_vm(struct examiner *x, struct jvm_target *t)
{
    struct err err = {0};
    const int code = jvm_probe_process(&t->view, &t->probe, &err);
    if (code < 0) {
        examine_report_err(x, "jvm", code, &err, "", "");
        return false;
    }
    snprintf(x->facts.vm, sizeof x->facts.vm, "%s", t->probe.openj9 ? "openj9" : t->probe.hotspot ? "hotspot" : "");
    x->facts.recording = t->probe.recording >= 0;
    x->facts.other_profiler = t->probe.profiling && t->probe.recording < 0;
    if (!t->probe.hotspot && !t->probe.openj9)
        examine_report(x, "jvm", PRECONDITION_PROBLEM, true,
                       "list the JVMs with: smolder jvms; a JVM that is just starting has not loaded libjvm yet",
                       "no HotSpot JVM in this process");
    else if (fit_vm(&t->probe, x->request->untested, &err) < 0)
        examine_report(x, "jvm", PRECONDITION_PROBLEM, true, "try it with --untested on a JVM that may be lost", "%s",
                       err.text);
    else
        examine_report(x, "jvm", PRECONDITION_OK, false, "", "%s: %s", t->probe.openj9 ? "OpenJ9" : "HotSpot",
                       t->probe.libjvm.path);
    return t->probe.hotspot || t->probe.openj9;
}

/* From the environment; what anybody can write is shown only. */
static void examine_hostname(struct examiner *x, const struct jvm_view *v)
{
    struct str rest = buf_slice(&v->environ);
    for (struct str item; str_split(&rest, '\0', &item);)
        if (str_has_prefix(item, STR("HOSTNAME=")))
            jvm_printable((struct str){item.p + strlen("HOSTNAME="), item.n - strlen("HOSTNAME=")}, x->facts.hostname,
                          sizeof x->facts.hostname);
}

static void examine_memory(const struct examiner *x, const struct jvm_target *t, struct jvm_fit *fit)
{
    struct err err = {0};
    const int code = fit_peek(&t->view.p, &t->probe, x->request->headroom, fit, &err);
    if (code == 0 && fit->note[0])
        examine_report(x, "memory", PRECONDITION_UNKNOWN, false, "mount the host's cgroup file system", "%s",
                       fit->note);
    else if (code == 0 && fit->room.limited)
        examine_report(x, "memory", PRECONDITION_OK, false, "", "%llu of %llu MiB left in its cgroups",
                       (unsigned long long)fit->room.left >> 20, (unsigned long long)fit->room.limit >> 20);
    else
        examine_report_err(x, "memory", code, &err, "", "no memory limit");
}

static void examine_outside(struct examiner *x, struct jvm_target *t, struct jvm_fit *fit)
{
    const struct jvm_view *v = &t->view;
    examine_hostname(x, v);
    examine_frozen(x, v);
    examine_container(x, v);
    examine_profilers(x, v, &t->probe);
    examine_memory(x, t, fit);
    examine_limits(x, v);
    examine_signals(x, v);
    examine_confinement(x, v);
    examine_perf_events(x, v);
}

static void examine_inside(struct examiner *x, struct jvm_target *t, struct jvm_fit *fit, struct jvm_makeup *m)
{
    struct err err = {0};
    cleanup_dist struct asprof_dist d = {0};
    examine_facts(x, t);
    examine_attach(x, t);
    const int code = asprof_dist_open(x->request->dist, &d, &err);
    if (code < 0) {
        examine_report_err(x, "library", code, &err, "correct --dist", "");
    } else {
        asprof_dist_choose(&d, fit_machine(&t->view, &t->probe));
        examine_library(x, t, &d);
        examine_build(x, t, &d, fit);
        makeup_seal(m, &fit->build, asprof_fingerprint(&t->probe, &d));
        snprintf(x->facts.makeup, sizeof x->facts.makeup, "%s", m->key);
        examine_quarantine(x, m);
        examine_events(x, fit);
    }
    examine_recording(x, t);
}

void examine_run(struct examiner *x)
{
    struct err err = {0};
    struct jvm_fit fit = {0};
    struct jvm_makeup makeup;
    cleanup_target struct jvm_target t = JVM_TARGET_INIT;
    if (!examine_open(x, &t))
        return;
    makeup_read(&t.view, &makeup);
    snprintf(x->facts.main, sizeof x->facts.main, "%s", makeup.main);
    if (!examine_vm(x, &t))
        return;
    examine_outside(x, &t, &fit);
    const int code = jvm_target_become(&t, &err);
    /* -ENOTSUP: of OpenJ9, with a remedy of its own (jvm/probe/reason.h). */
    examine_report_err(x, "user", code, &err,
                       code == -ENOTSUP ? "" : "run smolder as root, or as the user of the process",
                       "its privileges can be assumed");
    if (code == 0)
        examine_inside(x, &t, &fit, &makeup);
}

/* ---- the operation: records of a kind and a struct, between processes of one binary ---- */

enum { EXAMINE_FACTS = 1, EXAMINE_PRECONDITION = 2, EXAMINE_WHOLE = 3 };

static void examine_send(void *arg, const struct precondition *p)
{
    struct priv_call *call = arg;
    buf_byte(&call->out, EXAMINE_PRECONDITION);
    buf_append(&call->out, p, sizeof *p);
    priv_flush(call);
}

void jvm_op_examine(struct priv_call *call)
{
    struct jvm_request request;
    struct degraded degraded;
    if (!jvm_request_decode(call->in, call->in_len, &degraded, &request))
        return;
    struct examiner x = {.request = &request, .put = examine_send, .arg = call};
    examine_run(&x);
    buf_byte(&call->out, EXAMINE_FACTS);
    buf_append(&call->out, &x.facts, sizeof x.facts);
    buf_byte(&call->out, EXAMINE_WHOLE);
}

/* ---- the calling side ---- */

struct examine_call {
    jvm_examined *done;
    void *arg;
};

/* The child read an untrusted process, but is ours; still no text is taken to end where it should. */
static void examine_decode(const uint8_t *out, size_t len, struct jvm_examination *ret)
{
    for (size_t at = 0; at < len;) {
        const uint8_t kind = out[at++];
        if (kind == EXAMINE_FACTS && len - at >= sizeof ret->facts) {
            memcpy(&ret->facts, out + at, sizeof ret->facts);
            at += sizeof ret->facts;
        } else if (kind == EXAMINE_PRECONDITION && len - at >= sizeof *ret->items && ret->len < EXAMINE_MAX - 1) {
            struct precondition *p = &ret->items[ret->len++];
            memcpy(p, out + at, sizeof *p);
            p->name[sizeof p->name - 1] = p->text[sizeof p->text - 1] = p->remedy[sizeof p->remedy - 1] = '\0';
            at += sizeof *p;
        } else {
            ret->whole = kind == EXAMINE_WHOLE;
            return;
        }
    }
}

static void examine_on_answer(void *arg, enum priv_result result, const uint8_t *out, size_t len, int *fds,
                              size_t fd_count)
{
    const struct examine_call *c = arg;
    struct jvm_examination *e = xcalloc(1, sizeof *e);
    (void)fds;
    (void)fd_count;
    examine_decode(out, len, e);
    if (result != PRIV_DONE || !e->whole) {
        struct precondition *p = &e->items[e->len++];
        e->whole = false;
        p->result = PRECONDITION_UNKNOWN;
        snprintf(p->name, sizeof p->name, "rest");
        snprintf(p->remedy, sizeof p->remedy, "check the mounts and the memory of the process; then try again");
        snprintf(p->text, sizeof p->text, "%s",
                 result == PRIV_TIMEOUT ? "reading the process timed out" : "the examination ended early");
    }
    c->done(c->arg, e);
    free(e);
}

uint64_t jvm_examine(struct priv *priv, const struct jvm_request *request, jvm_examined *done, void *arg)
{
    cleanup_buf struct buf in = BUF_INIT(JVM_REQUEST_MAX);
    jvm_request_encode(request, &in);
    struct examine_call *c = xcalloc(1, sizeof *c);
    *c = (struct examine_call){done, arg};
    const struct priv_request r = {
        .op = JVM_OP_EXAMINE, .user = request->user, .in = in.p, .len = in.len, .timeout_ms = JVM_EXAMINE_MS};
    const uint64_t id = priv_call(priv, &r, examine_on_answer, c);
    priv_owns(priv, id, free);
    return id;
}
