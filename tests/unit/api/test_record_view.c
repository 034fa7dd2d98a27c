#include "api/agent/record_view.h"

#include <errno.h>
#include <jansson.h>

#include "base/cleanup.h"
#include "pprof_maker.h"
#include "test.h"

static int serve(struct str bytes, struct buf *out)
{
    struct err err = {0};
    const struct parser_item item = {.bytes = bytes};
    return record_view_service.serve(&item, 1, out, &err);
}

static void each_sample_type_has_a_graph(void)
{
    static const struct made_sample samples[] = {
        {"main;work", {5, 50}, NULL}, {"main;\"quoted\"", {1, 0}, "pool"}, {"main;work", {2, 20}, "pool"}};
    cleanup_buf struct buf pprof = make_profile(&(struct made_profile){
        .types = {{"objects", "count"}, {"space", "bytes"}}, .samples = samples, .n = 3, .time_ns = 10});
    cleanup_buf struct buf out = BUF_INIT(RECORD_VIEW_MAX);
    CHECK_INT(serve(buf_slice(&pprof), &out), 0);
    CHECK_INT(record_view_check(NULL, 1, buf_slice(&out), &(struct err){0}), 0);
    json_t *all = json_loadb((const char *)out.p, out.len, 0, NULL);
    CHECK_INT(json_array_size(all), 2);
    const json_t *objects = json_array_get(all, 0), *space = json_array_get(all, 1);
    CHECK_STR(json_string_value(json_object_get(objects, "sample_type")), "objects");
    CHECK_INT(json_integer_value(json_object_get(objects, "total")), 8);
    CHECK_INT(json_array_size(json_object_get(objects, "nodes")), 16); /* total, main, work, "quoted" */
    CHECK_STR(json_string_value(json_object_get(space, "unit")), "bytes");
    CHECK_INT(json_integer_value(json_object_get(space, "total")), 70);
    CHECK_INT(json_array_size(json_object_get(space, "nodes")), 12); /* samples of nothing are no frames */
    json_decref(all);
}

static void what_is_no_profile_is_an_error(void)
{
    cleanup_buf struct buf out = BUF_INIT(RECORD_VIEW_MAX);
    CHECK_INT(serve(STR("by no means pprof"), &out), -EBADMSG);
    CHECK_INT(record_view_service.serve(NULL, 0, &out, &(struct err){0}), -EINVAL);
}

static void half_an_answer_is_rejected(void)
{
    struct err err = {0};
    CHECK_INT(record_view_check(NULL, 1, STR("[]"), &err), 0);
    CHECK_INT(record_view_check(NULL, 1, STR("[{"), &err), -EBADMSG);
    CHECK_INT(record_view_check(NULL, 1, STR(""), &err), -EBADMSG);
    CHECK_INT(record_view_check(NULL, 2, STR("[]"), &err), -EBADMSG);
}

int main(void)
{
    RUN(each_sample_type_has_a_graph);
    RUN(what_is_no_profile_is_an_error);
    RUN(half_an_answer_is_rejected);
    return REPORT();
}
