/* smolder convert: recordings and profiles to pprof, collapsed stacks, JSON, HTML or text. */
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "cli/command.h"
#include "cli/command_status.h"
#include "cli/convert_compare.h"
#include "cli/convert_files.h"
#include "cli/convert_range.h"
#include "cli/convert_read.h"
#include "cli/convert_row.h"
#include "cli/convert_view.h"
#include "cli/convert_write.h"
#include "cli/flags.h"
#include "lang/duration.h"
#include "pprof/events.h"
#include "pprof/threads.h"

/* What all names and stacks together may take. */
#define SYMBOLS_MAX ((size_t)1 << 30)
enum { INFLATED_MIB_MAX = 1 << 20, LABELS_TEXT_MAX = 1024 };

struct convert_flags {
    const char *output, *format, *type, *compat, *diff_base, *group_by, *inflated_max;
    const char *from, *to, *labels, *event, *interval, *wall_interval, *threads_max, *jobs;
    struct conversion_options conversion; /* the flags that are its options, and what the rest makes of it */
    struct view_flags view;
    const char *title, *highlight;
    const char *heat_cell;
    bool inverted, heat_map;
    bool no_gzip, strict, quiet, help;
};

#define AT(field) offsetof(struct convert_flags, field)
static const struct flag flags[] = {
    {"output", FLAG_STRING, AT(output), "", "PATH", "Output path; - is standard output."},
    {"format", FLAG_STRING, AT(format), "", "FORMAT",
     "otlp, pprof, collapsed, html, json or text; default: by the suffix of PATH, otherwise pprof."},
    {"type", FLAG_STRING, AT(type), "", "NAME",
     "Only this profile (process_cpu, wall, memory, …), sample type, or both: mutex:delay."},
    {"diff-base", FLAG_STRING, AT(diff_base), "", "FILE", "Recording or profile to compare with."},
    {"group-by", FLAG_STRING, AT(group_by), "", "LABEL", "Use the label's value as root frame of every stack."},
    {"from", FLAG_STRING, AT(from), "", "TIME",
     "Ignore events before this time: 2026-01-31T12:00:00Z, seconds since 1970, or relative to the beginning (10s) or "
     "the end (-5s)."},
    {"to", FLAG_STRING, AT(to), "", "TIME", "Ignore events at and after this time."},
    {"include", FLAG_LIST, AT(view.include), NULL, "PATTERN",
     "Only stacks with a frame like this: a name with * at either end, or a /regular expression/; repeatable."},
    {"exclude", FLAG_LIST, AT(view.exclude), NULL, "PATTERN", "Omit stacks with a frame like this; repeatable."},
    {"thread", FLAG_LIST, AT(view.threads), NULL, "PATTERN", "Only samples of threads with such a name; repeatable."},
    {"state", FLAG_STRING, AT(view.states), "", "LIST",
     "Only CPU and wall clock samples in these thread states: runnable, sleeping, default, …; may be cut short."},
    {"latency", FLAG_STRING, AT(view.latency), "", "DURATION",
     "Only samples within traced methods or spans of their thread that took at least this long."},
    {"span", FLAG_LIST, AT(view.spans), NULL, "PATTERN",
     "Only samples within spans of their thread that have such a tag; repeatable."},
    {"threads", FLAG_BOOL, AT(conversion.per_thread), NULL, NULL,
     "Add the label thread; numbers in the names of pool threads are normalised."},
    {"raw-threads", FLAG_BOOL, AT(conversion.raw_threads), NULL, NULL, "Add the label thread without normalisation."},
    {"thread-ids", FLAG_BOOL, AT(conversion.thread_ids), NULL, NULL,
     "Add the label thread with the thread's ID: main tid=42."},
    {"max-threads", FLAG_STRING, AT(threads_max), "", "N",
     "Maximum number of thread names; the rest becomes [other]. Default: 200, with --thread-ids any number."},
    {"states", FLAG_BOOL, AT(conversion.per_state), NULL, NULL,
     "Add the label state to CPU and wall clock samples: runnable, sleeping, default, …"},
    {"allocated-class", FLAG_BOOL, AT(conversion.allocated_class), NULL, NULL,
     "Add the label allocated_class to allocations."},
    {"lock-class", FLAG_BOOL, AT(conversion.lock_class), NULL, NULL, "Add the label lock_class to locks."},
    {"class-frames", FLAG_BOOL, AT(view.class_frames), NULL, NULL,
     "The class of allocated objects and of locks as leaf frame."},
    {"classify", FLAG_BOOL, AT(view.classify), NULL, NULL,
     "What a stack is about as root frame: [gc], [jit compiler], [class loading], [kernel], …"},
    {"labels", FLAG_STRING, AT(labels), "", "FILE", "LabelsSnapshot of Pyroscope's Java agent for the recordings."},
    {"raw-names", FLAG_BOOL, AT(conversion.raw_names), NULL, NULL, "Do not normalise names of generated classes."},
    {"dot", FLAG_BOOL, AT(view.dot), NULL, NULL, "Class names with dots: java.util.HashMap.get."},
    {"simple", FLAG_BOOL, AT(view.simple), NULL, NULL, "Class names without package: HashMap.get."},
    {"lines", FLAG_BOOL, AT(view.lines), NULL, NULL,
     "Line numbers in names, one frame per line: HashMap.get:561. pprof has them anyway."},
    {"bci", FLAG_BOOL, AT(view.bci), NULL, NULL, "Bytecode indices in names instead of lines: HashMap.get@17."},
    {"no-lines", FLAG_BOOL, AT(conversion.no_lines), NULL, NULL, "Omit line numbers."},
    {"frame-types", FLAG_BOOL, AT(conversion.frame_types), NULL, NULL,
     "Append frame types: _[j] compiled, _[i] inlined, _[0] interpreted, _[1] C1, _[k] kernel."},
    {"libraries", FLAG_BOOL, AT(conversion.libraries), NULL, NULL, "One pprof mapping per native library."},
    {"mark-truncated", FLAG_BOOL, AT(conversion.mark_truncated), NULL, NULL,
     "Add a frame [truncated] to truncated stacks."},
    {"skip", FLAG_STRING, AT(view.skip), "0", "N", "Omit so many frames at the root of every stack."},
    {"reverse", FLAG_BOOL, AT(view.reverse), NULL, NULL, "Reverse stacks: the leaf is the root. The page opens so."},
    {"minwidth", FLAG_STRING, AT(view.min_width), "0", "PERCENT",
     "Omit frames of a smaller part of the total; their values count for their callers."},
    {"title", FLAG_STRING, AT(title), "", "TEXT", "Title of the page; default: the name of the input."},
    {"highlight", FLAG_STRING, AT(highlight), "", "PATTERN", "Functions that the page opens with a search for."},
    {"inverted", FLAG_BOOL, AT(inverted), NULL, NULL, "The page opens with the root at the other end."},
    {"heatmap", FLAG_BOOL, AT(heat_map), NULL, NULL,
     "Add a heat map to the page: samples over time; a selected range has its own flame graph."},
    {"heatmap-cell", FLAG_STRING, AT(heat_cell), "20ms", "DURATION",
     "The time that a cell of the heat map stands for."},
    {"event", FLAG_STRING, AT(event), "", "EVENT", "Sampled event, for recordings without this setting: cpu, wall, …"},
    {"interval", FLAG_STRING, AT(interval), "10ms", "DURATION",
     "Sampling interval, for recordings without this setting."},
    {"wall-interval", FLAG_STRING, AT(wall_interval), "", "DURATION",
     "Wall clock sampling interval, for recordings without this setting; default: --interval."},
    {"no-gzip", FLAG_BOOL, AT(no_gzip), NULL, NULL, "Write uncompressed pprof."},
    {"compat", FLAG_STRING, AT(compat), "", "jfr-parser", "Same values as github.com/grafana/jfr-parser."},
    {"strict", FLAG_BOOL, AT(strict), NULL, NULL, "Fail if an input is damaged or unreadable; write nothing."},
    {"quiet", FLAG_BOOL, AT(quiet), NULL, NULL, "Do not report damaged chunks and inputs that are left out."},
    {"jobs", FLAG_STRING, AT(jobs), "", "N",
     "Convert so many chunks at once, which changes nothing but the time; default: the number of CPUs."},
    {"max-inflated", FLAG_STRING, AT(inflated_max), "16384", "MIB", "Maximum size of an inflated input."},
    {"help", FLAG_BOOL, AT(help), NULL, NULL, "Print this help and exit."},
    {NULL},
};

static void help(void)
{
    fputs("usage: smolder convert FILE… --output=PATH [FLAGS]\n\n"
          "Converts JFR recordings (async-profiler, JDK, Datadog), pprof profiles and collapsed stacks. Several\n"
          "inputs are merged. FILE may be packed (gzip, Zstandard, XZ, LZ4, ZIP), a directory with *.jfr,\n"
          "*.jfr.gz, …, a quoted glob pattern, or - for standard input.\n\n"
          "Format pprof: without --type, PATH is a directory with one NAME.pb.gz per profile.\n\n"
          "flags [default]:\n",
          stdout);
    flags_help(flags, stdout);
    fputs("\nExit status: 0 success, 1 invalid input, 2 usage error, 3 system error. Damaged chunks and,\n"
          "among others, unreadable inputs are reported and skipped; the rest is written. Output is written "
          "atomically.\n\n"
          "examples:\n"
          "  smolder convert app.jfr --output=app.html\n"
          "  smolder convert app.jfr.gz --type=process_cpu --output=cpu.pb.gz\n"
          "  smolder convert '/var/recordings/*.jfr' --format=collapsed --type=wall --output=-\n"
          "  smolder convert new.jfr --diff-base=app.jfr --output=change.html\n",
          stdout);
}

/* ---- what was asked for ---- */

static const struct {
    const char *name;
    enum write_format format;
    const char *endings[4]; /* of paths */
} formats[] = {
    {"pprof", WRITE_PPROF, {NULL}},          {"collapsed", WRITE_COLLAPSED, {".collapsed", ".folded"}},
    {"html", WRITE_HTML, {".html", ".htm"}}, {"json", WRITE_JSON, {".json"}},
    {"text", WRITE_TEXT, {".txt"}},          {"otlp", WRITE_OTLP, {".otlp"}},
};

/* What a path with this suffix cannot be, as no format is. */
static int check_suffix(const char *path, struct err *err)
{
    static const char *const others[] = {".svg", ".png", ".jpg", ".jpeg", ".gif", ".webp",
                                         ".pdf", ".jfr", ".csv", ".xml",  ".md",  ".perf"};
    struct stat st;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (str_has_suffix(str_of(path), str_of(others[i])) && (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)))
            return err_set(err, -EINVAL,
                           "--output=%s: no format has this suffix; expected .html (flame graphs), .json, .collapsed, "
                           ".folded or .txt, .pb.gz or a directory (pprof), or --format",
                           path);
    }
    return 0;
}

static int format_of(const struct convert_flags *f, enum write_format *ret, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        bool said = strcmp(f->format, formats[i].name) == 0;
        for (size_t k = 0; !*f->format && formats[i].endings[k]; k++)
            said = said || str_has_suffix(str_of(f->output), str_of(formats[i].endings[k]));
        if (said) {
            *ret = formats[i].format;
            return 0;
        }
    }
    *ret = WRITE_PPROF;
    if (!*f->format)
        return check_suffix(f->output, err);
    return err_set(err, -EINVAL, "--format=%s: expected otlp, pprof, collapsed, html, json or text", f->format);
}

struct convert_run {
    const struct convert_flags *f;
    struct read_options read;
    struct write_options write;
    struct view_choice view;
    struct profile_set set;
    struct read_result result, base_result;
    bool writing; /* everything was read */
};

/* A label that stacks are grouped by must be there. */
static void want_group(struct conversion_options *o, const char *label)
{
    o->per_thread |= strcmp(label, "thread") == 0;
    o->per_state |= strcmp(label, "state") == 0;
    o->allocated_class |= strcmp(label, "allocated_class") == 0;
    o->lock_class |= strcmp(label, "lock_class") == 0;
}

static int read_duration(const char *flag, const char *text, int64_t *ret, struct err *err)
{
    if (!*text)
        return 0;
    int64_t ns;
    if (duration_parse(str_of(text), &ns, NULL) < 0 || ns <= 0)
        return err_set(err, -EINVAL, "--%s=%s: expected a duration such as 10ms", flag, text);
    *ret = ns;
    return 0;
}

/* What of the flags is not in the options already. */
static int check_conversion(const struct convert_flags *f, struct conversion_options *ret, struct err *err)
{
    struct conversion_options o = f->conversion;
    uint64_t threads;
    o.compat = *f->compat != '\0';
    o.event = f->event;
    o.limits = &conversion_limits_files;
    o.raw_threads |= o.thread_ids;
    o.per_thread |= o.raw_threads;
    want_group(&o, f->group_by);
    if (*f->compat && strcmp(f->compat, "jfr-parser") != 0)
        return err_set(err, -EINVAL, "--compat=%s: expected jfr-parser", f->compat);
    threads = o.thread_ids ? UINT32_MAX : THREADS_MAX;
    if (*f->threads_max && (!str_to_u64(str_of(f->threads_max), &threads) || threads == 0 || threads > UINT32_MAX))
        return err_set(err, -EINVAL, "--max-threads=%s: expected a number of at least 1", f->threads_max);
    o.threads_max = (uint32_t)threads;
    int code = read_duration("interval", f->interval, &o.cpu_ns, err);
    if (code == 0)
        code = read_duration("wall-interval", f->wall_interval, &o.wall_ns, err);
    if (code == 0)
        code = range_read(f->from, f->to, &o, err);
    if (code == 0 && o.compat && (*f->from || *f->to))
        code = err_set(err, -EINVAL, "--compat cannot be combined with --from or --to");
    *ret = o;
    return code;
}

/* "-o" is no file, and no flag here has a short name. */
static int check_names(const char *const *args, size_t n, struct err *err)
{
    struct stat st;
    for (size_t i = 0; i < n; i++) {
        if (args[i][0] != '-' || !args[i][1] || stat(args[i], &st) == 0)
            continue;
        for (const struct flag *f = flags; f->name; f++) {
            if (f->name[0] == args[i][1])
                return err_set(err, -EINVAL, "unknown flag %s; did you mean --%s%s%s?", args[i], f->name,
                               f->value_name ? "=" : "", f->value_name ? f->value_name : "");
        }
        return err_set(err, -EINVAL, "unknown flag %s; see --help", args[i]);
    }
    return 0;
}

static int check_heat_map(struct convert_run *j, struct err *err)
{
    const struct convert_flags *f = j->f;
    int64_t cell = 0;
    if (j->write.format != WRITE_HTML || *f->diff_base || j->read.conversion.compat)
        return err_set(err, -EINVAL, "--heatmap is for --format=html, without --diff-base and --compat");
    int code = read_duration("heatmap-cell", f->heat_cell, &cell, err);
    if (code == 0 && (cell < NS_PER_MS || cell > NS_PER_SEC || NS_PER_SEC % cell != 0))
        code = err_set(err, -EINVAL, "--heatmap-cell=%s: expected 1ms to 1s, of which a second is a multiple",
                       f->heat_cell);
    j->read.conversion.time_ns = j->write.look.heat_ns = cell;
    j->read.conversion.time_kinds = profile_kinds_named(str_of(f->type));
    return code;
}

/* The page turns stacks round itself, and back. */
static int check_view(struct convert_run *j, struct err *err)
{
    const struct convert_flags *f = j->f;
    struct view_flags view = f->view;
    const bool page = j->write.format == WRITE_HTML;
    view.reverse = f->view.reverse && !page;
    j->write.look = (struct report_look){f->highlight, f->view.reverse, f->inverted, 0};
    int code = view_choose(&view, j->write.format != WRITE_PPROF && j->write.format != WRITE_OTLP, &j->read.conversion,
                           &j->view, err);
    if (code == 0 && f->heat_map)
        code = check_heat_map(j, err);
    if (code == 0 && *f->diff_base && j->view.view.min_share > 0)
        code = err_set(err, -EINVAL, "--minwidth cannot be combined with --diff-base");
    return code;
}

static int check_usage(struct convert_run *j, size_t files, struct err *err)
{
    const struct convert_flags *f = j->f;
    uint64_t mib;
    if (files == 0)
        return err_set(err, -EINVAL, "no FILE to convert; - is standard input");
    if (!*f->output)
        return err_set(err, -EINVAL, "--output=PATH is missing; - is standard output");
    if (!str_to_u64(str_of(f->inflated_max), &mib) || mib == 0 || mib > INFLATED_MIB_MAX)
        return err_set(err, -EINVAL, "--max-inflated=%s: expected 1 to %d MiB", f->inflated_max, INFLATED_MIB_MAX);
    uint64_t jobs = 0;
    if (*f->jobs && (!str_to_u64(str_of(f->jobs), &jobs) || jobs == 0 || jobs > ROW_JOBS_MAX))
        return err_set(err, -EINVAL, "--jobs=%s: expected a number from 1 to %d", f->jobs, ROW_JOBS_MAX);
    j->read.jobs = (unsigned)jobs;
    j->read.inflated_max = mib << 20;
    j->read.quiet = f->quiet;
    j->read.labels = f->labels;
    j->write = (struct write_options){.path = f->output, .type = f->type, .plain = f->no_gzip, .numbered = *f->compat};
    int code = check_conversion(f, &j->read.conversion, err);
    if (code == 0)
        code = format_of(f, &j->write.format, err);
    return code < 0 ? code : check_view(j, err);
}

/* ---- doing it ---- */

static int damaged(const struct convert_run *j, const struct profile_set *set, const struct read_result *r,
                   struct err *err)
{
    if (r->bad == 0 && r->left_out == 0)
        return 0;
    if (!j->f->quiet && r->bad)
        fprintf(stderr, "smolder convert: %" PRIu64 " of %" PRIu64 " chunks %s damaged and skipped\n", r->bad,
                r->bad + r->chunks, r->bad == 1 ? "was" : "were");
    if (r->chunks == 0 && set->len == 0)
        return err_set(err, -EILSEQ, "the input is unreadable");
    return j->f->strict ? err_set(err, -EILSEQ, "damaged input (--strict)") : 0;
}

static int no_samples(const struct convert_run *j, const struct file_list *files, const struct read_result *r,
                      struct err *err)
{
    if (r->unknown)
        return err_set(err, -ESRCH, "%s: no samples that are known; %s were left out", files->items[0], r->unknown);
    return range_no_samples(files->items[0], r->chunks, j->f->from, j->f->to, err);
}

static int read_all(struct convert_run *j, const struct file_list *files, struct profile_set *set,
                    struct read_result *result, struct err *err)
{
    struct read_options read = j->read;
    int code = range_resolve(files, read.inflated_max, j->f->from, j->f->to, &read.conversion, err);
    if (code == 0)
        code = read_inputs(files, &read, set, result, err);
    if (code == 0)
        code = damaged(j, set, result, err);
    if (code == 0 && set->len == 0)
        return no_samples(j, files, result, err);
    if (code == 0 && result->unknown && !j->f->quiet)
        terminal_printf(stderr, "smolder convert: %s were left out: not known\n", result->unknown);
    return code < 0 ? code : view_set(&j->view, set, err);
}

static int compare(struct convert_run *j, const char *name, struct err *err)
{
    const char *base = j->f->diff_base;
    cleanup_file_list struct file_list files = {0};
    cleanup_profile_set struct profile_set before;
    profile_set_init(&before, SYMBOLS_MAX);
    before.symbols.keeps_places = j->set.symbols.keeps_places;
    int code = files_expand(&base, 1, &files, err);
    if (code == 0)
        code = read_all(j, &files, &before, &j->base_result, err);
    if (code == 0)
        code = compare_check(&(struct compared_inputs){&j->set, &before, name, base, j->f->type, j->f->quiet}, err);
    bool is_signed = j->write.format == WRITE_PPROF || j->write.format == WRITE_OTLP;
    j->write.compare = true;
    return code < 0 ? code
                    : profile_set_compare(&j->set, &before, is_signed ? PROFILE_DIFF_SIGNED : PROFILE_DIFF_SIDES, err);
}

/* "app.jfr", or "app.jfr and 3 more". */
static char *title_of(const struct convert_run *j, const struct file_list *files)
{
    char *path = xstrdup(strcmp(files->items[0], "-") == 0 ? "standard input" : files->items[0]);
    char *title =
        files->len > 1 ? xasprintf("%s and %zu more", basename(path), files->len - 1) : xstrdup(basename(path));
    free(path);
    if (!*j->f->diff_base)
        return title;
    path = xstrdup(j->f->diff_base);
    char *both = xasprintf("%s since %s", title, basename(path));
    free(path);
    free(title);
    return both;
}

static int write_all(struct convert_run *j, const struct file_list *files, struct err *err)
{
    size_t n = j->result.input_count + j->base_result.input_count;
    cleanup_free struct stat *inputs = xcalloc(n + 1, sizeof *inputs);
    memcpy(inputs, j->result.inputs, j->result.input_count * sizeof *inputs);
    if (j->base_result.input_count)
        memcpy(inputs + j->result.input_count, j->base_result.inputs, j->base_result.input_count * sizeof *inputs);
    cleanup_free char *title = title_of(j, files);
    j->write.inputs = inputs;
    j->write.input_count = n;
    j->write.title = *j->f->title ? j->f->title : title;
    j->writing = true;
    return write_set(&j->set, &j->write, err);
}

static int group(struct convert_run *j, struct err *err)
{
    const char *label = j->f->group_by;
    if (profile_set_has_label(&j->set, str_of(label)))
        return profile_set_group(&j->set, str_of(label), err);
    cleanup_buf struct buf there = BUF_INIT(LABELS_TEXT_MAX);
    profile_set_labels(&j->set, &there);
    return err_set(err, -ESRCH,
                   "--group-by=%s: no sample has this label%s%s; recordings may have thread, state, allocated_class, "
                   "lock_class and span_name",
                   label, there.len ? ", but " : "", buf_cstr(&there));
}

static int convert_files(struct convert_run *j, const struct file_list *files, struct err *err)
{
    int code = read_all(j, files, &j->set, &j->result, err);
    if (code == 0 && *j->f->diff_base)
        code = compare(j, files->items[0], err);
    if (code == 0 && *j->f->group_by)
        code = group(j, err);
    return code < 0 ? code : write_all(j, files, err);
}

static int convert(int argc, char **argv)
{
    struct convert_flags f = {0};
    struct flags_rest rest = {0};
    struct err err = {0};
    int code = flags_parse(flags, argc, argv, &f, &rest, &err);
    cleanup_free const char **args = rest.items;
    if (code == 0 && f.help) {
        help();
        return EXIT_OK;
    }
    struct convert_run j = {.f = &f};
    cleanup_file_list struct file_list files = {0};
    profile_set_init(&j.set, SYMBOLS_MAX);
    if (code == 0)
        code = check_names(args, rest.len, &err);
    if (code == 0)
        code = check_usage(&j, rest.len, &err);
    if (code == 0)
        code = files_expand(args, rest.len, &files, &err);
    j.set.symbols.keeps_places = j.write.format == WRITE_PPROF;
    j.set.symbols.unsigned_lines = j.read.conversion.compat;
    if (code == 0)
        code = convert_files(&j, &files, &err);
    if (code < 0)
        terminal_printf(stderr, "smolder convert: %s\n", err.text);
    profile_set_done(&j.set);
    view_choice_done(&j.view);
    read_result_done(&j.result);
    read_result_done(&j.base_result);
    return command_status_of(code, j.writing);
}

const struct command command_convert = {"convert", "smolder convert FILE… --output=PATH",
                                        "Convert recordings to pprof, flame graphs, text.", convert};
