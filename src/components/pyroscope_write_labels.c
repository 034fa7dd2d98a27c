#include "components/pyroscope_write_labels.h"

#include <ctype.h>
#include <errno.h>

static int write_labels_check_name(struct str name, struct err *err)
{
    if (name.n == 0)
        return err_set(err, -EINVAL, "invalid label name: name is empty");
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (c < 0x80 && (isalnum(c) || c == '_' || c == '.'))
            continue;
        return err_set(err, -EINVAL, "invalid label name: %.*s: character is not allowed: '%c'", STR_ARG(name),
                       c < 0x80 ? c : '?');
    }
    return 0;
}

static int write_labels_check(const struct labels *in, struct err *err)
{
    if (labels_len(in) == 0)
        return err_set(err, -EINVAL, "service name is required");
    for (size_t i = 0; i < labels_len(in); i++) {
        const struct label *l = labels_at(in, i);
        if (!str_is_utf8(l->value))
            return err_set(err, -EINVAL, "invalid label value for %.*s: not UTF-8", STR_ARG(l->name));
        int code = str_is(l->name, "__name__") ? 0 : write_labels_check_name(l->name, err);
        if (code < 0)
            return code;
    }
    return 0;
}

static bool write_labels_is_kept(struct str name)
{
    return !str_has_prefix(name, STR("__")) || str_is(name, "__name__") || str_is(name, "__delta__");
}

int write_labels(const struct labels *in, const struct string_map *external, struct labels **ret, struct err *err)
{
    int code = write_labels_check(in, err);
    if (code < 0)
        return err_wrap(err, code, "invalid labels in profile");
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    for (size_t i = 0; i < labels_len(in); i++) {
        const struct label *l = labels_at(in, i);
        if (write_labels_is_kept(l->name))
            labels_set(&b, l->name, l->value);
    }
    for (size_t i = 0; i < external->len; i++) {
        struct str name = str_of(external->items[i].name), value = str_of(external->items[i].value);
        if (value.n)
            labels_set(&b, name, value);
        else
            labels_del(&b, name);
    }
    *ret = labels_build(&b, false);
    return 0;
}
