/* A JSONPath query: parsed by json_path_parse.c, run by json_path_run.c.
 *
 * The dialect is that of the reference, github.com/ohler55/ojg: `$` or `@` at the start is optional; .name, ..name,
 * ['name'], *, [*], [n] (negative: from the end), [from:to:step], unions [1,'x'], filters [?(@.price < 10)]. In
 * filters: == != < <= > >=, &&, ||, !, `in [list]`, `empty true`, `has true` (also `exists`), length(), count(), paths
 * from @ and $, and Nothing for what is missing. Its peculiarities are kept, because results depend on them: && and ||
 * bind alike, from left to right; ! applies to all that follows it within its parentheses; a path that leads anywhere
 * is true, even to false; of a path with several values each is tried. Regular expressions, arithmetic and scripts are
 * refused. Source: documentation of ojg's package jp; the results were compared with the package's.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "lang/stdlib/rows.h"
#include "lang/value.h"

enum { QUERY_PATHS_MAX = 16 /* in one filter */ };

enum path_step_kind { STEP_CHILD, STEP_ALL, STEP_DESCENT, STEP_INDEX, STEP_SLICE, STEP_UNION, STEP_FILTER };

struct query_step {
    enum path_step_kind kind;
    struct str name;             /* STEP_CHILD */
    int64_t index, end, by;      /* STEP_INDEX; STEP_SLICE: from index to end */
    struct query_filter *filter; /* STEP_FILTER */
    struct query_step *parts;    /* STEP_UNION: names and indexes, linked by next */
    struct query_step *next;
};

struct query_path {
    struct query_step *steps;
    bool from_root; /* in filters: $ instead of @ */
};

enum query_op {
    QUERY_LITERAL,
    QUERY_NOTHING,
    QUERY_PATH,
    QUERY_LIST, /* right operand of `in` */
    QUERY_NOT,
    QUERY_LENGTH,
    QUERY_COUNT,
    QUERY_EQ,
    QUERY_NE,
    QUERY_LT,
    QUERY_LE,
    QUERY_GT,
    QUERY_GE,
    QUERY_AND,
    QUERY_OR,
    QUERY_IN,
    QUERY_EMPTY,
    QUERY_HAS,
};

struct query_expr {
    enum query_op op;
    struct value *literal; /* QUERY_LITERAL, QUERY_LIST; borrowed from the query */
    struct query_path path;
    size_t slot; /* QUERY_PATH: its number in the filter */
    struct query_expr *left, *right;
};

struct query_filter {
    struct query_expr *expr;
    struct query_expr *paths[QUERY_PATHS_MAX]; /* every QUERY_PATH in it, by slot */
    size_t path_count;
};

struct path_query {
    struct query_path path;
    struct arena arena;
    struct stdlib_items literals; /* keeps them alive */
};

must_check int query_parse(struct str text, struct path_query *ret, struct err *err);
void query_done(struct path_query *q);
#define cleanup_query __attribute__((cleanup(query_done)))

/* Adds what the query finds in `root`. -E2BIG when that takes too long or gives too much. */
must_check int query_run(const struct path_query *q, struct value *root, struct stdlib_items *out, struct err *err);
