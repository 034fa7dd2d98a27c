#include "pyroscope/push_seen.h"

#include <stdio.h>

#include "test.h"

#define UUID(end) "01234567-89ab-4cde-8f01-23456789ab" end

struct example {
    struct label label;
    struct str profiles[3], ids[3];
    struct series series[2];
    struct push_message message;
};

/* Two series: one with the profiles a and b, one with c. */
static void make(struct example *e, const char *service, const char *c_id)
{
    *e = (struct example){.label = {STR("service_name"), str_of(service)},
                          .profiles = {STR("a"), STR("b"), STR("c")},
                          .ids = {STR(UUID("0a")), STR(UUID("0b")), str_of(c_id)}};
    e->series[0] = (struct series){&e->label, 1, e->profiles, 2, e->ids};
    e->series[1] = (struct series){&e->label, 1, e->profiles + 2, 1, e->ids + 2};
    e->message = (struct push_message){.series = e->series, .series_count = 2};
}

static void what_was_accepted_is_left_out_of_the_next_request(void)
{
    struct push_seen seen = PUSH_SEEN_INIT;
    struct example e;
    make(&e, "shop", UUID("0c"));
    CHECK_INT(push_seen_filter(&seen, &e.message), 0);
    e.message.series_count = 1;
    push_seen_add(&seen, &e.message);
    make(&e, "shop", UUID("0c"));
    CHECK_INT(push_seen_filter(&seen, &e.message), 2);
    CHECK_INT(e.message.series_count, 1);
    CHECK_INT(e.message.series[0].profile_count, 1);
    CHECK(str_is(e.message.series[0].profiles[0], "c"));
    /* The same ID with other labels is another profile. */
    make(&e, "other", UUID("0c"));
    CHECK_INT(push_seen_filter(&seen, &e.message), 0);
    push_seen_done(&seen);
}

static void a_short_id_is_no_identity(void)
{
    struct push_seen seen = PUSH_SEEN_INIT;
    struct example e;
    make(&e, "shop", "1");
    push_seen_add(&seen, &e.message);
    make(&e, "shop", "1");
    CHECK_INT(push_seen_filter(&seen, &e.message), 2);
    CHECK(e.message.series_count == 1 && str_is(e.message.series[0].profiles[0], "c"));
    e.message.series[0].ids = NULL;
    push_seen_add(&seen, &e.message);
    CHECK_INT(push_seen_filter(&seen, &e.message), 0);
    push_seen_done(&seen);
}

static void the_last_ones_are_remembered_and_memory_is_limited(void)
{
    struct push_seen seen = PUSH_SEEN_INIT;
    struct example e;
    char id[48];
    for (int i = 0; i < 10 * PUSH_SEEN_MAX; i++) {
        snprintf(id, sizeof id, UUID("%06d"), i);
        make(&e, "shop", id);
        e.message.series = e.series + 1;
        e.message.series_count = 1;
        push_seen_add(&seen, &e.message);
    }
    CHECK(seen.recent.len <= PUSH_SEEN_MAX && seen.older.len <= PUSH_SEEN_MAX);
    snprintf(id, sizeof id, UUID("%06d"), 10 * PUSH_SEEN_MAX - PUSH_SEEN_MAX);
    make(&e, "shop", id);
    CHECK_INT(push_seen_filter(&seen, &e.message), 1);
    snprintf(id, sizeof id, UUID("%06d"), 5);
    make(&e, "shop", id);
    CHECK_INT(push_seen_filter(&seen, &e.message), 0);
    push_seen_done(&seen);
}

int main(void)
{
    RUN(what_was_accepted_is_left_out_of_the_next_request);
    RUN(a_short_id_is_no_identity);
    RUN(the_last_ones_are_remembered_and_memory_is_limited);
    return REPORT();
}
