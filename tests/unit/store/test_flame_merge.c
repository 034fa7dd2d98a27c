#include "store/flame_merge.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "pprof_maker.h"
#include "store/body_samples.h"
#include "store/frame_text.h"
#include "test.h"

enum { MAX = 1 << 20 };

static struct buf pprof_of(const struct made_sample *samples, size_t n)
{
    return make_profile(&(struct made_profile){
        .types = {{"samples", "count"}, {"cpu", "nanoseconds"}}, .samples = samples, .n = n, .time_ns = 10});
}

/* How, ids, parts; valid until the next test. */
static struct str head_with(const char *ids, struct flame_how how, const struct body_part *parts, size_t n)
{
    static struct buf heads;
    heads.max = MAX;
    if (heads.cap == 0)
        (void)buf_reserve(&heads, MAX - 1); /* so that nothing moves */
    const size_t at = heads.len;
    how.nodes = FLAME_NODES_MAX;
    buf_append(&heads, &how, sizeof how);
    buf_puts(&heads, ids);
    buf_append(&heads, parts, n * sizeof *parts);
    return (struct str){(const char *)heads.p + at, heads.len - at};
}

static struct str head_of(const struct body_part *parts, size_t n)
{
    return head_with("", (struct flame_how){0}, parts, n);
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
    const struct body_part count = {0, 0}, time = {0, 1}, none = {12345, 0};
    cleanup_buf struct buf a = pprof_of(first, 2), b = pprof_of(second, 2), text = BUF_INIT(MAX);
    const struct parser_item items[] = {{head_of(&count, 1), buf_slice(&a)},
                                        {head_of(&time, 1), buf_slice(&b)},
                                        {head_of(&none, 1), buf_slice(&b)},
                                        {head_of(&count, 1), STR("by no means pprof")}};
    cleanup_buf struct buf answer = answer_to(items, 4);
    cleanup_flame struct flame f;
    struct err err = {0};
    CHECK_INT(flame_merge_check(NULL, 4, buf_slice(&answer), &err), 0);
    CHECK_INT(flame_merge_damaged(buf_slice(&answer)), 1);
    flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    flame_merge_add(&f, NULL, buf_slice(&answer));
    print(&f, &text);
    CHECK_STR(buf_cstr(&text), "main 0/26 work 25/26 leaf 1/1");
    /* The next answer goes on top. */
    flame_merge_add(&f, NULL, buf_slice(&answer));
    buf_reset(&text);
    print(&f, &text);
    CHECK_STR(buf_cstr(&text), "main 0/52 work 50/52 leaf 2/2");
    CHECK(!f.truncated);
}

static void a_graph_has_its_own_limits(void)
{
    static const struct made_sample samples[] = {{"a;b;c;d", {4}, NULL}, {"e", {1}, NULL}};
    const struct body_part part = {0, 0};
    cleanup_buf struct buf pprof = pprof_of(samples, 2), text = BUF_INIT(MAX);
    const struct parser_item item = {head_of(&part, 1), buf_slice(&pprof)};
    cleanup_buf struct buf answer = answer_to(&item, 1);
    cleanup_flame struct flame f;
    flame_init(&f, 3, MAX); /* the root and two more, nodes as well as names */
    flame_merge_add(&f, NULL, buf_slice(&answer));
    CHECK(f.truncated);
    print(&f, &text);
    CHECK_STR(buf_cstr(&text), "a 0/4 b 4/4"); /* what is below counts for the deepest frame that is known */
    CHECK_INT(f.nodes[0].total, 5);
}

/* What label sets "k=v" of samples a body has. */
static struct buf pprof_with_ids(void)
{
    static const struct {
        const char *key, *value;
        int64_t v;
    } samples[] = {{"span_id", "00000000000000aB", 1},
                   {"profile_id", "00000000000000cd", 10},
                   {"trace_id", "000000000000000000000000000000EF", 100},
                   {"thread", "pool", 1000}};
    struct buf out = BUF_INIT(MAX);
    struct symbols s;
    struct profile p;
    symbols_init(&s, MAX);
    profile_init(&p, &s);
    (void)profile_add_type(&p, STR("cpu"), STR("nanoseconds"));
    p.period = 42;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        const struct pprof_label l = {.key = symbols_string(&s, str_of(samples[i].key)),
                                      .str = symbols_string(&s, str_of(samples[i].value))};
        (void)profile_add(&p, made_stack(&s, "a;b"), symbols_labels(&s, &l, 1), &samples[i].v);
    }
    pprof_encode(&p, &out);
    profile_done(&p);
    symbols_done(&s);
    return out;
}

static int64_t total_with(struct str pprof, const char *ids, struct flame_how how)
{
    const struct body_part part = {0, 0};
    const struct parser_item item = {head_with(ids, how, &part, 1), pprof};
    cleanup_buf struct buf answer = answer_to(&item, 1);
    cleanup_flame struct flame f;
    int64_t period = 0;
    flame_init(&f, 100, MAX);
    flame_merge_add(&f, &period, buf_slice(&answer));
    flame_finish(&f);
    CHECK_INT(period, 42);
    return f.nodes[0].total;
}

static void samples_are_selected_by_span_and_trace(void)
{
    cleanup_buf struct buf pprof = pprof_with_ids();
    const struct str p = buf_slice(&pprof);
    CHECK_INT(total_with(p, "", (struct flame_how){0}), 111); /* a thread is a series of its own */
    CHECK_INT(total_with(p, "00000000000000ab", (struct flame_how){.span_count = 1}), 1);
    CHECK_INT(total_with(p, "00000000000000ab00000000000000cd", (struct flame_how){.span_count = 2}), 11);
    CHECK_INT(total_with(p, "0000000000000001", (struct flame_how){.span_count = 1}), 0);
    CHECK_INT(total_with(p, "000000000000000000000000000000ef", (struct flame_how){.trace_count = 1}), 100);
}

static void frames_keep_their_lines_where_asked(void)
{
    static const struct made_sample samples[] = {{"a;b", {4}, NULL}};
    const struct body_part part = {0, 0};
    cleanup_buf struct buf pprof = pprof_of(samples, 1);
    const struct parser_item item = {head_with("", (struct flame_how){.lines = 1}, &part, 1), buf_slice(&pprof)};
    cleanup_buf struct buf answer = answer_to(&item, 1);
    cleanup_flame struct flame f;
    flame_init(&f, 100, MAX);
    CHECK_INT(flame_merge_check(NULL, 1, buf_slice(&answer), &(struct err){0}), 0);
    flame_merge_add(&f, NULL, buf_slice(&answer));
    CHECK_INT(f.node_count, 3);
    const struct frame_text t = frame_text_read(f.names[f.nodes[2].name]);
    CHECK(str_is(t.name, "b"));
    CHECK(str_is(t.system_name, "b"));
    CHECK_INT(t.line, 1);
}

/* A parser process that was taken over may say anything: what passes can be added. */
static void whatever_a_process_answers_is_read_within_bounds(void)
{
    enum { TRIES = 20000 };
    static const struct made_sample samples[] = {{"a;b;c", {4}, NULL}, {"a;d", {1}, NULL}};
    const struct body_part part = {0, 0};
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
            flame_merge_add(&f, NULL, (struct str){lie, answer.len});
    }
    flame_finish(&f);
    CHECK(f.nodes[0].total >= 0);
}

int main(void)
{
    RUN(adds_the_selected_samples_of_all_bodies);
    RUN(a_graph_has_its_own_limits);
    RUN(samples_are_selected_by_span_and_trace);
    RUN(frames_keep_their_lines_where_asked);
    RUN(whatever_a_process_answers_is_read_within_bounds);
    return REPORT();
}
