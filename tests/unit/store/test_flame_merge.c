#include "store/flame_merge.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "pprof_maker.h"
#include "test.h"

enum { MAX = 1 << 20 };

static struct buf pprof_of(const struct made_sample *samples, size_t n)
{
    return make_profile(&(struct made_profile){
        .types = {{"samples", "count"}, {"cpu", "nanoseconds"}}, .samples = samples, .n = n, .time_ns = 10});
}

static struct str head_of(const struct flame_part *parts, size_t n)
{
    return (struct str){(const char *)parts, n * sizeof *parts};
}

static struct buf answer_to(const struct parser_item *items, size_t n)
{
    struct buf out = BUF_INIT(FLAME_MERGE_MAX);
    struct err err = {0};
    CHECK_INT(flame_merge_service.serve(items, n, &out, &err), 0);
    return out;
}

/* "main 0/18 work 18/18" in the order of nodes: self and total of each. */
static void print(struct flame *f, struct buf *out)
{
    flame_finish(f);
    for (size_t i = 1; i < f->node_count; i++)
        buf_printf(out, "%s%.*s %lld/%lld", i > 1 ? " " : "", STR_ARG(f->names[f->nodes[i].name]),
                   (long long)f->nodes[i].self, (long long)f->nodes[i].total);
}

static void adds_the_selected_samples_of_all_bodies(void)
{
    static const struct made_sample first[] = {{"main;work", {5, 50}, NULL}, {"main;work;leaf", {1, 10}, NULL}},
                                    second[] = {{"main;work", {2, 20}, NULL}, {"other", {3, 30}, "pool"}};
    const struct flame_part count = {0, 0}, time = {0, 1}, none = {12345, 0};
    cleanup_buf struct buf a = pprof_of(first, 2), b = pprof_of(second, 2), text = BUF_INIT(MAX);
    const struct parser_item items[] = {{head_of(&count, 1), buf_slice(&a)},
                                        {head_of(&time, 1), buf_slice(&b)},
                                        {head_of(&none, 1), buf_slice(&b)},
                                        {head_of(&count, 1), STR("by no means pprof")}};
    cleanup_buf struct buf answer = answer_to(items, 4);
    cleanup_flame struct flame f;
    struct err err = {0};
    CHECK_INT(flame_merge_check(NULL, 4, buf_slice(&answer), &err), 0);
    flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    flame_merge_add(&f, buf_slice(&answer));
    print(&f, &text);
    CHECK_STR(buf_cstr(&text), "main 0/26 work 25/26 leaf 1/1");
    /* The next answer goes on top. */
    flame_merge_add(&f, buf_slice(&answer));
    buf_reset(&text);
    print(&f, &text);
    CHECK_STR(buf_cstr(&text), "main 0/52 work 50/52 leaf 2/2");
    CHECK(!f.truncated);
}

static void a_graph_has_its_own_limits(void)
{
    static const struct made_sample samples[] = {{"a;b;c;d", {4}, NULL}, {"e", {1}, NULL}};
    const struct flame_part part = {0, 0};
    cleanup_buf struct buf pprof = pprof_of(samples, 2), text = BUF_INIT(MAX);
    const struct parser_item item = {head_of(&part, 1), buf_slice(&pprof)};
    cleanup_buf struct buf answer = answer_to(&item, 1);
    cleanup_flame struct flame f;
    flame_init(&f, 3, MAX); /* the root and two more, nodes as well as names */
    flame_merge_add(&f, buf_slice(&answer));
    CHECK(f.truncated);
    print(&f, &text);
    CHECK_STR(buf_cstr(&text), "a 0/4 b 4/4"); /* what is below counts for the deepest frame that is known */
    CHECK_INT(f.nodes[0].total, 5);
}

/* A parser process that was taken over may say anything: what passes can be added. */
static void whatever_a_process_answers_is_read_within_bounds(void)
{
    enum { TRIES = 20000 };
    static const struct made_sample samples[] = {{"a;b;c", {4}, NULL}, {"a;d", {1}, NULL}};
    const struct flame_part part = {0, 0};
    struct err err = {0};
    unsigned seed = 1;
    cleanup_buf struct buf pprof = pprof_of(samples, 2);
    const struct parser_item item = {head_of(&part, 1), buf_slice(&pprof)};
    cleanup_buf struct buf answer = answer_to(&item, 1);
    cleanup_flame struct flame f;
    flame_init(&f, 100, MAX);
    for (size_t n = 0; n < answer.len; n++)
        CHECK_INT(flame_merge_check(NULL, 1, (struct str){(const char *)answer.p, n}, &err), -EBADMSG);
    for (size_t i = 0; i < TRIES; i++) {
        cleanup_free char *lie = malloc(answer.len);
        memcpy(lie, answer.p, answer.len);
        for (unsigned k = 0; k < 1 + i % 3; k++) {
            seed = seed * 1103515245 + 12345;
            lie[seed / 65536 % answer.len] = (char)(seed >> 8);
        }
        if (flame_merge_check(NULL, 1, (struct str){lie, answer.len}, &err) == 0)
            flame_merge_add(&f, (struct str){lie, answer.len});
    }
    flame_finish(&f);
    CHECK(f.nodes[0].total >= 0);
}

int main(void)
{
    RUN(adds_the_selected_samples_of_all_bodies);
    RUN(a_graph_has_its_own_limits);
    RUN(whatever_a_process_answers_is_read_within_bounds);
    return REPORT();
}
