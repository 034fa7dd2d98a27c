#include "jvm/probe/hs_err.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "jvm/probe/builds.h"
#include "jvm/probe/vm_flags.h"
#include "os/fsutil.h"
#include "os/rootfs.h"

/* Frames of one stack that are looked at; so many at its bottom are the start of its thread. */
enum { FRAMES_MAX = 1024, START_FRAMES = 3 };

#define LIBRARY      "libasyncProfiler"
#define THREADS      "\"Async-profiler"
#define DEFAULT_NAME "hs_err_pid%p.log"

/* ---- content ---- */

static bool hs_err_has(struct str line, const char *part)
{
    return line.n && memmem(line.p, line.n, part, strlen(part));
}

/* "SIGSEGV (0xb) at pc=0x…, pid=12, tid=13" or "Internal Error (x.cpp:1), pid=12, tid=13". */
static void hs_err_head(struct str line, struct hs_err *r)
{
    const char *pid = memmem(line.p, line.n, "pid=", 4);
    struct str rest = line, word;
    if (!pid || r->pid)
        return;
    int64_t n = 0;
    for (const char *p = pid + 4, *end = line.p + line.n; p < end && isdigit((unsigned char)*p) && n < INT_MAX / 10;
         p++)
        n = n * 10 + (*p - '0');
    r->pid = (pid_t)n;
    if (str_split(&rest, ' ', &word) && str_has_prefix(word, STR("SIG")))
        jvm_printable(word, r->signal, sizeof r->signal);
}

/* "V  [libjvm.so+0x12]  Unsafe_PutInt+0x8a" is libjvm.so, "j  Main.run()V+3" is Main.run()V+3. */
static void hs_err_frame(struct str line, struct hs_err *r)
{
    const char *open = memchr(line.p, '[', line.n);
    struct str name = line;
    if (open) {
        name = (struct str){open + 1, line.n - (size_t)(open + 1 - line.p)};
        for (size_t i = 0; i < name.n; i++)
            if (name.p[i] == '+' || name.p[i] == ']')
                name.n = i;
    } else if (line.n > 3) {
        name = str_trim((struct str){line.p + 2, line.n - 2});
    }
    jvm_printable(name, r->frame, sizeof r->frame);
    r->profiler = r->profiler || str_has_prefix(name, STR(LIBRARY));
}

/* The lines that begin with '#'. */
static bool hs_err_parse_head(struct str *rest, struct hs_err *r)
{
    bool report = false, frame = false;
    for (struct str line, text; rest->n && rest->p[0] == '#' && str_split(rest, '\n', &line);) {
        text = str_trim((struct str){line.p + 1, line.n - 1});
        if (hs_err_has(text, "fatal error has been detected by the Java Runtime Environment"))
            report = true;
        if (hs_err_has(text, "insufficient memory for the Java Runtime Environment"))
            report = r->no_memory = true;
        if (frame && text.n)
            hs_err_frame(text, r);
        frame = hs_err_has(text, "Problematic frame:");
        if (text.n)
            hs_err_head(text, r);
    }
    return report;
}

/* From "Native frames:" to the blank line behind it. */
static bool hs_err_stack_names_profiler(struct str *rest)
{
    size_t frames = 0, first = FRAMES_MAX;
    for (struct str line; frames < FRAMES_MAX && str_split(rest, '\n', &line) && str_trim(line).n; frames++)
        if (first == FRAMES_MAX && hs_err_has(line, "[" LIBRARY))
            first = frames;
    return first < FRAMES_MAX && first + START_FRAMES < frames;
}

bool hs_err_parse(struct str text, struct hs_err *ret)
{
    struct hs_err r = {0};
    if (!hs_err_parse_head(&text, &r))
        return false;
    bool thread = false;
    for (struct str line; str_split(&text, '\n', &line);) {
        /* One thread only: the others come further down. */
        if (!thread && str_has_prefix(line, STR("Current thread "))) {
            thread = true;
            r.profiler = r.profiler || hs_err_has(line, THREADS);
        }
        if (str_has_prefix(line, STR("Native frames:"))) {
            r.profiler = hs_err_stack_names_profiler(&text) || r.profiler;
            break;
        }
    }
    *ret = r;
    return true;
}

/* ---- place ---- */

/* %p becomes the process ID, %% a percent sign; other text stays. False when it is too long. */
static bool hs_err_expand(const char *pattern, pid_t pid, char *ret, size_t size)
{
    size_t n = 0;
    for (const char *p = pattern; *p && n < size; p++) {
        if (p[0] == '%' && p[1] == 'p') {
            n += (size_t)snprintf(ret + n, size - n, "%d", (int)pid);
            p++;
            continue;
        }
        ret[n++] = *p;
        if (p[0] == '%' && p[1] == '%')
            p++;
    }
    if (n >= size)
        return false;
    ret[n] = '\0';
    return true;
}

static bool hs_err_may_write(int dir)
{
    return dir >= 0 && faccessat(dir, ".", W_OK | X_OK, AT_EACCESS) == 0;
}

/* The directory that a path names, and in `name` the file's. */
static int hs_err_dir_of(const struct jvm_view *v, char *path, char name[NAME_MAX + 1])
{
    char *slash = strrchr(path, '/');
    const char *file = slash ? slash + 1 : path;
    if (!*file || strlen(file) > NAME_MAX)
        return -EINVAL;
    snprintf(name, NAME_MAX + 1, "%s", file);
    if (slash)
        *slash = '\0';
    if (slash && (path[0] == '/' || slash == path))
        return rootfs_dir(v->root, slash == path ? "/" : path, NULL);
    if (v->cwd < 0)
        return -ENOENT;
    return slash ? rootfs_dir_in(v->cwd, path, NULL) : fs_reopen(v->cwd, O_PATH | O_DIRECTORY);
}

int hs_err_place(const struct jvm_view *v, struct hs_err_place *ret)
{
    struct hs_err_place place = {.uid = v->rights.uid, .gid = v->rights.gid, .pid = v->ns_pid};
    struct vm_flags flags;
    vm_flags_read(v, &flags);
    const char *const patterns[] = {flags.error_file, DEFAULT_NAME, "/tmp/" DEFAULT_NAME};
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
        char path[PATH_MAX];
        if (!*patterns[i] || !hs_err_expand(patterns[i], v->ns_pid, path, sizeof path))
            continue;
        cleanup_close int dir = hs_err_dir_of(v, path, place.name);
        if (!hs_err_may_write(dir))
            continue;
        if (!fs_is_local(dir))
            return -ENOTSUP;
        *ret = place;
        return TAKE_FD(dir);
    }
    return -ENOENT;
}
