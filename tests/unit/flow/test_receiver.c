#include "flow/receiver.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "test.h"

struct sink {
    unsigned calls;
    struct encoded_profile *last;
    const struct labels *labels;
};

static void take(void *ctx, const struct labels *labels, struct encoded_profile *p)
{
    struct sink *s = ctx;
    s->calls++;
    s->last = p;
    s->labels = labels;
}

static struct encoded_profile *profile(void)
{
    return encoded_profile_new((uint8_t *)xstrdup("bytes"), 5, 3, 100, 200);
}

/* Takes the values. */
static int decode(struct value *const *items, size_t n, struct receivers *rs, struct err *err)
{
    cleanup_value struct value *list = value_array(items, n);
    return receivers_option.decode(list, rs, err);
}

static void a_profile_reaches_every_receiver_that_is_still_there(void)
{
    struct sink one = {0}, two = {0};
    struct receiver *a = receiver_new("a", &one, take), *b = receiver_new("b", &two, take);
    struct receivers rs = {0};
    CHECK_INT(decode((struct value *[]){receiver_value(a), value_null(), receiver_value(b)}, 3, &rs, NULL), 0);
    CHECK_INT(rs.len, 2);
    struct encoded_profile *p = profile();
    fanout_append(&rs, NULL, p);
    CHECK_INT(one.calls, 1);
    CHECK(two.last == p);
    b->ctx = NULL; /* its component is gone */
    receiver_unref(b);
    fanout_append(&rs, NULL, p);
    CHECK_INT(one.calls, 2);
    CHECK_INT(two.calls, 1);
    encoded_profile_unref(p);
    receivers_option.done(&rs);
    CHECK(rs.items == NULL);
    receiver_unref(a);
}

static void a_profile_lives_as_long_as_somebody_holds_it(void)
{
    struct encoded_profile *p = profile();
    CHECK(encoded_profile_ref(p) == p);
    encoded_profile_unref(p);
    CHECK_INT(p->len, 5);
    CHECK_INT(p->samples, 3);
    CHECK_INT(p->duration_nanos, 200);
    encoded_profile_unref(p);
    encoded_profile_unref(NULL);
}

static unsigned chunks_taken;

static void take_chunk(void *ctx, const struct labels *labels, struct jfr_chunk *chunk)
{
    (void)ctx, (void)labels, (void)chunk;
    chunks_taken++;
}

static void a_chunk_reaches_receivers_that_take_recordings(void)
{
    int there;
    struct receiver *takes = receiver_new("a", &there, take), *gone = receiver_new("b", NULL, take),
                    *takes_not = receiver_new("c", &there, take);
    takes->recording = gone->recording = take_chunk;
    struct receivers all = {(struct receiver *[]){takes, gone, takes_not}, 3},
                     none = {(struct receiver *[]){gone, takes_not}, 2};
    CHECK(receivers_take_recordings(&all));
    CHECK(!receivers_take_recordings(&none));
    fanout_recording(&all, NULL, NULL);
    fanout_recording(&none, NULL, NULL);
    CHECK_INT(chunks_taken, 1);
    receiver_unref(takes);
    receiver_unref(gone);
    receiver_unref(takes_not);
}

static void only_receivers_are_accepted(void)
{
    struct receivers rs = {0};
    struct err err = {0};
    CHECK_INT(decode((struct value *[]){value_null(), value_int(5)}, 2, &rs, &err), -EINVAL);
    CHECK_STR(err.text, "[1] expected capsule(\"pyroscope.Appendable\"), got number");
    CHECK(rs.items == NULL);
    cleanup_value struct value *text = value_string(STR("x"));
    CHECK_INT(receivers_option.decode(text, &rs, &err), -EINVAL);
    CHECK_STR(err.text, "should be array, got string");
    cleanup_value struct value *null = value_null();
    CHECK_INT(receivers_option.decode(null, &rs, &err), 0);
    CHECK_INT(rs.len, 0);
}

static void lists_are_equal_when_they_name_the_same_receivers(void)
{
    struct receiver *a = receiver_new("a", NULL, take), *b = receiver_new("b", NULL, take);
    struct receivers x = {0}, y = {0}, z = {0}, empty = {0};
    CHECK_INT(decode((struct value *[]){receiver_value(a)}, 1, &x, NULL), 0);
    CHECK_INT(decode((struct value *[]){receiver_value(a)}, 1, &y, NULL), 0);
    CHECK_INT(decode((struct value *[]){receiver_value(b)}, 1, &z, NULL), 0);
    CHECK(receivers_option.equal(&x, &y));
    CHECK(!receivers_option.equal(&x, &z));
    CHECK(!receivers_option.equal(&x, &empty));
    CHECK(receivers_option.equal(&empty, &empty));
    cleanup_value struct value *vx = receivers_option.to_value(&x), *vy = receivers_option.to_value(&y);
    CHECK(value_equal(vx, vy));
    receivers_option.done(&x);
    receivers_option.done(&y);
    receivers_option.done(&z);
    receiver_unref(a);
    receiver_unref(b);
}

static bool yes(void *ctx)
{
    (void)ctx;
    return true;
}

static void what_leads_to_nobody_is_not_worth_collecting(void)
{
    int something;
    struct receiver *open = receiver_new("a", &something, NULL), *deaf = receiver_new("b", &something, NULL);
    struct receiver *gone = receiver_new("c", NULL, NULL);
    deaf->discards = yes;
    CHECK(receivers_discard(&(struct receivers){0}));
    CHECK(receivers_discard(&(struct receivers){(struct receiver *[]){deaf, gone}, 2}));
    CHECK(!receivers_discard(&(struct receivers){(struct receiver *[]){deaf, open}, 2}));
    receiver_unref(open);
    receiver_unref(deaf);
    receiver_unref(gone);
}

static void every_profile_has_an_id_of_its_own(void)
{
    struct encoded_profile *a = encoded_profile_new(NULL, 0, 0, 0, 0), *b = encoded_profile_new(NULL, 0, 0, 0, 0);
    CHECK_INT(strlen(a->id), 36);
    CHECK(a->id[8] == '-' && a->id[14] == '4' && strchr("89ab", a->id[19]) && a->id[23] == '-');
    CHECK(strcmp(a->id, b->id) != 0);
    encoded_profile_unref(a);
    encoded_profile_unref(b);
}

int main(void)
{
    RUN(a_profile_reaches_every_receiver_that_is_still_there);
    RUN(a_profile_lives_as_long_as_somebody_holds_it);
    RUN(a_chunk_reaches_receivers_that_take_recordings);
    RUN(only_receivers_are_accepted);
    RUN(lists_are_equal_when_they_name_the_same_receivers);
    RUN(what_leads_to_nobody_is_not_worth_collecting);
    RUN(every_profile_has_an_id_of_its_own);
    return REPORT();
}
