/* What the tests of the sender share: one sender to a server of the test, with a clock that can be turned on. */
#pragma once

#include "components/pyroscope_write_sender.h"
#include "components/write_fixture.h"

static int64_t clock_offset_ns;

static inline int64_t turned_clock(void)
{
    return (int64_t)uv_hrtime() + clock_offset_ns;
}

static inline double no_jitter(void)
{
    return 0;
}

static struct write_args args;
static const struct sender_env env = {&loop, "pyroscope.write.test", "9.9"};

static inline struct sender_settings *settings_of(struct write_args *a, const char *url, const char *more)
{
    char problem[ERR_MAX], text[1024];
    struct sender_settings *set = NULL;
    struct err err = {0};
    snprintf(text, sizeof text, "endpoint {\n url = \"%s\"\n%s\n}\n", url, more);
    CHECK(decode_text(&write_schema, text, a, problem));
    CHECK_STR(problem, "");
    CHECK_INT(sender_settings_new(a->endpoints.items, &set, &err), 0);
    return set;
}

static inline struct sender *sender_to(const char *url, const char *more)
{
    clock_offset_ns = 0;
    sender_fake(turned_clock, no_jitter);
    return sender_new(&env, settings_of(&args, url, more));
}

static inline void end(struct sender *s)
{
    sender_free(s);
    schema_done(&write_schema, &args);
}

static inline void append_with_others(struct sender *s, const char *text)
{
    struct labels *ls = labels_named("shop");
    struct encoded_profile *p = profile_of(text);
    sender_append(s, ls, p, NULL);
    encoded_profile_unref(p);
    labels_unref(ls);
}

/* In a turn of the loop of its own. */
static inline void append(struct sender *s, const char *text)
{
    append_with_others(s, text);
    uv_run(&loop, UV_RUN_NOWAIT);
}

static inline struct sender_view view(const struct sender *s)
{
    struct sender_view v;
    sender_view(s, &v);
    return v;
}

#define QUICK "min_backoff_period = \"20ms\"\nmax_backoff_period = \"100ms\"\n"
