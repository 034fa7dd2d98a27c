#include <errno.h>

#include "lang/stdlib/json_path_query.h"

enum {
    VISITS_MAX = 1 << 21, /* values looked at: a query with several ".." multiplies */
    DEPTH_MAX = 4000,     /* of our recursion */
};

struct run {
    struct value *root;
    size_t visits, depth;
    struct err *err;
};

static int path_run_steps(struct run *r, const struct query_step *s, struct value *v, struct stdlib_items *out);

static int path_run_enter(struct run *r)
{
    if (++r->visits > VISITS_MAX)
        return err_set(r->err, -E2BIG, "looks at more than %d values", VISITS_MAX);
    if (++r->depth > DEPTH_MAX)
        return err_set(r->err, -E2BIG, "looks deeper than %d levels", DEPTH_MAX);
    return 0;
}

static bool path_run_is_container(const struct value *v)
{
    return value_kind(v) == VALUE_ARRAY || value_kind(v) == VALUE_OBJECT;
}

static size_t part_count(const struct value *v)
{
    return path_run_is_container(v) ? value_len(v) : 0;
}

static struct value *path_run_part(const struct value *v, size_t i)
{
    struct value *member;
    if (value_kind(v) == VALUE_ARRAY)
        return value_item(v, i);
    (void)value_key(v, i, &member);
    return member;
}

static struct value *path_run_child(const struct query_step *s, const struct value *v)
{
    if (s->kind == STEP_CHILD)
        return value_kind(v) == VALUE_OBJECT ? value_member(v, s->name) : NULL;
    if (value_kind(v) != VALUE_ARRAY)
        return NULL;
    int64_t n = (int64_t)value_len(v), i = s->index < 0 ? s->index + n : s->index;
    return i >= 0 && i < n ? value_item(v, (size_t)i) : NULL;
}

static int path_run_slice(struct run *r, const struct query_step *s, struct value *v, struct stdlib_items *out)
{
    if (value_kind(v) != VALUE_ARRAY)
        return 0;
    int64_t n = (int64_t)value_len(v), from = s->index, end = s->end;
    from += from < 0 ? n : 0;
    from = from < 0 ? 0 : from;
    end += end < 0 ? n : 0;
    end = end < -1 ? -1 : end;
    int code = 0;
    if (s->by > 0)
        for (int64_t i = from; code == 0 && i < end && i < n; i += s->by)
            code = path_run_steps(r, s->next, value_item(v, (size_t)i), out);
    if (s->by < 0)
        for (int64_t i = from; code == 0 && i > end && i < n && i >= 0; i += s->by)
            code = path_run_steps(r, s->next, value_item(v, (size_t)i), out);
    return code;
}

/* Where ".." is the last step: all below v, then v. */
static int path_run_everything(struct run *r, struct value *v, bool self, struct stdlib_items *out)
{
    int code = path_run_enter(r);
    for (size_t i = 0; code == 0 && i < part_count(v); i++) {
        struct value *p = path_run_part(v, i);
        if ((code = stdlib_add(out, value_ref(p), r->err)) == 0)
            code = path_run_everything(r, p, false, out);
    }
    if (code == 0 && self)
        code = stdlib_add(out, value_ref(v), r->err);
    r->depth--;
    return code;
}

/* The deepest first, as the reference does. */
static int path_run_descend(struct run *r, const struct query_step *next, struct value *v, struct stdlib_items *out)
{
    int code = path_run_enter(r);
    for (size_t i = 0; code == 0 && i < part_count(v); i++)
        if (path_run_is_container(path_run_part(v, i)))
            code = path_run_descend(r, next, path_run_part(v, i), out);
    if (code == 0)
        code = path_run_steps(r, next, v, out);
    r->depth--;
    return code;
}

/* --- filters --- */

/* What an operand is worth; NULL: nothing. `found`: it comes from a path that leads somewhere. */
struct worth {
    struct value *v; /* a reference */
    bool found;
};

struct path_choice {
    const struct stdlib_items *values; /* of each path, by slot */
    size_t number;                     /* which of the combinations */
    struct value *current;             /* @ */
};

static struct worth worth_of(struct run *r, const struct query_expr *e, const struct path_choice *c);

static bool is_true(struct worth w)
{
    return w.found || (w.v && value_kind(w.v) == VALUE_BOOL && value_as_bool(w.v));
}

static bool path_run_less(const struct value *a, const struct value *b, bool or_equal)
{
    if (!a || !b || value_kind(a) != value_kind(b))
        return false;
    if (value_kind(a) == VALUE_STRING) {
        int order = str_cmp(value_as_str(a), value_as_str(b));
        return or_equal ? order <= 0 : order < 0;
    }
    if (value_kind(a) != VALUE_NUMBER)
        return false;
    if (value_number_kind(a) == NUMBER_INT && value_number_kind(b) == NUMBER_INT)
        return or_equal ? value_as_int(a) <= value_as_int(b) : value_as_int(a) < value_as_int(b);
    return or_equal ? value_as_float(a) <= value_as_float(b) : value_as_float(a) < value_as_float(b);
}

static bool path_run_same(const struct value *a, const struct value *b)
{
    return a && b ? value_equal(a, b) : a == b;
}

/* Here 3 and 3.0 differ. */
static bool path_run_listed(const struct value *v, const struct value *list)
{
    for (size_t i = 0; v && list && value_kind(list) == VALUE_ARRAY && i < value_len(list); i++) {
        const struct value *item = value_item(list, i);
        bool numbers = value_kind(v) == VALUE_NUMBER && value_kind(item) == VALUE_NUMBER;
        if (value_equal(v, item) && (!numbers || value_number_kind(v) == value_number_kind(item)))
            return true;
    }
    return false;
}

static bool path_run_emptiness(const struct value *v, bool wanted)
{
    if (!v || (value_kind(v) != VALUE_STRING && !path_run_is_container(v)))
        return false;
    return wanted == ((value_kind(v) == VALUE_STRING ? value_as_str(v).n : value_len(v)) == 0);
}

static bool path_run_holds(enum query_op op, struct worth l, struct worth r)
{
    bool flag = r.v && value_kind(r.v) == VALUE_BOOL, wanted = flag && value_as_bool(r.v);
    switch (op) {
    case QUERY_EQ:
        return path_run_same(l.v, r.v);
    case QUERY_NE:
        return !path_run_same(l.v, r.v);
    case QUERY_LT:
        return path_run_less(l.v, r.v, false);
    case QUERY_LE:
        return path_run_less(l.v, r.v, true);
    case QUERY_GT:
        return path_run_less(r.v, l.v, false);
    case QUERY_GE:
        return path_run_less(r.v, l.v, true);
    case QUERY_AND:
        return is_true(l) && is_true(r);
    case QUERY_OR:
        return is_true(l) || is_true(r);
    case QUERY_IN:
        return path_run_listed(l.v, r.v);
    case QUERY_EMPTY:
        return flag && path_run_emptiness(l.v, wanted);
    case QUERY_HAS:
        return flag && wanted == (l.v != NULL);
    default:
        return !is_true(l);
    }
}

static struct worth length_of(struct worth w)
{
    struct value *v = NULL;
    if (w.v && (value_kind(w.v) == VALUE_STRING || path_run_is_container(w.v)))
        v = value_int((int64_t)(value_kind(w.v) == VALUE_STRING ? value_as_str(w.v).n : value_len(w.v)));
    value_unref(w.v);
    return (struct worth){v, false};
}

static int run_path(struct run *r, const struct query_path *path, struct value *current, struct stdlib_items *out)
{
    return path_run_steps(r, path->steps, path->from_root ? r->root : current, out);
}

static struct worth count_of(struct run *r, const struct query_path *path, struct value *current)
{
    cleanup_items struct stdlib_items found = {0};
    if (run_path(r, path, current, &found) < 0)
        return (struct worth){NULL, false};
    return (struct worth){value_int((int64_t)found.len), false};
}

static struct worth worth_of(struct run *r, const struct query_expr *e, const struct path_choice *c)
{
    switch (e->op) {
    case QUERY_LITERAL:
    case QUERY_LIST:
        return (struct worth){value_ref(e->literal), false};
    case QUERY_NOTHING:
        return (struct worth){NULL, false};
    case QUERY_LENGTH:
        return length_of(worth_of(r, e->left, c));
    case QUERY_COUNT:
        return count_of(r, &e->left->path, c->current);
    case QUERY_PATH: {
        size_t number = c->number;
        for (size_t i = 0; i < e->slot; i++)
            number /= c->values[i].len ? c->values[i].len : 1;
        const struct stdlib_items *mine = &c->values[e->slot];
        return mine->len ? (struct worth){value_ref(mine->items[number % mine->len]), true}
                         : (struct worth){NULL, false};
    }
    default:
        break;
    }
    struct worth left = worth_of(r, e->left, c), right = {NULL, false};
    if (e->right)
        right = worth_of(r, e->right, c);
    bool holding = path_run_holds(e->op, left, right);
    value_unref(left.v);
    value_unref(right.v);
    return (struct worth){value_bool(holding), false};
}

/* Whether the filter takes v, with any of the values its paths lead to. */
static int path_run_matches(struct run *r, const struct query_filter *f, struct value *v, bool *ret)
{
    struct stdlib_items values[QUERY_PATHS_MAX] = {0};
    struct path_choice c = {.values = values, .current = v};
    size_t choices = 1;
    int code = 0;
    *ret = false;
    for (size_t i = 0; code == 0 && i < f->path_count; i++) {
        code = run_path(r, &f->paths[i]->path, v, &values[i]);
        if (values[i].len && __builtin_mul_overflow(choices, values[i].len, &choices))
            choices = SIZE_MAX;
    }
    for (; code == 0 && !*ret && c.number < choices; c.number++) {
        if ((code = path_run_enter(r)) < 0)
            break;
        struct worth w = worth_of(r, f->expr, &c);
        *ret = is_true(w);
        value_unref(w.v);
        r->depth--;
    }
    for (size_t i = 0; i < f->path_count; i++)
        stdlib_items_done(&values[i]);
    return code;
}

/* --- steps --- */

static int path_run_all(struct run *r, const struct query_step *s, struct value *v, struct stdlib_items *out)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < part_count(v); i++) {
        bool taken = true;
        if (s->kind == STEP_FILTER)
            code = path_run_matches(r, s->filter, path_run_part(v, i), &taken);
        if (code == 0 && taken)
            code = path_run_steps(r, s->next, path_run_part(v, i), out);
    }
    return code;
}

static int path_run_step(struct run *r, const struct query_step *s, struct value *v, struct stdlib_items *out)
{
    struct value *found;
    int code = 0;
    switch (s->kind) {
    case STEP_CHILD:
    case STEP_INDEX:
        found = path_run_child(s, v);
        return found ? path_run_steps(r, s->next, found, out) : 0;
    case STEP_UNION:
        for (const struct query_step *p = s->parts; code == 0 && p; p = p->next)
            if ((found = path_run_child(p, v)))
                code = path_run_steps(r, s->next, found, out);
        return code;
    case STEP_SLICE:
        return path_run_slice(r, s, v, out);
    case STEP_DESCENT:
        return s->next ? path_run_descend(r, s->next, v, out) : path_run_everything(r, v, true, out);
    default:
        return path_run_all(r, s, v, out);
    }
}

/* Follows the steps from s on; NULL: v is what was looked for. */
static int path_run_steps(struct run *r, const struct query_step *s, struct value *v, struct stdlib_items *out)
{
    if (!s)
        return stdlib_add(out, value_ref(v), r->err);
    int code = path_run_enter(r);
    if (code == 0)
        code = path_run_step(r, s, v, out);
    r->depth--;
    return code;
}

int query_run(const struct path_query *q, struct value *root, struct stdlib_items *out, struct err *err)
{
    struct run r = {.root = root, .err = err};
    return path_run_steps(&r, q->path.steps, root, out);
}
