#include "cli/convert_read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "cli/convert_chunks.h"
#include "cli/convert_recordings.h"
#include "cli/convert_row.h"
#include "pprof/collapsed.h"
#include "pprof/decode.h"

/* The largest pprof file, plain; a pause before progress is shown, and between two lines of it. */
enum { PPROF_MAX = 1 << 30, LABELS_MAX = 64 << 20, NAMED_MAX = 20, NUMBER_MAX = 32 };
static const int64_t SHOW_AFTER_NS = NS_PER_SEC, SHOW_EVERY_NS = 200 * NS_PER_MS;

struct progress {
    bool on;    /* standard error is a terminal */
    bool shown; /* there is a line to clear */
    int64_t begun, last;
    uint64_t total, done; /* of all files; of those before the one at hand */
    bool known;           /* the total is all there is */
};

struct input_reader {
    const struct read_options *options;
    const struct file_list *files;
    struct recordings *recordings;
    struct err failed; /* why an input ended all */
    struct profile_set *set;
    struct conversion *conversion;
    struct read_result *result;
    struct progress progress;
};

static void progress_begin(struct progress *p, const struct file_list *files)
{
    *p = (struct progress){.on = isatty(STDERR_FILENO), .begun = clock_ns(), .known = true};
    for (size_t i = 0; i < files->len; i++) {
        struct stat st;
        bool plain = stat(files->items[i], &st) == 0 && S_ISREG(st.st_mode);
        p->known = p->known && plain;
        p->total += plain ? (uint64_t)st.st_size : 0;
    }
}

static void progress_show(struct progress *p, const struct chunks *c)
{
    int64_t now = p->on ? clock_ns() : 0;
    if (!p->on || now - p->begun < SHOW_AFTER_NS || now - p->last < SHOW_EVERY_NS)
        return;
    uint64_t done, total;
    chunks_progress(c, &done, &total);
    done += p->done;
    double seconds = (double)(now - p->begun) / 1e9, rate = (double)done / seconds;
    fprintf(stderr, "\rconverting: %" PRIu64 " MB", done / 1000000);
    if (p->known && done && p->total >= done)
        fprintf(stderr, " of %" PRIu64 " MB, %.0f %%, %.0f s left", p->total / 1000000,
                100.0 * (double)done / (double)p->total, (double)(p->total - done) / rate);
    fputs("\033[K", stderr);
    fflush(stderr);
    p->last = now;
    p->shown = true;
}

static void progress_clear(struct progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
    p->shown = false;
}

/* `nth` of its kind. */
static void complain(struct input_reader *r, uint64_t nth, const char *text)
{
    if (r->options->quiet || nth > NAMED_MAX)
        return;
    progress_clear(&r->progress);
    terminal_printf(stderr, "smolder convert: %s%s\n", text,
                    nth == NAMED_MAX ? " (further ones are not reported)" : "");
}

/* ---- recordings ---- */

static void read_on_chunk(void *reader)
{
    struct input_reader *r = reader;
    r->result->chunks++;
}

static void read_on_damage(void *reader, const char *why)
{
    struct input_reader *r = reader;
    complain(r, ++r->result->bad, why);
}

static void read_on_progress(void *reader, const struct chunks *c)
{
    struct input_reader *r = reader;
    progress_show(&r->progress, c);
}

static void read_on_closed(void *reader, const struct chunks *c)
{
    struct input_reader *r = reader;
    uint64_t done, total;
    chunks_progress(c, &done, &total);
    r->progress.done += total;
}

/* Of several inputs, can this one be left out? A profiled JVM leaves empty and cut files where it still records. */
static bool may_leave_out(const struct file_list *files, size_t i, int code)
{
    if (files->len == 1 || code == -EINVAL || code == -E2BIG || code == -EFBIG || code == -ENOMEM)
        return false;
    return code == -EILSEQ || code == -EBADMSG || file_list_is_found(files, i);
}

/* Damaged or endless gzip, a failing disk: what came before is kept. */
static int read_on_end(void *reader, size_t input, bool broke_off, const struct err *why)
{
    struct input_reader *r = reader;
    struct err text;
    if (why->code == 0)
        return 0;
    if (broke_off)
        complain(r, ++r->result->bad, why->text);
    if (broke_off && why->code == -EILSEQ)
        return 0;
    if (!may_leave_out(r->files, input, why->code)) {
        r->failed = *why;
        return why->code;
    }
    (void)err_set(&text, why->code, "%s; left out", why->text);
    complain(r, ++r->result->left_out, text.text);
    return 0;
}

static int read_pprof(struct input_reader *r, struct chunks *c, struct err *err)
{
    const struct conversion_options *o = &r->options->conversion;
    struct str bytes;
    struct profile p;
    if (o->from_ns || o->until_ns)
        return err_set(err, -EINVAL, "%s: --from and --to need recordings: a profile has no times of its samples",
                       chunks_name(c));
    int code = chunks_all(c, PPROF_MAX, &bytes, err);
    if (code < 0)
        return code;
    struct err why = {0};
    if (pprof_decode(bytes.p, bytes.n, PPROF_MAX, &r->set->symbols, &p, &why) < 0 &&
        collapsed_decode(bytes, &r->set->symbols, &p, NULL) < 0)
        return err_set(err, -EILSEQ, "%s: neither a JFR recording nor a pprof profile nor collapsed stacks (%s)",
                       chunks_name(c), why.text);
    code = profile_set_add(r->set, NULL, &p, err);
    profile_done(&p);
    return code < 0 ? err_wrap(err, code == -EINVAL ? -EILSEQ : code, "%s", chunks_name(c)) : 0;
}

/* ---- any input ---- */

/* Behind all recordings before it. */
static int read_other(struct input_reader *r, size_t input, struct chunks *c)
{
    struct err why = {0};
    int code = recordings_finish(r->recordings);
    if (code < 0)
        return code;
    code = read_pprof(r, c, &why);
    read_on_closed(r, c);
    why.code = code;
    return read_on_end(r, input, false, &why);
}

static int convert_read_input(struct input_reader *r, size_t input)
{
    struct chunks *c;
    struct err why = {0};
    bool recording;
    int code = chunks_open(r->files->items[input], r->options->inflated_max, &c, &why);
    if (code < 0)
        return recordings_give_up(r->recordings, input, &why);
    r->result->inputs[r->result->input_count++] = *chunks_stat(c);
    code = chunks_is_recording(c, &recording, &why);
    if (code == 0 && recording)
        return recordings_read(r->recordings, input, c);
    code = code < 0 ? recordings_give_up(r->recordings, input, &why) : read_other(r, input, c);
    chunks_close(c);
    return code;
}

static int read_files(struct input_reader *r, struct err *err)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < r->files->len; i++)
        code = convert_read_input(r, i);
    if (code == 0)
        code = recordings_finish(r->recordings);
    if (code < 0)
        *err = r->failed;
    return code;
}

/* What did not fit is no defect of the input: the totals are right. */
static void tell_cuts(struct input_reader *r)
{
    const struct cut_count *cuts = conversion_cuts(r->conversion);
    for (size_t i = 0; i < CUT_REASONS && !r->options->quiet; i++) {
        if (cuts[i].count)
            fprintf(stderr, "smolder convert: %" PRIu64 " %s\n", cuts[i].count, cut_reasons[i].text);
    }
}

/* Samples that the recorder lost, or of types that nobody here knows: totals are short of them. */
static void note_missing(struct input_reader *r)
{
    const uint64_t lost = conversion_lost(r->conversion);
    const struct left_out *l = conversion_left_out(r->conversion);
    if (lost && !r->options->quiet)
        fprintf(stderr, "smolder convert: %" PRIu64 " CPU-time samples were lost by the JVM and are not counted\n",
                lost);
    cleanup_buf struct buf text = BUF_INIT(LEFT_OUT_TYPES_MAX * (LEFT_OUT_NAME_MAX + NUMBER_MAX));
    for (size_t i = 0; i < l->count; i++)
        buf_printf(&text, "%s%" PRIu64 " of %s", i ? ", " : "", l->types[i].events, l->types[i].name);
    if (l->count)
        r->result->unknown = xstrdup(buf_cstr(&text));
}

static int take_results(struct input_reader *r, struct err *err)
{
    struct conversion_profile results[CONVERSION_PROFILES_MAX];
    size_t n = conversion_profiles(r->conversion, results);
    int code = 0;
    for (size_t i = 0; code == 0 && i < n; i++)
        code = profile_set_add(r->set, results[i].name, results[i].p, err);
    return code;
}

static int read_labels(struct input_reader *r, struct err *err)
{
    struct chunks *c;
    struct str bytes;
    if (!*r->options->labels)
        return 0;
    int code = chunks_open(r->options->labels, LABELS_MAX, &c, err);
    if (code < 0)
        return code;
    code = chunks_all(c, LABELS_MAX, &bytes, err);
    struct err why = {0};
    if (code == 0 && conversion_labels(r->conversion, bytes, &why) < 0)
        code = err_set(err, -EILSEQ, "%s: not a LabelsSnapshot (%s)", r->options->labels, why.text);
    chunks_close(c);
    return code;
}

int read_inputs(const struct file_list *files, const struct read_options *o, struct profile_set *set,
                struct read_result *ret, struct err *err)
{
    *ret = (struct read_result){.inputs = xcalloc(files->len + 1, sizeof *ret->inputs)};
    struct input_reader r = {
        .options = o, .files = files, .set = set, .result = ret, .conversion = conversion_new(&o->conversion)};
    const struct recordings_listener listener = {&r,          read_on_chunk,    read_on_damage,
                                                 read_on_end, read_on_progress, read_on_closed};
    progress_begin(&r.progress, files);
    int code = read_labels(&r, err);
    r.recordings = recordings_new(r.conversion, o->jobs ? o->jobs : row_jobs_default(), &listener);
    if (code == 0)
        code = read_files(&r, err);
    recordings_free(r.recordings);
    progress_clear(&r.progress);
    tell_cuts(&r);
    note_missing(&r);
    if (code == 0)
        code = take_results(&r, err);
    conversion_free(r.conversion);
    return code;
}

void read_result_done(struct read_result *r)
{
    free(r->inputs);
    free(r->unknown);
    *r = (struct read_result){0};
}
