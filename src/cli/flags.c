#include "cli/flags.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

enum { HELP_MAX = 16 << 10 };

static const struct flag *flags_find(const struct flag *table, struct str name)
{
    for (; table->name; table++) {
        if (str_is(name, table->name))
            return table;
    }
    return NULL;
}

static int flags_unknown(const struct flag *table, struct str name, struct err *err)
{
    enum { CLOSE_ENOUGH = 4 };
    const char *best = NULL;
    unsigned least = CLOSE_ENOUGH + 1;
    for (; table->name; table++) {
        unsigned d = str_distance(name, str_of(table->name), CLOSE_ENOUGH);
        if (d < least) {
            least = d;
            best = table->name;
        }
    }
    if (best)
        return err_set(err, -EINVAL, "unknown flag --%.*s; did you mean --%s?", STR_ARG(name), best);
    return err_set(err, -EINVAL, "unknown flag --%.*s; see --help", STR_ARG(name));
}

static bool is_choice(const char *words, const char *value)
{
    struct str rest = str_of(words), one;
    while (str_split(&rest, '|', &one)) {
        if (str_is(one, value))
            return true;
    }
    return false;
}

static int flags_append(const struct flag *f, const char *value, struct flag_list *list, struct err *err)
{
    if (*value && list->len == FLAG_LIST_MAX)
        return err_set(err, -EINVAL, "--%s: more than %d", f->name, FLAG_LIST_MAX);
    if (*value)
        list->items[list->len++] = value;
    return 0;
}

static int flags_set(const struct flag *f, const char *value, void *record, struct err *err)
{
    void *field = (char *)record + f->offset;
    if (f->kind == FLAG_UNUSED) {
        if (!f->default_text || strcmp(value, f->default_text) != 0)
            log_warn("flag has no effect", L_STR("flag", f->name));
        return 0;
    }
    if (f->kind == FLAG_CHOICE && !is_choice(f->value_name, value))
        return err_set(err, -EINVAL, "--%s=%s: expected one of %s", f->name, value, f->value_name);
    if (f->kind == FLAG_LIST)
        return flags_append(f, value, field, err);
    if (f->kind == FLAG_STRING || f->kind == FLAG_CHOICE) {
        *(const char **)field = value;
        return 0;
    }
    bool yes = strcmp(value, "true") == 0;
    if (!yes && strcmp(value, "false") != 0)
        return err_set(err, -EINVAL, "--%s=%s: expected true or false", f->name, value);
    *(bool *)field = yes;
    return 0;
}

static void flags_defaults(const struct flag *table, void *record)
{
    for (; table->name; table++) {
        if (table->kind == FLAG_STRING || table->kind == FLAG_CHOICE)
            *(const char **)((char *)record + table->offset) = table->default_text ? table->default_text : "";
        else if (table->kind == FLAG_LIST)
            *(struct flag_list *)((char *)record + table->offset) = (struct flag_list){.len = 0};
    }
}

/* The flag, with the value that came in the same argument or, if it needs one, in the next. */
static int flags_take(const struct flag *f, const char *value, int argc, char **argv, int *i, void *record,
                      struct err *err)
{
    if (value)
        return flags_set(f, value, record, err);
    if (f->kind == FLAG_BOOL || (f->kind == FLAG_UNUSED && !f->value_name))
        return flags_set(f, "true", record, err);
    if (*i + 1 >= argc)
        return err_set(err, -EINVAL, "--%s requires a value: --%s=%s", f->name, f->name, f->value_name);
    return flags_set(f, argv[++*i], record, err);
}

/* One flag at argv[*i]; takes the next argument as its value where there is no '='. */
static int parse_one(const struct flag *table, int argc, char **argv, int *i, void *record, struct err *err)
{
    const char *arg = argv[*i] + 2;
    const char *equals = strchr(arg, '=');
    struct str name = equals ? (struct str){arg, (size_t)(equals - arg)} : str_of(arg);
    const struct flag *f = flags_find(table, name);
    if (!f)
        return flags_unknown(table, name, err);
    return flags_take(f, equals ? equals + 1 : NULL, argc, argv, i, record, err);
}

/* The flag that "-d…" names; NULL where the table has no such short name. */
static const struct flag *flags_find_short(const struct flag *table, const char *arg)
{
    if (arg[0] != '-' || !arg[1] || arg[1] == '-')
        return NULL;
    for (; table->name; table++)
        if (table->short_name == arg[1])
            return table;
    return NULL;
}

int flags_parse(const struct flag *table, int argc, char **argv, void *record, struct flags_rest *rest, struct err *err)
{
    flags_defaults(table, record);
    *rest = (struct flags_rest){.items = xcalloc((size_t)argc + 1, sizeof *rest->items)};
    bool ended = false;
    for (int i = 0; i < argc; i++) {
        const struct flag *brief = ended ? NULL : flags_find_short(table, argv[i]);
        if (!ended && strcmp(argv[i], "--") == 0) {
            ended = true;
        } else if (!ended && strncmp(argv[i], "--", 2) == 0) {
            int code = parse_one(table, argc, argv, &i, record, err);
            if (code < 0)
                return code;
        } else if (brief) {
            int code = flags_take(brief, argv[i][2] ? argv[i] + 2 : NULL, argc, argv, &i, record, err);
            if (code < 0)
                return code;
        } else {
            rest->items[rest->len++] = argv[i];
        }
    }
    return 0;
}

static void flags_print_list(const struct flag *f, const struct flag_list *list, struct buf *out)
{
    for (size_t i = 0; i < list->len; i++)
        buf_printf(out, "%s=%s\n", f->name, list->items[i]);
}

void flags_print(const struct flag *table, const void *record, struct buf *out)
{
    for (; table->name; table++) {
        const void *field = (const char *)record + table->offset;
        if (table->kind == FLAG_BOOL)
            buf_printf(out, "%s=%s\n", table->name, *(const bool *)field ? "true" : "false");
        else if (table->kind == FLAG_LIST)
            flags_print_list(table, field, out);
        else if (table->kind != FLAG_UNUSED)
            buf_printf(out, "%s=%s\n", table->name, *(const char *const *)field);
    }
}

enum { HELP_COLUMN = 6 };

/* Words of `text` in lines that begin at the column; the cursor stands at it. */
static void put_wrapped(const char *text, FILE *out)
{
    size_t at = HELP_COLUMN;
    struct str rest = str_of(text), word;
    for (bool first = true; str_split(&rest, ' ', &word); first = false) {
        if (!first && at + 1 + word.n > HELP_WIDTH) {
            fprintf(out, "\n%*s", HELP_COLUMN, "");
            at = HELP_COLUMN;
        } else if (!first) {
            fputc(' ', out);
            at++;
        }
        fprintf(out, "%.*s", STR_ARG(word));
        at += word.n;
    }
}

void flags_help(const struct flag *table, FILE *out)
{
    cleanup_buf struct buf unused = BUF_INIT(HELP_MAX);
    for (const struct flag *f = table; f->name; f++) {
        if (f->kind == FLAG_UNUSED) {
            buf_printf(&unused, "%s--%s", unused.len ? " " : "", f->name);
            continue;
        }
        fprintf(out, "  --%s%s%s", f->name, f->value_name ? "=" : "", f->value_name ? f->value_name : "");
        if (f->default_text && *f->default_text)
            fprintf(out, " [%s]", f->default_text);
        fprintf(out, "\n%*s", HELP_COLUMN, "");
        put_wrapped(f->help, out);
        fputc('\n', out);
    }
    if (unused.len) {
        fprintf(out, "\nFlags of Grafana Alloy that are accepted and have no effect:\n\n%*s", HELP_COLUMN, "");
        put_wrapped(buf_cstr(&unused), out);
        fputc('\n', out);
    }
}
