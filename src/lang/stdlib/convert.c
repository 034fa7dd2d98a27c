#include "lang/coerce.h"
#include "lang/stdlib/rows.h"

static int convert_nonsensitive(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)n;
    cleanup_buf struct buf text = BUF_INIT(STDLIB_TEXT_MAX);
    int code = coerce_secret(args[0], &text, err);
    if (code < 0) {
        *bad_arg = 0;
        return code;
    }
    return stdlib_string_of(&text, ret, err);
}

const struct stdlib_function stdlib_convert[] = {
    {{"convert.nonsensitive", 1, false, convert_nonsensitive},
     .alias = "nonsensitive",
     .parameters = "value secret",
     .result = "string",
     .help = "Converts a secret to a string, which is shown in the API and in logs like any other. For values marked "
             "as secret that are not.",
     .examples = {{"convert.nonsensitive(\"team-a\")", "\"team-a\""}}},
    {{NULL}},
};
