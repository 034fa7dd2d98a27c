#include "jvm/operation/examine_files.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "jvm/attach/degrade.h"
#include "jvm/attach/openj9.h"
#include "jvm/probe/command_line.h"
#include "jvm/probe/perfdata.h"

enum { PERFDATA_BYTES = 1 << 20, RECORDING_LEAST = 32 << 20 };

/* The first word of sun.rt.javaCommand: a class, or the path of a jar. */
static void facts_main(struct str command, char *ret, size_t size)
{
    struct str main;
    if (!str_split(&command, ' ', &main) || !main.n)
        return;
    if (str_has_suffix(main, STR(".jar"))) {
        main = command_line_base_name(main);
        main.n -= strlen(".jar");
    }
    jvm_printable(main, ret, size);
}

/* Of Java. HotSpot had numbers of its own up to JDK 8, which is 25.x there and 1.8.0 for everybody else. */
static bool facts_version(struct str counters, struct str *ret)
{
    if (perfdata_string(counters, "java.property.java.version", ret) && str_has_prefix(*ret, STR("1.")))
        return true;
    return perfdata_string(counters, "java.property.java.vm.version", ret);
}

void examine_facts(struct examiner *x, const struct jvm_target *t)
{
    cleanup_buf struct buf counters = BUF_INIT(PERFDATA_BYTES);
    struct str text;
    struct jvm_facts *f = &x->facts;
    if (!perfdata_read(t->view.root, t->view.ns_pid, t->view.rights.uid, &counters))
        return;
    const struct str bytes = buf_slice(&counters);
    if (facts_version(bytes, &text))
        jvm_printable(text, f->version, sizeof f->version);
    if (perfdata_string(bytes, "java.property.java.vm.vendor", &text))
        jvm_printable(text, f->vendor, sizeof f->vendor);
    if (perfdata_string(bytes, "sun.rt.javaCommand", &text))
        facts_main(text, f->main, sizeof f->main);
}

/* The trigger file is created in the JVM's /tmp, by its user. */
static void examine_trigger(const struct examiner *x, const struct jvm_target *t)
{
    if (faccessat(t->attach.tmp, ".", W_OK | X_OK, 0) == 0)
        examine_report(x, "attach", PRECONDITION_OK, false, "",
                       "allowed; the attach listener is started on demand: SIGQUIT has a handler, /tmp is writable");
    else
        examine_report(x, "attach", PRECONDITION_PROBLEM, true,
                       "mount a writable /tmp (an emptyDir), or start the JVM with -XX:+StartAttachListener",
                       "its user %u cannot create the trigger file in /tmp: %s", (unsigned)t->view.rights.uid,
                       strerror(errno));
}

void examine_attach(const struct examiner *x, struct jvm_target *t)
{
    struct err err = {0};
    const int code = jvm_target_enter(t, &err);
    if (code < 0) {
        examine_report_err(x, "attach", code, &err, "", "");
        return;
    }
    if (t->attach.openj9) {
        examine_report_err(x, "attach", openj9_check(&t->attach.files, &err), &err, "",
                           "allowed; OpenJ9 has its attach directory and semaphore");
        return;
    }
    cleanup_close int socket = jvm_attach_socket(&t->attach);
    if (socket >= 0)
        examine_report(x, "attach", PRECONDITION_OK, false, "", "allowed; the attach listener is running");
    else if (t->attach.may_signal)
        examine_trigger(x, t);
    else
        examine_report(x, "attach", PRECONDITION_PROBLEM, true, "", "%s", t->attach.why_not);
}

void examine_library(const struct examiner *x, const struct jvm_target *t, const struct asprof_dist *d)
{
    struct err err = {0};
    char place[ASPROF_PATH_SIZE] = "", ok[ASPROF_PATH_SIZE + 64];
    if (t->probe.ours.path[0]) {
        examine_report(x, "library", PRECONDITION_OK, false, "", "the profiler is loaded already: %s",
                       t->probe.ours.path);
        return;
    }
    const int code = asprof_place_check(d, &t->view, x->request->tmp_dir, place, &err);
    snprintf(ok, sizeof ok, "%s is writable, executable and has enough space", place);
    examine_report_err(x, "library", code, &err, "", ok);
}

void examine_recording(const struct examiner *x, const struct jvm_target *t)
{
    struct err err = {0};
    char place[TARGET_DIR_PATH_SIZE] = "", ok[TARGET_DIR_PATH_SIZE + 64];
    const int code = jvm_target_dir_check(&t->view, RECORDING_LEAST, place, &err);
    snprintf(ok, sizeof ok, "%s is writable and has 32 MiB free", place);
    examine_report_err(x, "recording", code, &err, "", ok);
}

void examine_build(struct examiner *x, const struct jvm_target *t, const struct asprof_dist *d, struct jvm_fit *fit)
{
    struct err err = {0};
    struct jvm_facts *f = &x->facts;
    const int code =
        fit_check(&t->view, &t->probe, t->probe.ours.path[0] ? NULL : &d->library, x->request->untested, fit, &err);
    if (!f->version[0])
        snprintf(f->version, sizeof f->version, "%s", fit->build.text);
    if (!f->vendor[0])
        snprintf(f->vendor, sizeof f->vendor, "%s", fit->build.vendor);
    char ok[sizeof f->version + sizeof f->vendor + 32];
    snprintf(ok, sizeof ok, "%s%s%s is supported", f->vendor, f->vendor[0] ? " " : "",
             f->version[0] ? f->version : "this JVM");
    examine_report_err(x, "version", code, &err, "", ok);
}

void examine_quarantine(const struct examiner *x, const struct jvm_makeup *m)
{
    struct str rest = str_of(x->request->condemned ? x->request->condemned : "");
    char remedy[EXAMINE_REMEDY_MAX];
    for (struct str key; str_split(&rest, ' ', &key);)
        if (str_is(key, m->key)) {
            snprintf(remedy, sizeof remedy,
                     "find the cause (hs_err_pid*.log, the kernel log), then: smolder forgive %s",
                     m->main[0] ? m->main : m->key);
            examine_report(x, "quarantine", PRECONDITION_PROBLEM, true, remedy,
                           "a JVM like this one died after an attach");
            return;
        }
    examine_report(x, "quarantine", PRECONDITION_OK, false, "", "no JVM like it is known to have died after an attach");
}

void examine_events(const struct examiner *x, const struct jvm_fit *fit)
{
    struct err err = {0};
    struct degraded d = {0};
    const int code = degrade_build(str_of(x->request->options), &fit->build, &d, &err);
    if (code < 0)
        examine_report_err(x, "events", code, &err, "", "");
    else if (d.why[0])
        examine_report(x, "events", PRECONDITION_PROBLEM, false, "use a newer update of this JVM", "%s", d.why);
    else
        examine_report(x, "events", PRECONDITION_OK, false, "", "no event of %s is known to fail in this JVM",
                       x->request->options);
}
