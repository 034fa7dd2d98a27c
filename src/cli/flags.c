#include "cli/flags.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

static const struct flag *find(const struct flag *table, struct str name)
{
    for (; table->name; table++) {
        if (str_is(name, table->name))
            return table;
    }
    return NULL;
}

static int unknown(const struct flag *table, struct str name, struct err *err)
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
    return err_set(err, -EINVAL, "unknown flag --%.*s; --help lists them", STR_ARG(name));
}

static int set(const struct flag *f, const char *value, void *record, struct err *err)
{
    void *field = (char *)record + f->offset;
    if (f->kind == FLAG_UNUSED) {
        log_warn("flag has no effect in smolder", L_STR("flag", f->name));
        return 0;
    }
    if (f->kind == FLAG_STRING) {
        *(const char **)field = value;
        return 0;
    }
    bool yes = strcmp(value, "true") == 0;
    if (!yes && strcmp(value, "false") != 0)
        return err_set(err, -EINVAL, "--%s=%s: true or false expected", f->name, value);
    *(bool *)field = yes;
    return 0;
}

static void defaults(const struct flag *table, void *record)
{
    for (; table->name; table++) {
        if (table->kind == FLAG_STRING)
            *(const char **)((char *)record + table->offset) = table->default_text ? table->default_text : "";
    }
}

/* One flag at argv[*i]; takes the next argument as its value where there is no '='. */
static int parse_one(const struct flag *table, int argc, char **argv, int *i, void *record, struct err *err)
{
    const char *arg = argv[*i] + 2;
    const char *equals = strchr(arg, '=');
    struct str name = equals ? (struct str){arg, (size_t)(equals - arg)} : str_of(arg);
    const struct flag *f = find(table, name);
    if (!f)
        return unknown(table, name, err);
    if (equals)
        return set(f, equals + 1, record, err);
    if (f->kind == FLAG_BOOL)
        return set(f, "true", record, err);
    if (f->kind == FLAG_UNUSED)
        return set(f, "", record, err);
    if (*i + 1 >= argc)
        return err_set(err, -EINVAL, "--%s needs a value: --%s=%s", f->name, f->name, f->value_name);
    return set(f, argv[++*i], record, err);
}

int flags_parse(const struct flag *table, int argc, char **argv, void *record, struct flags_rest *rest, struct err *err)
{
    defaults(table, record);
    *rest = (struct flags_rest){.items = xcalloc((size_t)argc + 1, sizeof *rest->items)};
    bool ended = false;
    for (int i = 0; i < argc; i++) {
        if (!ended && strcmp(argv[i], "--") == 0) {
            ended = true;
        } else if (!ended && strncmp(argv[i], "--", 2) == 0) {
            int code = parse_one(table, argc, argv, &i, record, err);
            if (code < 0)
                return code;
        } else {
            rest->items[rest->len++] = argv[i];
        }
    }
    return 0;
}

void flags_help(const struct flag *table, FILE *out)
{
    for (; table->name; table++) {
        if (table->kind == FLAG_UNUSED)
            continue;
        int n = fprintf(out, "  --%s", table->name);
        if (table->value_name)
            n += fprintf(out, "=%s", table->value_name);
        fprintf(out, "%*s%s", n < 36 ? 36 - n : 1, "", table->help);
        if (table->default_text && *table->default_text)
            fprintf(out, " [%s]", table->default_text);
        fputc('\n', out);
    }
}
