/* What the tests of pyroscope.write share: profiles and labels, arguments from text, a clock that can be turned on. */
#pragma once

#include "base/log.h"
#include "base/metric.h"
#include "components/pyroscope_write_args.h"
#include "flow/config.h"
#include "flow/dropped.h"
#include "flow/receiver.h"
#include "net/fault_server.h"
#include "test.h"

static uv_loop_t loop;

static inline struct labels *labels_named(const char *service)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    labels_set(&b, STR("__name__"), STR("process_cpu"));
    labels_set(&b, STR("service_name"), str_of(service));
    return labels_build(&b, false);
}

/* The profile's bytes are this text, so that the server's log tells which one came. */
static inline struct encoded_profile *profile_of(const char *text)
{
    return encoded_profile_new((uint8_t *)xstrdup(text), strlen(text), 1, 0, 0);
}

/* Whether the n-th request of the server carried this profile: it ends with it. */
static inline bool request_is(const struct fault_server *s, size_t n, const char *text)
{
    size_t len = strlen(text);
    return n < s->len && s->requests[n].body_len >= len &&
           memcmp(s->requests[n].body + s->requests[n].body_len - len, text, len) == 0;
}

/* Runs the loop until the condition holds; the deadline only ends a test that fails anyway. */
#define WAIT_FOR(condition)                                                                                            \
    do {                                                                                                               \
        static const bool never_;                                                                                      \
        uint64_t end_ = uv_hrtime() + 8000000000ull;                                                                   \
        while (!(condition) && uv_hrtime() < end_)                                                                     \
            fault_run_until(&loop, &never_, 1);                                                                        \
        if (!(condition))                                                                                              \
            FAIL_("waited in vain for %s", #condition);                                                                \
    } while (0)

static inline void run_for(uint64_t ms)
{
    static const bool never;
    fault_run_until(&loop, &never, ms);
}

static inline double lost(const char *reason)
{
    return metric_value(&dropped_profiles_total, reason);
}
