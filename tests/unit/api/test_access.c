#include "api/shared/access.h"

#include "test.h"

static char ann[] = "ann", password[] = "secret:word";
static const char right[] = "Basic YW5uOnNlY3JldDp3b3Jk";

static struct http_block block_for(char **paths, size_t n, bool only_these)
{
    struct http_block b = {.has_auth = true};
    b.auth.has_basic = true;
    b.auth.basic = (struct http_server_basic){.username = ann, .password = password};
    b.auth.filter =
        (struct http_server_filter){.paths = {.items = paths, .len = n}, .authenticate_matching_paths = only_these};
    return b;
}

static void without_a_block_everybody_is_admitted(void)
{
    struct access a;
    access_init(&a, &(struct http_block){0});
    CHECK(access_admits(&a, "/", NULL));
    CHECK(access_admits(&a, "/", "Basic bm9ib2R5Og=="));
    access_done(&a);
}

static void only_the_right_header_is_admitted(void)
{
    static const char *const wrong[] = {NULL,
                                        "",
                                        "Basic",
                                        "Basic ",
                                        "Basic YW5uOnNlY3JldDp3b3J",
                                        "Basic YW5uOnNlY3JldDp3b3JkYW5uOnNlY3JldDp3b3Jk",
                                        "Basic yW5uOnNlY3JldDp3b3Jk",
                                        "Bearer YW5uOnNlY3JldDp3b3Jk",
                                        "YW5uOnNlY3JldDp3b3Jk"};
    struct access a;
    struct http_block block = block_for(NULL, 0, false);
    access_init(&a, &block);
    CHECK(access_admits(&a, "/", right));
    CHECK(access_admits(&a, "/", "bASIC  YW5uOnNlY3JldDp3b3Jk "));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(!access_admits(&a, "/", wrong[i]));
    access_done(&a);
}

static void paths_are_exceptions_or_the_only_ones(void)
{
    char health[] = "/-/healthy", metrics[] = "/metrics", *paths[] = {health, metrics};
    struct access a;
    struct http_block block = block_for(paths, 2, false);
    access_init(&a, &block);
    CHECK(access_admits(&a, "/-/healthy", NULL));
    CHECK(access_admits(&a, "/metrics/more", NULL)); /* what begins with it */
    CHECK(!access_admits(&a, "/-/health", NULL));
    CHECK(!access_admits(&a, "/", NULL));
    access_done(&a);
    block = block_for(paths, 2, true);
    access_init(&a, &block);
    CHECK(!access_admits(&a, "/-/healthy", NULL));
    CHECK(access_admits(&a, "/-/healthy", right));
    CHECK(access_admits(&a, "/", NULL));
    access_done(&a);
}

int main(void)
{
    RUN(without_a_block_everybody_is_admitted);
    RUN(only_the_right_header_is_admitted);
    RUN(paths_are_exceptions_or_the_only_ones);
    return REPORT();
}
