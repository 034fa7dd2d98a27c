#include "net/server_host.h"

#include <unistd.h>

#include "test.h"

static void addresses_and_localhost_are_ours(void)
{
    static const char *const ours[] = {"127.0.0.1",   "127.0.0.1:12345", "10.1.2.3:80",   "[::1]:12345",
                                       "[fe80::1]",   "localhost",       "localhost:1",   "LocalHost.",
                                       "a.localhost", " localhost ",     "localhost.:80", "x.y.LOCALHOST:1"};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        if (!host_is_ours(ours[i], NULL))
            FAIL_("%s is refused", ours[i]);
    }
    CHECK(host_is_ours(NULL, NULL)); /* HTTP/1.0 */
}

static void names_of_others_are_not(void)
{
    static const char *const others[] = {"",
                                         ":80",
                                         "evil.example",
                                         "evil.example:12345",
                                         "localhos",
                                         "localhost.com",
                                         "localhost.evil.com",
                                         "127.0.0.1.evil.com",
                                         "[::1",
                                         "[evil]:80",
                                         ".localhost",
                                         "notlocalhost",
                                         "1.2.3",
                                         "localhost,x",
                                         "[]:1",
                                         "."};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (host_is_ours(others[i], NULL))
            FAIL_("%s is let in", others[i]);
    }
    char long_name[5000];
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    CHECK(!host_is_ours(long_name, NULL));
}

static void this_machines_name_and_listed_ones_are_ours(void)
{
    char own[256] = "";
    CHECK_INT(gethostname(own, sizeof own - 1), 0);
    CHECK(host_is_ours(own, NULL));
    CHECK(host_is_ours("Agent.Example:443", "a, agent.example,b"));
    CHECK(!host_is_ours("agent.example.com", "a, agent.example,b"));
    CHECK(!host_is_ours("", ",,"));
}

static void pages_of_other_origins_are_told_apart(void)
{
    CHECK(origin_is_ours(NULL, NULL, "h"));
    CHECK(origin_is_ours("same-origin", "http://evil", "h"));
    CHECK(origin_is_ours("none", NULL, "h"));
    CHECK(!origin_is_ours("same-site", NULL, "h"));
    CHECK(!origin_is_ours("cross-site", "http://h", "h"));
    CHECK(origin_is_ours(NULL, "http://h:1", "h:1"));
    CHECK(!origin_is_ours(NULL, "http://h:2", "h:1"));
    CHECK(!origin_is_ours(NULL, "http://h:1.evil", "h:1"));
    CHECK(!origin_is_ours(NULL, "null", "h"));
    CHECK(!origin_is_ours(NULL, "http://h", NULL));
}

int main(void)
{
    RUN(addresses_and_localhost_are_ours);
    RUN(names_of_others_are_not);
    RUN(pages_of_other_origins_are_told_apart);
    RUN(this_machines_name_and_listed_ones_are_ours);
    return REPORT();
}
