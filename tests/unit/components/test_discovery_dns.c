/* The arguments of discovery.dns; look-ups are tested against a real server (daemon/test_discovery.py). */
#include "discovery_fixture.h"

extern const struct component_def discovery_dns;

static void arguments_are_checked(void)
{
    struct discovery_test t;
    discovery_begin(&t, &discovery_dns);
    LOAD(&t, "discovery.dns \"d\" { }\n", "missing required attribute \"names\"");
    LOAD(&t, "discovery.dns \"d\" {\n  names = []\n}\n", "DNS-SD config must contain at least one SRV record name");
    LOAD(&t, "discovery.dns \"d\" {\n  names = [\"a\"]\n  type = \"A\"\n}\n",
         "a port is required in DNS-SD configs for all record types except SRV");
    LOAD(&t, "discovery.dns \"d\" {\n  names = [\"a\"]\n  type = \"TXT\"\n}\n", "invalid DNS-SD records type \"TXT\"");
    LOAD(&t, "discovery.dns \"d\" {\n  names = [\"a\"]\n  refresh_interval = \"0s\"\n}\n",
         "refresh_interval must be greater than 0");
    LOAD(&t, "discovery.dns \"d\" {\n  names = [\"a\"]\n  type = \"A\"\n  port = 70000\n}\n",
         "port must be from 1 to 65535");
    discovery_end(&t);
}

static void it_ends_while_a_look_up_runs(void)
{
    struct discovery_test t;
    discovery_begin(&t, &discovery_dns);
    LOAD(&t, "discovery.dns \"d\" {\n  names = [\"a.invalid.\"]\n}\n", "");
    uv_run(&t.loop, UV_RUN_NOWAIT);
    LOAD(&t, "discovery.dns \"d\" {\n  names = [\"b.invalid.\", \"c.invalid.\"]\n}\n", "");
    uv_run(&t.loop, UV_RUN_NOWAIT);
    discovery_end(&t);
}

int main(void)
{
    RUN(arguments_are_checked);
    RUN(it_ends_while_a_look_up_runs);
    return REPORT();
}
