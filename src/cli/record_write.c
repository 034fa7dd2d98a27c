#include "cli/record_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "cli/command.h"
#include "cli/convert_files.h"
#include "cli/convert_output.h"
#include "cli/convert_read.h"
#include "os/fsutil.h"
#include "os/mapped.h"
#include "os/rights.h"

#define SYMBOLS_BYTES ((size_t)1 << 30)
enum { NOBODY = 65534, NAMES_MAX = 4096, RECORD_OUTPUT_MAX = (2u << 30) - 1 };

static const struct {
    const char *suffix, *name;
    struct record_format format;
} formats[] = {
    {".jfr", "jfr", {.jfr = true}},
    {".html", "html", {.format = WRITE_HTML}},
    {".pb.gz", "pprof", {.format = WRITE_PPROF}},
    {".pb", "", {.format = WRITE_PPROF, .plain = true}},
    {".collapsed", "collapsed", {.format = WRITE_COLLAPSED}},
    {".json", "json", {.format = WRITE_JSON}},
    {".txt", "text", {.format = WRITE_TEXT}},
};

int record_format_of(const char *path, const char *name, struct record_format *ret, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        if (*name ? strcmp(name, formats[i].name) == 0 : str_has_suffix(str_of(path), str_of(formats[i].suffix))) {
            *ret = formats[i].format;
            return 0;
        }
    if (*name)
        return err_set(err, -EINVAL, "--format=%s: expected jfr, html, pprof, collapsed, json or text", name);
    return err_set(err, -EINVAL,
                   "-o %s: the suffix names no format; use .html, .pb.gz, .jfr, .collapsed, .json or .txt, or --format",
                   path);
}

/* ---- the child: reads standard input, writes standard output ---- */

/* For good. Whoever is no root keeps what they are: the recording is of a JVM of theirs. */
static int record_give_up_rights(struct err *err)
{
    const struct rights nobody = {.uid = NOBODY, .gid = NOBODY};
    const struct rlimit none = {0};
    (void)setrlimit(RLIMIT_NPROC, &none);
    (void)setrlimit(RLIMIT_CORE, &none);
    return geteuid() == 0 ? rights_become(&nobody, err) : 0;
}

/* A file of pprof holds one profile: without --type the CPU's, else the first, and the others are named. */
static const char *record_one_type(const struct profile_set *set, const char *type)
{
    const char *one = set->items[0].name;
    cleanup_buf struct buf names = BUF_INIT(NAMES_MAX);
    if (*type || set->len == 1)
        return type;
    for (size_t i = 0; i < set->len; i++) {
        if (strcmp(set->items[i].name, "process_cpu") == 0)
            one = set->items[i].name;
        buf_printf(&names, "%s%s", i ? ", " : "", set->items[i].name);
    }
    terminal_printf(stderr, "smolder record: writing %s; select with --type=NAME: %s\n", one, buf_cstr(&names));
    return one;
}

static int record_convert(const struct record_format *f, const char *type, const char *title, struct err *err)
{
    const char *input = "-";
    cleanup_file_list struct file_list files = {0};
    struct read_result result = {0};
    struct profile_set set;
    const struct read_options read = {.conversion = {.cpu_ns = 10000000, .limits = &conversion_limits_files},
                                      .inflated_max = SIZE_MAX,
                                      .labels = "",
                                      .quiet = true};
    struct write_options write = {
        .command = "smolder record", .format = f->format, .path = "-", .type = type, .title = title, .plain = f->plain};
    profile_set_init(&set, SYMBOLS_BYTES);
    int code = files_expand(&input, 1, &files, err);
    if (code == 0)
        code = read_inputs(&files, &read, &set, &result, err);
    if (code == 0 && set.len == 0)
        code = err_set(err, -ESRCH, "no samples were taken; was the JVM idle?");
    if (code == 0 && f->format == WRITE_PPROF)
        write.type = record_one_type(&set, type);
    if (code == 0)
        code = write_set(&set, &write, err);
    profile_set_done(&set);
    read_result_done(&result);
    return code;
}

_Noreturn static void record_child(const struct spool *s, int to, const struct record_format *f, const char *type,
                                   const char *title)
{
    struct err err = {0};
    int code = lseek(s->fd, 0, SEEK_SET) < 0 || dup2(s->fd, STDIN_FILENO) < 0 || dup2(to, STDOUT_FILENO) < 0
                   ? err_errno(&err, "set up the conversion")
                   : record_give_up_rights(&err);
    if (code == 0)
        code = record_convert(f, type, title, &err);
    if (code < 0)
        terminal_printf(stderr, "smolder record: %s\n", err.text);
    fflush(NULL);
    _exit(code == 0                           ? EXIT_OK
          : code == -EINVAL                   ? EXIT_USAGE
          : code == -ESRCH || code == -EILSEQ ? EXIT_INPUT
                                              : EXIT_SYSTEM);
}

/* ---- the parent ---- */

static int record_put(const char *path, struct str bytes, struct err *err)
{
    cleanup_output struct output out = {0};
    int code = output_write(&out, path, bytes, err);
    return code == 0 ? output_commit(&out, err) : code;
}

static int record_copy(const struct spool *s, const char *path, struct err *err)
{
    struct mapped map = MAPPED_INIT;
    int code = s->bytes ? mapped_open(s->fd, &map, err) : err_set(err, -ESRCH, "nothing was recorded");
    if (code == 0)
        code = record_put(path, (struct str){(const char *)map.p, map.n}, err);
    mapped_done(&map);
    return code == 0 ? EXIT_OK : code == -ESRCH ? EXIT_INPUT : EXIT_SYSTEM;
}

int record_write(const struct spool *s, const struct record_format *f, const char *path, const char *type,
                 const char *title, struct err *err)
{
    cleanup_buf struct buf bytes = BUF_INIT(RECORD_OUTPUT_MAX);
    cleanup_close int from = -1;
    int ends[2], status = -1;
    if (f->jfr)
        return record_copy(s, path, err);
    if (pipe2(ends, O_CLOEXEC) < 0) {
        err_errno(err, "pipe");
        return EXIT_SYSTEM;
    }
    from = ends[0];
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0)
        record_child(s, ends[1], f, type, title);
    close(ends[1]);
    const int code = child < 0 ? -errno : fs_read(from, &bytes, NULL);
    if (child < 0 || waitpid(child, &status, 0) != child || code < 0 || !buf_ok(&bytes)) {
        err_set(err, -EIO, "the conversion failed");
        return EXIT_SYSTEM;
    }
    if (!WIFEXITED(status)) {
        err_set(err, -EIO, "the conversion was ended by signal %d; -o FILE.jfr keeps the recording as it is",
                WTERMSIG(status));
        return EXIT_SYSTEM;
    }
    if (WEXITSTATUS(status) != EXIT_OK)
        return WEXITSTATUS(status);
    return record_put(path, buf_slice(&bytes), err) < 0 ? EXIT_SYSTEM : EXIT_OK;
}
