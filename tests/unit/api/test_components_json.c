#include "api/agent/components_json.h"

#include <jansson.h>

#include "base/cleanup.h"
#include "test.h"

#include "fake_agent.h"

static uv_loop_t loop;
static struct controller *controller;

static void flag_up(void *arg)
{
    *(bool *)arg = true;
}

static void set_up(const char *config)
{
    controller = controller_new(&(struct controller_options){.loop = &loop, .components = fake_components});
    CHECK_INT(fake_load(controller, config), 0);
}

static void tear_down(void)
{
    bool stopped = false;
    controller_stop(controller, flag_up, &stopped);
    while (!stopped)
        uv_run(&loop, UV_RUN_ONCE);
    controller_free(controller);
    uv_run(&loop, UV_RUN_DEFAULT);
}

static const char config[] =
    "pyroscope.java \"all\" {\n  forward_to = [test.sink.out.receiver]\n  password = \"hunter2\"\n}\n"
    "test.sink \"out\" { }\n"
    "declare \"pair\" {\n  test.sink \"inner\" { }\n}\n"
    "pair \"p\" { }\n";

static void lists_the_components_of_a_module_without_their_bodies(void)
{
    set_up(config);
    cleanup_buf struct buf root = BUF_INIT(1 << 20), inner = BUF_INIT(1 << 20), none = BUF_INIT(1 << 20);
    CHECK(components_json_list(controller, "", &root));
    json_t *all = json_loadb((const char *)root.p, root.len, 0, NULL);
    CHECK_INT(json_array_size(all), 3);
    CHECK(!strstr(buf_cstr(&root), "hunter2") && !strstr(buf_cstr(&root), "forward_to"));
    json_decref(all);
    CHECK(components_json_list(controller, "pair.p", &inner));
    CHECK_HAS(buf_cstr(&inner), "test.sink.inner");
    CHECK(!components_json_list(controller, "pair.q", &none));
    tear_down();
}

static void one_component_has_its_body_and_no_secret(void)
{
    set_up(config);
    cleanup_buf struct buf out = BUF_INIT(1 << 20), none = BUF_INIT(1 << 20);
    CHECK(components_json_one(controller, "pyroscope.java.all", &out));
    json_t *one = json_loadb((const char *)out.p, out.len, 0, NULL);
    CHECK_STR(json_string_value(json_object_get(one, "localID")), "pyroscope.java.all");
    CHECK(json_array_size(json_object_get(one, "arguments")) > 0);
    CHECK_HAS(buf_cstr(&out), "profiled_targets");
    CHECK(!strstr(buf_cstr(&out), "hunter2"));
    json_decref(one);
    CHECK(!components_json_one(controller, "pyroscope.java.none", &none));
    CHECK_INT(none.len, 0);
    tear_down();
}

static void a_bundle_has_every_component_of_every_module(void)
{
    set_up(config);
    cleanup_buf struct buf out = BUF_INIT(1 << 20);
    components_json_all(controller, &out);
    json_t *all = json_loadb((const char *)out.p, out.len, 0, NULL);
    CHECK_INT(json_array_size(all), 4);
    CHECK_HAS(buf_cstr(&out), "test.sink.inner");
    CHECK(!strstr(buf_cstr(&out), "hunter2"));
    json_decref(all);
    tear_down();
}

static void data_flows_along_references_to_receivers(void)
{
    set_up(config);
    struct component_view java, sink;
    CHECK(controller_view(controller, "pyroscope.java.all", &java));
    CHECK(controller_view(controller, "test.sink.out", &sink));
    cleanup_buf struct buf out = BUF_INIT(1024), none = BUF_INIT(1024);
    components_json_flow(controller, &java, &out);
    CHECK_STR(buf_cstr(&out), "[\"test.sink.out\"]");
    components_json_flow(controller, &sink, &none);
    CHECK_STR(buf_cstr(&none), "[]");
    CHECK(components_json_is_live(controller, &java));
    CHECK(!components_json_has_lists(&java) && !components_json_has_lists(&sink));
    tear_down();
}

int main(void)
{
    uv_loop_init(&loop);
    RUN(lists_the_components_of_a_module_without_their_bodies);
    RUN(one_component_has_its_body_and_no_secret);
    RUN(a_bundle_has_every_component_of_every_module);
    RUN(data_flows_along_references_to_receivers);
    uv_loop_close(&loop);
    return REPORT();
}
