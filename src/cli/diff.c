/* smolder diff BASE NEW: compares two recordings, and fails where a function grew too much. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "cli/command.h"
#include "cli/command_status.h"
#include "cli/convert_files.h"
#include "cli/convert_output.h"
#include "cli/convert_range.h"
#include "cli/convert_read.h"
#include "cli/convert_view.h"
#include "cli/diff_report.h"
#include "cli/flags.h"

#define SYMBOLS_MAX ((size_t)1 << 30)
enum { OUTPUT_MAX = 256 << 20, INFLATED_MAX_SHIFT = 34, TYPES_TEXT_MAX = 4096 };
static const int64_t DEFAULT_INTERVAL_NS = 10000000;

struct diff_flags {
    const char *output, *format, *type, *max_function, *max_self, *max_total, *sigma, *total, *top, *from, *to;
    struct flag_list ignore;
    struct view_flags view; /* those that select */
    bool quiet, help;
};

#define AT(field) offsetof(struct diff_flags, field)
static const struct flag flags[] = {
    {"output", FLAG_STRING, AT(output), "-", "PATH", "Output path; - is standard output."},
    {"format", FLAG_STRING, AT(format), "", "FORMAT",
     "text, markdown or json; default: by the suffix of PATH (.md, .json), otherwise text."},
    {"type", FLAG_STRING, AT(type), "", "NAME",
     "Profile (process_cpu, wall, memory, …) or sample type; default: process_cpu, or the first that both have."},
    {"max-function", FLAG_STRING, AT(max_function), "1", "POINTS",
     "Limit for the growth of a function's share with all that it calls, in percentage points; off = none."},
    {"max-self", FLAG_STRING, AT(max_self), "1", "POINTS", "The same of what a function costs itself."},
    {"max-total", FLAG_STRING, AT(max_total), "10", "PERCENT", "Limit for the growth of the whole; off = none."},
    {"total", FLAG_CHOICE, AT(total), "value", "value|rate",
     "What of the whole is compared: the value, or the value per second of recording."},
    {"sigma", FLAG_STRING, AT(sigma), "4", "N",
     "Changes of at most so many standard deviations are noise, and exceed no limit."},
    {"ignore", FLAG_LIST, AT(ignore), NULL, "PATTERN",
     "Functions without a limit: a name with * at either end, or a /regular expression/; repeatable."},
    {"from", FLAG_STRING, AT(from), "", "TIME",
     "Ignore events before this time, on both sides: 2026-01-31T12:00:00Z, seconds since 1970, or relative to the "
     "beginning (10s) or the end (-5s) of each recording."},
    {"to", FLAG_STRING, AT(to), "", "TIME", "Ignore events at and after this time."},
    {"include", FLAG_LIST, AT(view.include), NULL, "PATTERN",
     "Only stacks with a frame like this, on both sides; repeatable."},
    {"exclude", FLAG_LIST, AT(view.exclude), NULL, "PATTERN", "Omit stacks with a frame like this; repeatable."},
    {"thread", FLAG_LIST, AT(view.threads), NULL, "PATTERN", "Only samples of threads with such a name; repeatable."},
    {"state", FLAG_STRING, AT(view.states), "", "LIST", "Only CPU and wall clock samples in these thread states."},
    {"latency", FLAG_STRING, AT(view.latency), "", "DURATION",
     "Only samples within traced methods or spans of their thread that took at least this long."},
    {"span", FLAG_LIST, AT(view.spans), NULL, "PATTERN",
     "Only samples within spans of their thread that have such a tag; repeatable."},
    {"top", FLAG_STRING, AT(top), "20", "N", "Largest other changes that are listed."},
    {"quiet", FLAG_BOOL, AT(quiet), NULL, NULL, "Do not report damaged chunks."},
    {"help", FLAG_BOOL, AT(help), NULL, NULL, "Print this help and exit."},
    {NULL},
};

static void diff_help(void)
{
    fputs("usage: smolder diff BASE NEW [FLAGS]\n\n"
          "Compares two recordings or profiles by function and fails if a function, or all together, grew beyond a\n"
          "limit. BASE and NEW are what smolder convert reads: a file, a directory, a quoted glob pattern. Several\n"
          "recordings of a side are runs of the same program.\n\n"
          "flags [default]:\n",
          stdout);
    flags_help(flags, stdout);
    fputs(
        "\nExit status: 0 within the limits, 1 invalid input, 2 usage error, 3 system error, 4 a limit is exceeded.\n\n"
        "examples:\n"
        "  smolder diff main.jfr branch.jfr\n"
        "  smolder diff main.jfr branch.jfr --from=30s\n"
        "  smolder diff main.jfr branch.jfr --format=markdown --max-self=0.5 --ignore='java.lang.*'\n",
        stdout);
}

/* The recordings of a side, each a run. */
struct diff_input {
    struct profile_set *runs; /* owned; they stay where they are, as profiles refer to them */
    size_t len;
};

struct diff_run {
    const struct diff_flags *f;
    enum diff_format format;
    struct diff_limits limits;
    size_t top;
    struct frame_patterns ignored;
    struct view_choice view;
    struct conversion_options conversion; /* borrows of it */
    struct diff_input inputs[CHANGE_SIDES];
    bool writing; /* everything was read */
};

/* ---- what was asked for ---- */

static int diff_format_of(const struct diff_flags *f, enum diff_format *ret, struct err *err)
{
    static const struct {
        const char *name, *ending;
    } formats[] = {
        [DIFF_TEXT] = {"text", ".txt"}, [DIFF_MARKDOWN] = {"markdown", ".md"}, [DIFF_JSON] = {"json", ".json"}};
    *ret = DIFF_TEXT;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        if (*f->format ? strcmp(f->format, formats[i].name) == 0
                       : str_has_suffix(str_of(f->output), str_of(formats[i].ending))) {
            *ret = (enum diff_format)i;
            return 0;
        }
    }
    return *f->format ? err_set(err, -EINVAL, "--format=%s: expected text, markdown or json", f->format) : 0;
}

static int diff_read_number(const char *flag, const char *text, double unit, double *ret, struct err *err)
{
    char *end;
    const double n = strtod(text, &end);
    *ret = strcmp(text, "off") == 0 ? -1 : n / unit;
    if (*ret != -1 && (end == text || *end || !(n >= 0)))
        return err_set(err, -EINVAL, "--%s=%s: expected a number of at least 0, or off", flag, text);
    return 0;
}

static int diff_check_view(struct diff_run *d, struct err *err)
{
    struct view_flags view = d->f->view;
    view.skip = view.min_width = "0";
    d->conversion =
        (struct conversion_options){.event = "", .cpu_ns = DEFAULT_INTERVAL_NS, .limits = &conversion_limits_files};
    const int code = range_read(d->f->from, d->f->to, &d->conversion, err);
    return code < 0 ? code : view_choose(&view, false, &d->conversion, &d->view, err);
}

static int diff_check(struct diff_run *d, size_t args, struct err *err)
{
    const struct diff_flags *f = d->f;
    enum { PERCENT = 100 };
    uint64_t top = 0;
    if (args != 2)
        return err_set(err, -EINVAL, "expected BASE and NEW; see --help");
    if (!str_to_u64(str_of(f->top), &top) || top > UINT32_MAX)
        return err_set(err, -EINVAL, "--top=%s: expected a number", f->top);
    d->top = (size_t)top;
    int code = diff_format_of(f, &d->format, err);
    if (code == 0)
        code = diff_read_number("max-function", f->max_function, PERCENT, &d->limits.measures[CHANGE_TOTAL], err);
    if (code == 0)
        code = diff_read_number("max-self", f->max_self, PERCENT, &d->limits.measures[CHANGE_SELF], err);
    if (code == 0)
        code = diff_read_number("max-total", f->max_total, PERCENT, &d->limits.whole, err);
    if (code == 0)
        code = diff_read_number("sigma", f->sigma, 1, &d->limits.sigma, err);
    for (size_t i = 0; code == 0 && i < f->ignore.len; i++)
        code = frame_patterns_add(&d->ignored, f->ignore.items[i], err);
    return code < 0 ? code : diff_check_view(d, err);
}

/* ---- doing it ---- */

static int diff_read_run(const struct diff_run *d, char *path, struct profile_set *set, struct err *err)
{
    const char *from = d->f->from, *to = d->f->to;
    const struct file_list file = {.items = &path, .len = 1};
    struct read_result result = {0};
    struct read_options o = {
        .conversion = d->conversion,
        .inflated_max = (uint64_t)1 << INFLATED_MAX_SHIFT,
        .labels = "",
        .quiet = d->f->quiet,
    };
    int code = range_resolve(&file, o.inflated_max, from, to, &o.conversion, err);
    if (code == 0)
        code = read_inputs(&file, &o, set, &result, err);
    if (code == 0 && set->len == 0 && (*from || *to))
        code = range_no_samples(path, result.chunks, from, to, err);
    read_result_done(&result);
    if (code == 0 && (code = view_set(&d->view, set, err)) < 0)
        (void)err_wrap(err, code, "%s", path);
    return code;
}

static int diff_read(const struct diff_run *d, const char *arg, struct diff_input *ret, struct err *err)
{
    cleanup_file_list struct file_list files = {0};
    int code = files_expand(&arg, 1, &files, err);
    ret->runs = xcalloc(files.len + 1, sizeof *ret->runs);
    for (size_t i = 0; code == 0 && i < files.len; i++) {
        profile_set_init(&ret->runs[ret->len++], SYMBOLS_MAX);
        code = diff_read_run(d, files.items[i], &ret->runs[i], err);
    }
    return code;
}

static void diff_input_done(struct diff_input *input)
{
    for (size_t i = 0; i < input->len; i++)
        profile_set_done(&input->runs[i]);
    free(input->runs);
}

/* What is compared: profiles of that metric, and a column of theirs. Borrowed. */
struct diff_subject {
    const struct named_profile *example;
    size_t column;
};

static const struct named_profile *diff_find(const struct profile_set *set, const char *metric)
{
    for (size_t i = 0; i < set->len; i++) {
        if (strcmp(set->items[i].metric, metric) == 0)
            return &set->items[i];
    }
    return NULL;
}

static bool diff_has(const struct diff_input *input, const char *metric)
{
    for (size_t i = 0; i < input->len; i++) {
        if (diff_find(&input->runs[i], metric))
            return true;
    }
    return false;
}

/* The first profile that is called so, or has such a sample type, and that both sides have. */
static bool diff_find_type(const struct diff_run *d, const char *type, struct diff_subject *ret)
{
    const struct diff_input *new = &d->inputs[CHANGE_NEW];
    for (size_t i = 0; i < new->len; i++) {
        for (size_t k = 0; k < new->runs[i].len; k++) {
            const struct named_profile *n = &new->runs[i].items[k];
            int column = -1;
            if (*type && !named_profile_is(n, str_of(type), &column))
                continue;
            *ret = (struct diff_subject){n, column > 0 ? (size_t)column : 0};
            if (diff_has(&d->inputs[CHANGE_BASE], n->metric))
                return true;
        }
    }
    return false;
}

static void diff_put_names(const struct diff_input *input, struct buf *out)
{
    const struct profile_set *set = input->runs;
    for (size_t i = 0; input->len && i < set->len; i++)
        buf_printf(out, "%s%s", i ? ", " : "", set->items[i].name);
    buf_puts(out, input->len && set->len ? "" : "no samples");
}

/* What was asked for; else the CPU, or the first of both. */
static int diff_choose(const struct diff_run *d, struct diff_subject *ret, struct err *err)
{
    const char *type = d->f->type;
    if (diff_find_type(d, *type ? type : "process_cpu", ret) || (!*type && diff_find_type(d, "", ret)))
        return 0;
    cleanup_buf struct buf names = BUF_INIT(TYPES_TEXT_MAX), others = BUF_INIT(TYPES_TEXT_MAX);
    diff_put_names(&d->inputs[CHANGE_BASE], &names);
    diff_put_names(&d->inputs[CHANGE_NEW], &others);
    return err_set(err, -ESRCH, "no profile \"%s\" in both; BASE has %s; NEW has %s", *type ? type : "of one kind",
                   buf_cstr(&names), buf_cstr(&others));
}

static int diff_count(const struct diff_run *d, const struct diff_subject *subject, struct change_table *t,
                      struct err *err)
{
    int code = 0;
    for (size_t side = 0; side < CHANGE_SIDES; side++) {
        for (size_t i = 0; code == 0 && i < d->inputs[side].len; i++) {
            const struct named_profile *n = diff_find(&d->inputs[side].runs[i], subject->example->metric);
            code = change_table_add(t, side, n ? &n->p : NULL, subject->column, err);
        }
    }
    return code;
}

static int diff_write(struct diff_run *d, const struct diff_result *r, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(OUTPUT_MAX);
    cleanup_output struct output out = {0};
    diff_put(r, d->format, d->top, &text);
    if (!buf_ok(&text))
        return err_set(err, -E2BIG, "%s: larger than %d MiB", d->f->output, OUTPUT_MAX >> 20);
    d->writing = true;
    const int code = output_write(&out, d->f->output, buf_slice(&text), err);
    return code == 0 ? output_commit(&out, err) : code;
}

/* 0 or 1: is a limit exceeded? Negative where it cannot be told. */
static int diff_compare(struct diff_run *d, const char *const args[CHANGE_SIDES], struct err *err)
{
    struct diff_subject subject;
    cleanup_change_table struct change_table table;
    change_table_init(&table, SYMBOLS_MAX);
    int code = diff_choose(d, &subject, err);
    if (code == 0)
        code = diff_count(d, &subject, &table, err);
    if (code < 0)
        return code;
    const struct profile *p = &subject.example->p;
    struct diff_result r = {.table = &table,
                            .names = {args[CHANGE_BASE], args[CHANGE_NEW]},
                            .profile = subject.example->name,
                            .type = p->symbols->strings[p->types[subject.column].type],
                            .unit = p->symbols->strings[p->types[subject.column].unit],
                            .limits = d->limits,
                            .per_second = strcmp(d->f->total, "rate") == 0};
    r.per_second = r.per_second && table.seconds[CHANGE_BASE] > 0 && table.seconds[CHANGE_NEW] > 0;
    diff_judge(&r, &d->ignored);
    code = diff_write(d, &r, err);
    const bool exceeded = r.exceeded > 0 || r.whole_exceeded;
    diff_result_done(&r);
    return code < 0 ? code : exceeded;
}

static int diff(int argc, char **argv)
{
    struct diff_flags f = {0};
    struct flags_rest rest = {0};
    struct err err = {0};
    int code = flags_parse(flags, argc, argv, &f, &rest, &err);
    cleanup_free const char **args = rest.items;
    if (code == 0 && f.help) {
        diff_help();
        return EXIT_OK;
    }
    struct diff_run d = {.f = &f};
    if (code == 0)
        code = diff_check(&d, rest.len, &err);
    for (size_t i = 0; code == 0 && i < CHANGE_SIDES; i++)
        code = diff_read(&d, args[i], &d.inputs[i], &err);
    if (code == 0)
        code = diff_compare(&d, args, &err);
    if (code < 0)
        terminal_printf(stderr, "smolder diff: %s\n", err.text);
    for (size_t i = 0; i < CHANGE_SIDES; i++)
        diff_input_done(&d.inputs[i]);
    frame_patterns_done(&d.ignored);
    view_choice_done(&d.view);
    return code > 0 ? EXIT_LIMIT : command_status_of(code, d.writing);
}

const struct command command_diff = {"diff", "smolder diff BASE NEW", "Compare two recordings; fail on regressions.",
                                     diff};
