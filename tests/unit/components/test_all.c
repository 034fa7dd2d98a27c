#include "components/all.h"
#include "graph/registry.h"
#include "test.h"

static void every_component_has_a_name_and_what_a_page_needs(void)
{
    for (const struct component_def *const *def = all_components; *def; def++) {
        CHECK(strchr((*def)->name, '.') != NULL);
        CHECK((*def)->help && *(*def)->help);
        CHECK((*def)->args && (*def)->build && (*def)->update && (*def)->free);
        CHECK(registry_find(all_components, str_of((*def)->name)) == *def);
    }
}

static void they_are_sorted_and_known_by_name(void)
{
    size_t n = 0;
    for (const struct component_def *const *def = all_components; *def; def++, n++)
        CHECK(n == 0 || strcmp(def[-1]->name, def[0]->name) < 0);
    CHECK(n >= 7);
    CHECK(registry_find(all_components, STR("discovery.process")) != NULL);
    CHECK(registry_find(all_components, STR("pyroscope.write")) != NULL);
}

int main(void)
{
    RUN(every_component_has_a_name_and_what_a_page_needs);
    RUN(they_are_sorted_and_known_by_name);
    return REPORT();
}
