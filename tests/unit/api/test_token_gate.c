#include "api/shared/token_gate.h"

#include "test.h"

static void without_it_everybody_is_admitted(void)
{
    struct token_gate g;
    token_gate_init(&g, false, 4040);
    CHECK(token_gate_admits(&g, NULL, NULL, NULL));
    token_gate_done(&g);
}

static void nobody_is_admitted_before_there_is_a_token(void)
{
    struct token_gate g;
    token_gate_init(&g, true, 4040);
    CHECK(!token_gate_admits(&g, "Bearer ", "smolder_4040=", ""));
    CHECK(!token_gate_admits(&g, NULL, NULL, NULL));
    token_gate_done(&g);
}

static void the_token_may_come_in_three_ways(void)
{
    static const struct {
        const char *authorization, *cookies, *parameter;
        bool admitted;
    } table[] = {
        {"Bearer abc123", NULL, NULL, true},
        {"bearer  abc123 ", NULL, NULL, true},
        {NULL, "smolder_4040=abc123", NULL, true},
        {NULL, "a=b; smolder_4040=abc123; c=d", NULL, true},
        {NULL, NULL, "abc123", true},
        {"Basic abc123", "smolder_4040=abc123", NULL, true},
        {"Bearer abc12", NULL, NULL, false},
        {"Bearer abc1234", NULL, NULL, false},
        {"Bearer abc123abc123", NULL, NULL, false},
        {"Basic abc123", NULL, NULL, false},
        {"abc123", NULL, NULL, false},
        {NULL, "smolder_4041=abc123", NULL, false},
        {NULL, "xsmolder_4040=abc123", NULL, false},
        {NULL, "smolder_4040", NULL, false},
        {NULL, "smolder_4040=", NULL, false},
        {NULL, "", "", false},
        {NULL, NULL, NULL, false},
    };
    struct token_gate g;
    token_gate_init(&g, true, 4040);
    token_gate_set(&g, "first");
    token_gate_set(&g, "abc123");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const bool got = token_gate_admits(&g, table[i].authorization, table[i].cookies, table[i].parameter);
        if (got != table[i].admitted)
            FAIL_("row %zu: %d", i, got);
    }
    token_gate_done(&g);
}

int main(void)
{
    RUN(without_it_everybody_is_admitted);
    RUN(nobody_is_admitted_before_there_is_a_token);
    RUN(the_token_may_come_in_three_ways);
    return REPORT();
}
