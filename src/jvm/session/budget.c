#include "jvm/session/budget.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/list.h"
#include "base/mem.h"
#include "jvm/probe/user.h"

enum { BUCKETS = 64, SHARE = 3 };

struct account {
    struct list node;
    uint64_t user;
    size_t taken;
};

static struct list buckets[BUCKETS];
static size_t all_taken, limit;

static struct list *budget_bucket_of(uint64_t user)
{
    struct list *b = &buckets[(user ^ user >> 32) % BUCKETS];
    if (!b->next)
        list_init(b);
    return b;
}

static struct account *budget_find_user(uint64_t user)
{
    struct list *bucket = budget_bucket_of(user);
    list_each(bucket, node)
    {
        struct account *a = list_entry(node, struct account, node);
        if (a->user == user)
            return a;
    }
    return NULL;
}

void jvm_budget_limit(size_t descriptors)
{
    limit = descriptors;
}

static size_t budget_pool(void)
{
    struct rlimit r;
    if (!limit)
        limit = getrlimit(RLIMIT_NOFILE, &r) < 0 ? 1024 : (size_t)r.rlim_cur;
    return limit > BUDGET_RESERVED_FDS ? limit - BUDGET_RESERVED_FDS : 0;
}

int jvm_budget_take(uint64_t user, size_t descriptors, struct err *err)
{
    char text[JVM_USER_TEXT];
    struct account *a = budget_find_user(user);
    const size_t total = budget_pool(), left = total > all_taken ? total - all_taken : 0;
    const size_t its = (a ? a->taken : 0) + descriptors;
    if (descriptors > left || (user && its > SHARE * (left - descriptors)))
        return err_set(
            err, -EMFILE,
            "waiting: %s has used its share of the agent's descriptors (%zu of %zu); raise LimitNOFILE or ulimit -n",
            jvm_user_text(user, text), its - descriptors, total);
    if (!a) {
        a = xcalloc(1, sizeof *a);
        a->user = user;
        list_push(budget_bucket_of(user), &a->node);
    }
    a->taken += descriptors;
    all_taken += descriptors;
    return 0;
}

void jvm_budget_give(uint64_t user, size_t descriptors)
{
    struct account *a = budget_find_user(user);
    if (!a || a->taken < descriptors)
        abort(); /* what was not taken is given back: somebody's count is wrong */
    a->taken -= descriptors;
    all_taken -= descriptors;
    if (a->taken)
        return;
    list_del(&a->node);
    free(a);
}
