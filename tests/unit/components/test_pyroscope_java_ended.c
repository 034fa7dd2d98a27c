#include "components/pyroscope_java_ended.h"

#include "base/clock.h"
#include "test.h"

static struct {
    size_t count;
    pid_t pids[JAVA_ENDED + 1];
    struct jvm_status last;
} seen;

static void note(void *arg, const struct jvm_status *s)
{
    (void)arg;
    seen.pids[seen.count++] = s->pid;
    seen.last = *s;
}

static void look(struct java_ended *e, int64_t now_ns)
{
    seen.count = 0;
    java_ended_each(e, now_ns, note, NULL);
}

static void add(struct java_ended *e, pid_t pid, struct profile_origin *o, int64_t now_ns)
{
    java_ended_add(e, &(struct jvm_status){.pid = pid, .state = "gone", .reason = "the process ended", .labels = NULL},
                   o, now_ns);
}

static void what_is_kept_is_a_copy_and_deliveries_go_on(void)
{
    struct java_ended e;
    java_ended_init(&e);
    struct profile_origin *o = profile_origin_new();
    char service[] = "shop", reason[] = "the process ended: SIGSEGV", version[] = "17";
    java_ended_add(&e,
                   &(struct jvm_status){.pid = 7,
                                        .service_name = str_of(service),
                                        .state = "gone",
                                        .reason = reason,
                                        .version = version,
                                        .next_profile_ns = 5,
                                        .profiles = 3},
                   o, 1);
    memset(service, 'x', 4);
    memset(reason, 'x', 4);
    memset(version, 'x', 2);
    profile_origin_deliver(o);
    profile_origin_unref(o);
    look(&e, 2);
    CHECK_INT(seen.count, 1);
    CHECK(str_is(seen.last.service_name, "shop"));
    CHECK_STR(seen.last.reason, "the process ended: SIGSEGV");
    CHECK_STR(seen.last.version, "17");
    CHECK_STR(seen.last.vendor, "");
    CHECK_INT(seen.last.delivered, 1);
    CHECK_INT(seen.last.profiles, 3);
    CHECK_INT(seen.last.next_profile_ns, 0);
    CHECK(seen.last.ended_ns > 0 && seen.last.ended_ns <= clock_wall_ns());
    java_ended_done(&e);
}

static void the_last_one_comes_first_and_the_oldest_are_forgotten(void)
{
    struct java_ended e;
    java_ended_init(&e);
    struct profile_origin *o = profile_origin_new();
    for (pid_t pid = 1; pid <= JAVA_ENDED + 5; pid++)
        add(&e, pid, o, pid);
    look(&e, JAVA_ENDED + 5);
    CHECK_INT(seen.count, JAVA_ENDED);
    CHECK_INT(seen.pids[0], JAVA_ENDED + 5);
    CHECK_INT(seen.pids[JAVA_ENDED - 1], 6);
    look(&e, 50 + JAVA_ENDED_S * NS_PER_SEC);
    CHECK_INT(seen.pids[seen.count - 1], 50);
    look(&e, 1000 + JAVA_ENDED_S * NS_PER_SEC);
    CHECK_INT(seen.count, 0);
    CHECK_INT(e.len, 0);
    CHECK_INT(o->refs, 1);
    profile_origin_unref(o);
    java_ended_done(&e);
}

int main(void)
{
    RUN(what_is_kept_is_a_copy_and_deliveries_go_on);
    RUN(the_last_one_comes_first_and_the_oldest_are_forgotten);
    return REPORT();
}
