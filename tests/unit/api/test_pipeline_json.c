#include "api/agent/pipeline_json.h"

#include <jansson.h>

#include "base/cleanup.h"
#include "base/metric.h"
#include "test.h"

#include "fake_agent.h"

static uv_loop_t loop;
static struct controller *controller;

static void flag_up(void *arg)
{
    *(bool *)arg = true;
}

static json_t *listed(void)
{
    cleanup_buf struct buf out = BUF_INIT(1 << 20);
    pipeline_json_put(controller, &out);
    json_t *answer = json_loadb((const char *)out.p, out.len, 0, NULL);
    CHECK(answer);
    return answer;
}

static const char *text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static void components_have_health_edges_and_counts(void)
{
    json_t *answer = listed();
    const json_t *all = json_object_get(answer, "components"), *java = json_array_get(all, 0),
                 *sink = json_array_get(all, 1), *to = json_object_get(java, "to");
    CHECK_INT(json_array_size(all), 2);
    CHECK_STR(text(java, "id"), "pyroscope.java.all");
    CHECK_STR(text(java, "health"), "unhealthy");
    CHECK_STR(text(java, "message"), "it does not \"work\"");
    CHECK_STR(text(java, "kind"), "profile");
    CHECK_INT(json_integer_value(json_object_get(java, "sent")), 0);
    CHECK_INT(json_array_size(to), 1);
    CHECK_STR(json_string_value(json_array_get(to, 0)), "test.sink.out");
    CHECK_STR(text(sink, "module"), "");
    CHECK_INT(json_array_size(json_object_get(sink, "to")), 0);
    CHECK_INT(json_array_size(json_object_get(answer, "imports")), 0);
    json_decref(answer);
}

static void the_agent_itself_is_told_by_its_metrics(void)
{
    static struct metric_family queue = {
        .name = "smolder_queue_bytes", .help = "Q.", .kind = METRIC_GAUGE, .labels = {"endpoint"}};
    metric_set(&queue, 7, "http://ann:s3cret@host/");
    json_t *answer = listed();
    const json_t *metrics = json_object_get(json_object_get(answer, "own"), "metrics"),
                 *series = json_array_get(json_object_get(metrics, "smolder_queue_bytes"), 0);
    CHECK(json_number_value(json_object_get(series, "value")) == 7);
    CHECK_STR(text(json_object_get(series, "labels"), "endpoint"), "http://(secret)@host/");
    CHECK_INT(json_array_size(json_object_get(metrics, "smolder_gap_seconds")), 0);
    json_decref(answer);
}

int main(void)
{
    bool stopped = false;
    uv_loop_init(&loop);
    controller = controller_new(&(struct controller_options){.loop = &loop, .components = fake_components});
    CHECK_INT(fake_load(controller, "test.sink \"out\" { }\npyroscope.java \"all\" {\n mode = \"broken\"\n"
                                    " forward_to = [test.sink.out.receiver]\n}"),
              0);
    uv_run(&loop, UV_RUN_NOWAIT);
    RUN(components_have_health_edges_and_counts);
    RUN(the_agent_itself_is_told_by_its_metrics);
    controller_stop(controller, flag_up, &stopped);
    while (!stopped)
        uv_run(&loop, UV_RUN_ONCE);
    controller_free(controller);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return REPORT();
}
