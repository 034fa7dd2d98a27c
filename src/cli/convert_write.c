#include "cli/convert_write.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "cli/convert_directory.h"
#include "cli/convert_output.h"
#include "pprof/dump.h"
#include "pprof/encode.h"
#include "pprof/flamebearer.h"
#include "pprof/otlp.h"
#include "pprof/text.h"
#include "ui/report.h"

/* A file is written once and read often: level 6 is worth its time here. */
enum { OUTPUT_MAX = (2u << 30) - 1, GZIP_LEVEL = 6, TYPES_TEXT_MAX = 4096 };

/* The profiles that were asked for, and which of their sample types was named; -1 = none. */
struct chosen {
    const struct named_profile *profile;
    size_t number; /* in the whole set */
    int column;
};
struct profile_choice {
    struct chosen *items; /* owned */
    size_t len;
};

static void put_types(const struct profile_set *set, struct buf *out)
{
    for (size_t i = 0; i < set->len; i++) {
        const struct profile *p = &set->items[i].p;
        buf_printf(out, "%s%s (", i ? ", " : "", set->items[i].name);
        for (size_t k = 0; k < p->type_count; k++) {
            struct str type = set->symbols.strings[p->types[k].type];
            buf_printf(out, "%s%.*s", k ? ", " : "", STR_ARG(type));
        }
        buf_byte(out, ')');
    }
}

static int choose(const struct profile_set *set, const struct write_options *o, struct profile_choice *ret,
                  struct err *err)
{
    *ret = (struct profile_choice){.items = xcalloc(set->len + 1, sizeof *ret->items)};
    for (size_t i = 0; i < set->len; i++) {
        const struct named_profile *n = &set->items[i];
        int column = -1;
        if (!*o->type || named_profile_is(n, str_of(o->type), &column))
            ret->items[ret->len++] = (struct chosen){n, i, column};
    }
    if (ret->len)
        return 0;
    cleanup_buf struct buf types = BUF_INIT(TYPES_TEXT_MAX);
    put_types(set, &types);
    return err_set(err, -ESRCH, "no profile or sample type \"%s\"; available: %s", o->type, buf_cstr(&types));
}

/* For a format that holds one profile: the first, but the CPU where there is a choice, and the others are named. */
static const struct chosen *choose_one(const struct profile_choice *c, const struct profile_set *set,
                                       const struct write_options *o)
{
    const struct chosen *one = &c->items[0];
    for (size_t i = 0; !*o->type && i < c->len; i++) {
        if (strcmp(c->items[i].profile->name, "process_cpu") == 0)
            one = &c->items[i];
    }
    if (c->len > 1) {
        cleanup_buf struct buf types = BUF_INIT(TYPES_TEXT_MAX);
        put_types(set, &types);
        const size_t column = one->column > 0 ? (size_t)one->column : 0;
        struct str type = set->symbols.strings[one->profile->p.types[column].type];
        terminal_printf(stderr, "%s: writing %s (%.*s); select with --type=NAME or NAME:SAMPLE_TYPE: %s\n",
                        o->command ? o->command : "smolder convert", one->profile->name, STR_ARG(type),
                        buf_cstr(&types));
    }
    return one;
}

static bool write_is_input(const void *options, const char *path)
{
    const struct write_options *o = options;
    struct stat st;
    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return false;
    for (size_t i = 0; i < o->input_count; i++) {
        if (st.st_dev == o->inputs[i].st_dev && st.st_ino == o->inputs[i].st_ino)
            return true;
    }
    return false;
}

static int protect_inputs(const struct write_options *o, const char *path, struct err *err)
{
    if (strcmp(path, "-") != 0 && write_is_input(o, path))
        return err_set(err, -EINVAL, "%s: is an input; choose another output", path);
    return 0;
}

static int put_file(struct output *out, const struct write_options *o, const char *path, struct str bytes,
                    struct err *err)
{
    int code = protect_inputs(o, path, err);
    return code < 0 ? code : output_write(out, path, bytes, err);
}

/* ---- pprof ---- */

static int put_pprof(struct output *out, const struct write_options *o, const struct profile *p, const char *path,
                     struct err *err)
{
    cleanup_buf struct buf plain = BUF_INIT(OUTPUT_MAX), packed = BUF_INIT(OUTPUT_MAX);
    pprof_encode(p, &plain);
    if (!buf_ok(&plain) || (!o->plain && gzip_deflate(buf_slice(&plain), GZIP_LEVEL, &packed) < 0))
        return err_set(err, -E2BIG, "%s: larger than %u MiB", path, OUTPUT_MAX >> 20);
    return put_file(out, o, path, buf_slice(o->plain ? &plain : &packed), err);
}

/* Of sets with units or types that a name does not tell apart, the later ones get a number. */
static char *name_apart(char *name, const char *const *others, size_t n)
{
    size_t same = 0;
    for (size_t i = 0; i < n; i++)
        same += strcmp(others[i], name) == 0;
    if (same == 0)
        return name;
    const char *suffix = strstr(name, ".pb");
    char *apart = xasprintf("%.*s_%zu%s", (int)(suffix - name), name, n, suffix);
    free(name);
    return apart;
}

static int put_named(struct output *out, const struct write_options *o, const struct profile_choice *c,
                     const char *const *names, struct err *err)
{
    int code = output_directory(out, o->path, err);
    if (code == 0)
        code = directory_check(o->path, names, c->len, write_is_input, o, err);
    for (size_t i = 0; code == 0 && i < c->len; i++) {
        cleanup_free char *path = xasprintf("%s/%s", o->path, names[i]);
        code = put_pprof(out, o, &c->items[i].profile->p, path, err);
    }
    return code;
}

static int put_directory(struct output *out, const struct write_options *o, const struct profile_choice *c,
                         struct err *err)
{
    char **names = xcalloc(c->len + 1, sizeof *names);
    for (size_t i = 0; i < c->len; i++) {
        const struct chosen *one = &c->items[i];
        names[i] = o->numbered
                       ? xasprintf("%zu_%s.pb%s", one->number, one->profile->name, o->plain ? "" : ".gz")
                       : name_apart(directory_file_name(one->profile, !o->plain), (const char *const *)names, i);
    }
    const int code = put_named(out, o, c, (const char *const *)names, err);
    for (size_t i = 0; i < c->len; i++)
        free(names[i]);
    free(names);
    return code;
}

static bool is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int write_pprof(struct output *out, const struct profile_set *set, const struct write_options *o,
                       const struct profile_choice *c, struct err *err)
{
    bool to_stdout = strcmp(o->path, "-") == 0;
    if (!to_stdout && (!*o->type || is_directory(o->path)))
        return put_directory(out, o, c, err);
    if (!*o->type && c->len > 1) {
        cleanup_buf struct buf types = BUF_INIT(TYPES_TEXT_MAX);
        put_types(set, &types);
        return err_set(err, -EINVAL, "standard output takes one profile; select with --type=NAME: %s",
                       buf_cstr(&types));
    }
    if (to_stdout && isatty(STDOUT_FILENO))
        return err_set(err, -EINVAL, "not writing binary pprof to a terminal; use --output=PATH or --format=text");
    return put_pprof(out, o, &choose_one(c, set, o)->profile->p, o->path, err);
}

/* ---- text ---- */

/* The sample type asked for alone; of a comparison what was before, then what is now. */
static int pick_columns(const struct profile *p, size_t column, bool compare, struct profile *ret, struct err *err)
{
    const struct symbols *s = p->symbols;
    const size_t columns[] = {compare ? column + p->type_count / 2 : column, column}, n = compare ? 2 : 1;
    bool fits = true;
    profile_init(ret, p->symbols);
    for (size_t k = 0; k < n; k++)
        fits = fits && profile_add_type(ret, s->strings[p->types[column].type], s->strings[p->types[column].unit]);
    for (size_t i = 0; fits && i < p->sample_count; i++) {
        const int64_t *values = profile_values(p, i);
        fits = profile_add(ret, p->samples[i].stack, 0, (int64_t[]){values[columns[0]], values[columns[1]]});
    }
    return fits ? 0 : err_set(err, -E2BIG, "too many stacks");
}

static int put_collapsed(const struct profile_set *set, const struct write_options *o, const struct profile_choice *c,
                         struct buf *text, struct err *err)
{
    const struct chosen *one = choose_one(c, set, o);
    cleanup_profile struct profile picked;
    int code = pick_columns(&one->profile->p, one->column > 0 ? (size_t)one->column : 0, o->compare, &picked, err);
    if (code == 0)
        pprof_text(&picked, o->compare ? PPROF_TEXT_COMPARED : PPROF_TEXT_COLLAPSED, text);
    return code;
}

static void put_dumps(const struct write_options *o, const struct profile_choice *c, struct buf *text)
{
    for (size_t i = 0; i < c->len; i++) {
        buf_puts(text, i ? "\n\n" : "");
        (o->compare ? pprof_dump_compared : pprof_dump)(&c->items[i].profile->p, c->items[i].profile->name, text);
    }
}

static void put_json(const struct write_options *o, const struct profile_choice *c, struct buf *text)
{
    buf_puts(text, "{\"version\":1,\"profiles\":[");
    bool first = true;
    for (size_t i = 0; i < c->len; i++) {
        const struct named_profile *n = c->items[i].profile;
        cleanup_flame_table struct flame_table table;
        flame_table_init(&table, &n->p);
        size_t columns = o->compare ? n->p.type_count / 2 : n->p.type_count;
        for (size_t k = 0; k < columns; k++) {
            if (c->items[i].column >= 0 && (size_t)c->items[i].column != k)
                continue;
            buf_puts(text, first ? "\n" : ",\n");
            first = false;
            flamebearer_put(&(struct flamebearer){n->name, &n->p, &table, k, o->compare}, text);
        }
    }
    buf_puts(text, "\n]}\n");
}

static int put_otlp(const struct write_options *o, const struct profile_choice *c, struct buf *bytes, struct err *err)
{
    if (strcmp(o->path, "-") == 0 && isatty(STDOUT_FILENO))
        return err_set(err, -EINVAL, "not writing binary data to a terminal; use --output=PATH");
    struct otlp_profile *profiles = xcalloc(c->len + 1, sizeof *profiles);
    for (size_t i = 0; i < c->len; i++)
        profiles[i] = (struct otlp_profile){&c->items[i].profile->p, c->items[i].column};
    otlp_encode(profiles, c->len, bytes);
    free(profiles);
    return 0;
}

static int put_page(const struct profile_set *set, const struct write_options *o, const struct profile_choice *c,
                    struct buf *text, struct err *err)
{
    struct profile_set shown = {.symbols = set->symbols, .items = xcalloc(c->len, sizeof *shown.items)};
    for (size_t i = 0; i < c->len; i++)
        shown.items[shown.len++] = *c->items[i].profile;
    int code = report_put(&(struct report){o->title, &shown, o->compare, o->look}, text, err);
    free(shown.items); /* the rest is borrowed */
    return code;
}

static int write_text(struct output *out, const struct profile_set *set, const struct write_options *o,
                      const struct profile_choice *c, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(OUTPUT_MAX);
    int code = 0;
    if (strcmp(o->path, "-") != 0 && is_directory(o->path))
        return err_set(err, -EINVAL, "%s: is a directory; expected a file", o->path);
    if (o->format == WRITE_COLLAPSED)
        code = put_collapsed(set, o, c, &text, err);
    else if (o->format == WRITE_HTML)
        code = put_page(set, o, c, &text, err);
    else if (o->format == WRITE_OTLP)
        code = put_otlp(o, c, &text, err);
    else if (o->format == WRITE_JSON)
        put_json(o, c, &text);
    else
        put_dumps(o, c, &text);
    if (code == 0 && !buf_ok(&text))
        code = err_set(err, -E2BIG, "%s: larger than %u MiB", o->path, OUTPUT_MAX >> 20);
    return code < 0 ? code : put_file(out, o, o->path, buf_slice(&text), err);
}

int write_set(const struct profile_set *set, const struct write_options *o, struct err *err)
{
    struct profile_choice c = {0};
    cleanup_output struct output out = {0};
    int code = choose(set, o, &c, err);
    if (code == 0)
        code = o->format == WRITE_PPROF ? write_pprof(&out, set, o, &c, err) : write_text(&out, set, o, &c, err);
    if (code == 0)
        code = output_commit(&out, err);
    free(c.items);
    return code;
}
