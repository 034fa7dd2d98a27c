#include "jvm/session/session_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "jvm/attach/degrade.h"
#include "jvm/session/coverage.h"

/* The least `chunktime` of async-profiler, and the most we let it wait. */
enum { CHUNK_MIN_S = 5, CHUNK_MAX_S = 60 };
/* timeout= goes this far beyond the roll-over. */
enum { DEAD_MAN_S = 60 };
/* What `ctimer` is sent where SIGPROF yields nothing: SIGSTKFLT, which neither the kernel nor a library sends. */
enum { OTHER_SIGNAL = 16 };

bool session_config_by_dump(const struct jvm_session_config *c)
{
    return c->interval_ns < CHUNK_MIN_S * NS_PER_SEC;
}

int64_t session_config_chunk_s(const struct jvm_session_config *c)
{
    int64_t interval_s = (c->interval_ns + NS_PER_SEC - 1) / NS_PER_SEC;
    int64_t parts = (interval_s + CHUNK_MAX_S - 1) / CHUNK_MAX_S;
    return (interval_s + parts - 1) / parts;
}

char *session_config_start_options(const struct jvm_session_config *c, bool other_signal)
{
    const long long chunk_s = session_config_chunk_s(c);
    cleanup_free char *chunktime = session_config_by_dump(c) ? xstrdup("") : xasprintf("chunktime=%lld,", chunk_s);
    const long long timeout = c->roll_ns / NS_PER_SEC + 2 * chunk_s + DEAD_MAN_S;
    char signal[24] = "";
    if (other_signal)
        snprintf(signal, sizeof signal, ",signal=%d", OTHER_SIGNAL);
    /* The user's come last: the last one of a name wins. */
    return xasprintf("%schunksize=4m,timeout=%lld,memlimit=64m,%s%s", chunktime, timeout, c->events, signal);
}

void session_config_event(const struct jvm_session_config *c, const char *changes, char *ret, size_t size)
{
    cleanup_buf struct buf options = BUF_INIT(DEGRADE_MAX);
    degrade_apply(str_of(c->events), changes, &options);
    struct str event = coverage_event(buf_ok(&options) ? buf_cstr(&options) : c->events);
    snprintf(ret, size, "%.*s", STR_ARG(event));
}

void session_config_copy(struct jvm_session_config *to, const struct jvm_session_config *from)
{
    *to = *from;
    to->tmp_dir = xstrdup(from->tmp_dir);
    to->dist = xstrdup(from->dist);
    to->events = xstrdup(from->events);
}

void session_config_done(struct jvm_session_config *c)
{
    free((char *)c->tmp_dir);
    free((char *)c->dist);
    free((char *)c->events);
}

bool session_config_is_guarded(const struct jvm_session_config *c)
{
    return c->quarantine && !c->retry_crashed && c->crash_guard != CRASH_GUARD_OFF;
}

bool session_config_samples_differ(const struct jvm_session_config *a, const struct jvm_session_config *b)
{
    return strcmp(a->events, b->events) != 0 || a->interval_ns != b->interval_ns || a->roll_ns != b->roll_ns;
}

bool session_config_rules_differ(const struct jvm_session_config *a, const struct jvm_session_config *b)
{
    return a->untested != b->untested || a->headroom != b->headroom || a->min_age_ns != b->min_age_ns ||
           a->retry_crashed != b->retry_crashed || a->crash_guard != b->crash_guard || strcmp(a->dist, b->dist) != 0;
}
