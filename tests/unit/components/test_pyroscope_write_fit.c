#include "components/pyroscope_write_fit.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "net/fault_server.h"
#include "pprof_maker.h"
#include "test.h"

static uv_loop_t loop;

static struct labels *many_labels(size_t n)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    labels_set(&b, STR("__name__"), STR("process_cpu"));
    labels_set(&b, STR("service_name"), STR("shop"));
    labels_set(&b, STR("pod"), STR("shop-1"));
    labels_set(&b, STR("otel.scope.name"), STR("x"));
    for (size_t i = 4; i < n; i++) {
        char name[16];
        snprintf(name, sizeof name, "label_%02zu", i);
        labels_set(&b, str_of(name), STR("v"));
    }
    return labels_build(&b, false);
}

static void the_labels_that_identify_a_profile_are_kept(void)
{
    struct labels *all = many_labels(35);
    struct labels *fewer = write_fit_labels(all, (struct push_limit){PUSH_LIMIT_LABELS, 30});
    CHECK_INT(labels_len(fewer), 30);
    CHECK(labels_has(fewer, STR("__name__")) && labels_has(fewer, STR("service_name")));
    CHECK(labels_has(fewer, STR("pod")) && labels_has(fewer, STR("label_04")));
    CHECK(!labels_has(fewer, STR("otel.scope.name")) && !labels_has(fewer, STR("label_34")));
    CHECK(!write_fit_labels(fewer, (struct push_limit){PUSH_LIMIT_LABELS, 30}));
    CHECK(!write_fit_labels(all, (struct push_limit){PUSH_LIMIT_LABELS, 0}));
    CHECK(!write_fit_labels(all, (struct push_limit){PUSH_LIMIT_SAMPLES, 1}));
    labels_unref(fewer);
    labels_unref(all);
}

static void values_are_cut_between_characters(void)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    labels_set(&b, STR("a"), STR("12345\xc3\xa4"));
    labels_set(&b, STR("b"), STR("short"));
    struct labels *all = labels_build(&b, false);
    struct labels *shorter = write_fit_labels(all, (struct push_limit){PUSH_LIMIT_LABEL_VALUE, 6});
    CHECK_STR(labels_get(shorter, STR("a")).p, "12345");
    CHECK_STR(labels_get(shorter, STR("b")).p, "short");
    CHECK(!write_fit_labels(all, (struct push_limit){PUSH_LIMIT_LABEL_VALUE, 0}));
    labels_unref(shorter);
    labels_unref(all);
}

struct outcome {
    bool done;
    size_t len;
    uint64_t samples;
    char first_id[PROFILE_ID_MAX], reason[64];
};

static void keep(void *arg, const struct write_fit_parts *parts)
{
    struct outcome *o = arg;
    o->done = true;
    o->len = parts->len;
    snprintf(o->reason, sizeof o->reason, "%s", parts->reason);
    for (size_t i = 0; i < parts->len; i++) {
        o->samples += parts->items[i]->samples;
        if (i == 0)
            snprintf(o->first_id, sizeof o->first_id, "%s", parts->items[i]->id);
        encoded_profile_unref(parts->items[i]);
    }
}

static struct encoded_profile *profile_with(size_t samples)
{
    static const char *const stacks[] = {"a;b", "a;c", "a;d"};
    struct made_sample made[3];
    for (size_t i = 0; i < samples; i++)
        made[i] = (struct made_sample){stacks[i], {1}, NULL};
    struct buf plain = make_profile(
        &(struct made_profile){.types = {{"cpu", "nanoseconds"}}, .time_ns = 1, .samples = made, .n = samples});
    size_t len;
    uint8_t *bytes = buf_take(&plain, &len);
    return encoded_profile_new(bytes, len, samples, 1, 0);
}

static void a_profile_is_split_and_its_parts_have_its_id(void)
{
    struct encoded_profile *p = profile_with(3);
    struct outcome o = {0};
    char id[PROFILE_ID_MAX];
    (void)write_fit_start(&loop, p, (struct push_limit){PUSH_LIMIT_SAMPLES, 1}, keep, &o);
    CHECK(fault_run_until(&loop, &o.done, 8000));
    CHECK_INT(o.len, 3);
    CHECK_INT(o.samples, 3);
    snprintf(id, sizeof id, "%.36s-1", p->id);
    CHECK_STR(o.first_id, id);
    encoded_profile_unref(p);
}

static void one_sample_cannot_be_split(void)
{
    struct encoded_profile *p = profile_with(1);
    struct outcome o = {0};
    (void)write_fit_start(&loop, p, (struct push_limit){PUSH_LIMIT_RATE, 0}, keep, &o);
    CHECK(fault_run_until(&loop, &o.done, 8000));
    CHECK_INT(o.len, 0);
    CHECK_STR(o.reason, "it has one sample");
    encoded_profile_unref(p);
}

static void after_a_cancel_nobody_is_called(void)
{
    struct encoded_profile *p = profile_with(3);
    struct outcome o = {0};
    write_fit_cancel(write_fit_start(&loop, p, (struct push_limit){PUSH_LIMIT_RATE, 0}, keep, &o));
    encoded_profile_unref(p);
    while (uv_loop_alive(&loop))
        uv_run(&loop, UV_RUN_ONCE);
    CHECK(!o.done);
}

int main(void)
{
    uv_loop_init(&loop);
    RUN(the_labels_that_identify_a_profile_are_kept);
    RUN(values_are_cut_between_characters);
    RUN(a_profile_is_split_and_its_parts_have_its_id);
    RUN(one_sample_cannot_be_split);
    RUN(after_a_cancel_nobody_is_called);
    if (!fault_loop_close(&loop)) {
        puts("FAIL a handle is left open");
        return 1;
    }
    return REPORT();
}
