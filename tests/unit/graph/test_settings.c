#include "graph/settings.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "graph_fixture.h"

static void the_logging_block_applies_when_the_load_succeeds(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "logging {\n  level = \"error\"\n  format = \"json\"\n}\n");
    CHECK(!log_on(LOG_WARN));
    LOADS(c, "logging {\n  level = \"debug\"\n}\n");
    CHECK(log_on(LOG_DEBUG));
    REFUSES(c, "logging {\n  level = \"error\"\n}\ntest.node \"a\" {\n  slow = 1\n}\n",
            "f:5:10: 1 should be bool, got number");
    CHECK(log_on(LOG_DEBUG));
    LOADS(c, ""); /* no block: the default */
    CHECK(!log_on(LOG_DEBUG) && log_on(LOG_INFO));
    end(c, &loop);
}

static void unknown_words_are_refused(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    REFUSES(c, "logging {\n  level = \"loud\"\n}\n", "f:2:11: \"loud\" unrecognized log level \"loud\"");
    REFUSES(c, "logging {\n  format = \"xml\"\n}\n", "f:2:12: \"xml\" unrecognized log format \"xml\"");
    REFUSES(c, "logging {\n  destination = \"printer\"\n}\n", "f:1:1: unrecognized log destination \"printer\"");
    REFUSES(c, "logging {\n  levle = \"info\"\n}\n",
            "f:2:3: unrecognized attribute name \"levle\", did you mean \"level\"?");
    REFUSES(c, "logging \"x\" { }\n", "f:1:9: block \"logging\" does not support specifying labels");
    end(c, &loop);
}

static void blocks_without_effect_are_accepted_and_checked(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "livedebugging {\n  enabled = true\n}\n"
             "tracing {\n  sampling_fraction = 0.5\n  sampler {\n    jaeger_remote {\n      url = \"http://x\"\n    "
             "}\n  }\n}\n"
             "http { }\n");
    REFUSES(c, "livedebugging {\n  on = true\n}\ntracing {\n  fraction = 1\n}\nhttp {\n  port = 1\n}\n",
            "f:2:3: unrecognized attribute name \"on\"\nf:5:3: unrecognized attribute name \"fraction\"\n"
            "f:8:3: unrecognized attribute name \"port\"");
    end(c, &loop);
}

static void protection_that_is_not_there_draws_a_warning(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    check_load_(__LINE__, c,
                "http {\n  auth {\n    basic {\n      username = \"u\"\n      password = \"p\"\n    }\n  }\n}\n", 0,
                "f:1:1: http: auth and tls are not applied; the server stays open to all who reach it");
    end(c, &loop);
}

static void old_names_of_functions_draw_a_warning(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    check_load_(__LINE__, c, "test.node \"a\" {\n  input = env(\"NOPE\")\n}\n", 0,
                "f:2:11: env is deprecated; use sys.env");
    end(c, &loop);
}

int main(void)
{
    RUN(the_logging_block_applies_when_the_load_succeeds);
    RUN(unknown_words_are_refused);
    RUN(blocks_without_effect_are_accepted_and_checked);
    RUN(protection_that_is_not_there_draws_a_warning);
    RUN(old_names_of_functions_draw_a_warning);
    return REPORT();
}
