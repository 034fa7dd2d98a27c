#include <stdlib.h>

#include "lang/stdlib/rows.h"

static int sys_env(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)n;
    cleanup_buf struct buf name = BUF_INIT(0);
    int code = stdlib_text(args, 0, &name, bad_arg, err);
    if (code < 0)
        return code;
    *ret = value_string(str_of(getenv(buf_cstr(&name))));
    return 0;
}

const struct stdlib_function stdlib_sys[] = {
    {{"sys.env", 1, false, sys_env},
     .alias = "env",
     .parameters = "name string",
     .result = "string",
     .help = "The value of an environment variable, read at every evaluation; \"\" if not set.",
     .examples = {{"sys.env(\"NO_SUCH_VARIABLE\")", "\"\""},
                  {"coalesce(sys.env(\"NO_SUCH_VARIABLE\"), \"prod\")", "\"prod\""}}},
    {{NULL}},
};
