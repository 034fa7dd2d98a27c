/* Shares of descriptors among users. */
#include "jvm/session/budget.h"

#include <errno.h>

#include "jvm/probe/user.h"
#include "test.h"

static struct err err;
static const uint64_t ALICE = 1ULL << 32 | 1000, BOB = 1ULL << 32 | 1001;

/* Takes as many sessions as there are to be had, which are given back at the end. */
static size_t take_all(uint64_t user)
{
    size_t n = 0;
    while (n < 10000 && jvm_budget_take(user, BUDGET_SESSION_FDS, &err) == 0)
        n++;
    return n;
}

static void give(uint64_t user, size_t n)
{
    while (n--)
        jvm_budget_give(user, BUDGET_SESSION_FDS);
}

static void one_user_gets_three_quarters(void)
{
    jvm_budget_limit(1024);
    const size_t n = take_all(ALICE);
    CHECK_INT(n, (1024 - BUDGET_RESERVED_FDS) * 3 / 4 / BUDGET_SESSION_FDS);
    CHECK_HAS(err.text, "user 1000 has used its share");
    CHECK_HAS(err.text, "LimitNOFILE");
    give(ALICE, n);
}

static void another_always_finds_something(void)
{
    jvm_budget_limit(1024);
    size_t taken[8];
    for (uint64_t user = 0; user < 8; user++)
        CHECK((taken[user] = take_all(ALICE + user)) > 0 || user > 3);
    const size_t roots = take_all(0);
    CHECK_INT(jvm_budget_take(0, BUDGET_SESSION_FDS, &err), -EMFILE);
    CHECK_HAS(err.text, "root has used");
    give(0, roots);
    for (uint64_t user = 0; user < 8; user++)
        give(ALICE + user, taken[user]);
}

static void what_is_given_back_is_there_again(void)
{
    jvm_budget_limit(1024);
    const size_t first = take_all(ALICE);
    CHECK(jvm_budget_take(BOB, BUDGET_SESSION_FDS, &err) == 0);
    give(ALICE, first);
    CHECK(take_all(ALICE) >= first - 1);
    CHECK_INT(jvm_budget_take(ALICE, 1 << 20, &err), -EMFILE);
    jvm_budget_give(BOB, BUDGET_SESSION_FDS);
}

static void few_descriptors_are_for_the_agent_alone(void)
{
    jvm_budget_limit(BUDGET_RESERVED_FDS);
    CHECK_INT(jvm_budget_take(BOB, 1, &err), -EMFILE);
    CHECK_INT(jvm_budget_take(0, 1, &err), -EMFILE);
}

int main(void)
{
    RUN(one_user_gets_three_quarters);
    RUN(another_always_finds_something);
    RUN(what_is_given_back_is_there_again);
    RUN(few_descriptors_are_for_the_agent_alone);
    return REPORT();
}
