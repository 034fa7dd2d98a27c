#include "jvm/probe/vm_flags.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "jvm/probe/command_line.h"
#include "os/fsutil.h"
#include "os/rootfs.h"

enum { FILE_MAX = 1 << 20 };

struct flags_reader {
    const struct jvm_view *v;
    struct vm_flags *o;
};

static void apply_text(struct flags_reader *r, struct str text);

/* Appends a file the target's command line names: absolute beneath its root, relative beneath its working directory. */
static bool read_named(const struct flags_reader *r, struct str name, struct buf *out)
{
    char path[PATH_MAX];
    if (name.n == 0 || name.n >= sizeof path)
        return false;
    memcpy(path, name.p, name.n);
    path[name.n] = '\0';
    if (path[0] == '/')
        return rootfs_read(r->v->root, path, out, NULL) == 0;
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    cleanup_close int peek = r->v->cwd < 0 ? -1 : (int)syscall(SYS_openat2, r->v->cwd, path, &how, sizeof how);
    struct stat st;
    if (peek < 0 || fstat(peek, &st) < 0 || !S_ISREG(st.st_mode))
        return false;
    cleanup_close int fd = fs_reopen(peek, O_RDONLY | O_NONBLOCK);
    bool whole = false;
    return fd >= 0 && fs_read(fd, out, &whole) == 0 && whole;
}

static bool cut_prefix(struct str s, const char *prefix, struct str *rest)
{
    size_t n = strlen(prefix);
    if (s.n < n || memcmp(s.p, prefix, n) != 0)
        return false;
    *rest = (struct str){s.p + n, s.n - n};
    return true;
}

static const struct {
    const char *flag;
    size_t field;
    bool sense;
} flags[] = {
    {"DisableAttachMechanism", offsetof(struct vm_flags, attach_off), true},
    {"ReduceSignalUsage", offsetof(struct vm_flags, reduced_signals), true},
    {"EnableDynamicAgentLoading", offsetof(struct vm_flags, no_dynamic_agents), false},
};

bool vm_flags_knows(struct str flag)
{
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (str_is(flag, flags[i].flag))
            return true;
    return false;
}

void vm_flags_set(struct vm_flags *o, struct str flag, bool on)
{
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (str_is(flag, flags[i].flag))
            *(bool *)((char *)o + flags[i].field) = on == flags[i].sense;
}

/* One option; others are ignored. */
static void vm_flags_apply(struct vm_flags *o, struct str option)
{
    struct str rest;
    if (str_is(option, "-Xrs"))
        o->reduced_signals = true;
    if (cut_prefix(option, "-XX:ErrorFile=", &rest))
        snprintf(o->error_file, sizeof o->error_file, "%.*s", rest.n < sizeof o->error_file ? (int)rest.n : 0,
                 rest.n ? rest.p : "");
    if (!cut_prefix(option, "-XX:", &rest) || rest.n < 1 || (rest.p[0] != '+' && rest.p[0] != '-'))
        return;
    bool on = rest.p[0] == '+';
    vm_flags_set(o, (struct str){rest.p + 1, rest.n - 1}, on);
}

/* A .hotspotrc-like file: one +Flag, -Flag or Flag=value per blank-separated word, '#' comments. */
static void apply_flags_file(struct flags_reader *r, struct str name)
{
    cleanup_buf struct buf text = BUF_INIT(FILE_MAX);
    if (!read_named(r, name, &text)) {
        r->o->complete = false;
        return;
    }
    struct str rest = buf_slice(&text), line, word;
    while (str_split(&rest, '\n', &line)) {
        line = str_trim(line);
        while (line.n && line.p[0] != '#' && str_split(&line, ' ', &word)) {
            char option[256];
            int n = snprintf(option, sizeof option, "-XX:%.*s", STR_ARG(str_trim(word)));
            if (n > 0 && (size_t)n < sizeof option)
                vm_flags_apply(r->o, (struct str){option, (size_t)n});
        }
    }
}

static void vm_flags_apply_argument(struct flags_reader *r, struct str option, bool files)
{
    struct str rest;
    vm_flags_apply(r->o, option);
    if (cut_prefix(option, "-XX:Flags=", &rest))
        apply_flags_file(r, rest);
    if (cut_prefix(option, "-XX:VMOptionsFile=", &rest)) {
        cleanup_buf struct buf text = BUF_INIT(FILE_MAX);
        /* Such a file cannot name another one. */
        if (files && read_named(r, rest, &text))
            vm_flags_apply_text(r->o, buf_slice(&text));
        else
            r->o->complete = false;
    }
}

static void apply_text(struct flags_reader *r, struct str text)
{
    char word[PATH_MAX];
    for (struct str option; command_line_word(&text, word, sizeof word, &option);)
        vm_flags_apply_argument(r, option, true);
}

void vm_flags_apply_text(struct vm_flags *o, struct str text)
{
    char word[PATH_MAX];
    for (struct str option; command_line_word(&text, word, sizeof word, &option);)
        vm_flags_apply(o, option);
}

/* An @argfile: words as above, '#' comments, no further @argfiles. What escapes make of it is not followed: then not
 * all is known. */
static void apply_argfile(struct flags_reader *r, struct str name)
{
    cleanup_buf struct buf text = BUF_INIT(FILE_MAX);
    if (!read_named(r, name, &text)) {
        r->o->complete = false;
        return;
    }
    struct str rest = buf_slice(&text), line;
    if (rest.n && memchr(rest.p, '\\', rest.n))
        r->o->complete = false;
    while (str_split(&rest, '\n', &line)) {
        line = str_trim(line);
        if (line.n && line.p[0] != '#')
            apply_text(r, line);
    }
}

/* The command line of the `java` launcher: what stands behind the main class is the application's. */
static void apply_java(struct flags_reader *r, struct str args)
{
    struct str arg;
    while (str_split(&args, '\0', &arg)) {
        if (arg.n > 1 && arg.p[0] == '@')
            apply_argfile(r, (struct str){arg.p + 1, arg.n - 1});
        else if (arg.n == 0 || arg.p[0] != '-' || str_is(arg, "-jar") || str_is(arg, "-m") || str_is(arg, "--module"))
            return;
        else if (command_line_takes_argument(arg))
            (void)!str_split(&args, '\0', &arg);
        else
            vm_flags_apply_argument(r, arg, true);
    }
}

/* Another program with a JVM inside; JDK tools pass options through with -J. */
static void apply_any(struct flags_reader *r, struct str args)
{
    for (struct str arg, rest; str_split(&args, '\0', &arg);)
        vm_flags_apply_argument(r, cut_prefix(arg, "-J", &rest) ? rest : arg, true);
}

static void apply_environ(struct flags_reader *r, struct str environment, const char *name)
{
    for (struct str var, value; str_split(&environment, '\0', &var);)
        if (cut_prefix(var, name, &value)) {
            struct str text = value, word;
            while (str_split(&text, ' ', &word))
                if (word.n > 1 && word.p[0] == '@')
                    apply_argfile(r, (struct str){word.p + 1, word.n - 1});
            apply_text(r, value);
        }
}

void vm_flags_read(const struct jvm_view *v, struct vm_flags *ret)
{
    *ret = (struct vm_flags){.complete = v->java && v->whole};
    struct flags_reader r = {v, ret};
    struct str args = buf_slice(&v->cmdline), environment = buf_slice(&v->environ), program;
    apply_environ(&r, environment, "JAVA_TOOL_OPTIONS=");
    if (v->java)
        apply_environ(&r, environment, "JDK_JAVA_OPTIONS=");
    if (str_split(&args, '\0', &program)) {
        if (v->java)
            apply_java(&r, args);
        else
            apply_any(&r, args);
    }
    apply_environ(&r, environment, "_JAVA_OPTIONS=");
}
