/* Who may be profiled when not all may. */
#include "jvm/session/places.h"

#include <string.h>

#include "test.h"

enum { PLACES = 5 };

static struct jvm_places places;
static struct jvm_place place[PLACES];
static unsigned calls[PLACES];

static void on_changed(void *arg)
{
    calls[(struct jvm_place *)arg - place]++;
}

static void begin(size_t most)
{
    jvm_places_init(&places);
    jvm_places_set(&places, most);
    memset(calls, 0, sizeof calls);
    for (size_t i = 0; i < PLACES; i++)
        jvm_place_begin(&place[i], &places, on_changed, &place[i]);
}

/* "abc" for those that hold one. */
static const char *holders(void)
{
    static char text[PLACES + 1];
    size_t n = 0;
    for (size_t i = 0; i < PLACES; i++)
        if (place[i].is_held)
            text[n++] = (char)('a' + i);
    text[n] = '\0';
    CHECK_INT(places.taken, n);
    return text;
}

static void end(void)
{
    for (size_t i = 0; i < PLACES; i++) {
        jvm_place_done(&place[i]);
        jvm_place_done(&place[i]);
    }
    CHECK_STR(holders(), "");
}

static void profile(size_t i)
{
    CHECK(jvm_place_take(&place[i]));
    jvm_place_follow(&place[i], JVM_STATE_ATTACHING);
    jvm_place_follow(&place[i], JVM_STATE_PROFILING);
}

static void the_next_in_the_queue_follows_one_that_ends(void)
{
    begin(2);
    profile(0);
    profile(1);
    CHECK(!jvm_place_take(&place[2]));
    CHECK(!jvm_place_take(&place[3]));
    CHECK(!jvm_place_take(&place[2])); /* asking again does not lose its turn */
    CHECK_STR(holders(), "ab");
    jvm_place_done(&place[0]);
    CHECK_STR(holders(), "bc");
    CHECK_INT(calls[2], 1);
    CHECK(jvm_place_take(&place[2]));
    jvm_place_done(&place[3]); /* ended while it waited */
    jvm_place_done(&place[1]);
    CHECK_STR(holders(), "c");
    CHECK_INT(calls[3], 0);
    end();
}

static void one_that_is_profiled_keeps_its_place_through_failures(void)
{
    begin(1);
    profile(0);
    CHECK(!jvm_place_take(&place[1]));
    jvm_place_follow(&place[0], JVM_STATE_BACKING_OFF);
    jvm_place_follow(&place[0], JVM_STATE_WAITING);
    jvm_place_follow(&place[0], JVM_STATE_ATTACHING);
    jvm_place_follow(&place[0], JVM_STATE_DEGRADED);
    CHECK_STR(holders(), "a");
    jvm_place_follow(&place[0], JVM_STATE_GONE); /* the profiler is being stopped */
    CHECK_STR(holders(), "a");
    jvm_place_follow(&place[0], JVM_STATE_REFUSED);
    CHECK_STR(holders(), "b");
    end();
}

static void one_that_cannot_be_profiled_keeps_nobody_waiting(void)
{
    begin(1);
    CHECK(jvm_place_take(&place[0]));
    CHECK(!jvm_place_take(&place[1]));
    jvm_place_follow(&place[0], JVM_STATE_ATTACHING);
    jvm_place_follow(&place[0], JVM_STATE_WAITING); /* no HotSpot JVM */
    CHECK_STR(holders(), "b");
    CHECK(!jvm_place_take(&place[0]));
    jvm_place_follow(&place[1], JVM_STATE_BACKING_OFF);
    CHECK_STR(holders(), "a");
    end();
}

static void a_smaller_number_ends_the_newest(void)
{
    begin(0);
    for (size_t i = 0; i < PLACES; i++)
        profile(i);
    jvm_places_set(&places, 2);
    CHECK_STR(holders(), "ab");
    CHECK_INT(calls[4], 1);
    CHECK(!jvm_place_take(&place[3]));
    CHECK(!jvm_place_take(&place[4]));
    jvm_places_set(&places, 3);
    CHECK_STR(holders(), "abd");
    jvm_places_set(&places, 0);
    CHECK_STR(holders(), "abde");
    CHECK(jvm_place_take(&place[2]));
    end();
}

static void without_places_nobody_waits(void)
{
    struct jvm_place p;
    jvm_place_begin(&p, NULL, NULL, NULL);
    CHECK(jvm_place_take(&p));
    jvm_place_follow(&p, JVM_STATE_REFUSED);
    jvm_place_done(&p);
}

static void what_keeps_it_anyway_is_the_reason(void)
{
    char room[JVM_PLACE_WHY_MAX];
    begin(2);
    CHECK_STR(jvm_place_why(&place[0], "", room), "2 other JVMs are profiled, as many as max_targets allows");
    CHECK_STR(jvm_place_why(&place[0], "waiting until it is 1 s old (min_age)", room), room);
    CHECK_STR(jvm_place_why(&place[0], "no HotSpot JVM in this process", room), "no HotSpot JVM in this process");
    CHECK_HAS(jvm_place_why(&place[0], "the JVM runs with -XX:+DisableAttachMechanism", room), "DisableAttach");
    end();
}

int main(void)
{
    RUN(the_next_in_the_queue_follows_one_that_ends);
    RUN(one_that_is_profiled_keeps_its_place_through_failures);
    RUN(one_that_cannot_be_profiled_keeps_nobody_waiting);
    RUN(a_smaller_number_ends_the_newest);
    RUN(without_places_nobody_waits);
    RUN(what_keeps_it_anyway_is_the_reason);
    return REPORT();
}
