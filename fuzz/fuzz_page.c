/* Questions of the page from anybody who reaches the port: a form of parameters, whose patterns choose stacks and
 * frames of a graph. What is left out of stacks must not change what there is in all. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/page/function_table.h"
#include "api/page/name_match.h"
#include "api/page/page_parameters.h"
#include "base/cleanup.h"
#include "pprof/flame_view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_view {
    struct name_matches hidden, folded, only, search;
    bool recursion, callers;
};

static void fuzz_page_add(struct flame *f, const char *stack, int64_t value)
{
    struct str rest = str_of(stack), name;
    uint32_t node = 0;
    while (str_split(&rest, ';', &name))
        node = flame_step(f, node, flame_name(f, name));
    flame_add(f, node, value);
}

/* The parameters themselves are stacks as well. */
static void fuzz_page_graph(const struct page_parameters *p, struct flame *f)
{
    flame_init(f, 1 << 12, 1 << 20);
    fuzz_page_add(f, "java/lang/Thread.run;a;b;a;b;c;c", 3);
    fuzz_page_add(f, "java/lang/Thread.run;java/util/A.x;java/util/B.y;a", 4);
    for (size_t i = 0; i < p->len && i < 64; i++)
        fuzz_page_add(f, p->items[i].value, (int64_t)i);
    flame_finish(f);
}

static void fuzz_page_take(struct name_matches *m, const char *text)
{
    struct err err = {0};
    (void)!name_matches_add(m, str_of(text), &err);
}

static void fuzz_page_read(const struct page_parameters *p, struct fuzz_view *v)
{
    for (size_t i = 0; i < p->len; i++) {
        const struct page_parameter *one = &p->items[i];
        struct name_matches *m = strcmp(one->name, "hide") == 0     ? &v->hidden
                                 : strcmp(one->name, "fold") == 0   ? &v->folded
                                 : strcmp(one->name, "only") == 0   ? &v->only
                                 : strcmp(one->name, "search") == 0 ? &v->search
                                                                    : NULL;
        if (m)
            fuzz_page_take(m, one->value);
    }
    v->recursion = page_parameter(p, "recursion");
    v->callers = page_parameter(p, "callers");
}

static void fuzz_page_show(const struct page_parameters *p, const struct fuzz_view *v)
{
    cleanup_flame struct flame f, shown;
    cleanup_buf struct buf out = BUF_INIT(1 << 20);
    struct err err = {0};
    fuzz_page_graph(p, &f);
    cleanup_free bool *hidden = name_matches_of(&v->hidden, &f), *folded = name_matches_of(&v->folded, &f);
    cleanup_free bool *only = name_matches_of(&v->only, &f);
    flame_init(&shown, 1 << 12, 1 << 20);
    flame_view_apply(
        &shown, &f,
        &(struct flame_view){
            .only = only, .hidden = hidden, .folded = folded, .recursion = v->recursion, .callers = v->callers});
    flame_finish(&shown);
    if (!only && shown.nodes[0].total != f.nodes[0].total)
        abort();
    if (shown.nodes[0].total > f.nodes[0].total)
        abort();
    const struct function_table t = {.flame = &shown, .search = &v->search};
    if (function_table_put(&t, &out, &err) < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct page_parameters p;
    struct fuzz_view v = {0};
    struct err err = {0};
    if (page_parameters_parse(&p, (struct str){(const char *)data, size}, &err) == 0) {
        fuzz_page_read(&p, &v);
        fuzz_page_show(&p, &v);
    }
    page_parameters_done(&p);
    name_matches_done(&v.hidden);
    name_matches_done(&v.folded);
    name_matches_done(&v.only);
    name_matches_done(&v.search);
    return 0;
}
