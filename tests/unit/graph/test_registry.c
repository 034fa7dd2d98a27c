#include "graph/registry.h"

#include "test.h"

static const struct component_def process = {.name = "discovery.process"}, relabel = {.name = "discovery.relabel"},
                                  java = {.name = "pyroscope.java"};
static const struct component_def *const defs[] = {&process, &relabel, &java, NULL};

static void components_are_found_by_their_whole_name(void)
{
    CHECK(registry_find(defs, STR("pyroscope.java")) == &java);
    CHECK(registry_find(defs, STR("pyroscope.jav")) == NULL);
    CHECK(registry_find(defs, STR("")) == NULL);
    CHECK(registry_find((const struct component_def *const[]){NULL}, STR("pyroscope.java")) == NULL);
}

static void slips_of_the_pen_are_understood(void)
{
    CHECK_STR(registry_suggest(defs, STR("discovery.proces")), "discovery.process");
    CHECK_STR(registry_suggest(defs, STR("piroscope.jafa")), "pyroscope.java");
    CHECK(registry_suggest(defs, STR("prometheus.scrape")) == NULL);
}

static void another_word_behind_the_dot_is_no_slip(void)
{
    static const struct component_def file = {.name = "discovery.file"};
    static const struct component_def *const with_file[] = {&file, &process, NULL};
    CHECK(registry_suggest(with_file, STR("discovery.nope")) == NULL);
    CHECK_STR(registry_suggest(with_file, STR("discovery.fiel")), "discovery.file");
    CHECK_STR(registry_suggest(with_file, STR("discovery.files")), "discovery.file");
    CHECK(registry_suggest(with_file, STR("x")) == NULL);
}

int main(void)
{
    RUN(components_are_found_by_their_whole_name);
    RUN(slips_of_the_pen_are_understood);
    RUN(another_word_behind_the_dot_is_no_slip);
    return REPORT();
}
