/* smolder fmt [-w] [-t] FILE…|-: formats configuration files in the canonical layout. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "lang/diag_text.h"
#include "lang/parser.h"
#include "lang/printer.h"
#include "os/fsutil.h"
#include "os/replace.h"

enum {
    FORMATTED_MAX = 64 << 20, /* indentation and alignment can make a text longer, though not by so much */
};

struct fmt_flags {
    bool write, test, help;
};

static const struct flag flags[] = {
    {"write", FLAG_BOOL, offsetof(struct fmt_flags, write), NULL, NULL,
     "-w: write the result to the files; not with -t."},
    {"test", FLAG_BOOL, offsetof(struct fmt_flags, test), NULL, NULL,
     "-t: write nothing; list the files that are not formatted and exit with 1."},
    {"help", FLAG_BOOL, offsetof(struct fmt_flags, help), NULL, NULL, "-h: print this help and exit."},
    {NULL},
};

static void print_help(void)
{
    fputs("NAME\n"
          "  smolder fmt - format configuration files\n\n"
          "SYNOPSIS\n"
          "  smolder fmt [-w | -t] [FILE…|-]\n\n"
          "DESCRIPTION\n"
          "  Formats each FILE to standard output, or in place with -w. Without FILE, or with -, it reads standard\n"
          "  input. Only whitespace, line breaks and commas before closing brackets change; the meaning of a\n"
          "  file is preserved. Formatting is idempotent. smolder format is an alias.\n\n"
          "FLAGS\n",
          stdout);
    flags_help(flags, stdout);
    fputs("\nEXIT STATUS\n"
          "  0  success: formatted; with -t: all files are formatted\n"
          "  1  invalid input: a file has syntax errors; with -t: a file is not formatted\n"
          "  2  usage error\n"
          "  3  system error: a file could not be read or written\n\n"
          "EXAMPLES\n"
          "  smolder fmt -w config.alloy\n"
          "  smolder fmt -t conf.d/*.alloy\n",
          stdout);
}

static char *long_name(char letter)
{
    static char write[] = "--write", test[] = "--test", help[] = "--help";
    return letter == 'w' ? write : letter == 't' ? test : letter == 'h' ? help : NULL;
}

/* The one-letter flags by their long names, also several in one argument. Returns an array of borrowed strings. */
static char **long_flags(int *argc, char **argv, struct err *err)
{
    size_t room = 1;
    for (int i = 0; i < *argc; i++)
        room += strlen(argv[i]) + 1;
    cleanup_free char **ret = xcalloc(room, sizeof *ret);
    int n = 0;
    bool ended = false;
    for (int i = 0; i < *argc; i++) {
        char *arg = argv[i];
        ended |= strcmp(arg, "--") == 0;
        if (ended || arg[0] != '-' || arg[1] == '-' || !arg[1]) {
            ret[n++] = arg;
            continue;
        }
        for (const char *letter = arg + 1; *letter; letter++) {
            ret[n] = long_name(*letter);
            if (!ret[n++]) {
                err_set(err, -EINVAL, "unknown flag -%c; see --help", *letter);
                return NULL;
            }
        }
    }
    *argc = n;
    return TAKE_PTR(ret);
}

static int fmt_complain(int status, const char *format, ...) printf_like(2, 3);
static int fmt_complain(int status, const char *format, ...)
{
    cleanup_free char *text = NULL;
    va_list ap;
    va_start(ap, format);
    if (vasprintf(&text, format, ap) < 0)
        text = NULL;
    va_end(ap);
    terminal_printf(stderr, "smolder fmt: %s\n", text ? text : "out of memory");
    return status;
}

static bool is_stdin(const char *path)
{
    return strcmp(path, "-") == 0;
}

static int fmt_read_input(const char *path, struct buf *text)
{
    const bool in = is_stdin(path);
    cleanup_close int fd = in ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return fmt_complain(EXIT_SYSTEM, "%s: %s", in ? "<stdin>" : path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return fmt_complain(EXIT_USAGE, "cannot format a directory: %s; pass its files", path);
    bool whole = false;
    const int code = fs_read(fd, text, &whole);
    if (code < 0)
        return fmt_complain(EXIT_SYSTEM, "%s: %s", in ? "<stdin>" : path, strerror(-code));
    if (!whole)
        return fmt_complain(EXIT_INPUT, "%s: larger than %d MiB", in ? "<stdin>" : path, SOURCE_MAX >> 20);
    return EXIT_OK;
}

static void print_diag(void *arg, const struct diag *d, const char *line, const char *message)
{
    (void)arg, (void)d, (void)message;
    terminal_printf(stderr, "%s\n", line);
}

static int fmt_file(const char *name, struct str text, struct buf *out)
{
    cleanup_source struct source *source = NULL;
    cleanup_ast struct ast_file *file = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    struct err err = {0};
    if (source_new(name, text, &source, &err) < 0)
        return fmt_complain(EXIT_INPUT, "%s: %s", name, err.text);
    if (parse_file(source, &file, &ds) < 0) {
        diags_lines(&ds, SIZE_MAX, print_diag, NULL);
        return EXIT_INPUT;
    }
    print_file(file, out);
    return buf_ok(out) ? EXIT_OK : fmt_complain(EXIT_INPUT, "%s: the formatted text is too long", name);
}

static int write_stdout(struct str text)
{
    const int code = terminal_write(STDOUT_FILENO, text);
    return code == 0 ? EXIT_OK : fmt_complain(EXIT_SYSTEM, "standard output: %s", strerror(-code));
}

static int format_one(const char *path, const struct fmt_flags *f)
{
    const char *name = is_stdin(path) ? "<stdin>" : path;
    cleanup_buf struct buf text = BUF_INIT(SOURCE_MAX), out = BUF_INIT(FORMATTED_MAX);
    int status = fmt_read_input(path, &text);
    if (status == EXIT_OK)
        status = fmt_file(name, buf_slice(&text), &out);
    if (status != EXIT_OK)
        return status;
    const bool differs = !str_eq(buf_slice(&text), buf_slice(&out));
    if (f->test) {
        if (differs)
            terminal_printf(stderr, "file %s is not formatted correctly\n", name);
        return differs ? EXIT_INPUT : EXIT_OK;
    }
    if (!f->write)
        return write_stdout(buf_slice(&out));
    struct err err = {0};
    if (differs && replace_file(path, buf_slice(&out), &err) < 0)
        return fmt_complain(EXIT_SYSTEM, "%s", err.text);
    return EXIT_OK;
}

static int format_all(const char *const *paths, size_t n, const struct fmt_flags *f)
{
    int worst = EXIT_OK;
    for (size_t i = 0; i < n; i++) {
        if (f->write && is_stdin(paths[i]))
            return fmt_complain(EXIT_USAGE, "cannot use -w with standard input");
    }
    for (size_t i = 0; i < n; i++) {
        const int status = format_one(paths[i], f);
        worst = status > worst ? status : worst;
    }
    if (worst == EXIT_INPUT && !f->test)
        fputs("smolder fmt: encountered errors during formatting\n", stderr);
    return worst;
}

static int fmt_run(int argc, char **argv)
{
    struct fmt_flags f = {0};
    struct flags_rest rest = {0};
    struct err err = {0};
    cleanup_free char **all = long_flags(&argc, argv, &err);
    const int code = all ? flags_parse(flags, argc, all, &f, &rest, &err) : -EINVAL;
    cleanup_free const char **paths = rest.items;
    if (code < 0)
        return fmt_complain(EXIT_USAGE, "%s", err.text);
    if (f.help) {
        print_help();
        return EXIT_OK;
    }
    if (f.write && f.test)
        return fmt_complain(EXIT_USAGE, "cannot use -w/--write and -t/--test at the same time");
    const char *const standard_input[] = {"-"};
    return rest.len ? format_all(paths, rest.len, &f) : format_all(standard_input, 1, &f);
}

const struct command command_fmt = {"fmt", "smolder fmt [-w | -t] [FILE…|-]", "Format configuration files.", fmt_run};
