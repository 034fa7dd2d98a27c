#include "lang/json.h"
#include "lang/stdlib/json_path_query.h"

static int json_path(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    struct buf text[2] = {BUF_INIT(0), BUF_INIT(0)};
    cleanup_query struct path_query query = {0};
    cleanup_value struct value *root = NULL;
    cleanup_items struct stdlib_items found = {0};
    int code = stdlib_texts(args, n, text, bad_arg, err);
    if (code == 0)
        code = query_parse(buf_slice(&text[1]), &query, err);
    if (code == 0)
        code = json_read(buf_slice(&text[0]), JSON_KEEP_INTEGERS, &root, err);
    if (code == 0 && buf_slice(&text[1]).n)
        code = query_run(&query, root, &found, err);
    if (code == 0)
        *ret = stdlib_array_of(&found);
    buf_done(&text[0]);
    buf_done(&text[1]);
    return code;
}

const struct stdlib_function stdlib_json_path[] = {
    {{"json_path", 2, false, json_path},
     .parameters = "json string, path string",
     .result = "list",
     .help = "All matches of a JSONPath in a JSON text, always as a list. Supported are names (`.name`, `['name']`), "
             "indexes (`[0]`, `[-1]` for the last), slices (`[1:3]`), unions (`[0,'a']`), the wildcard `*`, recursive "
             "descent `..` and filters such as `[?(@.price < 10)]` with ==, !=, <, <=, >, >=, &&, ||, !, `in [1, 2]`, "
             "`has true`, `empty false`, length() and count(). In filters, && and || have the same precedence and are "
             "left-associative, and ! applies to the whole rest of the expression: use parentheses.",
     .examples = {{"json_path(`{\"a\": [{\"b\": 1}, {\"b\": 2.5}]}`, \"$.a[*].b\")", "[1, 2.5]"},
                  {"json_path(`[{\"n\": \"x\", \"p\": 1}, {\"n\": \"y\", \"p\": 2}]`, \"$[?(@.p > 1)].n\")[0]",
                   "\"y\""},
                  {"json_path(\"{}\", \".missing\")", "[]"}}},
    {{NULL}},
};
