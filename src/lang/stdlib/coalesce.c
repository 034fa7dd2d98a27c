#include "lang/stdlib/rows.h"

static bool is_empty(const struct value *v)
{
    struct str s;
    switch (value_kind(v)) {
    case VALUE_NULL:
        return true;
    case VALUE_NUMBER:
        return value_as_float(v) == 0;
    case VALUE_BOOL:
        return !value_as_bool(v);
    case VALUE_ARRAY:
    case VALUE_OBJECT:
        return value_len(v) == 0;
    case VALUE_STRING:
        return value_as_str(v).n == 0;
    case VALUE_CAPSULE:
        break;
    default:
        return false;
    }
    if (value_secret_text(v, &s))
        return s.n == 0;
    const struct capsule_type *type = value_capsule_type(v);
    cleanup_value struct value *object = type->to_object ? type->to_object(value_capsule_data(v, type)) : NULL;
    return object && value_len(object) == 0;
}

static int coalesce_call(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)bad_arg, (void)err;
    size_t i = 0;
    while (i + 1 < n && is_empty(args[i]))
        i++;
    *ret = n ? value_ref(args[i]) : value_null();
    return 0;
}

const struct stdlib_function stdlib_coalesce[] = {
    {{"coalesce", 0, true, coalesce_call},
     .parameters = "values any…",
     .result = "any",
     .help = "The first non-empty argument, or the last one. Empty values are null, 0, false, \"\", and arrays, "
             "objects and targets without members.",
     .examples = {{"coalesce(\"\", null, \"fallback\")", "\"fallback\""}, {"coalesce([], {})", "{}"}}},
    {{NULL}},
};
