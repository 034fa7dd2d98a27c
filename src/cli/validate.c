/* smolder validate [FLAGS] PATH…: checks a configuration without running it; reports all errors. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "cli/colour.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "components/all.h"
#include "conf/files.h"
#include "graph/validate.h"
#include "lang/diag_text.h"

enum { OUTPUT_MAX = 16 << 20 };

struct validate_flags {
    const char *format, *stability;
    bool strict, skip_unknown, help;
};

#define AT(field) offsetof(struct validate_flags, field)
static const struct flag flags[] = {
    {"strict", FLAG_BOOL, AT(strict), NULL, NULL, "Treat warnings as errors."},
    {"format", FLAG_CHOICE, AT(format), "text", "text|json",
     "text: diagnostics with excerpts on standard error; json: one object on standard output."},
    {"stability.level", FLAG_CHOICE, AT(stability), "generally-available",
     "generally-available|public-preview|experimental", "Minimum stability of components and functions, as for run."},
    {"config.skip-unknown", FLAG_BOOL, AT(skip_unknown), NULL, NULL,
     "Skip unknown components and those that depend only on them, with a warning each, instead of failing."},
    {"help", FLAG_BOOL, AT(help), NULL, NULL, "Print this help and exit."},
    {"config.format", FLAG_UNUSED, 0, "alloy", "VALUE", NULL},
    {"config.extra-args", FLAG_UNUSED, 0, NULL, "VALUE", NULL},
    {"config.bypass-conversion-errors", FLAG_UNUSED, 0, "false", NULL, NULL},
    {"feature.community-components.enabled", FLAG_UNUSED, 0, "false", NULL, NULL},
    {NULL},
};

static void validate_help(void)
{
    fputs("NAME\n"
          "  smolder validate - check a configuration without running it; reports all errors\n\n"
          "SYNOPSIS\n"
          "  smolder validate [FLAGS] PATH…\n\n"
          "DESCRIPTION\n"
          "  Checks the configuration in PATH (a file, or the *.alloy files of a directory; several paths form\n"
          "  one configuration): syntax, components, labels, arguments, types of literals, references, cycles,\n"
          "  modules. Nothing is evaluated or started, no import is read, no connection is made. A valid\n"
          "  configuration prints nothing.\n\n"
          "FLAGS [default]\n",
          stdout);
    flags_help(flags, stdout);
    fputs("\nEXIT STATUS\n"
          "  0  success: no errors, and no warnings with --strict\n"
          "  1  invalid configuration\n"
          "  2  usage error\n"
          "  3  system error: the configuration could not be read\n\n"
          "EXAMPLES\n"
          "  smolder validate /etc/smolder/config.alloy\n"
          "  smolder validate --strict --format=json conf.d | jq .diagnostics\n",
          stdout);
}

/* --- output --- */

static void put_position(struct buf *out, const char *name, unsigned value)
{
    buf_byte(out, ',');
    json_name(out, name);
    buf_printf(out, "%u", value);
}

static void put_diagnostic(void *arg, const struct diag *d, const char *line, const char *message)
{
    (void)line;
    struct buf *out = arg;
    const struct pos first = d->range.first, last = d->range.last.source ? d->range.last : first;
    if (out->p[out->len - 1] == '}')
        buf_byte(out, ',');
    buf_byte(out, '{');
    json_name(out, "severity");
    json_string(out, d->severity == SEVERITY_ERROR ? STR("error") : STR("warning"));
    if (first.source) {
        buf_byte(out, ',');
        json_name(out, "file");
        json_string(out, str_of(first.source->name));
    }
    if (first.source && first.line) {
        put_position(out, "line", first.line);
        put_position(out, "column", first.column);
        put_position(out, "end_line", last.line);
        put_position(out, "end_column", last.column);
    }
    buf_byte(out, ',');
    json_name(out, "message");
    json_string(out, str_of(message));
    buf_byte(out, '}');
}

/* Diagnostics beyond those that are kept are counted. */
static void validate_put_json(const struct diags *ds, bool valid, struct buf *out)
{
    size_t warnings = 0;
    for (size_t i = 0; i < ds->len; i++)
        warnings += ds->items[i].severity == SEVERITY_WARNING;
    buf_printf(out, "{\"valid\":%s,\"errors\":%zu,\"warnings\":%zu,\"diagnostics\":[", valid ? "true" : "false",
               ds->errors, warnings);
    diags_lines(ds, SIZE_MAX, put_diagnostic, out);
    buf_puts(out, "]}\n");
}

static int validate_show(const struct diags *ds, bool valid, bool json)
{
    cleanup_buf struct buf text = BUF_INIT(OUTPUT_MAX);
    if (json)
        validate_put_json(ds, valid, &text);
    else
        diags_pretty(ds, look_of_stderr(), &text);
    if (!json && !valid)
        buf_printf(&text, "%sError: validation failed\n", text.len ? "\n" : "");
    const int code = json ? terminal_write(STDOUT_FILENO, buf_slice(&text))
                          : fd_write_all(STDERR_FILENO, text.p, text.len); /* escaped already, but for its colours */
    if (code < 0) {
        fprintf(stderr, "smolder validate: %s\n", strerror(-code));
        return EXIT_SYSTEM;
    }
    return valid ? EXIT_OK : EXIT_INPUT;
}

/* --- input --- */

struct sources {
    struct source **items;
    size_t len;
};

static void sources_done(struct sources *s)
{
    for (size_t i = 0; i < s->len; i++)
        source_unref(s->items[i]);
    free(s->items);
}

/* What no position can be given for is reported here. */
static void take_sources(const struct conf_files *files, struct sources *ret, struct diags *ds)
{
    ret->items = xcalloc(files->len + 1, sizeof(struct source *));
    for (size_t i = 0; i < files->len; i++) {
        const struct str text = {files->items[i].text, files->items[i].len};
        struct err err = {0};
        struct source *s;
        if (source_new(files->items[i].name, text, &s, &err) < 0) {
            diag_error(ds, (struct range){0}, "%s: %s", files->items[i].name, err.text);
            continue;
        }
        ret->items[ret->len++] = s;
        const struct range whole_file = {.first = {.source = s}};
        if (source_check_encoding(text, &err) < 0)
            diag_error(ds, whole_file, "%s", err.text);
    }
}

static int validate_files(const struct conf_files *files, const struct validate_flags *f)
{
    __attribute__((cleanup(sources_done))) struct sources sources = {0};
    cleanup_diags struct diags ds = DIAGS_INIT;
    struct validate_options options = {.components = all_components, .skip_unknown = f->skip_unknown};
    if (!stability_parse(f->stability, &options.stability))
        return EXIT_USAGE;
    take_sources(files, &sources, &ds);
    const bool valid = ds.errors == 0 && validate(sources.items, sources.len, &options, &ds) == 0;
    return validate_show(&ds, valid && !(f->strict && ds.len), strcmp(f->format, "json") == 0);
}

static int validate_run(int argc, char **argv)
{
    struct validate_flags f = {0};
    struct flags_rest rest = {0};
    struct err err = {0};
    const int code = flags_parse(flags, argc, argv, &f, &rest, &err);
    cleanup_free const char **paths = rest.items;
    if (code == 0 && f.help) {
        validate_help();
        return EXIT_OK;
    }
    if (code == 0 && rest.len == 0)
        err_set(&err, -EINVAL, "PATH is missing; see --help");
    if (err.code) {
        terminal_printf(stderr, "smolder validate: %s\n", err.text);
        return EXIT_USAGE;
    }
    cleanup_conf_files struct conf_files files = {0};
    if (conf_files_read(paths, rest.len, &files, &err) < 0) {
        terminal_printf(stderr, "Error: %s\n", err.text);
        return EXIT_SYSTEM;
    }
    return validate_files(&files, &f);
}

const struct command command_validate = {"validate", "smolder validate [FLAGS] PATH…",
                                         "Check a configuration; reports all errors.", validate_run};
